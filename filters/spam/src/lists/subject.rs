//! Whom a list is asked about, and how that is written in front of its zone (RFC 5782 sections 2.1, 2.4 and 3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mailweir_mail::Domain;

use super::site::reversed;

/// Whom a list is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// An address: of a client, or the host of a link.
    Address(IpAddr),
    /// A domain, in ASCII or Unicode, in any case.
    Domain(&'a str),
}

/// Why nobody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unasked {
    /// The address is one of this host, of a network of its own, or of no host at all.
    PrivateAddress,
    /// The domain is no name of two labels or more.
    NoDomain,
    /// Together with the zone it is no name any more.
    TooLong,
    /// The mail has caused as many look-ups as it may ([`Budget`](crate::dns::Budget)).
    TooMany,
}

impl<'a> Subject<'a> {
    /// The host of a link, or what a client said in HELO: an address with or without brackets, or a domain.
    #[must_use]
    pub fn of_host(text: &'a str) -> Self {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let literal = || Domain::parse(text).ok().and_then(|domain| domain.literal());
        match bare.parse().ok().or_else(literal) {
            Some(address) => Self::Address(address),
            None => Self::Domain(text),
        }
    }

    /// What stands in front of the zone.
    pub(super) fn key(self) -> Result<String, Unasked> {
        match self {
            Self::Address(written) => {
                let address = written.to_canonical();
                match address {
                    IpAddr::V4(public) if is_public4(public) => Ok(reversed(address)),
                    IpAddr::V6(public) if is_public6(public) => Ok(reversed(address)),
                    IpAddr::V4(_) | IpAddr::V6(_) => Err(Unasked::PrivateAddress),
                }
            }
            Self::Domain(text) => {
                let domain = Domain::parse(text).map_err(|_| Unasked::NoDomain)?;
                let is_name = domain.literal().is_none() && domain.is_qualified();
                if is_name { Ok(domain.as_ascii().to_owned()) } else { Err(Unasked::NoDomain) }
            }
        }
    }
}

/// Whether strangers can have it. Addresses for documentation count: nobody has them, so nobody is harmed.
fn is_public4(address: Ipv4Addr) -> bool {
    // Shared by the customers of a provider (RFC 6598).
    let is_shared = matches!(address.octets(), [100, 64..=127, ..]);
    let is_nowhere = address.octets().starts_with(&[0])
        || address.is_multicast()
        || address.octets() >= [240, 0, 0, 0];
    !(address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || is_shared
        || is_nowhere)
}

/// Only what is given out to the world (2000::/3, RFC 4291 section 2.4): all else is local, or an envelope of IPv4.
fn is_public6(address: Ipv6Addr) -> bool {
    address.octets().first().is_some_and(|octet| octet >> 5 == 1)
}
