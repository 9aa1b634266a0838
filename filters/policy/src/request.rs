//! What Postfix asks.

use std::net::IpAddr;

use crate::Malformed;

/// A request: what Postfix knows of a mail at one moment. What it does not know is empty or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// At which command it asks.
    pub stage: Stage,
    /// `SMTP` or `ESMTP`.
    pub protocol: Box<str>,
    /// What the client called itself. What was no UTF-8 in it is U+FFFD.
    pub helo: Box<str>,
    /// The mail in Postfix's queue. Empty before the first recipient is accepted.
    pub queue_id: Box<str>,
    /// The same for all requests about one mail.
    pub instance: Box<str>,
    /// The envelope sender as the client wrote it; empty: the null sender, or none yet.
    pub sender: Box<str>,
    /// The recipient: at RCPT the one it asks about, behind it the only one, if there is one only.
    pub recipient: Box<str>,
    /// How many recipients were accepted; 0 before DATA.
    pub recipient_count: u32,
    /// The client.
    pub client_address: Option<IpAddr>,
    /// Its port; 0 before Postfix 3.0.
    pub client_port: u16,
    /// Its verified name; `unknown` if there is none.
    pub client_name: Box<str>,
    /// Whoever logged in.
    pub sasl_username: Box<str>,
    /// By which SASL mechanism.
    pub sasl_method: Box<str>,
    /// Bytes of the mail: at END-OF-MESSAGE what came, before it what the client promised; 0: nothing.
    pub size: u64,
}

/// At which command Postfix asks (`protocol_state`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// At a connection, or HELO or EHLO: there is no mail yet.
    #[default]
    Early,
    /// MAIL.
    Mail,
    /// RCPT, once for each recipient.
    Rcpt,
    /// DATA or BDAT: all recipients are known.
    Data,
    /// The content has come.
    EndOfMessage,
    /// VRFY or ETRN: no mail comes of it.
    NoMail,
}

impl Stage {
    /// The word of the protocol.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Early => "EHLO",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::EndOfMessage => "END-OF-MESSAGE",
            Self::NoMail => "VRFY",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "CONNECT" | "HELO" | "EHLO" => Self::Early,
            "MAIL" => Self::Mail,
            "RCPT" => Self::Rcpt,
            "DATA" | "BDAT" => Self::Data,
            "END-OF-MESSAGE" => Self::EndOfMessage,
            "VRFY" | "ETRN" => Self::NoMail,
            _ => return None,
        })
    }
}

/// The attributes that count, and which of them a request has had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    request: Request,
    seen: Vec<&'static str>,
}

impl Draft {
    /// Takes an attribute. Those that are not known are passed over: newer versions have more.
    pub(crate) fn take(&mut self, name: &[u8], value: &[u8]) -> Result<(), Malformed> {
        let Some(known) = KNOWN.iter().find(|known| known.as_bytes() == name) else {
            return Ok(());
        };
        if self.seen.contains(known) {
            return Err(Malformed::Twice(known));
        }
        self.seen.push(known);
        let bad = || Malformed::Value(known);
        if *known == "helo_name" {
            self.request.helo = String::from_utf8_lossy(value).into();
            return Ok(());
        }
        let value = std::str::from_utf8(value).map_err(|_| bad())?;
        if value.chars().any(char::is_control) {
            return Err(bad());
        }
        let text: Box<str> = value.into();
        let request = &mut self.request;
        match *known {
            "request" if value == "smtpd_access_policy" => {}
            "request" => return Err(Malformed::Other(text)),
            "protocol_state" => request.stage = Stage::parse(value).ok_or_else(bad)?,
            "protocol_name" => request.protocol = text,
            "queue_id" => request.queue_id = text,
            "instance" => request.instance = text,
            "sender" => request.sender = text,
            "recipient" => request.recipient = text,
            "recipient_count" => request.recipient_count = number(value).ok_or_else(bad)?,
            // `unknown`, where Postfix does not know it; a decision does not need it.
            "client_address" => request.client_address = value.parse().ok(),
            // By XCLIENT it may be unknown.
            "client_port" if value == "unknown" => {}
            "client_port" => request.client_port = number(value).ok_or_else(bad)?,
            "client_name" => request.client_name = text,
            "sasl_username" => request.sasl_username = text,
            "sasl_method" => request.sasl_method = text,
            _ => request.size = number(value).ok_or_else(bad)?,
        }
        Ok(())
    }

    /// The request, when its empty line has come.
    pub(crate) fn finish(self) -> Result<Request, Malformed> {
        let missing =
            ["request", "protocol_state"].into_iter().find(|one| !self.seen.contains(one));
        match missing {
            Some(name) => Err(Malformed::Missing(name)),
            None => Ok(self.request),
        }
    }
}

/// What is empty is 0.
fn number<T: Default + std::str::FromStr>(value: &str) -> Option<T> {
    if value.is_empty() {
        return Some(T::default());
    }
    // FromStr takes a sign.
    value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok())?
}

const KNOWN: [&str; 15] = [
    "request",
    "protocol_state",
    "protocol_name",
    "helo_name",
    "queue_id",
    "instance",
    "sender",
    "recipient",
    "recipient_count",
    "client_address",
    "client_port",
    "client_name",
    "sasl_username",
    "sasl_method",
    "size",
];
