//! A network in CIDR form, and the lists of networks that settings and tables are made of.
//!
//! Membership is decided on what an address means: an IPv4 address in IPv6 clothes
//! (`::ffff:192.0.2.1`) is the IPv4 address. Nothing here knows which peer is asked about.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// All addresses that share the first `prefix` bits: `192.0.2.0/24`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The network of the addresses whose first `prefix` bits are those of `address`.
    ///
    /// # Errors
    /// If the prefix is longer than the address, or `address` has bits set behind the prefix:
    /// `10.0.0.1/8` is as likely a slip for `/32` as for `10.0.0.0`, and Postfix refuses it too.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        let behind = width(address).checked_sub(prefix).ok_or(NetworkError::PrefixTooLong)?;
        if without_last(behind, bits(address)) == bits(address) {
            Self::around(address, prefix)
        } else {
            Err(NetworkError::HostBitsSet)
        }
    }

    /// The network of this prefix that `address` is in: what stands behind the prefix is dropped.
    ///
    /// # Errors
    /// If the prefix is longer than the address.
    pub fn around(address: IpAddr, prefix: u8) -> Result<Self, NetworkError> {
        let behind = width(address).checked_sub(prefix).ok_or(NetworkError::PrefixTooLong)?;
        let first = without_last(behind, bits(address));
        let address = match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(first as u32)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(first)),
        };
        Ok(match (prefix.checked_sub(MAPPED_PREFIX), address.to_canonical()) {
            (Some(prefix), ip @ IpAddr::V4(_)) if address.is_ipv6() => Self { address: ip, prefix },
            _ => Self { address, prefix },
        })
    }

    /// The network of one address.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        let address = address.to_canonical();
        Self { address, prefix: width(address) }
    }

    /// Reads `address/prefix`, or one address. IPv6 may stand in brackets as Postfix writes it:
    /// `[2001:db8::]/32`.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = unbracketed(address).ok_or(NetworkError::BadAddress)?;
        let Some(prefix) = prefix else {
            return Ok(Self::host(address));
        };
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NetworkError::BadPrefix);
        }
        Self::new(address, prefix.parse().map_err(|_| NetworkError::PrefixTooLong)?)
    }

    /// Whether `address` is in this network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            // A network around `::ffff:0:0/96`, such as `::/0`, holds IPv4 addresses too.
            IpAddr::V4(ip) if self.address.is_ipv6() => {
                self.shares_prefix(ip.to_ipv6_mapped().into())
            }
            ip => self.shares_prefix(ip),
        }
    }

    /// The first address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// How many leading bits all addresses of the network share.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether `address`, taken as it is, shares the first bits.
    fn shares_prefix(&self, address: IpAddr) -> bool {
        let behind = width(self.address) - self.prefix;
        address.is_ipv4() == self.address.is_ipv4()
            && without_last(behind, bits(address)) == bits(self.address)
    }
}

impl fmt::Display for Network {
    /// `address/prefix`; one address alone stands without its prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix == width(self.address) {
            true => write!(f, "{}", self.address),
            false => write!(f, "{}/{}", self.address, self.prefix),
        }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        Self::parse(text)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is wrong with the text of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// What stands before the `/` is no IP address.
    #[error("not an IP address")]
    BadAddress,
    /// What stands behind the `/` is no number.
    #[error("the prefix length is not a number")]
    BadPrefix,
    /// More than 32 bits of an IPv4 address, or 128 of an IPv6 address.
    #[error("the prefix is longer than the address")]
    PrefixTooLong,
    /// The address is not the first of its network.
    #[error("the address has bits set behind the prefix")]
    HostBitsSet,
}

fn unbracketed(text: &str) -> Option<IpAddr> {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    }
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS as u8,
        IpAddr::V6(_) => Ipv6Addr::BITS as u8,
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// `bits` with the last `count` of them cleared.
fn without_last(count: u8, bits: u128) -> u128 {
    let count = u32::from(count);
    bits.checked_shr(count).and_then(|kept| kept.checked_shl(count)).unwrap_or(0)
}

/// The bits in front of an IPv4 address in IPv6 clothes, `::ffff:0:0/96` (RFC 4291 section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_prefix() {
        assert!(network("192.0.2.0/24").contains(ip("192.0.2.255")));
        assert!(!network("192.0.2.0/24").contains(ip("192.0.3.0")));
        assert!(network("2001:db8::/32").contains(ip("2001:db8:ffff::1")));
        assert!(!network("2001:db8::/32").contains(ip("2001:db9::")));
        assert!(network("192.0.2.7").contains(ip("192.0.2.7")));
        assert!(!network("192.0.2.7").contains(ip("192.0.2.6")));
    }

    #[test]
    fn the_whole_of_a_family_does_not_hold_the_other() {
        assert!(network("0.0.0.0/0").contains(ip("255.255.255.255")));
        assert!(!network("0.0.0.0/0").contains(ip("2001:db8::1")));
        assert!(network("::/0").contains(ip("2001:db8::1")));
    }

    #[test]
    fn an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address() {
        assert!(network("127.0.0.0/8").contains(ip("::ffff:127.0.0.1")));
        assert!(network("::ffff:192.0.2.1").contains(ip("192.0.2.1")));
        assert_eq!(network("::ffff:192.0.2.0/120"), network("192.0.2.0/24"));
        assert!(network("::/0").contains(ip("192.0.2.1")), "dual-stack sockets see ::ffff:0:0/96");
    }

    #[test]
    fn ipv6_may_stand_in_brackets_as_postfix_writes_it() {
        assert_eq!(network("[2001:db8::]/32"), network("2001:db8::/32"));
        assert_eq!(network("[::1]").to_string(), "::1");
    }

    #[test]
    fn every_address_has_a_network_of_each_prefix_around_it() {
        assert_eq!(Network::around(ip("10.1.2.3"), 8), Ok(network("10.0.0.0/8")));
        assert_eq!(Network::around(ip("10.1.2.3"), 0), Ok(network("0.0.0.0/0")));
        assert_eq!(Network::around(ip("2001:db8::1:2"), 64), Ok(network("2001:db8::/64")));
        assert_eq!(Network::around(ip("10.1.2.3"), 33), Err(NetworkError::PrefixTooLong));
    }

    #[test]
    fn each_rule_has_its_error() {
        for (text, error) in [
            ("", NetworkError::BadAddress),
            ("example.org/24", NetworkError::BadAddress),
            ("[127.0.0.1]/8", NetworkError::BadAddress),
            ("10.0.0.0/", NetworkError::BadPrefix),
            ("10.0.0.0/+8", NetworkError::BadPrefix),
            ("10.0.0.0/255.0.0.0", NetworkError::BadPrefix),
            ("10.0.0.0/33", NetworkError::PrefixTooLong),
            ("::/300", NetworkError::PrefixTooLong),
            ("10.0.0.1/8", NetworkError::HostBitsSet),
            ("2001:db8::1/32", NetworkError::HostBitsSet),
        ] {
            assert_eq!(Network::parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_network_reads_back_and_holds_its_own_address(bits in any::<u128>(), prefix in 0..=128_u8) {
            let kept = bits.checked_shl(u32::from(128 - prefix)).unwrap_or(0);
            let address = IpAddr::V6(Ipv6Addr::from_bits(kept));
            let network = Network::new(address, prefix).unwrap();
            prop_assert_eq!(network.to_string().parse(), Ok(network));
            prop_assert!(network.contains(address));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9a-f:./\\[\\]]{0,30}") {
            let _ = Network::parse(&text);
        }
    }
}
