//! A record (RFC 7208 sections 4.5, 4.6.1, 5, 6 and 12): its terms, read whole before any of them is evaluated.
//!
//! Nothing is looked up here and nothing is expanded.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::macros::MacroString;

/// A record of SPF that has no mistake in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// In the order in which they are tried.
    pub directives: Vec<Directive>,
    /// Where to go on if none of them matches.
    pub redirect: Option<MacroString>,
    /// Where the explanation of a fail stands.
    pub explanation: Option<MacroString>,
}

/// A mechanism, and what it means if it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// What it means if the mechanism matches.
    pub qualifier: Qualifier,
    /// What it looks at.
    pub mechanism: Mechanism,
    /// As it was written: printable ASCII without spaces.
    pub written: Box<str>,
}

/// What stands in front of a mechanism; [`Qualifier::Pass`] may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualifier {
    /// `+`.
    Pass,
    /// `-`.
    Fail,
    /// `~`.
    SoftFail,
    /// `?`.
    Neutral,
}

/// What a client is held against (RFC 7208 section 5). Without a target the domain of the record is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Always matches.
    All,
    /// Matches what the record of another domain passes.
    Include(MacroString),
    /// The addresses of a name.
    A {
        /// The name.
        target: Option<MacroString>,
        /// How much of the addresses counts.
        prefix: Prefix,
    },
    /// The addresses of the mail exchangers of a name.
    Mx {
        /// The name.
        target: Option<MacroString>,
        /// How much of the addresses counts.
        prefix: Prefix,
    },
    /// The names of the client, if they lead back to it.
    Ptr(Option<MacroString>),
    /// An IPv4 network: an address, and how many of its first bits count.
    Ip4(Ipv4Addr, u8),
    /// An IPv6 network.
    Ip6(Ipv6Addr, u8),
    /// Whether a name has an IPv4 address at all.
    Exists(MacroString),
}

/// How many of the first bits of an address count (`dual-cidr-length`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Of an IPv4 address, up to 32.
    pub ip4: u8,
    /// Of an IPv6 address, up to 128.
    pub ip6: u8,
}

/// What is wrong with a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TermError {
    /// It is neither a mechanism nor a modifier.
    #[error("no such mechanism")]
    Unknown,
    /// It has a character that no term may have.
    #[error("character not allowed")]
    Character,
    /// A `%` that begins no macro, or one that may not stand here.
    #[error("bad macro")]
    Macro,
    /// A name is missing, or it is none.
    #[error("bad domain")]
    Domain,
    /// It has a name or an address, and must have none.
    #[error("argument not allowed")]
    Argument,
    /// What should be an address is none.
    #[error("bad address")]
    Address,
    /// What stands behind the `/` is no length of a prefix.
    #[error("bad prefix length")]
    PrefixLength,
    /// `redirect` or `exp` for the second time.
    #[error("given twice")]
    Twice,
}

impl Record {
    /// Whether a text is meant as a record of SPF: it begins with the version, and a space or nothing follows.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        terms_of(text).is_some()
    }

    /// Reads a record.
    ///
    /// # Errors
    /// The first term that is wrong, cut to 100 characters, and why. A text without the version is one
    /// wrong term.
    pub fn parse(text: &str) -> Result<Self, (Box<str>, TermError)> {
        let wrong = |term: &str, error| (shown(term), error);
        let terms = terms_of(text).ok_or_else(|| wrong(text, TermError::Unknown))?;
        let mut this = Self { directives: Vec::new(), redirect: None, explanation: None };
        for term in terms.split(' ').filter(|term| !term.is_empty()) {
            this.read(term).map_err(|error| wrong(term, error))?;
        }
        Ok(this)
    }

    fn read(&mut self, term: &str) -> Result<(), TermError> {
        if !term.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TermError::Character);
        }
        let Some((name, value)) = modifier(term) else {
            self.directives.push(Directive::parse(term)?);
            return Ok(());
        };
        let place = match name.to_ascii_lowercase().as_str() {
            "redirect" => &mut self.redirect,
            "exp" => &mut self.explanation,
            _ => return MacroString::check(value),
        };
        let target = MacroString::domain_spec(value)?;
        if place.replace(target).is_some() { Err(TermError::Twice) } else { Ok(()) }
    }
}

impl Directive {
    fn parse(term: &str) -> Result<Self, TermError> {
        let (qualifier, rest) = Qualifier::split(term);
        let end = rest.find([':', '/']).unwrap_or(rest.len());
        let (name, argument) = rest.split_at_checked(end).ok_or(TermError::Unknown)?;
        let mechanism = Mechanism::parse(&name.to_ascii_lowercase(), argument)?;
        Ok(Self { qualifier, mechanism, written: shown(term) })
    }
}

impl Qualifier {
    fn split(term: &str) -> (Self, &str) {
        let mut chars = term.chars();
        let qualifier = match chars.next() {
            Some('+') => Self::Pass,
            Some('-') => Self::Fail,
            Some('~') => Self::SoftFail,
            Some('?') => Self::Neutral,
            Some(_) | None => return (Self::Pass, term),
        };
        (qualifier, chars.as_str())
    }
}

impl Mechanism {
    /// `argument` is empty, or begins with a colon or a slash.
    fn parse(name: &str, argument: &str) -> Result<Self, TermError> {
        Ok(match name {
            "all" if argument.is_empty() => Self::All,
            "all" => return Err(TermError::Argument),
            "include" => Self::Include(required_target(argument)?),
            "exists" => Self::Exists(required_target(argument)?),
            "ptr" => Self::Ptr(target(argument)?),
            "a" => {
                let (argument, prefix) = dual_prefix(argument)?;
                Self::A { target: target(argument)?, prefix }
            }
            "mx" => {
                let (argument, prefix) = dual_prefix(argument)?;
                Self::Mx { target: target(argument)?, prefix }
            }
            "ip4" => {
                let (address, prefix) = network(argument, 32)?;
                Self::Ip4(address.parse().map_err(|_| TermError::Address)?, prefix)
            }
            "ip6" => {
                let (address, prefix) = network(argument, 128)?;
                Self::Ip6(address.parse().map_err(|_| TermError::Address)?, prefix)
            }
            _ => return Err(TermError::Unknown),
        })
    }
}

/// What stands behind the version.
fn terms_of(text: &str) -> Option<&str> {
    let (version, terms) = text.split_at_checked(VERSION.len())?;
    let is_record = version.eq_ignore_ascii_case(VERSION);
    (is_record && (terms.is_empty() || terms.starts_with(' '))).then_some(terms)
}

/// Name and value, if a term is a modifier: its `=` comes before any character that no name has.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    is_name.then_some((name, value))
}

fn required_target(argument: &str) -> Result<MacroString, TermError> {
    target(argument)?.ok_or(TermError::Domain)
}

fn target(argument: &str) -> Result<Option<MacroString>, TermError> {
    match argument.strip_prefix(':') {
        Some(text) => MacroString::domain_spec(text).map(Some),
        None if argument.is_empty() => Ok(None),
        None => Err(TermError::Argument),
    }
}

/// `:address/prefix`; without a prefix all `width` bits count.
fn network(argument: &str, width: u8) -> Result<(&str, u8), TermError> {
    let text = argument.strip_prefix(':').ok_or(TermError::Address)?;
    match text.split_once('/') {
        Some((address, length)) => Ok((address, prefix_length(length, width)?)),
        None => Ok((text, width)),
    }
}

/// Takes `/24`, `//64` or `/24//64` off the end. A slash that no digits follow belongs to the name.
fn dual_prefix(argument: &str) -> Result<(&str, Prefix), TermError> {
    let mut prefix = Prefix { ip4: 32, ip6: 128 };
    let mut rest = argument;
    if let Some((before, digits)) = digits_behind(rest, "//") {
        prefix.ip6 = prefix_length(digits, 128)?;
        rest = before;
    }
    if let Some((before, digits)) = digits_behind(rest, "/") {
        prefix.ip4 = prefix_length(digits, 32)?;
        rest = before;
    }
    Ok((rest, prefix))
}

fn digits_behind<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    let (before, digits) = text.rsplit_once(mark)?;
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then_some((before, digits))
}

/// Without zeros in front, as the addresses have none.
fn prefix_length(digits: &str, most: u8) -> Result<u8, TermError> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = digits == "0" || !digits.starts_with('0');
    let length = digits.parse().ok().filter(|length| is_number && is_short && *length <= most);
    length.ok_or(TermError::PrefixLength)
}

/// What may be shown of a stranger's text in a log line and in the comment of a header: printable ASCII without what
/// ends comments and quotes there, and not too much of it.
pub(super) fn shown(text: &str) -> Box<str> {
    let harmless = |c: char| match c {
        '"' | '\\' | '(' | ')' | ';' => '?',
        c if c.is_ascii_graphic() => c,
        _ => '?',
    };
    text.chars().map(harmless).take(MOST_SHOWN).collect::<String>().into()
}

const VERSION: &str = "v=spf1";

/// Long enough for the names that people publish.
const MOST_SHOWN: usize = 100;
