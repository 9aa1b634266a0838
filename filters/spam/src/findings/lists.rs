//! What lists in DNS say.
//!
//! What a list says of several hosts of one mail is one opinion: it counts once, so that no list alone can do what
//! takes two that know nothing of each other.

use std::{collections::BTreeSet, fmt, net::IpAddr};

use crate::{
    lists::Listing,
    symbols::{Finding, Symbol},
};

/// Whom a list was asked about, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked<'a> {
    /// The client, by its address: DNSBL and DNSWL.
    Client(IpAddr),
    /// A domain that the sender shows, be it in MAIL, in HELO, or as the name of its address: RHSBL.
    Sender(&'a str),
    /// The host of a link, a domain or an address: URIBL.
    Link(&'a str),
}

/// What is listed of one mail. The strength of each is how much the listing weighs to the administrator.
///
/// A list of senders or links speaks against a mail only: anybody can write a name that is well thought of.
#[must_use]
pub fn of_listings<'a>(
    listings: impl IntoIterator<Item = (Asked<'a>, &'a Listing)>,
) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (asked, listing) in listings {
        let Some(symbol) = symbol(asked, listing) else { continue };
        if seen.insert((symbol, &*listing.list)) {
            findings.push(finding(symbol, asked, listing));
        }
    }
    findings
}

/// None for what says nothing.
fn symbol(asked: Asked<'_>, listing: &Listing) -> Option<Symbol> {
    match (asked, listing.weight.thousandths()) {
        (_, 0) => None,
        (Asked::Client(_), ..0) => Some(Symbol::Dnswl),
        (Asked::Sender(_) | Asked::Link(_), ..0) => None,
        (Asked::Client(_), 1..) => Some(Symbol::Dnsbl),
        (Asked::Sender(_), 1..) => Some(Symbol::Rhsbl),
        (Asked::Link(_), 1..) => Some(Symbol::Uribl),
    }
}

fn finding(symbol: Symbol, asked: Asked<'_>, listing: &Listing) -> Finding {
    let Listing { list, code, weight } = listing;
    // At most a million thousandths, which is exact.
    #[expect(clippy::cast_precision_loss, reason = "up to a million, which f32 has exactly")]
    let strength = weight.thousandths().unsigned_abs() as f32 / 1000.0;
    Finding::new(symbol, &format!("{asked} is on {list} ({code})")).with_strength(strength)
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(address) => address.to_canonical().fmt(f),
            Self::Sender(name) | Self::Link(name) => f.write_str(name),
        }
    }
}
