//! Block lists and permit lists in DNS: their names, and which answers count (RFC 5782,
//! postconf(5) `reject_rbl_client`).

use std::net::{IpAddr, Ipv4Addr};

use mailweir_spam::lists::{self, Pattern};

/// A list: `zen.spamhaus.org`, `list.dnswl.org=127.0.[0..255].[1..3]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsList {
    /// As it was written.
    written: Box<str>,
    domain: Box<str>,
    /// Which answers count; without, each does.
    pattern: Option<Pattern>,
}

/// Why a list's name cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// There is no domain.
    #[error("the list has no domain")]
    NoDomain,
    /// What stands behind `=` is no pattern of an address.
    #[error(transparent)]
    Pattern(#[from] lists::PatternError),
}

impl DnsList {
    /// Reads `domain` or `domain=d.d.d.d`.
    ///
    /// # Errors
    /// If the answers that count are not written as Postfix does.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (domain, pattern) = lists::split(text);
        let pattern = pattern.map(Pattern::of_any_address).transpose()?;
        if domain.is_empty() {
            return Err(PatternError::NoDomain);
        }
        Ok(Self { written: text.into(), domain: domain.into(), pattern })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Its domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether an answer counts.
    #[must_use]
    pub fn counts(&self, answer: Ipv4Addr) -> bool {
        self.pattern.as_ref().is_none_or(|pattern| pattern.matches(answer))
    }

    /// The name to ask for a client: the octets of its address or the nibbles, last first.
    #[must_use]
    pub fn name_of_address(&self, address: IpAddr) -> String {
        lists::name_in(&self.domain, address)
    }

    /// The name to ask for a domain.
    #[must_use]
    pub fn name_of_domain(&self, domain: &str) -> String {
        format!("{domain}.{}", self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(list: &str, answer: [u8; 4]) -> bool {
        DnsList::parse(list).unwrap().counts(answer.into())
    }

    #[test]
    fn a_list_is_asked_about_addresses_and_domains() {
        let list = DnsList::parse("bl.example=127.0.0.2").unwrap();
        let address = list.name_of_address("192.0.2.1".parse().unwrap());
        assert_eq!(address, "1.2.0.192.bl.example");
        assert_eq!(list.name_of_domain("a.example"), "a.example.bl.example");
    }

    #[test]
    fn only_the_answers_behind_the_equals_sign_count() {
        assert!(counts("bl.example", [127, 0, 0, 9]));
        assert!(counts("bl.example=127.0.0.2", [127, 0, 0, 2]));
        assert!(!counts("bl.example=127.0.0.2", [127, 0, 0, 3]));
        for (octet, expected) in [(1, false), (2, true), (4, true), (5, false), (10, true)] {
            assert_eq!(counts("bl.example=127.0.0.[2..4;10]", [127, 0, 0, octet]), expected);
        }
        assert!(counts("bl.example=[127.[0..255].0.[1;2]]", [127, 77, 0, 2]));
        // Lists of one's own may answer anything.
        assert!(counts("bl.example=10.0.0.[1..3]", [10, 0, 0, 2]));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in [
            "",
            "127.0.0",
            "127.0.0.1.1",
            "127.0.0.256",
            "127.0.0.[4..2]",
            "127.0.0.[1;]",
            "127.0.0.[1",
            "127.0.0.1]",
            "[127.0].0.1",
            "127.0.0.3[6..9]",
            "127.0.0.[1.2]",
            "::1",
        ] {
            let list = format!("bl.example={bad}");
            assert_eq!(DnsList::parse(&list), Err(lists::PatternError::Fields.into()), "{list}");
        }
        assert_eq!(DnsList::parse("=127.0.0.1"), Err(PatternError::NoDomain));
    }
}
