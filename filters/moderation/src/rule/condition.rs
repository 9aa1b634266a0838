//! What a rule asks of a mail.

use std::{fmt, str::FromStr};

use mailweir_mail::{Address, Domain};
use regex::{Regex, RegexBuilder};

use crate::{numbers::NumberKind, person::is_same};

/// Who sends the mail. Empty lists ask nothing.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// Logins, without regard to case.
    pub logins: Vec<Box<str>>,
    /// Envelope senders. The null sender is none of them.
    pub senders: Vec<AddressPattern>,
    /// Groups that the sender is in.
    pub groups: Vec<Box<str>>,
    /// Names of the credentials that were used: of app passwords and interface tokens.
    pub credentials: Vec<Box<str>>,
    /// Labels of the listeners that it came to.
    pub listeners: Vec<Box<str>>,
}

/// To whom the mail goes. Of these conditions one recipient must meet all; the number is that of the
/// whole mail.
#[derive(Clone, Debug, Default)]
pub struct Whom {
    /// Addresses and domains. Empty: anybody.
    pub recipients: Vec<AddressPattern>,
    /// Only those who are not ours.
    pub outside: bool,
    /// Only those with whom this sender had no mail before.
    pub new_correspondent: bool,
    /// Only if the mail has more recipients than this.
    pub more_than: Option<u32>,
}

/// What is in the mail.
#[derive(Clone, Debug, Default)]
pub struct What {
    /// Patterns of the subject as a person reads it. Case does not matter, here and below.
    pub subject: Vec<Regex>,
    /// Patterns of a line of text as a person reads it.
    pub text: Vec<Regex>,
    /// Patterns of the name of an attachment or of a file in an archive.
    pub attachment_name: Vec<Regex>,
    /// Patterns of the type of an attachment, by its content.
    pub attachment_type: Vec<Regex>,
    /// Only mail with an attachment.
    pub attachment: bool,
    /// Only mail of more bytes than this.
    pub larger_than: Option<u64>,
    /// Numbers that should not leave; any of these kinds.
    pub numbers: Vec<NumberKind>,
    /// Only if so many of them stand in it, all kinds together; at least 1.
    pub numbers_at_least: u32,
}

/// Addresses: `ann@example.org`, `example.org` or `@example.org` for a domain, `.example.org` for all
/// below it, `*` for all, and `/regular expression/` for what it matches.
#[derive(Clone, Debug)]
pub enum AddressPattern {
    /// One address, without regard to case: whoever is held by it may write it as they like.
    Address(Address),
    /// All of a domain.
    Domain(Domain),
    /// All of the domains below it.
    Below(Domain),
    /// All.
    Any,
    /// Those that it matches anywhere, without regard to case.
    Expression(Regex),
}

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?}: {reason}")]
pub struct BadPattern {
    /// As it was written.
    pub text: Box<str>,
    /// What is wrong with it.
    pub reason: Box<str>,
}

impl AddressPattern {
    /// Whether the address is meant.
    #[must_use]
    pub fn matches(&self, address: &Address) -> bool {
        match self {
            Self::Address(one) => is_same(one, address),
            Self::Domain(domain) => address.domain() == domain,
            Self::Below(domain) => address.domain() != domain && address.domain().is_within(domain),
            Self::Any => true,
            Self::Expression(expression) => expression.is_match(address.as_str()),
        }
    }
}

impl FromStr for AddressPattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = |reason: &dyn fmt::Display| BadPattern {
            text: text.into(),
            reason: reason.to_string().into(),
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Some(inside) = text.strip_prefix('/') {
            let inside =
                inside.strip_suffix('/').ok_or_else(|| bad(&"the closing / is missing"))?;
            return expression(inside).map(Self::Expression);
        }
        let domain = |name| Domain::parse(name).map_err(|error| bad(&error));
        if let Some(parent) = text.strip_prefix('.') {
            return domain(parent).map(Self::Below);
        }
        match text.strip_prefix('@') {
            Some(name) => domain(name).map(Self::Domain),
            None if text.contains('@') => {
                Address::parse(text).map(Self::Address).map_err(|error| bad(&error))
            }
            None => domain(text).map(Self::Domain),
        }
    }
}

/// A pattern of a rule.
///
/// # Errors
/// It is no regular expression, or too large.
pub(super) fn expression(text: &str) -> Result<Regex, BadPattern> {
    let built = RegexBuilder::new(text).case_insensitive(true).size_limit(LARGEST).build();
    built.map_err(|error| BadPattern { text: text.into(), reason: fault(&error) })
}

/// What is wrong with an expression, in one line: the library draws where the fault is, over several
/// lines, of which the last says what it is.
fn fault(error: &regex::Error) -> Box<str> {
    let said = error.to_string();
    let last = said.lines().last().unwrap_or_default().trim();
    last.trim_start_matches("error: ").into()
}

impl What {
    /// A pattern of subject, text or attachments.
    ///
    /// # Errors
    /// It is no regular expression, or too large.
    pub fn pattern(text: &str) -> Result<Regex, BadPattern> {
        expression(text)
    }
}

/// Bytes of a compiled pattern; a mistake such as `.{1,9999}` is told at the start.
const LARGEST: usize = 10 << 20;
