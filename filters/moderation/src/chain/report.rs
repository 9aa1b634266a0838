//! A walk in words for the terminal, and in fields for programs and for the record.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::{Doubt, Finding, Ground, Hop, Verdict, Walk};

impl fmt::Display for Walk {
    /// A line per hop, aligned, then the verdict. Each line but the last is ended. Nothing in it
    /// commands a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.hops().iter().map(|hop| shown_address(hop).len()).max().unwrap_or(0);
        for hop in self.hops() {
            let Hop { number, finding, sha256, .. } = hop;
            let address = shown_address(hop);
            let verdict = if finding.is_trusted() { "trusted" } else { "untrusted" };
            write!(f, "hop {number:>2}  {address:<width$}  {verdict:<9}  {finding}")?;
            if let Some(hash) = sha256 {
                write!(f, "  (header {:.16})", hash.to_string())?;
            }
            writeln!(f)?;
        }
        f.write_str(&self.why())
    }
}

impl Walk {
    /// The verdict in one sentence without a line end.
    #[must_use]
    pub fn why(&self) -> String {
        let peer = self.hops().first().map(shown_address).unwrap_or_default();
        match self.verdict() {
            Verdict::Untrusted { hop, why } => format!("untrusted at hop {hop}: {}", escaped(why)),
            Verdict::Trusted if self.began_at_peer() => format!(
                "trusted: there is no Received header, so the mail is taken to begin at {peer}; \
                 if that host removes Received headers, all of its clients are trusted"
            ),
            Verdict::Trusted => match self.hops().last().map(|hop| &hop.finding) {
                Some(Finding::Trusted(
                    ground @ (Ground::LocalOrigin(_) | Ground::Authenticated(_)),
                )) => {
                    format!("trusted: {}", escaped(ground))
                }
                _ => "trusted: every hop is".to_owned(),
            },
        }
    }

    /// Whether the peer alone is the reason for trust: no header was there to look at.
    #[must_use]
    pub fn began_at_peer(&self) -> bool {
        self.hops().len() == 1 && self.is_trusted()
    }
}

impl Finding {
    /// Whether the hop is trusted.
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        matches!(self, Self::Trusted(_))
    }

    /// One word, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Trusted(Ground::Listed(_)) => "listed",
            Self::Trusted(Ground::SameHost(_)) => "same-host",
            Self::Trusted(Ground::LocalOrigin(_)) | Self::Untrusted(Doubt::LocalOrigin(_)) => {
                "local-origin"
            }
            Self::Trusted(Ground::Authenticated(_)) | Self::Untrusted(Doubt::Authenticated(_)) => {
                "authenticated"
            }
            Self::Untrusted(Doubt::NotListed) => "not-listed",
            Self::Untrusted(Doubt::Loopback) => "loopback",
            Self::Untrusted(Doubt::LocalOriginAbove(_)) => "local-origin-above",
            Self::Untrusted(Doubt::InnerHop) => "inner-hop",
            Self::Untrusted(Doubt::Unreadable(_)) => "unreadable",
            Self::Untrusted(Doubt::NotOurs) => "not-ours",
            Self::Untrusted(Doubt::TooManyHops) => "too-many-hops",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted(ground) => f.write_str(&escaped(ground)),
            Self::Untrusted(doubt) => f.write_str(&escaped(doubt)),
        }
    }
}

impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(entry) => write!(f, "listed as {entry}"),
            Self::SameHost(host) => write!(f, "handed on within {host}"),
            Self::LocalOrigin(form) => write!(f, "the mail began at this host ({form})"),
            Self::Authenticated(protocol) => write!(f, "the sender logged in there ({protocol})"),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotListed => f.write_str("not one of the trusted hosts"),
            Self::Loopback => f.write_str("a loopback address counts only if it is listed"),
            Self::Authenticated(protocol) => write!(
                f,
                "not one of the trusted hosts; that the sender logged in ({protocol}) counts only \
                 with authenticated_origin = \"accept\""
            ),
            Self::LocalOrigin(form) => write!(
                f,
                "a mail that began at the host ({form}) counts only with local_origin = \"accept\""
            ),
            Self::LocalOriginAbove(form) => write!(
                f,
                "it tells no address to follow ({form}), though there are Received headers below"
            ),
            Self::InnerHop => f.write_str(
                "it tells no address, but that the host handed the mail to itself, which counts only \
                 with inner_hops = \"same_host\" and a header below",
            ),
            Self::Unreadable(error) => write!(f, "unreadable: {error}"),
            Self::NotOurs => f.write_str(
                "the first Received header should be our own, and does not tell the peer's address",
            ),
            Self::TooManyHops => f.write_str("there are too many hops"),
        }
    }
}

impl Serialize for Walk {
    /// `{"verdict", "hop", "why", "received", "hops": [...]}`; `hop` is null if all are trusted.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (verdict, hop) = match self.verdict() {
            Verdict::Trusted => ("trusted", None),
            Verdict::Untrusted { hop, .. } => ("untrusted", Some(hop)),
        };
        let mut fields = serializer.serialize_struct("Walk", 5)?;
        fields.serialize_field("verdict", verdict)?;
        fields.serialize_field("hop", &hop)?;
        fields.serialize_field("why", &self.why())?;
        fields.serialize_field("received", &self.received())?;
        fields.serialize_field("hops", self.hops())?;
        fields.end()
    }
}

impl Serialize for Hop {
    /// `{"hop", "address", "verdict", "code", "why", "sha256"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let verdict = if self.finding.is_trusted() { "trusted" } else { "untrusted" };
        let mut fields = serializer.serialize_struct("Hop", 6)?;
        fields.serialize_field("hop", &self.number)?;
        fields.serialize_field("address", &self.address)?;
        fields.serialize_field("verdict", verdict)?;
        fields.serialize_field("code", self.finding.code())?;
        fields.serialize_field("why", &self.finding.to_string())?;
        fields.serialize_field("sha256", &self.sha256)?;
        fields.end()
    }
}

fn shown_address(hop: &Hop) -> String {
    hop.address.map_or_else(|| "-".to_owned(), |address| address.to_string())
}

/// Names in it come from mails: what is not plain ASCII is written as an escape.
fn escaped(text: &impl fmt::Display) -> String {
    let mut shown = String::new();
    for character in text.to_string().chars() {
        match character {
            ' '..='~' => shown.push(character),
            _ => shown.extend(character.escape_default()),
        }
    }
    shown
}
