//! What an administrator decides about connections to a next hop.
//!
//! One value is shared by all connections to a destination. Names and default values are those of
//! Postfix's SMTP client where it has them.

use std::{fmt, time::Duration};

use mailweir_mail::Domain;

/// How to talk to a next hop.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name we give in EHLO, HELO and LHLO (Postfix `smtp_helo_name`).
    pub hostname: Domain,
    /// SMTP or LMTP.
    pub dialect: Dialect,
    /// When TLS is used (Postfix `smtp_tls_security_level`).
    pub tls: TlsPolicy,
    /// Who we log in as. If given, mail is sent after a log-in or not at all.
    pub credentials: Option<Credentials>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
}

impl Settings {
    /// SMTP with opportunistic TLS, no log-in and Postfix's time limits.
    #[must_use]
    pub fn new(hostname: Domain) -> Self {
        Self {
            hostname,
            dialect: Dialect::Smtp,
            tls: TlsPolicy::Opportunistic,
            credentials: None,
            timeouts: Timeouts::default(),
        }
    }
}

/// The two protocols that share this client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// EHLO, or HELO; one reply to the end of data (RFC 5321).
    Smtp,
    /// LHLO; one reply to the end of data per accepted recipient (RFC 2033).
    Lmtp,
}

/// When TLS is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsPolicy {
    /// Never (Postfix `none`).
    None,
    /// If the peer offers STARTTLS (Postfix `may`). If the handshake fails the driver connects
    /// again with [`TlsPolicy::None`].
    Opportunistic,
    /// By STARTTLS, or no mail is sent (Postfix `encrypt` and above).
    Required,
    /// The driver did the handshake before the greeting (Postfix `smtp_tls_wrappermode`).
    Implicit,
}

/// A user name and a password for a smart host.
#[derive(Clone)]
pub struct Credentials {
    /// The user name.
    pub user: String,
    /// The password. Never shown.
    pub password: String,
    /// Whether they may be sent without TLS. To a mail store on the same machine, perhaps.
    pub allow_clear: bool,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .field("allow_clear", &self.allow_clear)
            .finish_non_exhaustive()
    }
}

/// How long to wait for what, by Postfix's parameter names without `smtp_` and `_timeout`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Connecting; watched by the driver (30 s).
    pub connect: Duration,
    /// The greeting, each reply to EHLO, HELO, LHLO and AUTH (300 s).
    pub helo: Duration,
    /// The reply to STARTTLS and the handshake (300 s).
    pub starttls: Duration,
    /// The reply to MAIL (300 s).
    pub mail: Duration,
    /// The reply to RCPT (300 s).
    pub rcpt: Duration,
    /// The reply to DATA (120 s).
    pub data_init: Duration,
    /// Sending content without progress (180 s).
    pub data_xfer: Duration,
    /// The reply to the final dot (600 s).
    pub data_done: Duration,
    /// The reply to RSET (20 s).
    pub rset: Duration,
    /// Sending QUIT (300 s). Its reply is not waited for (Postfix `smtp_skip_quit_response`).
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            helo: Duration::from_secs(300),
            starttls: Duration::from_secs(300),
            mail: Duration::from_secs(300),
            rcpt: Duration::from_secs(300),
            data_init: Duration::from_secs(120),
            data_xfer: Duration::from_secs(180),
            data_done: Duration::from_secs(600),
            rset: Duration::from_secs(20),
            quit: Duration::from_secs(300),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let credentials =
            Credentials { user: "relay".into(), password: "sesame".into(), allow_clear: false };
        let mut settings = Settings::new(Domain::parse("mail.example").unwrap());
        settings.credentials = Some(credentials);
        assert!(!format!("{settings:?}").contains("sesame"));
    }
}
