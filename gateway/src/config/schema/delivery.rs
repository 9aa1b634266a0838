//! Where mail goes, and how it is delivered.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use mailweir_mail::Domain;

use crate::config::{
    choice::WrittenRouteTls, next_hop::NextHop, pattern::DomainPattern, section::section,
    words::Secret,
};

section! {
    /// Where mail goes. The first route with a matching domain is taken. What no route matches, and
    /// everything if there is no route, goes directly to the MX of its domain.
    pub(in crate::config) tables "route" RouteSection {
        /// Recipient domains: `example.org`, `.example.org` for all domains below it, `*` for all.
        domains as "for": Vec<DomainPattern>, postfix "transport_maps";
        /// The next hop. "smtps" begins with TLS. "mx" looks the MX of the domain up. "discard"
        /// drops the mail as if delivered.
        to: NextHop, postfix "relayhost" "default_transport" "relay_transport";
        /// "opportunistic": TLS if the peer offers it, and no questions about its certificate.
        /// "required": no mail without TLS. "verify": and the certificate must name the host.
        tls: WrittenRouteTls = "opportunistic", postfix "smtp_tls_security_level" "smtp_tls_policy_maps" "smtp_use_tls";
        /// The login at the next hop.
        username: Option<String>, postfix "smtp_sasl_auth_enable";
        /// The file that holds the password, and nothing else; a line end at its end is ignored.
        password_file: Option<PathBuf>, postfix "smtp_sasl_password_maps";
        /// The password, from the environment only: `MAILWEIR_ROUTE__0__PASSWORD`.
        password: Option<Secret>;
        /// Whether the login is sent though there is no TLS.
        allow_clear_auth: bool = false, postfix "smtp_sasl_security_options";
        /// The most connections to one destination at once.
        destination_concurrency_limit: NonZeroU32 = 20, postfix "default_destination_concurrency_limit" "smtp_destination_concurrency_limit";
        /// The most recipients of one mail in one transaction.
        destination_recipient_limit: NonZeroU32 = 50, postfix "default_destination_recipient_limit" "smtp_destination_recipient_limit";
        /// Whether the next hop is told by XFORWARD from which client a mail came, if it asks for that: for a Postfix that handed
        /// us the mail and gets it back. To one host only, not to "mx".
        xforward: bool = false, postfix "smtp_send_xforward_command";
    }
}

section! {
    /// Delivery by SMTP and LMTP: what we call ourselves and how long we wait.
    pub(in crate::config) table "smtp" SmtpSection {
        /// The name in our EHLO. Absent: the hostname.
        helo_name: Option<Domain>, postfix "smtp_helo_name";
        /// The local IPv4 address to connect from. Absent: the system chooses.
        bind_address: Option<Ipv4Addr>, postfix "smtp_bind_address";
        /// The local IPv6 address to connect from. Absent: the system chooses.
        bind_address6: Option<Ipv6Addr>, postfix "smtp_bind_address6";
        /// How long a connection may take to come about.
        connect_timeout: Duration = "30s", postfix "smtp_connect_timeout";
        /// How long we wait for the banner, and for the answer to EHLO.
        helo_timeout: Duration = "300s", postfix "smtp_helo_timeout";
        /// How long we wait for the answer to STARTTLS, and for the TLS handshake.
        starttls_timeout: Duration = "300s", postfix "smtp_starttls_timeout";
        /// How long we wait for the answer to MAIL.
        mail_timeout: Duration = "300s", postfix "smtp_mail_timeout";
        /// How long we wait for the answer to RCPT.
        rcpt_timeout: Duration = "300s", postfix "smtp_rcpt_timeout";
        /// How long we wait for the answer to DATA.
        data_init_timeout: Duration = "120s", postfix "smtp_data_init_timeout";
        /// How long the peer may take no content.
        data_xfer_timeout: Duration = "180s", postfix "smtp_data_xfer_timeout";
        /// How long we wait for the answer to the end of the content. Too short means mail twice
        /// (RFC 1047).
        data_done_timeout: Duration = "600s", postfix "smtp_data_done_timeout";
        /// How long we wait for the answer to RSET.
        rset_timeout: Duration = "20s", postfix "smtp_rset_timeout";
        /// How long we wait for the answer to QUIT.
        quit_timeout: Duration = "300s", postfix "smtp_quit_timeout";
        /// How long an unused connection is kept open for the next mail. 0: not at all.
        connection_cache_time_limit: Duration = "2s", postfix "smtp_connection_cache_time_limit";
        /// How long one connection may be used again.
        connection_reuse_time_limit: Duration = "300s", postfix "smtp_connection_reuse_time_limit";
        /// How many mails may go over one connection. 0: no limit.
        connection_reuse_count_limit: u32 = 0, postfix "smtp_connection_reuse_count_limit";
        /// The most connections to all destinations together.
        session_limit: NonZeroU32 = 100, postfix "default_process_limit";
        /// How many addresses of a domain's mail servers are tried for one mail. 0: all.
        mx_address_limit: u32 = 5, postfix "smtp_mx_address_limit";
        /// Of those, how many may answer the banner before the mail waits for the next attempt. 0: all.
        mx_session_limit: u32 = 2, postfix "smtp_mx_session_limit";
    }
}
