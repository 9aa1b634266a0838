//! What a value of a table tells the checks to do: the ACTIONS of header_checks(5).
//!
//! The verb is a whole word in any case; what its text must be is checked here. An action that
//! cannot be used is an error that names why; the line is kept then, as Postfix does.

use std::borrow::Cow;

use mailweir_mail::{Address, Enhanced, Reply, Transport};

use super::Context;
use crate::arguments::{
    address, enhanced_prefix, header_name, printable_start, split_verb, transport,
};

/// An action with its argument. Texts are lent from the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action<'v> {
    /// Refuse the mail.
    Reject(Refusal),
    /// Claim success and keep nothing.
    Discard(&'v [u8]),
    /// Queue the mail where it waits for a person.
    Hold(&'v [u8]),
    /// Send the mail through a content filter.
    Filter(Transport),
    /// Send the mail to this address and to nobody else.
    Redirect(Address),
    /// Send the mail to this address too.
    Bcc(Address),
    /// Remove the line and say nothing.
    Ignore,
    /// Remove the line.
    Strip(&'v [u8]),
    /// Log.
    Info(&'v [u8]),
    /// Log as a warning.
    Warn(&'v [u8]),
    /// Look at nothing more of this mail.
    Pass(&'v [u8]),
    /// Put this line before the one that matched.
    Prepend(&'v [u8]),
    /// Put this line in the place of the one that matched.
    Replace(&'v [u8]),
    /// As if nothing had matched.
    Dunno,
}

/// An action without its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the verbs of header_checks(5), explained at Action")]
pub enum Verb {
    Reject,
    Discard,
    Hold,
    Filter,
    Redirect,
    Bcc,
    Ignore,
    Strip,
    Info,
    Warn,
    Pass,
    Prepend,
    Replace,
    Dunno,
}

/// How a mail is refused: the reply to end of data, without its three digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Class 5 for good, class 4 for now.
    pub enhanced: Enhanced,
    /// The administrator's words, or [`Refusal::GENERAL`]. Printable, of at most 400 bytes.
    pub text: Box<str>,
}

/// Why an action cannot be used. The line is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// No such action.
    #[error("unknown action \"{0}\"")]
    Unknown(Box<str>),
    /// An action that needs an argument has none.
    #[error("{0} needs an argument")]
    NoArgument(&'static str),
    /// The argument of FILTER has no colon.
    #[error("FILTER needs transport:destination, not \"{0}\"")]
    Filter(Box<str>),
    /// The argument of REDIRECT or BCC is no address.
    #[error("{verb} needs user@domain, not \"{argument}\"")]
    Address {
        /// The action.
        verb: &'static str,
        /// What stands there.
        argument: Box<str>,
    },
    /// What is to stand among headers is no header.
    #[error("{verb} among headers needs \"Name: value\", not \"{argument}\"")]
    Header {
        /// The action.
        verb: &'static str,
        /// What stands there.
        argument: Box<str>,
    },
    /// A line is to be changed where there is none.
    #[error("{verb} cannot change what is looked at here ({context})")]
    NothingToEdit {
        /// The action.
        verb: &'static str,
        /// The checks that it was found in.
        context: Context,
    },
    /// REJECT with a status code that says neither "for good" nor "for now": used with class 4.
    #[error("REJECT needs a status code 4.x.x or 5.x.x, not \"{0}\"")]
    StatusClass(Box<str>),
}

impl<'v> Action<'v> {
    /// Reads the value of a table.
    ///
    /// # Errors
    /// There is no such action, or its argument is missing or not what it must be.
    pub fn parse(value: &'v [u8]) -> Result<Self, ActionError> {
        let (word, text) = split_verb(value);
        let Some(verb) = Verb::from_word(word) else {
            return Err(ActionError::Unknown(shown(word)));
        };
        Ok(match verb {
            Verb::Reject => Self::Reject(Refusal::parse(text)),
            Verb::Discard => Self::Discard(text),
            Verb::Hold => Self::Hold(text),
            Verb::Filter => Self::Filter(
                transport(argument(verb, text)?).ok_or_else(|| ActionError::Filter(shown(text)))?,
            ),
            Verb::Redirect => Self::Redirect(mailbox(verb, text)?),
            Verb::Bcc => Self::Bcc(mailbox(verb, text)?),
            Verb::Ignore => Self::Ignore,
            Verb::Strip => Self::Strip(text),
            Verb::Info => Self::Info(text),
            Verb::Warn => Self::Warn(text),
            Verb::Pass => Self::Pass(text),
            Verb::Prepend => Self::Prepend(argument(verb, text)?),
            Verb::Replace => Self::Replace(argument(verb, text)?),
            Verb::Dunno => Self::Dunno,
        })
    }

    /// Reads the value of a table of these checks.
    ///
    /// # Errors
    /// As of [`parse`](Self::parse); or the action cannot be done there.
    pub fn parse_in(context: Context, value: &'v [u8]) -> Result<Self, ActionError> {
        let action = Self::parse(value)?;
        let verb = action.verb();
        if verb.edits() && !context.has_line() {
            return Err(ActionError::NothingToEdit { verb: verb.word(), context });
        }
        match action {
            Self::Prepend(text) | Self::Replace(text)
                if context.is_header() && header_name(text).is_none() =>
            {
                Err(ActionError::Header { verb: verb.word(), argument: shown(text) })
            }
            action => Ok(action),
        }
    }

    /// What it says, as Postfix logs it: REJECT with its status code.
    pub(super) fn text(&self) -> Cow<'v, [u8]> {
        match self {
            Self::Reject(refusal) => {
                format!("{} {}", refusal.enhanced, refusal.text).into_bytes().into()
            }
            Self::Filter(target) => target.to_string().into_bytes().into(),
            Self::Redirect(address) | Self::Bcc(address) => {
                address.as_str().as_bytes().to_vec().into()
            }
            Self::Discard(text)
            | Self::Hold(text)
            | Self::Strip(text)
            | Self::Info(text)
            | Self::Warn(text)
            | Self::Pass(text)
            | Self::Prepend(text)
            | Self::Replace(text) => Cow::Borrowed(text),
            Self::Ignore | Self::Dunno => Cow::Borrowed(b""),
        }
    }

    /// What it is, without its argument.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Reject(_) => Verb::Reject,
            Self::Discard(_) => Verb::Discard,
            Self::Hold(_) => Verb::Hold,
            Self::Filter(_) => Verb::Filter,
            Self::Redirect(_) => Verb::Redirect,
            Self::Bcc(_) => Verb::Bcc,
            Self::Ignore => Verb::Ignore,
            Self::Strip(_) => Verb::Strip,
            Self::Info(_) => Verb::Info,
            Self::Warn(_) => Verb::Warn,
            Self::Pass(_) => Verb::Pass,
            Self::Prepend(_) => Verb::Prepend,
            Self::Replace(_) => Verb::Replace,
            Self::Dunno => Verb::Dunno,
        }
    }
}

/// What is wrong with a value as it stands in the source of a table of these checks: said when
/// the table is read, so that nobody waits for the first mail to find out. Arguments with a `$`
/// are not judged, since a part of the mail will stand there.
#[must_use]
pub fn complaint(context: Context, value: &[u8]) -> Option<ActionError> {
    let (_, text) = split_verb(value);
    match Action::parse_in(context, value) {
        Err(error @ (ActionError::Unknown(_) | ActionError::NothingToEdit { .. })) => Some(error),
        Err(_) if text.contains(&b'$') => None,
        Err(error) => Some(error),
        Ok(Action::Reject(_)) => match enhanced_prefix(text).0 {
            Some(Enhanced(4 | 5, ..)) | None => None,
            Some(_) => Some(ActionError::StatusClass(shown(text))),
        },
        Ok(_) => None,
    }
}

impl Verb {
    /// As header_checks(5) writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reject => "REJECT",
            Self::Discard => "DISCARD",
            Self::Hold => "HOLD",
            Self::Filter => "FILTER",
            Self::Redirect => "REDIRECT",
            Self::Bcc => "BCC",
            Self::Ignore => "IGNORE",
            Self::Strip => "STRIP",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Pass => "PASS",
            Self::Prepend => "PREPEND",
            Self::Replace => "REPLACE",
            Self::Dunno => "DUNNO",
        }
    }

    /// Whether it changes or removes the line, or adds one.
    const fn edits(self) -> bool {
        matches!(self, Self::Ignore | Self::Strip | Self::Prepend | Self::Replace)
    }

    fn from_word(word: &[u8]) -> Option<Self> {
        if word.eq_ignore_ascii_case(b"OK") {
            return Some(Self::Dunno);
        }
        VERBS.into_iter().find(|verb| word.eq_ignore_ascii_case(verb.word().as_bytes()))
    }
}

impl Refusal {
    /// What is said where the administrator says nothing (Postfix `cleanup_strerror`).
    pub const GENERAL: &str = "message content rejected";

    /// Reads the text of REJECT: a status code, if it begins with one, and words.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let (enhanced, words) = enhanced_prefix(text);
        let enhanced = match enhanced.unwrap_or(Enhanced(5, 7, 1)) {
            enhanced @ Enhanced(4 | 5, ..) => enhanced,
            Enhanced(_, subject, detail) => Enhanced(4, subject, detail),
        };
        let text = if words.is_empty() {
            Self::GENERAL.into()
        } else {
            // As Postfix's smtpd replies; its log has `?` there.
            let words: Vec<u8> = words.iter().copied().map(space_for_control).collect();
            printable_start(&words, MAX_REPLY_TEXT)
        };
        Self { enhanced, text }
    }

    /// The reply to end of data (Postfix: 550 or 451).
    #[must_use]
    pub fn reply(&self) -> Reply {
        let code = if self.enhanced.0 == 4 { 451 } else { 550 };
        Reply::with_text(code, self.enhanced, self.text.to_string())
    }
}

fn space_for_control(byte: u8) -> u8 {
    if byte.is_ascii_control() { b' ' } else { byte }
}

fn argument(verb: Verb, text: &[u8]) -> Result<&[u8], ActionError> {
    if text.is_empty() { Err(ActionError::NoArgument(verb.word())) } else { Ok(text) }
}

fn mailbox(verb: Verb, text: &[u8]) -> Result<Address, ActionError> {
    address(text).ok_or_else(|| ActionError::Address { verb: verb.word(), argument: shown(text) })
}

/// For an error: short, whatever stands there.
fn shown(text: &[u8]) -> Box<str> {
    printable_start(text, 200)
}

/// A reply line has 512 bytes (RFC 5321 section 4.5.3.1.5), and `$1` may be a whole header.
const MAX_REPLY_TEXT: usize = 400;

const VERBS: [Verb; 14] = [
    Verb::Dunno,
    Verb::Reject,
    Verb::Warn,
    Verb::Info,
    Verb::Filter,
    Verb::Pass,
    Verb::Discard,
    Verb::Hold,
    Verb::Prepend,
    Verb::Replace,
    Verb::Redirect,
    Verb::Bcc,
    Verb::Strip,
    Verb::Ignore,
];

#[cfg(test)]
mod tests;
