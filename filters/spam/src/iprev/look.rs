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
        match traces {
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

/// Words for addresses that stay.
const STATIC: [&str; 6] = ["static", "fixed", "colo", "server", "vps", "business"];

/// A shorter number may be chance.
const SHORTEST_NUMBER: usize = 8;

/// An interface up to this was numbered by hand.
const SMALL_INTERFACE: u128 = 0xffff;

#[cfg(test)]
mod tests {
    use super::*;

    fn look(name: &str, address: &str) -> Look {
        Look::of(name, address.parse().unwrap())
    }

    #[test]
    fn names_that_people_choose_are_chosen() {
        for (name, address) in [
            ("mail.own.example", "192.0.2.1"),
            ("mx1.own.example", "192.0.2.1"),
            ("mail-ot1-f54.big.example", "209.85.210.54"),
            ("mail-lf1-x12b.big.example", "2a00:1450:4864:20::12b"),
            ("out2-smtp.messaging.example", "203.0.113.2"),
            ("a8-31.smtp-out.cloud.example", "54.240.8.31"),
            ("mta-70-12.bulk.example", "203.0.113.12"),
            ("own.example", "192.0.2.1"),
            ("example", "192.0.2.1"),
            ("", "192.0.2.1"),
            ("mobile2.mail.own.example", "192.0.2.1"),
            ("mx.own.example", "2001:db8::1"),
            ("dsl.own.example", "192.0.2.1"),
            ("mx1234.mail.own.example", "1.2.3.4"),
            ("h0000000000000001.mail.own.example", "2001:db8::1"),
            ("dsl-12.static.provider.example", "192.0.2.1"),
        ] {
            assert_eq!(look(name, address), Look::Chosen, "{name}");
        }
    }

    #[test]
    fn names_with_the_address_in_them_are_generic() {
        for (name, address) in [
            ("203-0-113-77.provider.example", "203.0.113.77"),
            ("77.113.0.203.provider.example", "203.0.113.77"),
            ("ip-203-0-113-77.eu-west-1.compute.cloud.example", "203.0.113.77"),
            ("static.77.113.0.203.clients.hosting.example", "203.0.113.77"),
            ("vps-203-0-113-77.pool.hosting.example", "203.0.113.77"),
            ("h203000113077.provider.example", "203.0.113.77"),
            ("3405803853.provider.example", "203.0.113.77"),
            ("li-cb00714d.members.hosting.example", "203.0.113.77"),
            ("x-113-0-203.provider.example", "203.0.113.77"),
            (
                "2001-db8-0-0-aaaa-bbbb-cccc-dddd.v6.provider.example",
                "2001:db8::aaaa:bbbb:cccc:dddd",
            ),
            (
                "20010db800000000aaaabbbbccccdddd.v6.provider.example",
                "2001:db8::aaaa:bbbb:cccc:dddd",
            ),
            ("2001-db8--aaaa-bbbb-cccc-dddd.v6.provider.example", "2001:db8::aaaa:bbbb:cccc:dddd"),
        ] {
            assert_eq!(look(name, address), Look::Generic, "{name}");
        }
        let nibbles =
            "d.d.d.d.c.c.c.c.b.b.b.b.a.a.a.a.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.provider.example";
        assert_eq!(look(nibbles, "2001:db8::aaaa:bbbb:cccc:dddd"), Look::Generic);
    }

    #[test]
    fn names_of_homes_and_dial_in_lines_are_dynamic() {
        for (name, address) in [
            ("pool-203-0-113-77.nycmny.fios.provider.example", "203.0.113.77"),
            ("c-203-0-113-77.hsd1.ma.provider.example", "203.0.113.77"),
            ("203-0-113-77.dynamic-ip.provider.example", "203.0.113.77"),
            ("cpe-203-0-113-77.socal.res.provider.example", "203.0.113.77"),
            ("pcb00714d.dip0.t-provider.example", "203.0.113.77"),
            ("113-77.dsl.provider.example", "203.0.113.77"),
            ("77.113.broadband.provider.example", "203.0.113.77"),
            ("dhcp-1234.campus.provider.example", "203.0.113.77"),
            ("adsl77.town.provider.example", "203.0.113.77"),
            ("ppp203000113077.access.provider.example", "203.0.113.77"),
            (
                "dynamic-2001-0db8-0000-0000-aaaa-bbbb-cccc-dddd.provider.example",
                "2001:db8::aaaa:bbbb:cccc:dddd",
            ),
            ("pool-203-0-113-77.provider.example.", "::ffff:203.0.113.77"),
        ] {
            assert_eq!(look(name, address), Look::Dynamic, "{name}");
        }
    }

    #[test]
    fn the_address_of_another_host_says_nothing() {
        assert_eq!(look("198-51-100-1.provider.example", "203.0.113.77"), Look::Chosen);
    }

    proptest::proptest! {
        #[test]
        fn no_name_makes_it_panic(name in ".{0,300}", address: u128, v4: u32) {
            let _ = Look::of(&name, IpAddr::V6(Ipv6Addr::from_bits(address)));
            let _ = Look::of(&name, IpAddr::V4(Ipv4Addr::from_bits(v4)));
        }
    }
}
