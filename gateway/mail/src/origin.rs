//! Where a mail came from: the peer, how it connected, and who it logged in as.

use std::{
    fmt::{self, Write as _},
    net::{IpAddr, SocketAddr},
};

use serde::{Deserialize, Serialize};

use crate::{IpText, QueueId, Timestamp};

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
        f.write_str(self.name_or_unknown())?;
        f.write_char('[')?;
        f.write_str(&IpText::of(self.ip()))?;
        f.write_char(']')
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
    /// Where the peer says that it came from before. Shown and passed on; nothing is refused or let through by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded: Option<Box<Forwarded>>,
    /// When the mail began to arrive.
    pub arrival: Timestamp,
}

/// Where a mail came from by the word of the relay that handed it over (Postfix `XFORWARD_README`); `None` where that one does
/// not know. For logs and for those behind us: nothing is ever allowed or refused because of it. Moderation tells a sender of his
/// mail only where it says that the client is one of ours, and looks up by it who logged in at a Postfix that asked.
///
/// The texts have at most 255 bytes and no control characters when a session has heard them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarded {
    /// The client's host name.
    pub name: Option<Box<str>>,
    /// The client's address.
    pub address: Option<IpAddr>,
    /// The client's port.
    pub port: Option<u16>,
    /// What the client called itself.
    pub helo: Option<Box<str>>,
    /// `SMTP` or `ESMTP`.
    pub protocol: Option<Box<str>>,
    /// The queue id at the first relay that tells.
    pub ident: Option<Box<str>>,
    /// `LOCAL` or `REMOTE`.
    pub source: Option<Box<str>>,
}

impl Forwarded {
    /// What those behind us are told of a mail that has this id here: what a relay has said of it, or else what we saw. As
    /// with Postfix, the id stays that of the first who tells.
    #[must_use]
    pub fn of(origin: &Origin, id: QueueId) -> Self {
        let ident = Some(id.to_string().into());
        if let Some(heard) = origin.forwarded.as_deref().cloned() {
            return Self { ident: heard.ident.or(ident), ..heard };
        }
        let client = &origin.client;
        Self {
            name: client.name.clone(),
            address: Some(client.ip()),
            port: Some(client.address.port()),
            helo: Some(origin.helo.clone()).filter(|helo| !helo.is_empty()),
            protocol: Some(origin.protocol.as_str().into()),
            ident,
            source: Some("REMOTE".into()),
        }
    }

    /// The client, if its address is known. Its name is what the relay says.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        let address = (self.address?, self.port.unwrap_or(0)).into();
        Some(Client { address, name: self.name.clone() })
    }
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
    fn who_is_behind_is_told_what_a_relay_said_or_else_what_was_seen() {
        let client = Client::unnamed("[::ffff:192.0.2.1]:4711".parse().unwrap());
        let arrival = Timestamp::from_secs(1_795_210_205);
        let seen = Origin {
            listener: "mx".into(),
            client,
            helo: "".into(),
            protocol: Protocol::Esmtp,
            login: None,
            tls: None,
            forwarded: None,
            arrival,
        };
        let id = QueueId::new(arrival, 1);
        let told = Forwarded::of(&seen, id);
        assert_eq!(told.client().unwrap().to_string(), "unknown[192.0.2.1]");
        assert_eq!(
            (told.port, told.helo, told.ident),
            (Some(4711), None, Some(id.to_string().into()))
        );
        let heard = Forwarded { source: Some("LOCAL".into()), ..Forwarded::default() };
        let heard = Origin { forwarded: Some(Box::new(heard.clone())), ..seen };
        let told = Forwarded::of(&heard, id);
        assert_eq!((told.client(), told.source.as_deref()), (None, Some("LOCAL")));
        assert_eq!(told.ident, Some(id.to_string().into()));
        let first = Forwarded { ident: Some("4jWT59000pz7".into()), ..told };
        let heard = Origin { forwarded: Some(Box::new(first.clone())), ..heard };
        assert_eq!(Forwarded::of(&heard, id), first);
    }

    #[test]
    fn the_protocol_names_are_those_of_rfc_3848() {
        assert_eq!(Protocol::Esmtp.with(true, true, false), "ESMTPSA");
        assert_eq!(Protocol::Esmtp.with(false, true, false), "ESMTPA");
        assert_eq!(Protocol::Lmtp.with(true, false, true), "UTF8LMTPS");
        assert_eq!(Protocol::Smtp.with(true, true, true), "SMTP");
    }
}
