//! The arguments of XCLIENT and XFORWARD: `NAME=value ...`, values in xtext.

use std::net::{IpAddr, Ipv6Addr};

use super::xtext;
use crate::replies::Fault;

/// One attribute.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: Value,
}

/// What an attribute says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// `[UNAVAILABLE]` or `[TEMPUNAVAIL]`.
    Unavailable,
    /// The decoded value: not empty, at most 255 bytes, no control characters.
    Known(String),
}

/// All attributes in turn. There must be one; `syntax` is what is said otherwise.
pub(super) fn attributes<'a>(
    arguments: &'a str,
    syntax: &'static str,
) -> impl Iterator<Item = Result<Attribute<'a>, Fault>> {
    let missing = arguments.is_empty().then_some(Err(Fault::Syntax(syntax)));
    missing.into_iter().chain(arguments.split_ascii_whitespace().map(Attribute::parse))
}

impl<'a> Attribute<'a> {
    fn parse(word: &'a str) -> Result<Self, Fault> {
        let (name, value) = word.split_once('=').ok_or(Fault::AttributeExpected)?;
        if ["[UNAVAILABLE]", "[TEMPUNAVAIL]"].iter().any(|none| none.eq_ignore_ascii_case(value)) {
            return Ok(Self { name, value: Value::Unavailable });
        }
        if value.len() > MAX_VALUE {
            return Err(Fault::AttributeTooLong);
        }
        let decoded = xtext::decode(value).filter(|text| !text.chars().any(char::is_control));
        match decoded {
            Some(text) if !text.is_empty() => Ok(Self { name, value: Value::Known(text) }),
            _ => Err(Fault::AttributeExpected),
        }
    }

    /// The value. `None`: unavailable.
    pub(super) fn text(&self) -> Option<Box<str>> {
        match &self.value {
            Value::Known(text) => Some(text.as_str().into()),
            Value::Unavailable => None,
        }
    }

    /// `192.0.2.1` or `IPV6:2001:db8::1`. `None`: unavailable.
    pub(super) fn address(&self, name: &'static str) -> Result<Option<IpAddr>, Fault> {
        let Value::Known(text) = &self.value else {
            return Ok(None);
        };
        let address = match text.split_at_checked(IPV6_TAG.len()) {
            Some((tag, rest)) if tag.eq_ignore_ascii_case(IPV6_TAG) => {
                rest.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
            }
            _ => text.parse().ok(),
        };
        address.map(Some).ok_or_else(|| self.bad(name))
    }

    /// A port. `None`: unavailable.
    pub(super) fn port(&self, name: &'static str) -> Result<Option<u16>, Fault> {
        match &self.value {
            Value::Known(text) => text.parse().map(Some).map_err(|_| self.bad(name)),
            Value::Unavailable => Ok(None),
        }
    }

    /// The fault of a name that the command does not have.
    pub(super) fn unknown(&self, verb: &'static str) -> Fault {
        Fault::UnknownAttribute(verb, self.name.chars().take(40).collect())
    }

    /// The fault of a value that cannot be what its name says.
    pub(super) fn bad(&self, name: &'static str) -> Fault {
        let value = match &self.value {
            Value::Known(text) => text.chars().take(80).collect(),
            Value::Unavailable => "[UNAVAILABLE]".into(),
        };
        Fault::BadAttribute(name, value)
    }
}

/// Postfix `XCLIENT_README`.
const MAX_VALUE: usize = 255;

const IPV6_TAG: &str = "IPV6:";
