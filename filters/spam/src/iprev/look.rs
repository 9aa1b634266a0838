//! What the name of a client looks like: given by somebody, or made from its address by the thousand.
//!
//! Mail servers have names that people chose. A name with the address in it is what a provider gives to every customer;
//! with a word for dial-in lines beside it, most likely nobody there runs a mail server. It is a hint, no proof.

use std::{
    fmt::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// What a name looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Somebody chose it.
    Chosen,
    /// It was made from the address, by a provider of whatever kind.
    Generic,
    /// It was made for lines whose addresses change, or for homes.
    Dynamic,
}

impl Look {
    /// By the name of this address; the last two labels are the provider's own and do not count. Linear in the name.
    #[must_use]
    pub fn of(name: &str, address: IpAddr) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let Some(host) = above_provider(&name) else { return Self::Chosen };
        let traces = match address.to_canonical() {
            IpAddr::V4(address) => traces_v4(host, address),
            IpAddr::V6(address) => traces_v6(host, address),
        };
        let words = || host.split(|c: char| !c.is_ascii_alphabetic());
        let is_static = words().any(|word| STATIC.contains(&word));
        let is_line = words().any(|word| LINES.contains(&word) || NUMBERED_LINES.contains(&word));
        let begins = |word: &str| STEMS.iter().any(|stem| word.starts_with(stem));
        match traces {
            Traces::Whole if !is_static && words().any(begins) => Self::Dynamic,
            Traces::Whole | Traces::Half if is_line && !is_static => Self::Dynamic,
            Traces::Whole => Self::Generic,
            Traces::None | Traces::Half if !is_static && is_numbered_line(host) => Self::Dynamic,
            Traces::None | Traces::Half => Self::Chosen,
        }
    }
}

/// How much of an address is in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Traces {
    None,
    /// Two octets, which may be chance.
    Half,
    /// All of it, or so much that it is no chance.
    Whole,
}

fn traces_v4(host: &str, address: Ipv4Addr) -> Traces {
    let forward = address.octets();
    let mut backward = forward;
    backward.reverse();
    let runs: Vec<&str> =
        host.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let octets: Vec<Option<u8>> = runs.iter().map(|run| run.parse().ok()).collect();
    let as_one = |run: &&str| {
        run.len() >= SHORTEST_NUMBER
            && numbers(forward, backward).iter().any(|number| number == run)
    };
    let hex = [forward, backward].map(|octets| {
        octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"))
    });
    if runs.iter().any(as_one) || hex.iter().any(|hex| host.contains(hex)) {
        return Traces::Whole;
    }
    let has = |count: usize| {
        let parts = [forward, backward].map(|octets| octets.map(Some));
        parts.iter().any(|part| {
            part.windows(count).any(|part| octets.windows(count).any(|window| window == part))
        })
    };
    match (has(3), has(2)) {
        (true, _) => Traces::Whole,
        (false, true) => Traces::Half,
        (false, false) => Traces::None,
    }
}

/// The address as one decimal number, in the ways that providers have.
fn numbers(forward: [u8; 4], backward: [u8; 4]) -> [String; 5] {
    let padded = |octets: [u8; 4]| {
        octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:03}"))
    };
    let joined =
        |octets: [u8; 4]| octets.iter().fold(String::new(), |text, octet| format!("{text}{octet}"));
    let number = u32::from_be_bytes(forward).to_string();
    [padded(forward), padded(backward), joined(forward), joined(backward), number]
}

fn traces_v6(host: &str, address: Ipv6Addr) -> Traces {
    let bits = address.to_bits();
    let whole = format!("{bits:032x}");
    let backward: String = whole.chars().rev().collect();
    let (_, interface) = whole.split_at_checked(16).unwrap_or_default();
    let digits: String = host.chars().filter(char::is_ascii_alphanumeric).collect();
    let groups = address.segments().iter().fold(String::new(), |mut text, group| {
        // Writing to a string cannot fail.
        let _ = write!(text, "-{group:x}");
        text
    });
    let short = address.to_string().replace(':', "-");
    let has_interface = bits & u128::from(u64::MAX) > SMALL_INTERFACE && digits.contains(interface);
    let dashed = format!("-{}", host.replace('.', "-"));
    let is_whole = digits.contains(&whole)
        || digits.contains(&backward)
        || dashed.contains(&groups)
        || (short.len() >= SHORTEST_NUMBER && dashed.contains(&short));
    if is_whole || has_interface { Traces::Whole } else { Traces::None }
}

/// Whether the first label is a word for a line and a number.
fn is_numbered_line(host: &str) -> bool {
    let first = host.split('.').next().unwrap_or_default();
    let mut words = first.split(|c: char| !c.is_ascii_alphabetic());
    first.contains(|c: char| c.is_ascii_digit()) && words.any(|word| NUMBERED_LINES.contains(&word))
}

/// The labels but the last two; nothing, if there are no others.
fn above_provider(name: &str) -> Option<&str> {
    let (rest, _) = name.rsplit_once('.')?;
    let (host, _) = rest.rsplit_once('.')?;
    Some(host)
}

/// Words for lines beside an address.
const LINES: [&str; 40] = [
    "bb",
    "broadband",
    "cable",
    "catv",
    "cpe",
    "cust",
    "customer",
    "customers",
    "dial",
    "dialin",
    "dip",
    "docsis",
    "fiber",
    "fibre",
    "fios",
    "ftth",
    "gprs",
    "home",
    "hsd",
    "hsia",
    "lte",
    "mobile",
    "modem",
    "nat",
    "pool",
    "pools",
    "range",
    "res",
    "residential",
    "retail",
    "rev",
    "sub",
    "subs",
    "subscriber",
    "subscribers",
    "umts",
    "user",
    "users",
    "wimax",
    "wireless",
];

/// Words for lines that say enough beside any number.
const NUMBERED_LINES: [&str; 12] = [
    "adsl", "dhcp", "dialup", "dsl", "dyn", "dynamic", "dynip", "ppp", "pppoe", "sdsl", "vdsl",
    "xdsl",
];

/// What words for lines begin with where providers write several as one, such as `modemcable`. Beside a whole address
/// only: `dynamics1.mail.example` is what somebody chose.
const STEMS: [&str; 10] =
    ["adsl", "broadband", "cable", "dhcp", "dialup", "dynamic", "dynip", "modem", "pppoe", "vdsl"];

/// Words for addresses that stay.
const STATIC: [&str; 6] = ["static", "fixed", "colo", "server", "vps", "business"];

/// A shorter number may be chance.
const SHORTEST_NUMBER: usize = 8;

/// An interface up to this was numbered by hand.
const SMALL_INTERFACE: u128 = 0xffff;

#[cfg(test)]
mod tests;
