//! Who connects: what it calls itself, what its address is called, and whether it is known.

use std::{net::IpAddr, time::Duration};

use crate::{
    hello::{Hello, Helo},
    iprev::Look,
    symbols::{Finding, Symbol},
};

/// What a client's name in HELO came to.
#[must_use]
pub fn of_helo(helo: Helo, hello: &Hello<'_>) -> Option<Finding> {
    let Hello { client, said, .. } = *hello;
    let client = client.to_canonical();
    let (symbol, evidence) = match helo {
        Helo::Fits | Helo::Unclear => return None,
        Helo::Other => (Symbol::HeloOther, format!("{said} is not {client}")),
        Helo::Unknown => (Symbol::HeloUnknown, format!("{client} said {said}")),
        Helo::Address => (Symbol::HeloAddress, format!("{client} said {said}")),
        Helo::NotAName => (Symbol::HeloNotAName, format!("{client} said {said}")),
        Helo::OurName => (Symbol::HeloOurName, format!("{client} said {said}")),
    };
    Some(Finding::new(symbol, &evidence))
}

/// What the name of a client looks like, be it proven or not: whoever has the address chose it.
#[must_use]
pub fn of_reverse_name(name: &str, client: IpAddr) -> Option<Finding> {
    let symbol = match Look::of(name, client) {
        Look::Chosen => return None,
        Look::Generic => Symbol::RdnsGeneric,
        Look::Dynamic => Symbol::RdnsDynamic,
    };
    Some(Finding::new(symbol, name))
}

/// The mail came again after it was put off for the first time so long ago.
#[must_use]
pub fn greylisted(after: Duration) -> Finding {
    Finding::new(Symbol::Greylisted, &format!("it came again after {}", Spoken(after)))
}

/// One of our own people has written to the sender before, and the sender's domain vouches for the client: it is no forgery.
#[must_use]
pub fn known_correspondent(sender: &str) -> Finding {
    Finding::new(Symbol::KnownCorrespondent, sender)
}

/// A time as people say it, in the largest unit that it has at least twice.
struct Spoken(Duration);

impl std::fmt::Display for Spoken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.as_secs();
        let unit = UNITS.iter().find(|(_, length)| seconds >= 2 * length);
        let (name, length) = unit.copied().unwrap_or(("second", 1));
        let count = seconds / length;
        write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" })
    }
}

/// Names and seconds.
const UNITS: [(&str, u64); 3] = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
