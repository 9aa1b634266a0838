//! Which hosts are trusted: addresses, networks, and patterns of addresses.

use std::net::IpAddr;

use mailweir_mail::{Network, NetworkError};
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::Look;

/// The trusted hosts. Loopback and private addresses count only if they are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedHosts(Vec<TrustedEntry>);

impl TrustedHosts {
    /// Reads a list of entries, as [`TrustedEntry::parse`] does each.
    ///
    /// # Errors
    /// One for each entry that cannot be read.
    pub fn parse<'t>(entries: impl IntoIterator<Item = &'t str>) -> Result<Self, Vec<EntryError>> {
        let mut errors = Vec::new();
        let mut hosts = Vec::new();
        for entry in entries {
            match TrustedEntry::parse(entry) {
                Ok(entry) => hosts.push(entry),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self(hosts)) } else { Err(errors) }
    }

    /// The first entry that an address matches. IPv4 in IPv6 clothes is IPv4.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&TrustedEntry> {
        self.0.iter().find(|entry| entry.matches(address))
    }

    /// The entries in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, TrustedEntry> {
        self.0.iter()
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'h> IntoIterator for &'h TrustedHosts {
    type Item = &'h TrustedEntry;
    type IntoIter = std::slice::Iter<'h, TrustedEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<TrustedEntry> for TrustedHosts {
    fn from_iter<T: IntoIterator<Item = TrustedEntry>>(entries: T) -> Self {
        Self(entries.into_iter().collect())
    }
}

/// One or more trusted hosts.
///
/// - `192.0.2.1`, `2001:db8::1`: this address.
/// - `10.0.0.0/8`, `fd00::/8`: the addresses of this network.
/// - `^192\.0\.2\.(1|2)$`: the addresses whose text matches this regular expression, from the first
///   character on. The text of an IPv6 address is its compressed form in lower case (RFC 5952), without
///   `IPv6:` and brackets: `2001:db8::1`. A pattern should end with `$`: otherwise `^192\.0\.2\.1` means
///   192.0.2.100 too.
///
/// An IPv4 address in IPv6 clothes, `::ffff:192.0.2.1`, is the IPv4 address, in entries as well as
/// in mails.
#[derive(Clone, Debug)]
pub struct TrustedEntry {
    text: Box<str>,
    hosts: Hosts,
}

#[derive(Clone, Debug)]
enum Hosts {
    Network(Network),
    Pattern(Regex),
}

impl TrustedEntry {
    /// Reads an entry.
    ///
    /// # Errors
    /// Names the entry, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, EntryError> {
        let hosts = if text.starts_with('^') { pattern(text) } else { network(text) };
        match hosts {
            Ok(hosts) => Ok(Self { text: text.into(), hosts }),
            Err(fault) => Err(EntryError { entry: text.into(), fault }),
        }
    }

    /// Whether this address is meant.
    #[must_use]
    pub fn matches(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match &self.hosts {
            Hosts::Network(network) => network.contains(address),
            Hosts::Pattern(pattern) => matches_from_the_start(pattern, &address.to_string()),
        }
    }

    /// The entry as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What makes it likely that the entry means more than it should.
    #[must_use]
    pub fn warnings(&self) -> Vec<EntryWarning> {
        let mut warnings = Vec::new();
        if self.means_everybody() {
            warnings.push(EntryWarning::Everybody);
        }
        if matches!(self.hosts, Hosts::Pattern(_)) {
            if !always_ends_with_dollar(&self.text) {
                warnings.push(EntryWarning::NoEnd);
            }
            if has_loose_dot(&self.text) {
                warnings.push(EntryWarning::LooseDot);
            }
        }
        warnings
    }

    fn means_everybody(&self) -> bool {
        match &self.hosts {
            Hosts::Network(network) => network.prefix() == 0,
            Hosts::Pattern(pattern) => {
                FAR_APART.iter().all(|text| matches_from_the_start(pattern, text))
            }
        }
    }
}

impl PartialEq for TrustedEntry {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TrustedEntry {}

/// An entry that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{entry:?}: {fault}")]
pub struct EntryError {
    /// The entry as it was written.
    pub entry: Box<str>,
    /// What is wrong with it.
    pub fault: EntryFault,
}

/// What is wrong with an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// Neither an address nor a network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A regular expression that begins with something else than `^`.
    #[error("not an IP address; a regular expression must begin with ^")]
    NoStart,
    /// A regular expression that is wrong or too large.
    #[error("not a regular expression: {0}")]
    Pattern(Box<str>),
}

/// What makes it likely that an entry means more than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryWarning {
    /// Every address matches.
    #[error("every address is trusted")]
    Everybody,
    /// A match may end before the address does.
    #[error("it does not end with $, so that longer addresses match too")]
    NoEnd,
    /// A dot that stands for any character.
    #[error("a dot without a backslash stands for any character, not for a dot")]
    LooseDot,
}

fn network(text: &str) -> Result<Hosts, EntryFault> {
    match Network::parse(text) {
        Ok(network) => Ok(Hosts::Network(network)),
        Err(NetworkError::BadAddress) if text.contains(['\\', '$', '*', '(', '|']) => {
            Err(EntryFault::NoStart)
        }
        Err(error) => Err(error.into()),
    }
}

fn pattern(text: &str) -> Result<Hosts, EntryFault> {
    let compiled = RegexBuilder::new(text).size_limit(PATTERN_SIZE).build();
    compiled.map(Hosts::Pattern).map_err(|error| {
        // The library draws where the fault is, over several lines; the last one says what it is.
        let said = error.to_string();
        let last = said.lines().last().unwrap_or_default().trim();
        EntryFault::Pattern(last.trim_start_matches("error: ").into())
    })
}

/// As Python's `re.match`: the `^` of `^a|b` does not hold for `b`, which must not match elsewhere
/// all the same. The first match found is the leftmost.
fn matches_from_the_start(pattern: &Regex, text: &str) -> bool {
    pattern.find(text).is_some_and(|found| found.start() == 0)
}

/// Whether each way to match ends with `$`.
fn always_ends_with_dollar(pattern: &str) -> bool {
    let parsed = regex_syntax::parse(pattern);
    parsed.is_ok_and(|hir| hir.properties().look_set_suffix().contains(Look::End))
}

/// Whether an unescaped dot follows what matches digits, as in `^192.168\.`.
fn has_loose_dot(pattern: &str) -> bool {
    let mut before = ' ';
    let mut in_class = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                // `\d` is a digit, `\.` a dot.
                before = if characters.next() == Some('d') { '0' } else { ' ' };
                continue;
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class && (before.is_ascii_digit() || "])}+*?".contains(before)) => {
                return true;
            }
            _ => {}
        }
        before = character;
    }
    false
}

/// How large a pattern may become when compiled, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// Addresses that have nothing in common.
const FAR_APART: [&str; 4] = ["0.0.0.0", "8.8.4.4", "203.0.113.250", "255.255.255.255"];

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> TrustedEntry {
        TrustedEntry::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_networks_and_patterns_are_entries() {
        for (text, inside, outside) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.10"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("2001:db8::1", "2001:db8:0:0::1", "2001:db8::2"),
            ("[2001:db8::]/32", "2001:db8:ffff::", "2001:db9::"),
            (r"^192\.0\.2\.(1|2)$", "192.0.2.2", "192.0.2.3"),
            (r"^192\.0\.2\.[12]$", "192.0.2.1", "192.0.2.12"),
            (r"^192\.168\.10\.", "192.168.10.77", "192.168.1.10"),
            (r"^2001:db8::[0-9a-f]+$", "2001:DB8::AbC", "2001:db8:1::1"),
            (r"^fe80:", "fe80::1", "fe90::1"),
        ] {
            let entry = entry(text);
            assert!(entry.matches(ip(inside)), "{text} {inside}");
            assert!(!entry.matches(ip(outside)), "{text} {outside}");
        }
    }

    #[test]
    fn ipv4_in_ipv6_clothes_is_ipv4_on_both_sides() {
        assert!(entry("192.0.2.1").matches(ip("::ffff:192.0.2.1")));
        assert!(entry("::ffff:192.0.2.1").matches(ip("192.0.2.1")));
        assert!(entry(r"^192\.0\.2\.1$").matches(ip("::ffff:192.0.2.1")));
        assert!(!entry(r"^::ffff:").matches(ip("::ffff:192.0.2.1")));
    }

    #[test]
    fn a_pattern_matches_from_the_first_character_on_in_every_branch() {
        let loose = entry(r"^192\.0\.2\.1$|2\.7$");
        assert!(loose.matches(ip("192.0.2.1")));
        assert!(!loose.matches(ip("203.0.2.7")));
        assert!(loose.matches(ip("2.7.0.1")) == loose.matches(ip("2.7.9.9")));
    }

    #[test]
    fn a_bad_entry_is_named_with_what_is_wrong() {
        for (text, said) in [
            ("", "\"\": not an IP address"),
            ("mail.example.org", "\"mail.example.org\": not an IP address"),
            ("10.0.0.1/8", "\"10.0.0.1/8\": the address has bits set behind the prefix"),
            ("10.0.0.0/33", "\"10.0.0.0/33\": the prefix is longer than the address"),
            ("IPv6:2001:db8::1", "\"IPv6:2001:db8::1\": not an IP address"),
            (r"192\.0\.2\.1$", "a regular expression must begin with ^"),
            ("^(10", "\"^(10\": not a regular expression: unclosed group"),
            (r"^(a)\1$", "not a regular expression: backreferences are not supported"),
            ("^(((a{100}){100}){100}){100}$", "not a regular expression: "),
            ("a\u{1b}[2J", "\"a\\u{1b}[2J\": not an IP address"),
        ] {
            let error = TrustedEntry::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let errors = TrustedHosts::parse(["10.0.0.0/8", "x", "y"]).unwrap_err();
        assert_eq!(errors.len(), 2);
    }

    #[test]
    fn what_means_more_than_it_seems_is_warned_of() {
        use EntryWarning::{Everybody, LooseDot, NoEnd};
        for (text, warnings) in [
            ("192.0.2.1", &[][..]),
            ("10.0.0.0/8", &[]),
            ("0.0.0.0/0", &[Everybody]),
            ("::/0", &[Everybody]),
            (r"^192\.0\.2\.(1|2)$", &[]),
            (r"^192\.0\.2\.[.1]$", &[]),
            (r"^(192\.0\.2\.1$|192\.0\.2\.2$)", &[]),
            (r"^192\.0\.2\.1$|^192\.0\.2\.2", &[NoEnd]),
            (r"^192\.168\.10\.", &[NoEnd]),
            (r"^192\.0\.2\.1\$", &[NoEnd]),
            (r"^192.0\.2\.1$", &[LooseDot]),
            (r"^192\.0\.\d+.1$", &[LooseDot]),
            (r"^192\.0\.[0-9].1$", &[LooseDot]),
            ("^10.", &[NoEnd, LooseDot]),
            ("^.*$", &[Everybody]),
            ("^", &[Everybody, NoEnd]),
        ] {
            assert_eq!(entry(text).warnings(), warnings, "{text}");
        }
    }
}
