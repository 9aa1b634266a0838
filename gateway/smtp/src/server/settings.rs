//! What a listener prescribes to its sessions, and what is known about a peer before it speaks.
//!
//! Names and default values are Postfix's, so that an administrator's knowledge carries over.

use std::{net::SocketAddr, time::Duration};

use mailweir_mail::{Client, Domain};

use super::dialog::Identity;

/// The rules of one listener, shared by all its sessions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What we call ourselves (Postfix `myhostname`): banner, EHLO, 421 replies, `<postmaster>`.
    pub hostname: Domain,
    /// What kind of peers the listener is for.
    pub mode: Mode,
    /// How TLS is offered.
    pub tls: TlsMode,
    /// SASL mechanisms to offer, in the order of preference. Empty: no AUTH.
    pub mechanisms: Vec<Offer>,
    /// Whether the mechanisms are also announced as `AUTH=...` (Postfix `broken_sasl_auth_clients`;
    /// default `false`).
    pub broken_sasl_auth_clients: bool,
    /// Whether AUTH is offered without TLS (Postfix `smtpd_tls_auth_only = no`).
    pub auth_in_clear: bool,
    /// Whether MAIL needs a greeting first (Postfix `smtpd_helo_required`; default `false`).
    pub helo_required: bool,
    /// Whether VRFY is refused instead of answered with 252 (Postfix `disable_vrfy_command`; default
    /// `false`).
    pub disable_vrfy: bool,
    /// What becomes of a line that ends in LF alone (Postfix `smtpd_forbid_bare_newline`).
    pub bare_newline: BareNewline,
    /// Whether a peer may say all at once, without waiting for the greeting and the reply to EHLO: a
    /// program of our own, which knows what is offered. Anybody else gives himself away by that
    /// (`attacks.md` A11; default `false`).
    pub may_talk_ahead: bool,
    /// What one peer may use up.
    pub limits: Limits,
}

impl Settings {
    /// The settings of an MX without TLS and without AUTH; change what differs.
    #[must_use]
    pub fn new(hostname: Domain) -> Self {
        Self {
            hostname,
            mode: Mode::Mx,
            tls: TlsMode::None,
            mechanisms: Vec::new(),
            broken_sasl_auth_clients: false,
            auth_in_clear: false,
            helo_required: false,
            disable_vrfy: false,
            bare_newline: BareNewline::default(),
            may_talk_ahead: false,
            limits: Limits::default(),
        }
    }

    /// Whether AUTH may be used by a peer like this.
    pub(super) const fn allows_login(&self, identity: &Identity) -> bool {
        identity.tls.is_some() || self.auth_in_clear
    }

    /// The SASL mechanisms that a peer like this may use, in the order of preference.
    pub(super) fn offered(&self, identity: &Identity) -> impl Iterator<Item = &str> {
        self.offers_to(identity).map(|offer| &*offer.mechanism)
    }

    /// Whether a peer like this may use a mechanism with these needs.
    pub(super) fn offers(&self, needs: Needs, identity: &Identity) -> bool {
        self.offers_to(identity).any(|offer| offer.needs == needs)
    }

    fn offers_to(&self, identity: &Identity) -> impl Iterator<Item = &Offer> {
        let may_log_in = self.allows_login(identity);
        self.mechanisms.iter().filter(move |offer| may_log_in && identity.meets(offer.needs))
    }
}

/// A SASL mechanism that a listener offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its registered name.
    pub mechanism: Box<str>,
    /// On which connections.
    pub needs: Needs,
}

impl From<&str> for Offer {
    /// A mechanism that needs nothing.
    fn from(mechanism: &str) -> Self {
        Self { mechanism: mechanism.into(), needs: Needs::Nothing }
    }
}

/// What a connection must have for a mechanism to be offered on it, besides being one on which
/// people may log in at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// No more.
    Nothing,
    /// TLS 1.3, whose `tls-exporter` the mechanism binds to (RFC 9266).
    Tls13,
    /// A client that has shown a certificate which proves who it is
    /// ([`super::Session::client_certified`]).
    Certificate,
}

/// What kind of peers a listener is for (`[[listener]] mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Other mail servers. Relays for trusted peers and for those who log in only.
    Mx,
    /// Mail clients: MAIL needs AUTH (RFC 6409), unless the peer is trusted.
    Submission,
    /// Mail that comes back from a content filter. The driver admits trusted peers only.
    Filter,
    /// LMTP (RFC 2033): LHLO, and one reply per recipient after the content.
    Lmtp,
}

/// How a listener offers TLS (`[[listener]] tls`, Postfix `smtpd_tls_security_level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Not at all.
    None,
    /// By STARTTLS, for those who want it.
    Optional,
    /// By STARTTLS, and nothing but EHLO, NOOP, STARTTLS, XCLIENT and QUIT before it.
    Required,
    /// From the first byte (RFC 8314); the driver calls [`super::Session::tls_started`] first.
    Implicit,
}

/// What becomes of a line that ends in LF alone (Postfix `smtpd_forbid_bare_newline`).
///
/// `attacks.md` A1 to A5. In every mode but [`BareNewline::No`] only CRLF.CRLF ends the content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BareNewline {
    /// Taken as CRLF.
    #[default]
    Normalize,
    /// Taken as CRLF, and noted for the log.
    Note,
    /// The whole mail is read and then refused with 550 5.5.2.
    Reject,
    /// Taken as CRLF, also around the final dot. Open to SMTP smuggling: only for old devices.
    No,
}

/// What one peer may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of content (Postfix `message_size_limit`). 0: no limit.
    pub message_size: u64,
    /// Recipients of one mail (Postfix `smtpd_recipient_limit`).
    pub recipients: usize,
    /// Recipients over the limit that do not count as errors yet (Postfix
    /// `smtpd_recipient_overshoot_limit`).
    pub recipient_overshoot: usize,
    /// Errors without a mail between them (Postfix `smtpd_hard_error_limit`).
    pub hard_errors: u32,
    /// Commands that do nothing, without a mail between them, until each counts as an error
    /// (Postfix `smtpd_junk_command_limit`).
    pub junk_commands: u32,
    /// Bytes of a command line (Postfix `line_length_limit`). AUTH may use 12288 (RFC 4954).
    pub line_length: usize,
    /// How long a whole command may take to arrive (Postfix `smtpd_timeout` with
    /// `smtpd_per_request_deadline`).
    pub timeout: Duration,
    /// Bytes per second that content must bring to extend its deadline (Postfix
    /// `smtpd_min_data_rate`).
    pub min_data_rate: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: 10_240_000,
            recipients: 1000,
            recipient_overshoot: 1000,
            hard_errors: 20,
            junk_commands: 100,
            line_length: 2048,
            timeout: Duration::from_secs(300),
            min_data_rate: 500,
        }
    }
}

/// A peer as it is known when its session begins.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Its address and, if known already, its name.
    pub client: Client,
    /// Our side of the connection.
    pub local: SocketAddr,
    /// What its address allows it.
    pub rights: Rights,
}

/// What a peer may do because of its address. XCLIENT takes all of them away, since it changes
/// the address: the driver grants anew ([`super::Session::grant`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// It need not log in (`[[listener]] networks`, Postfix `mynetworks`).
    pub trusted: bool,
    /// It may say who the client really is (Postfix `smtpd_authorized_xclient_hosts`).
    pub xclient: bool,
    /// It may say, for the log only, where the mail came from (Postfix
    /// `smtpd_authorized_xforward_hosts`).
    pub xforward: bool,
    /// Its lines may end in LF (Postfix `smtpd_forbid_bare_newline_exclusions`).
    pub bare_newline: bool,
}

impl Rights {
    /// Those of a stranger.
    pub const NONE: Self =
        Self { trusted: false, xclient: false, xforward: false, bare_newline: false };
}
