//! An argument of a program, with the macros of pipe(8).

use std::{borrow::Cow, str::FromStr};

use mailweir_mail::Forwarded;

use super::{Mail, Spelling, To};

/// Text with macros: `${sender}`, `$sender`, `$(sender)`; `${name?text}` is `text` where the macro has a value, and
/// `${name:text}` where it has none; `$$` is `$`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Value(Macro),
    Choice { of: Macro, when: When, then: Template },
}

/// When the text of a choice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// The macro has a value.
    Present,
    /// It has none.
    Absent,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// pipe(8) has no such macro.
    #[error("there is no macro ${{{name}}}; pipe(8) has {}", names())]
    Unknown {
        /// As it was written.
        name: Box<str>,
    },
    /// `${` without `}`, or `$` without a name.
    #[error("{text:?} names no macro: write ${{name}}, or $$ for a dollar sign")]
    NoName {
        /// From the dollar sign on.
        text: Box<str>,
    },
    /// Choices stand in choices.
    #[error("choices stand in each other more than {MOST_NESTED} deep")]
    TooDeep,
}

/// What a macro stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Macro {
    Client(OfClient),
    EnvelopeId,
    NextHop,
    QueueId,
    SaslMethod,
    /// The AUTH parameter of MAIL, which is not kept: always empty.
    SaslSender,
    SaslUsername,
    Sender,
    Size,
    Recipient(OfRecipient),
}

/// What is known of where a mail came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OfClient {
    Address,
    Helo,
    Hostname,
    Port,
    Protocol,
}

/// A part of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OfRecipient {
    Domain,
    Extension,
    Mailbox,
    Original,
    Whole,
    User,
}

/// The names of pipe(8), in the order of its manual.
const MACROS: [(&str, Macro); 19] = [
    ("client_address", Macro::Client(OfClient::Address)),
    ("client_helo", Macro::Client(OfClient::Helo)),
    ("client_hostname", Macro::Client(OfClient::Hostname)),
    ("client_port", Macro::Client(OfClient::Port)),
    ("client_protocol", Macro::Client(OfClient::Protocol)),
    ("domain", Macro::Recipient(OfRecipient::Domain)),
    ("envid", Macro::EnvelopeId),
    ("extension", Macro::Recipient(OfRecipient::Extension)),
    ("mailbox", Macro::Recipient(OfRecipient::Mailbox)),
    ("nexthop", Macro::NextHop),
    ("original_recipient", Macro::Recipient(OfRecipient::Original)),
    ("queue_id", Macro::QueueId),
    ("recipient", Macro::Recipient(OfRecipient::Whole)),
    ("sasl_method", Macro::SaslMethod),
    ("sasl_sender", Macro::SaslSender),
    ("sasl_username", Macro::SaslUsername),
    ("sender", Macro::Sender),
    ("size", Macro::Size),
    ("user", Macro::Recipient(OfRecipient::User)),
];

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        read(text, 0)
    }
}

impl Template {
    /// Whether it is another one for each recipient.
    #[must_use]
    pub fn is_of_recipient(&self) -> bool {
        self.0.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Value(of) => matches!(of, Macro::Recipient(_)),
            Part::Choice { of, then, .. } => {
                matches!(of, Macro::Recipient(_)) || then.is_of_recipient()
            }
        })
    }

    pub(super) fn names_next_hop(&self) -> bool {
        self.0.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Value(of) => *of == Macro::NextHop,
            Part::Choice { of, then, .. } => *of == Macro::NextHop || then.names_next_hop(),
        })
    }

    /// Whether its first character, if it has one for this mail, is the administrator's own.
    pub(super) fn begins_with_text(
        &self,
        mail: &Mail<'_>,
        to: Option<&To<'_>>,
        spelling: &Spelling,
    ) -> bool {
        let first = self.0.iter().find(|part| !part.expand(mail, to, spelling).is_empty());
        match first {
            Some(Part::Text(_)) | None => true,
            Some(Part::Value(_)) => false,
            Some(Part::Choice { then, .. }) => then.begins_with_text(mail, to, spelling),
        }
    }

    /// The text for a mail. `to`: the recipient whom it is for, where it is another one for each.
    #[must_use]
    pub fn expand(&self, mail: &Mail<'_>, to: Option<&To<'_>>, spelling: &Spelling) -> String {
        self.0.iter().map(|part| part.expand(mail, to, spelling)).collect()
    }
}

impl Part {
    fn expand<'a>(
        &'a self,
        mail: &'a Mail<'_>,
        to: Option<&'a To<'_>>,
        spelling: &'a Spelling,
    ) -> Cow<'a, str> {
        match self {
            Self::Text(it) => Cow::Borrowed(it),
            Self::Value(of) => value(*of, mail, to, spelling),
            Self::Choice { of, when, then } => {
                let is_there = !value(*of, mail, to, spelling).is_empty();
                match is_there == (*when == When::Present) {
                    true => Cow::Owned(then.expand(mail, to, spelling)),
                    false => Cow::Borrowed(""),
                }
            }
        }
    }
}

fn value<'a>(
    of: Macro,
    mail: &'a Mail<'_>,
    to: Option<&'a To<'_>>,
    spelling: &'a Spelling,
) -> Cow<'a, str> {
    let login = mail.origin.login.as_ref();
    match of {
        Macro::Client(what) => what.of(Forwarded::of(mail.origin, mail.id)).into(),
        Macro::EnvelopeId => mail.envelope.envid.as_ref().map_or("", |id| id.as_str()).into(),
        Macro::NextHop => spelling.domain(mail.next_hop),
        Macro::QueueId => mail.id.to_string().into(),
        Macro::SaslMethod => login.map_or("", |login| &login.mechanism).into(),
        Macro::SaslSender => "".into(),
        Macro::SaslUsername => login.map_or("", |login| &login.user).into(),
        Macro::Sender => mail.envelope.sender.address().map_or_else(
            || Cow::Borrowed(&*spelling.null_sender),
            |sender| spelling.address_as_it_is(sender).into(),
        ),
        Macro::Size => mail.size.to_string().into(),
        Macro::Recipient(part) => to.map_or(Cow::Borrowed(""), |to| part.of(to, spelling)),
    }
}

impl OfClient {
    /// `unknown` as with Postfix, where a relay has not told.
    fn of(self, told: Forwarded) -> String {
        let value = match self {
            Self::Address => told.address.map(|address| address.to_string()),
            Self::Helo => told.helo.map(String::from),
            Self::Hostname => told.name.map(String::from),
            Self::Port => told.port.map(|port| port.to_string()),
            Self::Protocol => told.protocol.map(String::from),
        };
        value.unwrap_or_else(|| "unknown".to_owned())
    }
}

impl OfRecipient {
    fn of<'a>(self, to: &'a To<'_>, spelling: &Spelling) -> Cow<'a, str> {
        match self {
            Self::Domain => spelling.domain(to.address.domain().as_str()),
            Self::Extension => spelling.local_part(to.extension),
            Self::Mailbox => spelling.local_part(to.address.local_part()),
            Self::Original => spelling.address(to.original.unwrap_or(to.address)).into(),
            Self::Whole => spelling.address(to.address).into(),
            Self::User => spelling.local_part(to.user),
        }
    }
}

fn read(text: &str, depth: u8) -> Result<Template, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        push(&mut parts, &rest[..at]);
        let from = &rest[at..];
        rest = match from[1..].chars().next() {
            Some('$') => {
                push(&mut parts, "$");
                &from[2..]
            }
            Some(open @ ('{' | '(')) => {
                let inside = enclosed(&from[1..], open).ok_or_else(|| no_name(from))?;
                parts.push(part(inside, from, depth)?);
                &from[inside.len() + 3..]
            }
            _ => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = from[1..].find(|c| !is_name(c)).map_or(from.len(), |end| end + 1);
                parts.push(Part::Value(named(&from[1..end], from)?));
                &from[end..]
            }
        };
    }
    push(&mut parts, rest);
    Ok(Template(parts))
}

/// Text behind text is one.
fn push(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Text(before)) => *before = format!("{before}{text}").into(),
        _ => parts.push(Part::Text(text.into())),
    }
}

fn part(inside: &str, from: &str, depth: u8) -> Result<Part, TemplateError> {
    let Some(at) = inside.find(['?', ':']) else { return Ok(Part::Value(named(inside, from)?)) };
    if depth >= MOST_NESTED {
        return Err(TemplateError::TooDeep);
    }
    let (name, then) = inside.split_at(at);
    let when = if then.starts_with('?') { When::Present } else { When::Absent };
    Ok(Part::Choice { of: named(name, from)?, when, then: read(&then[1..], depth + 1)? })
}

/// What stands between a bracket at the beginning and the one that closes it.
fn enclosed(text: &str, open: char) -> Option<&str> {
    let close = if open == '{' { '}' } else { ')' };
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(&text[1..at]);
            }
        }
    }
    None
}

fn named(name: &str, from: &str) -> Result<Macro, TemplateError> {
    if name.is_empty() {
        return Err(no_name(from));
    }
    let known = MACROS.iter().find(|(known, _)| *known == name);
    known.map(|(_, it)| *it).ok_or_else(|| TemplateError::Unknown { name: name.into() })
}

fn no_name(from: &str) -> TemplateError {
    TemplateError::NoName { text: from.into() }
}

fn names() -> String {
    MACROS.map(|(name, _)| name).join(", ")
}

/// Choices in choices.
const MOST_NESTED: u8 = 8;
