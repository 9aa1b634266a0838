//! The sender addresses that somebody may use.

use std::{fmt, str::FromStr, sync::Arc};

use mailweir_mail::{Address, Domain};

/// Sender addresses: single ones (`ann@example.org`) and all of a domain (`@example.org`). Never
/// empty. `Display` and `FromStr` are patterns divided by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Senders(Arc<[Pattern]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Address(Address),
    Domain(Domain),
}

impl Senders {
    /// All of these together; `None` if there are none.
    #[must_use]
    pub fn all(several: &[Self]) -> Option<Self> {
        let patterns: Arc<[Pattern]> =
            several.iter().flat_map(|senders| senders.0.iter().cloned()).collect();
        (!patterns.is_empty()).then_some(Self(patterns))
    }

    /// The text of each pattern.
    pub fn patterns(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }

    /// Whether `sender` is among them. Case does not matter, as in login maps.
    #[must_use]
    pub fn contains(&self, sender: &Address) -> bool {
        let folded = |address: &Address| address.unquoted_local_part().to_lowercase();
        self.0.iter().any(|pattern| match pattern {
            Pattern::Address(address) => {
                address.domain() == sender.domain() && folded(address) == folded(sender)
            }
            Pattern::Domain(domain) => domain == sender.domain(),
        })
    }
}

impl FromStr for Senders {
    type Err = NotASender;

    fn from_str(text: &str) -> Result<Self, NotASender> {
        let pattern = |text: &str| {
            let parsed = match text.strip_prefix('@') {
                Some(domain) => Domain::parse(domain).ok().map(Pattern::Domain),
                None => Address::parse(text).ok().map(Pattern::Address),
            };
            parsed.ok_or_else(|| NotASender(text.into()))
        };
        text.split(',').map(str::trim).map(pattern).collect::<Result<Arc<_>, _>>().map(Self)
    }
}

impl fmt::Display for Senders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pattern) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{pattern}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

/// A text that is neither an address nor `@` and a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no sender: expected an address, or \"@\" and a domain")]
pub struct NotASender(Box<str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_addresses_and_whole_domains() {
        let senders: Senders = "ann@example.org, @Shop.example".parse().unwrap();
        let contains = |text| senders.contains(&Address::parse(text).unwrap());
        assert!(contains("Ann@EXAMPLE.org") && contains("orders@shop.example"));
        assert!(!contains("bob@example.org") && !contains("ann@sub.shop.example"));
        assert_eq!(senders.to_string().parse().as_ref(), Ok(&senders));
        let single: Vec<Senders> =
            senders.patterns().map(|pattern| pattern.parse().unwrap()).collect();
        assert_eq!((single.len(), Senders::all(&single)), (2, Some(senders)));
        assert_eq!(Senders::all(&[]), None);
        for bad in ["", "ann", "ann@example.org,", "@", "ann@example.org bob@example.org"] {
            assert!(bad.parse::<Senders>().is_err(), "{bad:?}");
        }
    }
}
