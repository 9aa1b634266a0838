//! The recipient domains of a route or of `domains.relay`, in the notation of transport(5).

use std::fmt;

use mailweir_mail::Domain;

use super::{
    setting::{Element, Refusal, Setting},
    value::RawValue,
};

/// Which domains are meant.
///
/// `example.org` is that domain alone, as in transport(5). This differs from what Postfix makes
/// of `relay_domains` unless `parent_domain_matches_subdomains` is emptied: there, subdomains are
/// silently included.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DomainPattern {
    /// `example.org`: this domain alone.
    Exact(Domain),
    /// `.example.org`: every domain below it, at any depth, but not the domain itself.
    Below(Domain),
    /// `*`: every domain, and every address literal.
    Any,
}

impl DomainPattern {
    /// Whether `domain` is meant.
    #[must_use]
    pub fn matches(&self, domain: &Domain) -> bool {
        match self {
            Self::Exact(name) => domain == name,
            Self::Below(parent) => domain != parent && domain.is_within(parent),
            Self::Any => true,
        }
    }

    /// Whether every domain that `other` means is meant here too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            (Self::Exact(_), Self::Below(_)) => false,
            (_, Self::Exact(name)) => self.matches(name),
            (Self::Below(parent), Self::Below(below)) => below.is_within(parent),
        }
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => write!(f, "{name}"),
            Self::Below(parent) => write!(f, ".{parent}"),
            Self::Any => f.write_str("*"),
        }
    }
}

impl Setting for DomainPattern {
    const ALLOWED: &'static str =
        "\"example.org\", \".example.org\" for the domains below it, or \"*\" for all";
    const EXAMPLE: &'static str = "\"example.org\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        let pattern = match text.strip_prefix('.') {
            _ if text == "*" => return Ok(Self::Any),
            Some(parent) => Domain::parse(parent).map(Self::Below),
            None => Domain::parse(text).map(Self::Exact),
        };
        pattern.or_else(|error| {
            let meant = match text.strip_prefix("*.") {
                Some(parent) => Some(format!("\".{parent}\"")),
                None => text.rsplit_once('@').map(|(_, domain)| format!("\"{domain}\"")),
            };
            Refusal::new(value, format_args!("{text:?}: {error}")).maybe(meant).alone()
        })
    }
}

impl Element for DomainPattern {
    const LIST_ALLOWED: &'static str = "a list of domains: \"example.org\" is that domain, \".example.org\" the domains below it, \"*\" all";
    const LIST_EXAMPLE: &'static str = "[\"example.org\", \".example.org\"]";
}
