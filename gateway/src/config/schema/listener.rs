//! Where mail comes in.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use mailweir_auth::Mechanism;
use mailweir_mail::Network;

use crate::config::{
    choice::{BareNewline, ListenerTls, Mode},
    restrictions::RestrictionText,
    section::section,
    table::TableName,
    units::ByteSize,
    words::Label,
};

section! {
    /// One place where mail comes in. Repeat the section for each; at least one.
    pub(in crate::config) tables "listener" ListenerSection {
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
