//! What all lists in DNS have in common, those that restrictions name (`reject_rbl_client`) and those that are weighed: how the setting
//! is divided, what is asked, and which answers are error codes (RFC 5782, postconf(5)).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The zone of `zone` or `zone=127.0.0.[2..11]`, and what stands behind `=`: the answers that count, a [`Pattern`](super::Pattern).
#[must_use]
pub fn split(site: &str) -> (&str, Option<&str>) {
    match site.split_once('=') {
        Some((zone, pattern)) => (zone, Some(pattern)),
        None => (site, None),
    }
}

/// The name that asks a list about an address: `1.2.0.192.ZONE`.
#[must_use]
pub fn name_in(zone: &str, address: IpAddr) -> String {
    format!("{}.{zone}", reversed(address))
}

/// Whether an answer says that the list cannot be used, and nothing about anybody: too many questions, or asked through a public
/// resolver. Spamhaus and others share these codes; whoever takes them for listings, as Postfix does, refuses all mail.
#[must_use]
pub fn is_error_code(answer: Ipv4Addr) -> bool {
    matches!(answer.octets(), [127, 255, 255, _])
}

/// The octets or the nibbles, the last one first.
pub(super) fn reversed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => reversed4(address),
        IpAddr::V6(address) => reversed6(address),
    }
}

fn reversed4(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("{d}.{c}.{b}.{a}")
}

fn reversed6(address: Ipv6Addr) -> String {
    let octets = address.octets();
    let nibbles = octets.iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
    let texts: Vec<String> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
    texts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_asked_about_backwards() {
        let name = |address: &str| name_in("bl.example", address.parse().unwrap());
        assert_eq!(name("192.0.2.1"), "1.2.0.192.bl.example");
        let zeros = "0.".repeat(23);
        assert_eq!(name("2001:db8::1"), format!("1.{zeros}8.b.d.0.1.0.0.2.bl.example"));
    }

    #[test]
    fn error_codes_are_no_listings() {
        assert!(is_error_code(Ipv4Addr::new(127, 255, 255, 254)));
        assert!(!is_error_code(Ipv4Addr::new(127, 0, 0, 2)));
        assert!(!is_error_code(Ipv4Addr::new(127, 255, 254, 255)));
    }
}
