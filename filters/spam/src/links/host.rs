//! What a link leads to: a name in one form, or an address.

use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use psl::{List, Psl as _, Type};

/// What a link leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name in lower case, in ASCII (IDNA), without a dot at its end.
    Name(Box<str>),
    /// An IPv4 address, however it was written.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
}

impl Host {
    /// The domain that somebody registered (Public Suffix List): `example.co.uk` of `www.example.co.uk`. None of an
    /// address, of a name that is a suffix itself, and of a name without a dot.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        match self {
            Self::Name(name) => registrable(name),
            Self::V4(_) | Self::V6(_) => None,
        }
    }

    /// Whether it is an address that nobody on the internet has: links of devices and servers to themselves.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        match self {
            Self::Name(_) => false,
            Self::V4(address) => {
                address.is_private() || address.is_loopback() || address.is_link_local()
            }
            Self::V6(address) => {
                address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        }
    }

    /// The name as people see it: the letters of other scripts instead of their form in ASCII.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Name(name) if name.contains("xn--") => idna::domain_to_unicode(name).0,
            Self::Name(_) | Self::V4(_) | Self::V6(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
        }
    }
}

/// The domain that somebody registered, of a name in lower case and in ASCII.
#[must_use]
pub fn registrable(name: &str) -> Option<&str> {
    let domain = List.domain(name.as_bytes())?;
    std::str::from_utf8(domain.as_bytes()).ok()
}

/// Whether a name ends in something that domains are registered under, and has more than that.
pub(super) fn is_under_known_suffix(name: &str) -> bool {
    let domain = List.domain(name.as_bytes());
    domain.is_some_and(|domain| {
        domain.suffix().typ() == Some(Type::Icann) || domain.suffix().is_known()
    })
}
