//! The gateway itself: its name, its domains, limits, TLS, name servers and queue.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use mailweir_mail::{Address, Domain};

use crate::{
    config::{
        choice::{Engine, MinTlsVersion},
        pattern::DomainPattern,
        section::section,
        table::TableName,
        units::ByteSize,
    },
    time_zone::TimeZone,
};

section! {
    /// The gateway itself.
    pub(in crate::config) table "server" ServerSection {
        /// The name in the banner, in EHLO and in Received headers. It should be the name that the
        /// reverse DNS of this machine shows. Absent: the name of the machine.
        hostname: Option<Domain>, postfix "myhostname";
        /// The directory of the queue, the users, and the certificate made at first start. It is
        /// all there is to back up.
        data_dir: PathBuf = "/var/lib/mailweir", postfix "queue_directory" "data_directory";
        /// Where its people live: for hours and days of rules, and for the times that notices name. A name
        /// of the IANA database, which knows summer time. Absent: the zone of this machine (`TZ`,
        /// `/etc/localtime`), or UTC.
        time_zone: Option<TimeZone>;
    }
}

section! {
    /// The domains we accept mail for.
    pub table "domains" Domains {
        /// Domains whose mail is accepted from anywhere and passed on by the routes. `example.org`
        /// is that domain alone; `.example.org` is every domain below it.
        relay: Vec<DomainPattern> = [], postfix "relay_domains" "mydestination" "virtual_mailbox_domains";
        /// Tables of the users that exist in these domains: `user@example.org` or `@example.org`
        /// for all of one, whatever the value. Mail for others is refused with 550. Empty: whoever
        /// is written to is taken to exist.
        relay_recipient_maps: Vec<TableName> = [], postfix "relay_recipient_maps";
        /// Who gets mail to the bare `postmaster` (RFC 5321 section 4.5.1) and reports about
        /// reports that could not be delivered. Absent: `postmaster` at the hostname.
        postmaster: Option<Address>, postfix "2bounce_notice_recipient" "error_notice_recipient";
    }
}

section! {
    /// What one client may cost us. Values without a section of their own hold for all listeners.
    pub table "limits" Limits {
        /// The largest mail, headers included. 0: no limit.
        message_size_limit: ByteSize = 10240000, postfix "message_size_limit";
        /// The most recipients of one mail.
        recipient_limit: NonZeroU32 = 1000, postfix "smtpd_recipient_limit";
        /// The most sessions one client address may have open at once on a listener. 0: no limit.
        client_connection_count_limit: u32 = 50, postfix "smtpd_client_connection_count_limit";
        /// After so many errors the session ends with 421.
        hard_error_limit: NonZeroU32 = 20, postfix "smtpd_hard_error_limit";
        /// After so many NOOP, VRFY, RSET and the like without a mail, each counts as an error.
        junk_command_limit: u32 = 100, postfix "smtpd_junk_command_limit";
        /// How long we wait for the next command or piece of content.
        timeout: Duration = "300s", postfix "smtpd_timeout";
        /// The most sessions of all listeners together.
        session_limit: NonZeroU32 = 10000, postfix "default_process_limit";
        /// A mail with more Received headers than this goes in circles and is refused.
        hopcount_limit: NonZeroU32 = 50, postfix "hopcount_limit";
    }
}

section! {
    /// The certificate that listeners show. Absent: a self-signed one is made at first start.
    pub(in crate::config) table "tls" TlsSection {
        /// The certificate with its chain, in PEM.
        certificate_file: Option<PathBuf>, postfix "smtpd_tls_cert_file" "smtpd_tls_chain_files";
        /// The private key of the certificate, in PEM.
        key_file: Option<PathBuf>, postfix "smtpd_tls_key_file";
        /// The oldest version of TLS that listeners speak.
        min_version: MinTlsVersion = "1.2", postfix "smtpd_tls_mandatory_protocols" "smtpd_tls_protocols";
    }
}

section! {
    /// Name look-ups.
    pub table "dns" Dns {
        /// The name servers to ask. Empty: those of the system (`/etc/resolv.conf`).
        servers: Vec<SocketAddr> = [];
        /// How long we wait for one answer.
        timeout: Duration = "5s";
        /// Whether an MX may point to a private address. Off, since any domain owner could make us
        /// connect into our own network. A loopback address is always refused.
        allow_private_mx: bool = false;
    }
}

section! {
    /// The queue: how long mail is tried, and when the disk is too full to take more.
    pub table "queue" Queue {
        /// The free space that must be left in `data_dir`; below it mail is put off with 452.
        /// Never less than one and a half times the largest `message_size_limit`.
        queue_minfree: ByteSize = 0, postfix "queue_minfree";
        /// The shortest time between two attempts at a deferred mail.
        minimal_backoff_time: Duration = "300s", postfix "minimal_backoff_time";
        /// The longest time between two attempts at a deferred mail.
        maximal_backoff_time: Duration = "4000s", postfix "maximal_backoff_time";
        /// How long mail is tried before it is returned to its sender.
        maximal_queue_lifetime: Duration = "5d", postfix "maximal_queue_lifetime";
        /// How long a report with the null sender is tried before it is dropped.
        bounce_queue_lifetime: Duration = "5d", postfix "bounce_queue_lifetime";
        /// After this time the sender hears that the mail is late. 0: never.
        delay_warning_time: Duration = "0h", postfix "delay_warning_time";
        /// The most mails that are being delivered at once.
        active_limit: NonZeroU32 = 20000, postfix "qmgr_message_active_limit";
        /// Larger bodies are streamed to spool files; smaller ones live in the store.
        spool_threshold: ByteSize = "64 KiB";
        /// The store engine. "sled" needs a program built with the feature `engine-sled`.
        engine: Engine = "fjall";
    }
}
