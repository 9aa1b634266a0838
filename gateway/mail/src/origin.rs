//! Where a mail came from: the peer, how it connected, and who it logged in as.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The peer of a session, as seen on the socket or as told by a trusted proxy (PROXY, XCLIENT).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Address and port.
    pub address: SocketAddr,
    /// The verified host name: reverse and forward look-up agree. `None` shows as `unknown`.
    pub name: Option<Box<str>>,
}

impl Client {
    /// A client whose name is not known.
    #[must_use]
    pub const fn unnamed(address: SocketAddr) -> Self {
        Self { address, name: None }
    }

    /// The IP address; an IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) is undressed.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }

    /// The name, or `unknown`.
    #[must_use]
    pub fn name_or_unknown(&self) -> &str {
        self.name.as_deref().unwrap_or("unknown")
    }
}

impl fmt::Display for Client {
    /// `name[address]`, as Postfix logs a client.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.name_or_unknown(), self.ip())
    }
}

/// How a mail came in. Kept with the mail for its Received header, its rules and its archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The label of the listener (`[[listener]] name`), or `report` for our own mail.
    pub listener: Box<str>,
    /// The peer.
    pub client: Client,
    /// What the peer called itself in HELO, EHLO or LHLO.
    pub helo: Box<str>,
    /// The protocol, as the Received header names it.
    pub protocol: Protocol,
    /// Who the peer logged in as.
    pub login: Option<Login>,
    /// The TLS layer, if there was one.
    pub tls: Option<TlsSummary>,
    /// When the mail began to arrive.
    pub arrival: Timestamp,
}

/// The "with" protocol of a Received header (RFC 3848, RFC 6531).
///
/// The name is put together from what was in use: `ESMTPSA` is EHLO over TLS with AUTH.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// After HELO.
    Smtp,
    /// After EHLO.
    Esmtp,
    /// After LHLO.
    Lmtp,
}

impl Protocol {
    /// The name for a Received header, such as `ESMTPSA` or `UTF8SMTPS`.
    #[must_use]
    pub fn with(self, tls: bool, login: bool, smtputf8: bool) -> String {
        let base = match (self, smtputf8) {
            (Self::Smtp, _) => return "SMTP".to_owned(),
            (Self::Esmtp, false) => "ESMTP",
            (Self::Esmtp, true) => "UTF8SMTP",
            (Self::Lmtp, false) => "LMTP",
            (Self::Lmtp, true) => "UTF8LMTP",
        };
        format!("{base}{}{}", if tls { "S" } else { "" }, if login { "A" } else { "" })
    }

    /// The name that Postfix logs as `proto=`: without the suffixes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Esmtp => "ESMTP",
            Self::Lmtp => "LMTP",
        }
    }
}

/// An authenticated identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The name that was verified.
    pub user: Box<str>,
    /// The SASL mechanism, such as `PLAIN`; `XCLIENT` if a trusted proxy said so.
    pub mechanism: Box<str>,
}

/// What was agreed in a TLS handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSummary {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: Box<str>,
    /// The cipher suite by its IANA name in Postfix's spelling, such as `TLS_AES_256_GCM_SHA384`.
    pub cipher: Box<str>,
    /// Strength of the cipher in bits.
    pub bits: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_logged_as_postfix_logs_it() {
        let client = Client::unnamed("[::ffff:192.0.2.1]:4711".parse().unwrap());
        assert_eq!(client.to_string(), "unknown[192.0.2.1]");
        let named = Client { name: Some("mx.example".into()), ..client };
        assert_eq!(named.to_string(), "mx.example[192.0.2.1]");
    }

    #[test]
    fn the_protocol_names_are_those_of_rfc_3848() {
        assert_eq!(Protocol::Esmtp.with(true, true, false), "ESMTPSA");
        assert_eq!(Protocol::Esmtp.with(false, true, false), "ESMTPA");
        assert_eq!(Protocol::Lmtp.with(true, false, true), "UTF8LMTPS");
        assert_eq!(Protocol::Smtp.with(true, true, true), "SMTP");
    }
}
