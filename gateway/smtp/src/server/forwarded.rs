//! What a trusted relay says about the origin of a mail (XFORWARD).
//!
//! For logs only: nothing is ever allowed or refused because of it (Postfix `XFORWARD_README`).

/// The attributes of XFORWARD; `None` where the relay does not know. Cleared after each mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The client's host name.
    pub name: Option<Box<str>>,
    /// The client's address, as written.
    pub address: Option<Box<str>>,
    /// The client's port.
    pub port: Option<Box<str>>,
    /// What the client called itself.
    pub helo: Option<Box<str>>,
    /// `SMTP` or `ESMTP`.
    pub protocol: Option<Box<str>>,
    /// The queue id at the relay.
    pub ident: Option<Box<str>>,
    /// `LOCAL` or `REMOTE`.
    pub source: Option<Box<str>>,
}
