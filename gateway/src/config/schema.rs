//! The sections of `mailweir.toml`: every key with its meaning, type, default and Postfix name.
//!
//! Sections whose keys are final as read are public types. Where the checked configuration says
//! more than the file ([`Listener`](super::Listener), [`Route`](super::Route), ...), the section
//! here is what the file says, and `check.rs` makes the checked type from it.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use mailweir_auth::{GroupRole, Mechanism, Scheme, SignatureAlgorithm};
use mailweir_filters::archiving::HeaderTest;
use mailweir_mail::{Address, Date, Domain, Network};
use mailweir_moderation::{
    action::Absence,
    case::TellsSender,
    chain::TrustedEntry,
    notice::Language,
    numbers::NumberKind,
    rule::{AddressPattern, Hours},
};
use mailweir_policy::FilterTarget;

use super::{
    address_verify::{VerifyMap, VerifySender},
    api_token::Sha256,
    archive::KeepFor,
    asked_at::FileMode,
    before_data::ListSite,
    charset::CharsetName,
    choice::{
        ApiRights, Attach, BareNewline, DmarcPolicy, Engine, FilterType, IfFailed, IfHeld,
        IfInfected, IfLarger, IfMalware, IfUnclear, IfUnwritable, InnerHops, KeepOrSkip, LineEnd,
        ListenerTls, LogFormat, MailDirection, MinTlsVersion, Mode, Origin, RuleAction,
        SenderPolicy, TempfailAction, Unauthenticated, WrittenAtExpiry, WrittenGreylist,
        WrittenPolicyAction,
    },
    choice::{BackendType, WrittenPasswordCheck, WrittenRouteTls, WrittenScope},
    filter::Score,
    moderation::{ExpireAfter, Expression, Mailbox, Needed, OneLine, WrittenLevel},
    next_hop::NextHop,
    pattern::DomainPattern,
    reply_code::{RejectCode, VerifyCode, VerifyDeferCode},
    restrictions::RestrictionText,
    rewriting::{
        AddressClass, ExtensionUser, HeaderRewriteClient, NameOrTable, RecipientClass, SenderClass,
    },
    section::{Schema, Section, section},
    spam::Threshold,
    table::TableName,
    units::ByteSize,
    words::{HttpUrl, Label, Secret, Words},
};
use crate::time_zone::TimeZone;

/// All sections, in the order of the reference.
pub(super) static SCHEMAS: &[Schema] = &[
    ServerSection::SCHEMA,
    Domains::SCHEMA,
    ListenerSection::SCHEMA,
    Limits::SCHEMA,
    TlsSection::SCHEMA,
    RouteSection::SCHEMA,
    SmtpSection::SCHEMA,
    Dns::SCHEMA,
    Queue::SCHEMA,
    AuthSection::SCHEMA,
    BackendSection::SCHEMA,
    ThrottleSection::SCHEMA,
    SendersSection::SCHEMA,
    QuotasSection::SCHEMA,
    RestrictionsSection::SCHEMA,
    ClassSection::SCHEMA,
    AddressVerifySection::SCHEMA,
    Checks::SCHEMA,
    Rewriting::SCHEMA,
    ModerationSection::SCHEMA,
    ModeratorSection::SCHEMA,
    RuleSection::SCHEMA,
    PolicyServerSection::SCHEMA,
    MilterServerSection::SCHEMA,
    FilterSection::SCHEMA,
    ArchiveSection::SCHEMA,
    ArchiveRuleSection::SCHEMA,
    SpamSection::SCHEMA,
    DkimSection::SCHEMA,
    Admin::SCHEMA,
    ApiTokenSection::SCHEMA,
    Log::SCHEMA,
    Metrics::SCHEMA,
];

section! {
    /// The gateway itself.
    pub(super) table "server" ServerSection {
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
    /// One place where mail comes in. Repeat the section for each; at least one.
    pub(super) tables "listener" ListenerSection {
        /// Any label, used once. It appears in logs, and in the names of environment variables.
        name: Label;
        /// The addresses and ports to listen on. An IPv6 address takes IPv6 only: list both, as in
        /// `["0.0.0.0:25", "[::]:25"]`.
        bind: Vec<SocketAddr>, postfix "inet_interfaces";
        /// Who is expected here. "mx": mail servers of the internet, with mail for our domains.
        /// "submission": people and programs that log in. "filter": a Postfix that hands mail back
        /// after its own filters; trusted peers only, no filters again. "lmtp": as "filter", by LMTP.
        mode: Mode;
        /// "optional" offers STARTTLS, "required" insists on it before MAIL, "implicit" begins with
        /// TLS (port 465), "none" offers none.
        tls: ListenerTls = "optional", postfix "smtpd_tls_security_level" "smtpd_tls_wrappermode" "smtpd_use_tls";
        /// The authorities that vouch for clients, in PEM. Clients are then asked for a certificate,
        /// and those who show one that is trusted may log in by it (EXTERNAL); all others are
        /// served as ever. Absent: nobody is asked.
        client_ca_file: Option<PathBuf>, postfix "smtpd_tls_CAfile" "smtpd_tls_ask_ccert";
        /// Peers that may relay to any domain without logging in. In the modes "filter" and "lmtp":
        /// the only peers that may connect.
        networks: Vec<Network> = [], postfix "mynetworks";
        /// Whether AUTH is offered without TLS. Passwords then cross the network readable.
        auth_in_clear: bool = false, postfix "smtpd_tls_auth_only";
        /// The SASL mechanisms to offer, in this order. EXTERNAL and the -PLUS forms come first:
        /// EXTERNAL for clients with a certificate that `client_ca_file` vouches for, the others in
        /// TLS 1.3. Empty: nobody logs in here. Absent: all that serve every user; that is SCRAM only
        /// if every back end that checks passwords can do it, since a client that is offered SCRAM
        /// tries nothing else.
        auth_mechanisms: Option<Vec<Mechanism>>, postfix "smtpd_sasl_mechanism_filter";
        /// Whether the mechanisms are also announced as `AUTH=...`, for clients that know only that
        /// form, such as old versions of Outlook.
        broken_sasl_auth_clients: bool = false, postfix "broken_sasl_auth_clients";
        /// Whether clients must say HELO or EHLO before MAIL.
        helo_required: bool = false, postfix "smtpd_helo_required";
        /// Whether VRFY is refused. Otherwise it is answered with 252, which tells nothing either.
        disable_vrfy_command: bool = false, postfix "disable_vrfy_command";
        /// Peers that may say XCLIENT: they speak for the client they name.
        xclient_hosts: Vec<Network> = [], postfix "smtpd_authorized_xclient_hosts";
        /// Peers that may say XFORWARD: the client they name appears in our log, and is named to filters and to routes with
        /// `xforward`. Nothing is decided by it.
        xforward_hosts: Vec<Network> = [], postfix "smtpd_authorized_xforward_hosts";
        /// Whether each connection begins with a PROXY header (version 1 or 2), as HAProxy sends.
        proxy_protocol: bool = false, postfix "smtpd_upstream_proxy_protocol" "postscreen_upstream_proxy_protocol";
        /// The proxies. A PROXY header counts only from these peers; others are turned away.
        proxy_hosts: Vec<Network> = [];
        /// What a lone LF (or CR) in the conversation means. "normalize": taken as a line end, but
        /// never as the end of a mail. "reject": the mail is refused. "note": as "no", and logged.
        /// "no": as a line end everywhere, which lets mail be smuggled in.
        forbid_bare_newline: BareNewline = "normalize", postfix "smtpd_forbid_bare_newline";
        /// Peers that are exempt from `forbid_bare_newline`, for old devices.
        bare_newline_excluded: Vec<Network> = [], postfix "smtpd_forbid_bare_newline_exclusions";
        /// Overrides `limits.message_size_limit` here. Absent in the modes "filter" and "lmtp": 1 MiB more than the
        /// largest mail that any other listener takes, since mail grows on its way through a filter.
        message_size_limit: Option<ByteSize>;
        /// Overrides `limits.recipient_limit` here.
        recipient_limit: Option<NonZeroU32>;
        /// Overrides `limits.client_connection_count_limit` here.
        client_connection_count_limit: Option<u32>;
        /// Overrides `limits.hard_error_limit` here.
        hard_error_limit: Option<NonZeroU32>;
        /// Overrides `limits.junk_command_limit` here.
        junk_command_limit: Option<u32>;
        /// Overrides `limits.timeout` here.
        timeout: Option<Duration>;
        /// Overrides `checks.header_checks` here.
        header_checks: Option<Vec<TableName>>, postfix "cleanup_service_name";
        /// Overrides `checks.mime_header_checks` here.
        mime_header_checks: Option<Vec<TableName>>;
        /// Overrides `checks.nested_header_checks` here.
        nested_header_checks: Option<Vec<TableName>>;
        /// Overrides `checks.body_checks` here.
        body_checks: Option<Vec<TableName>>;
        /// Overrides `checks.decoded_header_checks` here.
        decoded_header_checks: Option<Vec<TableName>>;
        /// Overrides `checks.text_body_checks` here.
        text_body_checks: Option<Vec<TableName>>;
        /// Overrides `checks.attachment_name_checks` here.
        attachment_name_checks: Option<Vec<TableName>>;
        /// Overrides `checks.attachment_type_checks` here.
        attachment_type_checks: Option<Vec<TableName>>;
        /// Overrides `restrictions.client` here.
        client_restrictions: Option<Vec<RestrictionText>>;
        /// Overrides `restrictions.helo` here.
        helo_restrictions: Option<Vec<RestrictionText>>;
        /// Overrides `restrictions.sender` here.
        sender_restrictions: Option<Vec<RestrictionText>>;
        /// Overrides `restrictions.relay` here.
        relay_restrictions: Option<Vec<RestrictionText>>;
        /// Overrides `restrictions.recipient` here.
        recipient_restrictions: Option<Vec<RestrictionText>>;
        /// Overrides `restrictions.data` here.
        data_restrictions: Option<Vec<RestrictionText>>;
        /// Overrides `restrictions.end_of_data` here.
        end_of_data_restrictions: Option<Vec<RestrictionText>>;
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
    pub(super) table "tls" TlsSection {
        /// The certificate with its chain, in PEM.
        certificate_file: Option<PathBuf>, postfix "smtpd_tls_cert_file" "smtpd_tls_chain_files";
        /// The private key of the certificate, in PEM.
        key_file: Option<PathBuf>, postfix "smtpd_tls_key_file";
        /// The oldest version of TLS that listeners speak.
        min_version: MinTlsVersion = "1.2", postfix "smtpd_tls_mandatory_protocols" "smtpd_tls_protocols";
    }
}

section! {
    /// Where mail goes. The first route with a matching domain is taken. What no route matches, and
    /// everything if there is no route, goes directly to the MX of its domain.
    pub(super) tables "route" RouteSection {
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

section! {
    /// Delivery by SMTP and LMTP: what we call ourselves and how long we wait.
    pub(super) table "smtp" SmtpSection {
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

section! {
    /// Who may log in.
    pub(super) table "auth" AuthSection {
        /// The file of users that `mailweir user` writes. Absent: `users` in `data_dir`.
        users_file: Option<PathBuf>;
    }
}

section! {
    /// Who knows the users and their passwords. Several are asked in this order: who is denied by
    /// one is asked for at the next, and if nobody knows the password while one cannot be asked, the
    /// client hears "later" (454), not "wrong". Whom our own store has disabled is not asked for any
    /// further. Absent: the own user store alone.
    pub(super) tables "auth.backend" BackendSection {
        /// "users": our own user store, `auth.users_file`. "passwd-file": a file of lines
        /// `name:password`, as Dovecot's passwd-file, htpasswd and shadow(5) have them. "saslauthd":
        /// PAM, Kerberos and the like, by Cyrus SASL's daemon. "dovecot": whoever a Dovecot knows.
        /// "ldap": an LDAP server, or Active Directory. "sql": PostgreSQL, MySQL or MariaDB.
        /// "oauth": access tokens that an issuer has signed. "certificate": whoever has a
        /// certificate that the `client_ca_file` of the listener vouches for; it needs no list.
        kind as "type": BackendType, postfix "smtpd_sasl_type";
        /// The label in logs and metrics. Absent: the type.
        name: Option<Label>;
        /// How long it may take to answer. One that fails three times in a row is not waited for
        /// until a single attempt, first after a second, later after half a minute, finds it well.
        /// Absent: "10s"; for "dovecot" "30s", for it lets the answer to an address that has guessed
        /// wrong wait for up to 17 seconds.
        timeout: Option<Duration>;
        /// saslauthd, dovecot, ldap, sql: how long a password that it accepted is accepted again,
        /// from the same address at the same listener, without asking. A password that was changed,
        /// and a user who was shut out, there or in our own store, are good for so long. At most an hour. Absent: "1 min".
        cache_ttl: Option<Duration>;
        /// passwd-file: the file. It is read again when it has changed.
        file: Option<PathBuf>;
        /// passwd-file, ldap, sql: the scheme of passwords without `{SCHEME}`, such as "SSHA".
        /// Absent: they must be hashes of crypt(3), which begin with `$`.
        default_scheme: Option<Scheme>;
        /// passwd-file, ldap, sql: whether SCRAM is served; say "true" only if all passwords are
        /// kept as `{SCRAM-SHA-256}` keys or in clear. dovecot: whether Dovecot announces SCRAM; it
        /// then conducts those log-ins.
        scram: bool = false;
        /// saslauthd, dovecot: the socket, such as `/run/saslauthd/mux` or
        /// `/var/spool/postfix/private/auth`; for Dovecot also "host:port", where passwords go in clear.
        socket: Option<String>, postfix "smtpd_sasl_path";
        /// saslauthd, dovecot: the service that is named to it.
        service: String = "smtp", postfix "smtpd_sasl_service";
        /// saslauthd: the realm of users whose domain is not in `realms`.
        realm: Option<String>, postfix "smtpd_sasl_local_domain";
        /// saslauthd: domains that are cut off names and sent as the realm: `ann@example.org` is
        /// asked for as "ann" in the realm "example.org". Every other name is sent whole. `saslauthd
        /// -r` puts both together again, and realms are safe with it. Without `-r`, PAM and shadow
        /// pass the realm over: name one domain at most, that of the users of this machine, for with
        /// two of them a user could choose under which to log in.
        realms: Vec<String> = [];
        /// ldap: the server, such as "ldaps://ldap.example.org". sql: the database, such as
        /// "postgres://mailweir@db.example.org/mail" or "mysql://mailweir@localhost/mail".
        url: Option<String>;
        /// ldap, sql: the file that holds the password of our own account there, and nothing else.
        password_file: Option<PathBuf>;
        /// ldap, sql: that password, from the environment only:
        /// `MAILWEIR_AUTH__BACKEND__0__PASSWORD`.
        password: Option<Secret>;
        /// ldap, sql: the most connections to the server.
        connections: NonZeroU32 = 4;
        /// ldap: whether TLS begins with StartTLS. "ldaps://" has TLS from the start.
        starttls: bool = false;
        /// ldap, oauth: the authorities that may vouch for the server, in PEM. Absent: those of the
        /// Mozilla root programme.
        ca_file: Option<PathBuf>;
        /// ldap: our own account, which searches, compares and reads. Absent: nobody.
        bind_dn: Option<String>;
        /// ldap: what a user binds as, without a search: "uid={user},ou=people,dc=example,dc=org",
        /// or for Active Directory "{user}@corp.example". `{user}` is the whole name, `{local}` and
        /// `{domain}` its parts. `{local}` without `{domain}` needs `name_attribute`: a client could
        /// say any domain. The same holds for `filter`.
        user_dn: Option<String>;
        /// ldap: where the search for a user begins.
        base: Option<String>;
        /// ldap: how deep the search goes.
        scope: WrittenScope = "sub";
        /// ldap: what a user's entry is found by: "(&(objectClass=inetOrgPerson)(mail={user}))".
        filter: Option<String>;
        /// ldap: "bind": the user binds with the password. "compare": the server compares it with an
        /// attribute. "read": we read the attribute, and check the password ourselves.
        password_check: WrittenPasswordCheck = "bind";
        /// ldap: the attribute of "compare" and "read".
        password_attribute: String = "userPassword";
        /// ldap: the attribute that holds who the user is, such as "mail". Absent: the name that the
        /// client gave.
        name_attribute: Option<String>;
        /// ldap: the roles of the members of groups. Who is in none of them is a sender.
        group_roles: Vec<GroupRole> = [];
        /// ldap: the attribute of a user's entry that lists its groups.
        member_of: String = "memberOf";
        /// ldap: what the entry of a group is asked, if `member_of` does not say it: "(member={dn})".
        group_filter: Option<String>;
        /// sql: what finds a user: "SELECT password FROM users WHERE name = {user}". `{user}`,
        /// `{local}` and `{domain}` are values and stand without quotes. Columns: `password`,
        /// `scram_sha_256` and the like, `enabled`, `name`, `roles`. With `{local}` and without
        /// `{domain}`, `name` says who it is; else nobody logs in under a name with an "@".
        query: Option<String>;
        /// oauth: the issuer, as the claim `iss` of its tokens has it.
        issuer: Option<String>;
        /// oauth: the names by which the issuer knows this gateway; a token must be for one of them.
        audience: Vec<String> = [];
        /// oauth: the issuer's keys (JWK Set): a file, or an https URL.
        jwks: Option<String>;
        /// oauth: the claim that holds the user's name, or a JSON pointer such as "/act/sub".
        user_claim: String = "email";
        /// oauth: the claim that holds the user's roles.
        roles_claim: Option<String>;
        /// oauth: the scope that a token must have.
        required_scope: Option<String>;
        /// oauth: the algorithms that count.
        algorithms: Vec<SignatureAlgorithm> = ["RS256", "PS256", "ES256", "ES384", "EdDSA"];
        /// oauth: whether each token counts only once. Mail programs use theirs for an hour.
        one_use: bool = false;
    }
}

section! {
    /// The brake on guessing passwords. It cannot be switched off. Whoever has failed too often has
    /// to wait, and is refused with 454 until then, even with the right password. The pause doubles
    /// with each further failure. An account has counts of its own wherever it has logged in during
    /// the last 30 days, so that strangers who guess at it lock nobody out.
    pub(super) table "auth.throttle" ThrottleSection {
        /// So many failures of one IPv4 address or IPv6 /64 have no consequence. At least 1.
        failures_per_address: u32 = 20, postfix "smtpd_client_auth_rate_limit";
        /// So many failures for one account have no consequence. At least 1.
        failures_per_account: u32 = 20;
        /// The pause after the first failure that has a consequence.
        first_pause: Duration = "30s";
        /// The longest pause of an address.
        longest_pause_address: Duration = "1h";
        /// The longest pause of an account.
        longest_pause_account: Duration = "15 min";
        /// After this time without a failure all of them are forgotten. At most 30 days.
        forget_after: Duration = "4h";
        /// Addresses that failures are not counted for, such as that of a webmail server, whose
        /// users all come from one address. The limit of accounts holds there as everywhere.
        exempt: Vec<Network> = [], postfix "smtpd_client_event_limit_exceptions";
    }
}

section! {
    /// Which sender addresses those who logged in may use. A back end may bind a single credential
    /// to some addresses; it is held to those whatever stands here.
    pub(super) table "auth.senders" SendersSection {
        /// "any": all of them. "own": the login itself if it is an address, with any `+extension`,
        /// and what `login_maps_file` gives it. "maps": only what the file gives it. "any" is what
        /// Postfix does without restrictions, and the default since logins need not be addresses;
        /// where they are, "own" is better. The null sender is for everybody.
        policy: SenderPolicy = "any", postfix "smtpd_sender_restrictions";
        /// Who owns which address, as a Postfix table in text: `user@domain  login1, login2` or
        /// `@domain  login` per line. An address that has a line is for its owners alone, unless
        /// the policy is "any". Read again within a second of a change.
        login_maps_file: Option<PathBuf>, postfix "smtpd_sender_login_maps";
        /// What clients hear that are neither logged in nor in `networks` and use an address that
        /// the file names. "reject": `553 5.7.1 not logged in`. "accept" is the default, since
        /// mail of ours that others forward comes back with our addresses.
        unauthenticated: Unauthenticated = "accept", postfix "smtpd_sender_restrictions";
        /// Whether every address in the From header must be allowed as well: it is what people see.
        /// A header that can be read in more than one way is refused. Of no effect under "any".
        header_from: bool = true;
    }
}

section! {
    /// How much one login may send. What goes over a soft limit is accepted and held until somebody
    /// releases it; what goes over a hard limit is put off with 450. What was accepted counts; a
    /// restart forgets it. Absent: no limit. Clients that did not log in have none.
    pub(super) table "auth.limits" QuotasSection {
        /// Mails in an hour, beyond which mail is held.
        messages_per_hour_soft: Option<NonZeroU32>;
        /// Mails in an hour, beyond which mail is put off.
        messages_per_hour_hard: Option<NonZeroU32>;
        /// Mails in a day, beyond which mail is held.
        messages_per_day_soft: Option<NonZeroU32>;
        /// Mails in a day, beyond which mail is put off.
        messages_per_day_hard: Option<NonZeroU32>;
        /// Recipients of all mails in an hour, beyond which mail is held.
        recipients_per_hour_soft: Option<NonZeroU32>;
        /// Recipients of all mails in an hour, beyond which each further one is put off.
        recipients_per_hour_hard: Option<NonZeroU32>;
        /// Recipients of all mails in a day, beyond which mail is held.
        recipients_per_day_soft: Option<NonZeroU32>;
        /// Recipients of all mails in a day, beyond which each further one is put off.
        recipients_per_day_hard: Option<NonZeroU32>;
    }
}

section! {
    /// Who may connect, greet, send and be written to, in lists of restrictions as Postfix writes
    /// them; an element may hold several. They hold for the listeners of the modes "mx" and
    /// "submission"; a listener may have lists of its own. In each list the first restriction that
    /// permits or refuses ends it. A changed table counts within a second.
    pub(super) table "restrictions" RestrictionsSection {
        /// About the client. A table alone is for its name and address.
        client: Option<Vec<RestrictionText>>, postfix "smtpd_client_restrictions";
        /// About what it calls itself. A table alone is for that name.
        helo: Option<Vec<RestrictionText>>, postfix "smtpd_helo_restrictions";
        /// About the sender. A table alone is for its address.
        sender: Option<Vec<RestrictionText>>, postfix "smtpd_sender_restrictions";
        /// Who may send to where. The list must end the question for strangers. Absent: clients in
        /// `networks` and those who logged in may send to anywhere, strangers to `domains.relay`.
        relay: Option<Vec<RestrictionText>>, postfix "smtpd_relay_restrictions";
        /// About each recipient. A table alone is for its address.
        recipient: Option<Vec<RestrictionText>>, postfix "smtpd_recipient_restrictions";
        /// Before the content comes.
        data: Option<Vec<RestrictionText>>, postfix "smtpd_data_restrictions";
        /// When the content has come.
        end_of_data: Option<Vec<RestrictionText>>, postfix "smtpd_end_of_data_restrictions";
        /// Whether the lists about client, greeting and sender wait for RCPT, so that the log names
        /// sender and recipient, and old clients hear the refusal.
        delay_reject: bool = true, postfix "smtpd_delay_reject";
        /// Whether the relay list comes before the recipient list.
        relay_before_recipient: bool = true, postfix "smtpd_relay_before_recipient_restrictions";
        /// Whether recipients that do not exist are refused at the end of the lists.
        reject_unlisted_recipient: bool = true, postfix "smtpd_reject_unlisted_recipient";
        /// Whether senders of our domains that do not exist are refused.
        reject_unlisted_sender: bool = false, postfix "smtpd_reject_unlisted_sender";
        /// What `reject_unknown_helo_hostname` does while DNS cannot tell.
        unknown_helo_hostname_tempfail_action: TempfailAction = "defer_if_permit", postfix "unknown_helo_hostname_tempfail_action";
        /// What `reject_unknown_sender_domain` and `..._recipient_domain` do while DNS cannot tell.
        unknown_address_tempfail_action: TempfailAction = "defer_if_permit", postfix "unknown_address_tempfail_action";
        /// What `reject_unverified_sender` does while nobody can tell whether the address takes mail.
        unverified_sender_tempfail_action: TempfailAction = "defer_if_permit", postfix "unverified_sender_tempfail_action";
        /// What `reject_unverified_recipient` does then.
        unverified_recipient_tempfail_action: TempfailAction = "defer_if_permit", postfix "unverified_recipient_tempfail_action";
        /// What a client hears instead of the next hop's words when `reject_unverified_sender`
        /// refuses.
        unverified_sender_reject_reason: Option<String>, postfix "unverified_sender_reject_reason";
        /// The same of `reject_unverified_recipient`.
        unverified_recipient_reject_reason: Option<String>, postfix "unverified_recipient_reject_reason";
        /// Whether `example.com` in an access table is for `host.example.com` too. Otherwise
        /// `.example.com` is.
        parent_domain_matches_subdomains: bool = true, postfix "parent_domain_matches_subdomains";
        /// What the null sender `<>` is looked up as.
        null_access_lookup_key: String = "<>", postfix "smtpd_null_access_lookup_key";
        /// What a client hears that a block list names.
        default_rbl_reply: String = "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", postfix "default_rbl_reply";
        /// Tables of other replies, by the domain of the list.
        rbl_reply_maps: Vec<TableName> = [], postfix "rbl_reply_maps";
        /// Tables of the fingerprints of clients that may relay, for `permit_tls_clientcerts`.
        relay_clientcerts: Vec<TableName> = [], postfix "relay_clientcerts";
        /// Where the first mail exchanger of a domain must be for `permit_mx_backup`. Empty:
        /// anywhere.
        permit_mx_backup_networks: Vec<Network> = [], postfix "permit_mx_backup_networks";
        /// How long a question to a policy server (`check_policy_service`) may take: connecting, asking and
        /// being answered.
        policy_service_timeout: Duration = "100s", postfix "smtpd_policy_service_timeout";
        /// How long a connection to a policy server waits for the next question.
        policy_service_max_idle: Duration = "300s", postfix "smtpd_policy_service_max_idle";
        /// How long a connection to a policy server is used in all.
        policy_service_max_ttl: Duration = "1000s", postfix "smtpd_policy_service_max_ttl";
        /// How many questions one connection to a policy server carries. 0: any number.
        policy_service_request_limit: u32 = 0, postfix "smtpd_policy_service_request_limit";
        /// How often a policy server is asked the same, until it answers.
        policy_service_try_limit: NonZeroU32 = 2, postfix "smtpd_policy_service_try_limit";
        /// The pause before it is asked again.
        policy_service_retry_delay: Duration = "1s", postfix "smtpd_policy_service_retry_delay";
        /// What is done without an answer, as in an access table.
        policy_service_default_action: String = "451 4.3.5 Server configuration problem", postfix "smtpd_policy_service_default_action";
        /// What policy servers hear as `policy_context`.
        policy_service_policy_context: Option<String>, postfix "smtpd_policy_service_policy_context";
        /// Whether a reply says which table does not have a user.
        show_user_unknown_table_name: bool = true, postfix "show_user_unknown_table_name";
        /// Of `REJECT` in access tables.
        access_map_reject_code: RejectCode = 554, postfix "access_map_reject_code";
        /// Of `DEFER`, `DEFER_IF_PERMIT` and `DEFER_IF_REJECT` in access tables.
        access_map_defer_code: RejectCode = 450, postfix "access_map_defer_code";
        /// Of `defer`.
        defer_code: RejectCode = 450, postfix "defer_code";
        /// Of `reject_invalid_helo_hostname`.
        invalid_hostname_reject_code: RejectCode = 501, postfix "invalid_hostname_reject_code";
        /// Of block lists in DNS.
        maps_rbl_reject_code: RejectCode = 554, postfix "maps_rbl_reject_code";
        /// Of `reject_multi_recipient_bounce`.
        multi_recipient_bounce_reject_code: RejectCode = 550, postfix "multi_recipient_bounce_reject_code";
        /// Of `reject_non_fqdn_helo_hostname`, `..._sender` and `..._recipient`.
        non_fqdn_reject_code: RejectCode = 504, postfix "non_fqdn_reject_code";
        /// Of `reject_plaintext_session`.
        plaintext_reject_code: RejectCode = 450, postfix "plaintext_reject_code";
        /// Of `reject`.
        reject_code: RejectCode = 554, postfix "reject_code";
        /// Of `reject_unauth_destination`; `defer_unauth_destination` takes 100 off.
        relay_domains_reject_code: RejectCode = 554, postfix "relay_domains_reject_code";
        /// Of `reject_unknown_sender_domain` and `..._recipient_domain`.
        unknown_address_reject_code: RejectCode = 450, postfix "unknown_address_reject_code";
        /// Of `reject_unknown_client_hostname` and `..._reverse_client_hostname`.
        unknown_client_reject_code: RejectCode = 450, postfix "unknown_client_reject_code";
        /// Of `reject_unknown_helo_hostname`.
        unknown_hostname_reject_code: RejectCode = 450, postfix "unknown_hostname_reject_code";
        /// Of addresses of our own that do not exist.
        unknown_local_recipient_reject_code: RejectCode = 550, postfix "unknown_local_recipient_reject_code";
        /// Of addresses that do not exist, in domains that we relay for.
        unknown_relay_recipient_reject_code: RejectCode = 550, postfix "unknown_relay_recipient_reject_code";
        /// Of addresses that do not exist, in virtual alias domains.
        unknown_virtual_alias_reject_code: RejectCode = 550, postfix "unknown_virtual_alias_reject_code";
        /// Of addresses that do not exist, in virtual mailbox domains.
        unknown_virtual_mailbox_reject_code: RejectCode = 550, postfix "unknown_virtual_mailbox_reject_code";
        /// Of `reject_unverified_sender`, if the address takes no mail.
        unverified_sender_reject_code: VerifyCode = 450, postfix "unverified_sender_reject_code";
        /// Of `reject_unverified_sender`, if nobody can tell now, or yet.
        unverified_sender_defer_code: VerifyDeferCode = 450, postfix "unverified_sender_defer_code";
        /// Of `reject_unverified_recipient`, if the address takes no mail.
        unverified_recipient_reject_code: VerifyCode = 450, postfix "unverified_recipient_reject_code";
        /// Of `reject_unverified_recipient`, if nobody can tell now, or yet.
        unverified_recipient_defer_code: VerifyDeferCode = 450, postfix "unverified_recipient_defer_code";
    }
}

section! {
    /// Restrictions under a name of their own, to stand in a list or in the value of a table. Repeat
    /// the section for each.
    pub(super) tables "restrictions.class" ClassSection {
        /// The name.
        name: Label, postfix "smtpd_restriction_classes";
        /// What it stands for. A table alone looks up what the list is about that uses the class.
        rules: Vec<RestrictionText>;
    }
}

section! {
    /// How `reject_unverified_sender` and `reject_unverified_recipient` find out whether an address
    /// takes mail: the next hop is asked as for a mail that ends after RCPT, and its answer is
    /// remembered.
    pub(super) table "address_verify" AddressVerifySection {
        /// Whom probes come from: an address, or a user of the host name. "<>": nobody, which some
        /// sites refuse. "double-bounce" of the host name takes mail here, whatever restrictions say,
        /// and it goes nowhere. To any other address mail goes as to all addresses, and rules say who
        /// may send it.
        sender: VerifySender = "double-bounce", postfix "address_verify_sender" "double_bounce_sender";
        /// The file, in the data directory, in which answers survive a restart. Empty: none. It is
        /// written over, so it can be no other file of the configuration.
        map: VerifyMap = "verify_cache", postfix "address_verify_map";
        /// How long a good answer is believed.
        positive_expire_time: Duration = "31d", postfix "address_verify_positive_expire_time";
        /// When a good answer is asked for anew, while the old one still counts.
        positive_refresh_time: Duration = "7d", postfix "address_verify_positive_refresh_time";
        /// Whether any other answer is remembered. If not, clients hear no such answer: verification
        /// is in progress, and each mail asks anew.
        negative_cache: bool = true, postfix "address_verify_negative_cache";
        /// How long any other answer is believed.
        negative_expire_time: Duration = "3d", postfix "address_verify_negative_expire_time";
        /// When any other answer is asked for anew.
        negative_refresh_time: Duration = "3h", postfix "address_verify_negative_refresh_time";
        /// One more than the times that a session waits for `poll_delay` while a next hop has not
        /// answered. 1: it never waits.
        poll_count: NonZeroU32 = 3, postfix "address_verify_poll_count";
        /// How long each time is. An answer that comes sooner ends it.
        poll_delay: Duration = "3s", postfix "address_verify_poll_delay";
    }
}

section! {
    /// Rules about what a mail says, in tables as Postfix writes them: `/pattern/ ACTION text`. They
    /// hold for mail that comes in by listeners of the modes "mx" and "submission"; a listener may
    /// have tables of its own. A changed file counts within a second.
    pub table "checks" Checks {
        /// Tables for the headers of the mail itself; the first rule of the first table that matches
        /// counts. A header over several lines is one text.
        header_checks: Vec<TableName> = [], postfix "header_checks";
        /// Tables for MIME headers, those of the mail itself (`Content-Type`, ...) as well as those of
        /// its parts. Absent: `header_checks`.
        mime_header_checks: Option<Vec<TableName>>, postfix "mime_header_checks";
        /// Tables for the headers of attached mails. Absent: `header_checks`.
        nested_header_checks: Option<Vec<TableName>>, postfix "nested_header_checks";
        /// Tables for each line of the body as it was sent, encoded or not.
        body_checks: Vec<TableName> = [], postfix "body_checks";
        /// Tables for all headers as a person reads them: decoded from any charset and encoding, as
        /// UTF-8, compatibility forms as one (NFKC).
        decoded_header_checks: Vec<TableName> = [];
        /// Tables for each line of text that a person reads: text parts decoded, HTML as text.
        text_body_checks: Vec<TableName> = [];
        /// Tables for the names of attachments, however they are encoded, also of those inside
        /// archives and attached mails.
        attachment_name_checks: Vec<TableName> = [];
        /// Tables for what attachments really are, by their first bytes: `application/pdf`, ...; also
        /// of those inside archives and attached mails.
        attachment_type_checks: Vec<TableName> = [];
        /// How much of each part's body `body_checks` look at.
        body_checks_size_limit: ByteSize = 51200, postfix "body_checks_size_limit";
        /// How much of a header the checks look at.
        header_size_limit: ByteSize = 102400, postfix "header_size_limit";
        /// How deep parts may stand in parts; what is deeper is taken as lines of a body.
        mime_nesting_limit: NonZeroU32 = 100, postfix "mime_nesting_limit";
        /// Whether everything behind the header of the mail is lines of a body to `body_checks`.
        disable_mime_input_processing: bool = false, postfix "disable_mime_input_processing";
        /// In which charsets text may be that names none and is no UTF-8, the likeliest first; at
        /// most 8. A rule counts if it matches any plausible reading.
        unlabelled_charsets: Vec<CharsetName> = ["euc-kr", "shift_jis", "gb18030", "big5", "windows-1252"];
        /// How much text of each part `text_body_checks` look at.
        text_body_checks_size_limit: ByteSize = "1 MiB";
    }
}

section! {
    /// Addresses rewritten by Postfix's tables, in Postfix's order: as mail comes in by listeners of
    /// the modes "mx" and "submission", and as it leaves. A changed file counts within a second. A
    /// table that cannot tell makes the mail wait.
    pub table "rewriting" Rewriting {
        /// The characters that divide a user's name from an extension, as in `user+ext@example.org`.
        /// Absent: there are no extensions.
        recipient_delimiter: Option<String>, postfix "recipient_delimiter";
        /// Whether an extension that a table does not have is put to what it has: "canonical",
        /// "virtual", "generic". Postfix's other words are for its local delivery and mean nothing here.
        propagate_unmatched_extensions: Vec<ExtensionUser> = ["canonical", "virtual"], postfix "propagate_unmatched_extensions";
        /// Tables that give addresses another form, such as `first.last@example.org`.
        canonical_maps: Vec<TableName> = [], postfix "canonical_maps";
        /// Which addresses `canonical_maps` change.
        canonical_classes: Vec<AddressClass> = ["envelope_sender", "envelope_recipient", "header_sender", "header_recipient"], postfix "canonical_classes";
        /// The same for senders alone; asked before `canonical_maps`.
        sender_canonical_maps: Vec<TableName> = [], postfix "sender_canonical_maps";
        /// Which addresses `sender_canonical_maps` change: those of the envelope, of the header.
        sender_canonical_classes: Vec<SenderClass> = ["envelope_sender", "header_sender"], postfix "sender_canonical_classes";
        /// The same for recipients alone; asked before `canonical_maps`.
        recipient_canonical_maps: Vec<TableName> = [], postfix "recipient_canonical_maps";
        /// Which addresses `recipient_canonical_maps` change: those of the envelope, of the header.
        recipient_canonical_classes: Vec<RecipientClass> = ["envelope_recipient", "header_recipient"], postfix "recipient_canonical_classes";
        /// Domains that hide what is below them: `user@host.example.org` is shown as
        /// `user@example.org`. `!example.org` hides nothing. The first that fits decides.
        masquerade_domains: Vec<String> = [], postfix "masquerade_domains";
        /// Users whose domain stays, such as "root": names or tables.
        masquerade_exceptions: Vec<NameOrTable> = [], postfix "masquerade_exceptions";
        /// Which addresses are masqueraded.
        masquerade_classes: Vec<AddressClass> = ["envelope_sender", "header_sender", "header_recipient"], postfix "masquerade_classes";
        /// Tables of aliases: an address, of any domain, that stands for one or more others.
        virtual_alias_maps: Vec<TableName> = [], postfix "virtual_alias_maps" "virtual_maps";
        /// Domains that have aliases and nothing else: names or tables. Mail for them is accepted from
        /// anywhere, and refused for addresses that are no alias. Absent: the domains that
        /// `virtual_alias_maps` have as keys, as far as they have any: patterns, `static:`, `socketmap:`,
        /// `tcp:` and tables made of others have none.
        virtual_alias_domains: Option<Vec<NameOrTable>>, postfix "virtual_alias_domains";
        /// How many addresses one recipient may have in the end; the mail is put off if there are more.
        virtual_alias_expansion_limit: NonZeroU32 = 1000, postfix "virtual_alias_expansion_limit";
        /// How often an alias may lead to an alias.
        virtual_alias_recursion_limit: NonZeroU32 = 1000, postfix "virtual_alias_recursion_limit";
        /// Who gets a copy of every mail.
        always_bcc: Option<Address>, postfix "always_bcc";
        /// Tables of who gets a copy of a sender's mail.
        sender_bcc_maps: Vec<TableName> = [], postfix "sender_bcc_maps";
        /// Tables of who gets a copy of a recipient's mail.
        recipient_bcc_maps: Vec<TableName> = [], postfix "recipient_bcc_maps";
        /// For whose mail the addresses in headers are rewritten too. "permit_inet_interfaces": clients
        /// on this machine. "permit_mynetworks": those in `networks` of the listener.
        /// "permit_sasl_authenticated": those who logged in. "static:all": everybody. Empty: nobody.
        local_header_rewrite_clients: Vec<HeaderRewriteClient> = ["permit_inet_interfaces"], postfix "local_header_rewrite_clients";
        /// Tables of users who have moved: their mail is refused, and the new address named.
        relocated_maps: Vec<TableName> = [], postfix "relocated_maps";
        /// Tables of where mail for an address or a domain goes: `transport:next hop`. They come before
        /// all routes and are asked at every attempt.
        transport_maps: Vec<TableName> = [], postfix "transport_maps";
        /// Tables of the relay for a sender's mail. They come before routes for "*", and after those
        /// that name the recipient's domain.
        sender_dependent_relayhost_maps: Vec<TableName> = [], postfix "sender_dependent_relayhost_maps";
        /// Tables that give addresses the form by which other sites know them, in the envelope and the
        /// header of what leaves by SMTP.
        smtp_generic_maps: Vec<TableName> = [], postfix "smtp_generic_maps";
    }
}

section! {
    /// Mail that waits for people before it is sent: who is written to and how, and which mail no rule
    /// is asked about. Which mail waits stands in `[[moderation.rule]]`. A reload takes all keys; mail
    /// that waits already goes on as it was when it came.
    pub(super) table "moderation" ModerationSection {
        /// Whom notices come from. Absent: `Mailweir <moderation@...>` at the hostname.
        from: Option<Mailbox>;
        /// Whether people may decide by answering a notice. The answer goes to the address of `from`
        /// with `+` and a code behind the local part, so mail for its domain must come to this gateway.
        replies: bool = true;
        /// The language of those who have none in `[[moderation.moderator]]`, senders among them:
        /// English, Korean, Japanese or French.
        language: Language = "en";
        /// Envelope senders whose mail needs nobody. Whoever can claim such an address is one of
        /// them. `[auth.senders]` binds addresses to log-ins: those who log in by `policy`, strangers by
        /// `unauthenticated = "reject"` for what `login_maps_file` names. Clients in `networks` may
        /// write any sender.
        trusted_senders: Vec<AddressPattern> = [];
        /// App passwords and interface tokens, by their labels, whose mail needs nobody, such as that
        /// of a program.
        trusted_credentials: Vec<String> = [];
        /// Whether mail needs nobody that came through `trusted_hosts` only: every Received header from
        /// the top down must name one of them, as must the client itself. `mailweir chain-check` shows
        /// it for a mail.
        trusted_chain: bool = false;
        /// Domains whose mail needs nobody if it has their verified signature (DKIM) and one From
        /// address, of that domain or below it. The whole body and From must be signed. If their name
        /// server does not answer, the mail waits as any other.
        dkim_domains: Vec<Domain> = [];
        /// Tables of the groups that people are in, for the condition `groups`. Keys are the log-in, then
        /// `user@example.org` and `@example.org` of the envelope sender; the first that has a value
        /// counts, and the value is names with commas or spaces between them. They are asked only if
        /// a rule names groups.
        group_maps: Vec<TableName> = [];
        /// How long it is remembered that two people have written to each other, for the condition
        /// `new_correspondent`. Counted from their last mail.
        forget_correspondents: Duration = "400 d";
        /// How many requests one moderator gets by themselves within `digest_interval`; further ones
        /// are gathered in one mail, which is sent when the interval ends. The same for reminders
        /// and warnings, for the news that something is decided, and for what administrators are told.
        /// 0: all are gathered.
        digest_after: u32 = 10;
        /// The time in which requests to one moderator are counted. It begins with the first.
        digest_interval: Duration = "15 min";
        /// How many notices are sent in a minute, to everybody together. Further ones wait for the
        /// next minute. 0: any number.
        notices_per_minute: u32 = 600;
        /// How many notices one sender gets a day (in UTC) about their own mail. Further ones are left
        /// out, and the log says which; that a mail is not sent is told up to ten times as often. 0:
        /// any number.
        sender_notices_per_day: u32 = 100;
        /// How long cases are kept that are decided, for people to look them up.
        keep_cases: Duration = "90 d";
        /// Whether everybody must log in to follow a link in a notice, or to answer one. If not, the
        /// link itself or a signed reply is enough, but for rules that are `sensitive`.
        links_need_login: bool = false;
        /// Our own mail servers: addresses, networks, and regular expressions for the text of an
        /// address, which begin with `^` and should end with `$`. IPv6 addresses are matched in their
        /// short form in lower case. Loopback and private addresses count only if they are listed.
        trusted_hosts: Vec<TrustedEntry> = [];
        /// What of mail that began at a trusted server itself, by its sendmail command or out of an
        /// Exchange mailbox, or of which it hides the client (Postfix `smtpd_hide_client_session`).
        /// "strict": not trusted. "accept": trusted.
        local_origin: Origin = "strict";
        /// What of mail from an unlisted address, by somebody who logged in at a trusted server
        /// (`with ESMTPSA`). "strict": not trusted. "accept": trusted, whatever stands below.
        authenticated_origin: Origin = "strict";
        /// How a trusted server is recognised that handed the mail to itself, for a content filter.
        /// "listed": its loopback address is in `trusted_hosts`. "same_host": also by its name in two
        /// headers in a row.
        inner_hops: InnerHops = "listed";
    }
}

section! {
    /// Somebody who decides about mail. Repeat the section for each. Those whom a rule names and who
    /// are not listed here are written to in `moderation.language` and are never away.
    pub(super) tables "moderation.moderator" ModeratorSection {
        /// Their address, as rules name it.
        address: Address;
        /// What notices call them. Absent: the address.
        name: Option<OneLine>;
        /// The language of their notices. Absent: `moderation.language`.
        language: Option<Language>;
        /// Their log-in, at the web pages and where they hand in mail. Absent: the address.
        login: Option<String>;
        /// Where they live: for `absent`, and for the times in their notices. Absent: `server.time_zone`.
        time_zone: Option<TimeZone>;
        /// When they are away: first and last day, or one day, from midnight to midnight there. Mail
        /// that comes then is for the deputy to decide; without one they are not asked, and
        /// administrators hear of it if too few are left.
        absent: Vec<Absence> = [];
        /// Who decides in their name while they are away. A deputy who is away too has a deputy in turn.
        deputy: Option<Address>;
    }
}

section! {
    /// Which mail waits, and for what. Repeat the section for each; all conditions of a rule must hold,
    /// of a list any entry, and a rule without conditions means all mail. The first rule that means a
    /// mail decides; the others that do are recorded. Mail of the null sender (`<>`) and notices of the
    /// gateway itself never wait.
    pub(super) tables "moderation.rule" RuleSection {
        /// The name, used once. It stands in notices and records.
        name: OneLine;
        /// What happens. "approval": `moderators` or `levels` decide. "delay": the mail goes after
        /// `delay`, unless its sender takes it back. "confirmation": its sender confirms it. "notice": it
        /// goes, and `moderators` hear of it. "accept": it goes, whatever the rules below say.
        action: RuleAction;
        /// Who sends: log-ins, whatever their case.
        logins: Vec<String> = [];
        /// Who sends: envelope senders.
        senders: Vec<AddressPattern> = [];
        /// Who sends: groups, as `moderation.group_maps` names them.
        groups: Vec<String> = [];
        /// Who sends: labels of app passwords and interface tokens.
        credentials: Vec<String> = [];
        /// Where it came in: names of listeners.
        listeners: Vec<String> = [];
        /// To whom: recipients, aliases written out. One recipient must meet this, `outside` and
        /// `new_correspondent` together.
        recipients: Vec<AddressPattern> = [];
        /// To whom: only recipients whose domain is not ours (`domains.relay`, alias domains).
        outside: bool = false;
        /// To whom: only recipients with whom this sender had no mail before, in neither direction: none
        /// that was sent, or was released. Remembered only while a rule asks for it.
        new_correspondent: bool = false;
        /// To whom: only mail with more recipients than this.
        more_than: Option<u32>;
        /// What: patterns of the subject as a person reads it. Case does not matter, here and below; a
        /// pattern may match anywhere.
        subject: Vec<Expression> = [];
        /// What: patterns of one line of text as a person reads it, HTML as text.
        text: Vec<Expression> = [];
        /// What: patterns of the name of an attachment, or of a file in an archive.
        attachment_name: Vec<Expression> = [];
        /// What: patterns of what an attachment really is, such as `^application/pdf$`.
        attachment_type: Vec<Expression> = [];
        /// What: only mail with an attachment.
        attachment: bool = false;
        /// What: only mail larger than this, headers included.
        larger_than: Option<ByteSize>;
        /// What: numbers with right check digits in its text. "kr-resident-number" (주민등록번호),
        /// "jp-my-number" (マイナンバー), "fr-nir" (numéro de sécurité sociale), "card-number", "iban".
        numbers: Vec<NumberKind> = [];
        /// How many of `numbers` must stand in it, all kinds together.
        numbers_at_least: NonZeroU32 = 1;
        /// When: days, spans, or both, in `server.time_zone`. A span over midnight belongs to
        /// the day it begins on.
        hours: Vec<Hours> = [];
        /// Who approves, if there is one level; who hears of it, of action "notice".
        moderators: Vec<Address> = [];
        /// How many of `moderators` must approve. One who refuses is enough to refuse.
        needed: Needed = 1;
        /// Who approves, one level after the other, instead of `moderators`.
        levels: Vec<WrittenLevel> = [];
        /// Whether senders may approve their own mail, if they are moderators of it.
        own_mail: bool = false;
        /// After how long those are asked again who have not answered, and again; at least 1 min. Absent:
        /// nobody is.
        remind_every: Option<Duration>;
        /// After how long without a decision `escalate_to` are asked too. Less than `expire_after`.
        escalate_after: Option<Duration>;
        /// Who is asked then. They join the level that is due.
        escalate_to: Vec<Address> = [];
        /// How long the mail waits for a decision. "never": for ever.
        expire_after: ExpireAfter = "2 d";
        /// What happens then. "reject": it is refused, and its sender hears it. "release": it is sent.
        /// "discard": it is thrown away, and its sender hears nothing.
        at_expiry: WrittenAtExpiry = "reject";
        /// How long before that everybody is told that it is near. 0: nobody is. Absent: half of
        /// `expire_after`, at most 24 h.
        warn_before: Option<Duration>;
        /// How long mail waits with action "delay".
        delay: Duration = "5 min";
        /// What the sender hears, if it is certain who that is: whoever logged in, or a sender of ours from
        /// one of the listener's `networks`. "always": that the mail is held, that its time is nearly over,
        /// and what came of it. "outcome": what came of it. "never": nothing.
        tells_sender: TellsSender = "always";
        /// What of the mail is attached to notices: all of it, its header, or nothing.
        attach: Attach = "original";
        /// Whether only the recipients that the rule means wait; the others get the mail at once.
        split: bool = false;
        /// Whether decisions need a log-in: a link in a notice is not enough, nor is a reply to it that
        /// was not handed in to this gateway with a log-in.
        sensitive: bool = false;
    }
}

section! {
    /// Where a Postfix in front asks which mail needs an approval (its `check_policy_service`). Mail that
    /// may need one comes to `listener`, which holds it or lets it go back; all other mail never comes
    /// here. Repeat the section for each. docs/postfix-in-front.md has the lines of Postfix.
    pub(super) tables "policy_server" PolicyServerSection {
        /// The addresses and ports to be asked at, such as `127.0.0.1:10040`.
        bind: Vec<SocketAddr> = [];
        /// A local socket to be asked at, beside `bind` or instead. Whoever can ask can also mislead:
        /// put it into a directory for the two servers alone.
        socket: Option<PathBuf>;
        /// The permissions of the socket.
        socket_mode: FileMode = "0660";
        /// Who may ask at `bind`.
        networks: Vec<Network> = ["127.0.0.1", "::1"];
        /// The listener that such mail comes to: its rules are asked. Its mode is "mx" or "submission",
        /// and the Postfix is one of its `networks`.
        listener: String;
        /// What Postfix is told about mail that may need an approval. "filter": FILTER, hand it to
        /// `listener`. "hold": HOLD, keep it; then nobody is asked, and `postsuper -H` lets it go.
        action: WrittenPolicyAction = "filter";
        /// Where FILTER sends it: a transport of Postfix's master.cf, and where `listener` is. Absent:
        /// `smtp` and its first address.
        filter: Option<FilterTarget>;
        /// How many connections there may be. Each smtpd of Postfix keeps one.
        connection_limit: NonZeroU32 = 1000;
        /// How long a connection may ask nothing. Postfix closes it itself after 300 s, and after 1000 s
        /// in any case.
        timeout: Duration = "1000 s";
    }
}

section! {
    /// A place where a mail server, such as a Postfix, asks as a milter what becomes of its mail: the rules of a listener judge
    /// it, and the mail stays there. Repeat the section for each. docs/postfix-in-front.md says how.
    pub(super) tables "milter_server" MilterServerSection {
        /// The addresses and ports to be asked at, such as `127.0.0.1:10050`.
        bind: Vec<SocketAddr> = [];
        /// A local socket to be asked at, beside `bind` or instead. Whoever can ask can also mislead:
        /// put it into a directory for the two servers alone.
        socket: Option<PathBuf>;
        /// The permissions of the socket.
        socket_mode: FileMode = "0660";
        /// Who may ask at `bind`.
        networks: Vec<Network> = ["127.0.0.1", "::1"];
        /// The listener whose rules are asked, as if the clients of the mail server came there. Its mode is "mx" or
        /// "submission". Who may relay and which recipients exist is for the mail server to say.
        listener: String;
        /// What is said of mail that rules of the listener hold, for an approval or by HOLD. "quarantine": hold it there; then
        /// nobody is asked, and `postsuper -H` lets it go. "tempfail": put it off with 451.
        if_held: IfHeld = "quarantine";
        /// How many connections there may be. Each session of the mail server has one.
        connection_limit: NonZeroU32 = 1000;
        /// How long a connection may say nothing: it has to wait for the client over there.
        timeout: Duration = "1000 s";
    }
}

section! {
    /// A filter of other people: mail goes there from the queue, and what the filter hands back goes on. Repeat the
    /// section for each. Mail passes those that mean it in the order of the file, each once. docs/filters.md says how.
    pub(super) tables "filter" FilterSection {
        /// Its name, used once. It stands in the log, and an action FILTER may name it: `FILTER scan:`.
        name: Label;
        /// "smtp": a server that takes mail by SMTP or LMTP. "proxy": one that gets it before it is taken, while its client waits.
        /// "pipe": a program that reads it (Postfix pipe(8)). "clamd", "spamd", "rspamd": one that is asked before the mail is
        /// taken. "milter": one that hears sessions by the milter protocol.
        kind as "type": FilterType, postfix "content_filter" "smtpd_proxy_filter";
        /// Where it hands mail back: a listener of mode "filter" for it alone. Absent: it hands nothing back; one of type "proxy" must.
        returns_to: Option<String>;
        /// Whether only an action FILTER sends mail there, or has it asked.
        only_by_action: bool = false;
        /// Which mail: where it came in, names of listeners.
        listeners: Vec<String> = [];
        /// Which mail: which way it goes, as in `archive.rule`.
        directions: Vec<MailDirection> = [];
        /// Which mail: who sends it, envelope senders.
        senders: Vec<AddressPattern> = [];
        /// Which mail: who gets it, as they are now or were written to. Only the copies of these go there; to filters that are
        /// asked before the mail is taken, the whole mail if it is for one of them.
        recipients: Vec<AddressPattern> = [];
        /// What becomes of mail when the filter fails: it cannot be reached, takes too long, or makes no sense. "defer": it is
        /// tried again later. "hold": it waits for an administrator. "pass": it goes on without the
        /// filter. "reject": it goes back to its sender. What a filter says of a mail, that it is refused or to be
        /// tried later, is no failure.
        if_failed: IfFailed = "defer";
        /// How many copies it gets at once. Of those that are asked before the mail is taken: clients that find no room wait.
        concurrency_limit: NonZeroU32 = 20, postfix "default_destination_concurrency_limit";
        /// How many recipients it gets at once. One of type "proxy" gets all.
        recipient_limit: NonZeroU32 = 50, postfix "default_destination_recipient_limit";
        /// Of type "smtp" and "proxy": where it is.
        to: Option<NextHop>;
        /// Of type "smtp" and "proxy": whether it is told by XFORWARD from which client the mail came, if it asks for that.
        xforward: Option<bool>, postfix "smtp_send_xforward_command";
        /// How long it may take with a mail. Of type "smtp": with its answer to the end of the content; absent: 20 min. Of
        /// type "pipe": until it has ended; absent: 1000 s. Then it is killed with its process group. Of type "proxy", "clamd",
        /// "spamd", "rspamd": from when its turn comes until it has answered; absent: 100 s.
        time_limit: Option<Duration>, postfix "command_time_limit" "smtpd_proxy_timeout";
        /// Of type "pipe": the program, by its whole path, and its arguments, each an entry, with the macros of pipe(8). No shell
        /// sees them. One with a part of a recipient, as `${recipient}`, is repeated for each.
        command: Vec<String> = [];
        /// Of type "pipe": as whom it runs, `user` or `user:group`. Absent: as the gateway itself, which must
        /// not be root then.
        user: Option<String>;
        /// Of type "pipe": where it runs. Absent: in `/`.
        directory: Option<PathBuf>;
        /// Of type "pipe": letters of pipe(8), any of `BDFORXhqu.>`.
        flags: Option<String>;
        /// Of type "pipe": what stands for the null sender in its arguments; "" is an empty argument. Absent:
        /// "MAILER-DAEMON".
        null_sender: Option<Words>;
        /// Of type "pipe": what ends the lines that it reads. Absent: "lf".
        eol: Option<LineEnd>;
        /// Larger mail is not for it. Of type "pipe": that counts as a failure; absent: any is. Of type "clamd", "spamd", "rspamd":
        /// `if_larger` says what becomes of it; absent: 25 MiB, 500 KiB, 50 MiB.
        size_limit: Option<ByteSize>;
        /// Of type "clamd", "spamd", "rspamd", "milter": where it listens, `inet:host:port` or `unix:/path`.
        server: Option<String>;
        /// Of the same types: whether mail over `size_limit`, or that clamd itself finds too large, passes, or the filter has failed with it. Absent: "fail" of clamd, "pass" of the others.
        if_larger: Option<IfLarger>;
        /// Of type "clamd" and "spamd": whether mail that goes on says so in its header (`X-Virus-Scanned`, `X-Spam-Status`). Absent: true.
        mark: Option<bool>;
        /// Of type "clamd", "spamd", "rspamd": whether what it finds counts in the score of `[spam]`, which says what becomes of the mail then;
        /// its own word counts where no mail is scored, as behind other filters. Absent: false.
        join_score: Option<bool>;
        /// Of type "clamd": what becomes of infected mail. Absent: "discard", for its sender is forged mostly.
        infected: Option<IfInfected>;
        /// Of type "spamd": from this score on mail is refused. Absent: never.
        reject_from: Option<Score>;
        /// Of type "spamd": from this score on mail is on hold. Absent: never.
        hold_from: Option<Score>;
        /// Of type "rspamd": the file with its password, if it wants one.
        password_file: Option<PathBuf>;
    }
}

section! {
    /// The archive: every mail as it was accepted, with its envelope, and what became of it. docs/archive.md
    /// says what that proves. A reload takes its rules, `mark` and `own`; all other keys
    /// need a restart.
    pub(super) table "archive" ArchiveSection {
        /// Whether mail is archived.
        enabled: bool = false;
        /// Where the archive is. It may be on another disk than the queue. Absent: `archive` in
        /// `server.data_dir`.
        directory: Option<PathBuf>;
        /// Whether what is archived is encrypted, if there is a `key_file`. With `false` new mail is not; what
        /// was encrypted before can still be read.
        encrypt: bool = true;
        /// A file with the keys that the archive is encrypted with: on each line one, as 64 hexadecimal digits.
        /// The first is used for new mail, all are tried for old mail. `openssl rand -hex 32` makes one. Only
        /// the gateway's own user should be able to read the file. Without it nobody ever reads that mail
        /// again: keep a copy elsewhere.
        key_file: Option<PathBuf>;
        /// What becomes of new mail while the archive cannot be written. "defer": it is put off (451).
        /// "accept": it is taken, and the log has an alarm. What was accepted waits in the queue until
        /// the archive has it, in any case.
        if_unwritable: IfUnwritable = "defer";
        /// How long mail is kept that no rule means, counted from its record.
        keep: KeepFor = "forever";
        /// Whether the gateway's own mail is archived, too: reports to senders, notices of moderation. By the
        /// links in notices held mail is decided about: whoever reads the archive has them as well.
        own: bool = false;
        /// Whether mail that is archived goes on with `X-Archive-Status: Archived` above its header; fields of that
        /// name that came with a mail are taken out then. It breaks no signature but one that covers
        /// such a field.
        mark: bool = false;
        /// Who gets the roots of sealed segments, by a mail for each day that has any. Who has them can prove
        /// that the archive is the one that it was; keep that mail elsewhere.
        roots_to: Vec<Address> = [];
        /// A file on another machine or disk that gets the roots as well, a line for each.
        roots_copy: Option<PathBuf>;
        /// A segment of the archive that has grown to so many bytes is sealed, and another one is begun.
        segment_size: ByteSize = 256000000;
        /// Whether mail is indexed, so that it can be searched. The index lies beside the archive, in its
        /// directory, and can be made anew at any time.
        index: bool = true;
        /// Memory for words that wait to be written to the index, 15 MB to 2 GiB. The process that reads mail
        /// for it takes some more.
        index_memory: ByteSize = 64000000;
    }
}

section! {
    /// Which mail the archive keeps, and for how long. The first rule that means a mail decides; mail that
    /// none means is kept for `archive.keep`. Repeat the section for each. All conditions of a rule
    /// must hold; of a list, any entry.
    pub(super) tables "archive.rule" ArchiveRuleSection {
        /// Its name, used once. It stands in the record of each mail that it has kept.
        name: OneLine;
        /// "keep": the mail is kept for `keep`. "skip": it is left out.
        action: KeepOrSkip = "keep";
        /// How long it is kept. Absent: `archive.keep`.
        keep: Option<KeepFor>;
        /// Which way the mail goes. "inbound": from elsewhere. "outbound": from those who logged in, or are
        /// in `networks`, to other domains than ours, among others. "internal": from them to domains of
        /// ours only. "own": written by the gateway itself, if `archive.own` has it archived.
        directions: Vec<MailDirection> = [];
        /// Who sends it: envelope senders.
        senders: Vec<AddressPattern> = [];
        /// Who gets it, as they are now or were written to. One recipient is enough for "keep"; "skip"
        /// means only mail that nobody else gets.
        recipients: Vec<AddressPattern> = [];
        /// What its header has: names of fields, or names and patterns of their values as a person reads
        /// them. Case does not matter; a pattern may match anywhere.
        headers: Vec<HeaderTest> = [];
        /// Only mail larger than this, headers included.
        larger_than: Option<ByteSize>;
    }
}

section! {
    /// Who really sent the mail of strangers (SPF, DKIM, DMARC, ARC, reverse DNS), and how much any mail looks like spam.
    /// A stranger is a client of a listener of the mode "mx" that has not logged in and is not in `networks`. What is found
    /// out stands in the fields `Authentication-Results` and `X-Mailweir-Spam`, on top of the mail. docs/spam.md says what
    /// it means.
    pub(super) table "spam" SpamSection {
        /// Whether mail is looked at.
        enabled: bool = false;
        /// The name in our `Authentication-Results`. Fields that come with this name are taken out of mail, since anybody
        /// can write them. Absent: `server.hostname`.
        authserv_id: Option<Domain>;
        /// What becomes of mail that fails its author's DMARC policy. "quarantine": it is held, which is what RFC 9989
        /// expects of whoever has nothing else to go by. "obey": it is refused or held as the policy asks, mail of mailing
        /// lists among it. "note": it is written down, and that is all.
        dmarc: DmarcPolicy = "quarantine";
        /// What becomes of mail if a name server does not tell whether its author's domain has a DMARC policy. "accept": it goes
        /// on, and proves nothing. "defer": it is put off (451). Where there is a policy, and it is not known whether the mail
        /// fails it, it is put off in any case, but for "note".
        if_unclear: IfUnclear = "accept";
        /// How long the name servers may take for one mail: half of it for all that its sender may choose, and
        /// the rest for its author's domain. What is not known then is not clear.
        dns_time_limit: Duration = "10s";
        /// How often they are asked about what the sender of a mail may choose. Beyond that nothing is proven.
        dns_lookup_limit: NonZeroU32 = 100;
        /// Whose word counts for mail that was changed on its way, such as that of a mailing list: domains that seal it
        /// (ARC). Mail that passed DMARC there is not refused or held by it here.
        trusted_sealers: Vec<DomainPattern> = [];
        /// From how many points on mail of strangers is marked (`X-Spam-Flag: YES`) and goes on.
        tag_from: Threshold = 5;
        /// From how many points on mail of strangers is held.
        quarantine_from: Threshold = 8;
        /// From how many points on mail of strangers is refused.
        reject_from: Threshold = "never";
        /// What becomes of mail of strangers that has known malware, by the word of a filter that joins the score.
        /// "discard": it is thrown away, and its client told that it was taken. "quarantine": it is held. "reject": it is
        /// refused.
        malware: IfMalware = "discard";
        /// From how many points on mail of our own people is held. The classifier alone does not reach 10.
        outbound_quarantine_from: Threshold = 10;
        /// From how many points on mail of our own people is refused.
        outbound_reject_from: Threshold = "never";
        /// What becomes of mail of our own people that has known malware: they do not know that they send it, and hear
        /// of it only if it is refused.
        outbound_malware: IfMalware = "reject";
        /// A file that changes what symbols weigh (TOML): of each `[symbol.NAME]` its `weight`, or `on = false`.
        /// `mailweir spam symbols` lists them all. Read at start and on reload.
        weights_file: Option<PathBuf>;
        /// Lists of domains and addresses that spam links to (URIBL), each as in Postfix's `postscreen_dnsbl_sites`:
        /// `list.example`, `list.example=127.0.0.[2..11]`, and behind `*` how much it is believed. The owner of a list sees what
        /// mail links to, and most want money from whoever asks much.
        uribl_sites: Vec<ListSite> = [];
        /// People whose names strangers should not write mail under, such as "Ann Lee <ann@example.org>": a mail from
        /// elsewhere with such a name is suspicious. The domains of `domains.relay` are looked after anyway.
        people: Vec<Mailbox> = [];
        /// The lists in DNS that are asked about the address of a stranger, as Postfix writes them: `zone`, `zone=127.0.0.[2..11]`,
        /// `zone*2`. Behind `*` stands what a listing weighs; less than zero for lists of senders of wanted mail.
        dnsbl_sites: Vec<ListSite> = [], postfix "postscreen_dnsbl_sites";
        /// The lists in DNS that are asked about the domain of the sender, the name in HELO and the reverse name of the client.
        rhsbl_sites: Vec<ListSite> = [];
        /// Which strangers are asked to come again, once for each network, sender and recipient. "never"; "suspicious": those of whom
        /// what is known before DATA weighs at least `greylist_from`, and at the end of data those whose whole mail does; "always": all.
        /// Nobody is whose domain vouches for it (SPF pass), who is on a list of senders of wanted mail, or to whom one of our own
        /// people has written.
        greylist: WrittenGreylist = "never";
        /// From how many points on a stranger is suspicious: by what is known before DATA, and at the end of data by the whole mail.
        greylist_from: Threshold = 2;
        /// How long it has to stay away.
        greylist_delay: Duration = "5 min";
        /// How long after its first time it may come again. Later it is new.
        greylist_retry_window: Duration = "2 d";
        /// How long it is known after its last mail, and an address after one of our own people has last written to it.
        greylist_keep: Duration = "35 d";
        /// How long a stranger waits for the greeting; whoever talks before it is refused, which programs do that send only spam. An address
        /// that has waited is greeted at once for some days. Not where TLS comes first ("implicit"), and not while more than half of
        /// `limits.session_limit` are taken. "0s": nobody waits.
        greet_wait: Duration = "0s", postfix "postscreen_greet_wait";
        /// How many mails strangers of one network (/24, IPv6 /64) may hand in within an hour; more are put off (451). Absent: any number.
        network_rate: Option<NonZeroU32>;
        /// How many mails of one sender's domain strangers may hand in within an hour; more are put off (451). Mail that the domain vouches for
        /// (SPF pass) is counted by itself, so that no forger uses up what the domain may send. Absent: any number.
        sender_rate: Option<NonZeroU32>;
    }
}

section! {
    /// A key that mail of our own people is signed with (DKIM). A mail is signed if its author, the one in From, is in the domain or
    /// below it, and it comes from somebody who logged in or is in `networks`; with every key of its domain that is in
    /// force. `mailweir dkim new` makes a key and says what to publish. Repeat the section for each key.
    pub(super) tables "dkim" DkimSection {
        /// The domain that signs (`d=`).
        domain: Domain;
        /// The name of the key in the domain (`s=`): its record is at `SELECTOR._domainkey.DOMAIN`.
        selector: Label;
        /// The private key, RSA from 2048 bits or Ed25519, in PEM and without a password. Only the gateway's own user should be able to
        /// read it.
        key_file: PathBuf;
        /// The first day (UTC) on which it signs, such as "2026-12-31": the record should have been published the day before.
        /// Absent: now.
        from: Option<Date>;
        /// The first day (UTC) on which it signs no more. Its record should stay published for a week, since mail may be on its way
        /// so long. Absent: never.
        until: Option<Date>;
    }
}

section! {
    /// The web UI, the API, and the health checks `/livez`, `/readyz` and `/metrics`.
    pub table "admin" Admin {
        /// The addresses and ports to listen on. Empty: none.
        bind: Vec<SocketAddr> = ["127.0.0.1:8025"];
        /// The address that people reach the UI by, for links in notices.
        public_url: Option<HttpUrl>;
        /// Reverse proxies that say in `X-Forwarded-For` whom they speak for: what is recorded of a
        /// decision, and the brake on guessing passwords, are about that one. The last address counts
        /// that is not one of them.
        proxies: Vec<Network> = [];
    }
}

section! {
    /// A program that uses the API (`/api/v1`) as an administrator. `mailweir api-token NAME` makes a
    /// token and prints these lines. Repeat the section for each. A reload takes all of them: a
    /// token that is taken out is worthless from then on.
    pub(super) tables "admin.api_token" ApiTokenSection {
        /// What its decisions are recorded under, used once.
        name: Label;
        /// The SHA-256 of the token; the token itself is kept nowhere.
        sha256: Sha256;
        /// "read": it sees held mail. "decide": it decides about it, too. "audit": it sees held
        /// mail, and searches and reads all of the archive.
        rights: ApiRights = "read";
    }
}

section! {
    /// The log.
    pub table "log" Log {
        /// "text": lines in Postfix's shape. "json": one object per line. "auto": text on a
        /// terminal, otherwise JSON.
        format: LogFormat = "auto";
        /// Whether queue ids are short upper-case hex in the log, for tools that know no others.
        short_queue_ids: bool = false, postfix "enable_long_queue_ids";
    }
}

section! {
    /// Counters in Prometheus form. They are always at `/metrics` of the admin listener.
    pub table "metrics" Metrics {
        /// Further addresses that serve `/metrics` and nothing else, such as `0.0.0.0:9154`.
        bind: Vec<SocketAddr> = [];
    }
}
