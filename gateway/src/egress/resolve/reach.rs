//! Which addresses the DNS of strangers may send us to (`attacks.md` D10).
//!
//! Whoever owns a domain chooses what its MX records point to. Without a fence a mail to that
//! domain makes us talk to our own services or to machines behind the firewall. Next hops that
//! the administrator wrote into a route are not judged here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far mail routed by MX may go. Unspecified, multicast and reserved addresses are outside
/// of every reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Addresses of the public internet only.
    #[default]
    Public,
    /// Private networks too: RFC 1918, RFC 6598, unique local (RFC 4193) and link-local addresses.
    Private,
    /// This machine too: for tests and laboratories.
    Loopback,
}

impl Reach {
    /// Whether mail may be sent to this address.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        needed(address).is_some_and(|needed| needed <= self)
    }
}

/// The smallest reach that an address lies in; `None` if no mail server can live there.
fn needed(address: IpAddr) -> Option<Reach> {
    match embedded(address) {
        IpAddr::V4(address) => needed_v4(address),
        IpAddr::V6(address) => needed_v6(address),
    }
}

/// The IPv4 address that an IPv6 address stands for: IPv4-mapped (`::ffff:a.b.c.d`),
/// IPv4-compatible (`::a.b.c.d`), NAT64 (`64:ff9b::a.b.c.d`, RFC 6052), 6to4 (RFC 3056).
/// A loopback address stays one in any of these clothes.
fn embedded(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if v6.is_loopback() || v6.is_unspecified() {
        return address;
    }
    let from = |high: u16, low: u16| {
        let bits = (u32::from(high) << 16) | u32::from(low);
        IpAddr::V4(Ipv4Addr::from_bits(bits))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => from(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => from(high, low),
        [0x2002, high, low, ..] => from(high, low),
        _ => address,
    }
}

fn needed_v4(address: Ipv4Addr) -> Option<Reach> {
    match address.octets() {
        [0, ..] | [224..=255, ..] => None,
        [127, ..] => Some(Reach::Loopback),
        [10, ..] | [100, 64..=127, ..] | [169, 254, ..] | [172, 16..=31, ..] | [192, 168, ..] => {
            Some(Reach::Private)
        }
        _ => Some(Reach::Public),
    }
}

fn needed_v6(address: Ipv6Addr) -> Option<Reach> {
    match address {
        _ if address.is_unspecified() || address.is_multicast() => None,
        _ if address.is_loopback() => Some(Reach::Loopback),
        _ if address.is_unique_local() || address.is_unicast_link_local() => Some(Reach::Private),
        _ => Some(Reach::Public),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(reach: Reach, address: &str) -> bool {
        reach.allows(address.parse().unwrap())
    }

    #[test]
    fn d10_public_addresses_are_always_within_reach() {
        for address in ["192.0.2.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1"] {
            assert!(allowed(Reach::Public, address), "{address}");
            assert!(allowed(Reach::Private, address), "{address}");
            assert!(allowed(Reach::Loopback, address), "{address}");
        }
    }

    #[test]
    fn d10_private_addresses_must_be_allowed_first() {
        for address in [
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
        ] {
            assert!(!allowed(Reach::Public, address), "{address}");
            assert!(allowed(Reach::Private, address), "{address}");
        }
    }

    #[test]
    fn d10_loopback_is_refused_in_any_clothes() {
        for address in [
            "127.0.0.1",
            "127.255.255.255",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!allowed(Reach::Public, address), "{address}");
            assert!(!allowed(Reach::Private, address), "{address}");
            assert!(allowed(Reach::Loopback, address), "{address}");
        }
    }

    #[test]
    fn d10_what_is_no_host_is_never_within_reach() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "::",
            "ff02::1",
            "::ffff:0.0.0.0",
        ] {
            assert!(!allowed(Reach::Loopback, address), "{address}");
        }
    }
}
