//! A question to a table, and what can come of it.

mod search;

use std::{borrow::Cow, fmt, sync::Arc};

pub(crate) use self::search::Search;
use crate::{PatternSteps, RemoteMap, Table};

/// Where a rule stands: what every decision names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The table as it was configured, such as `pcre:/etc/postfix/header_checks`. For a table of
    /// a `unionmap:` or `pipemap:`, the one that gave the value.
    pub table: Arc<str>,
    /// The line of its source, from 1; of a rule over several lines, the first. `None` where there
    /// are no lines, as in `static:`.
    pub line: Option<u32>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

/// What a table has for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'t> {
    /// The value, `$1` and the like replaced. Never empty.
    pub value: Cow<'t, [u8]>,
    /// The rule that gave it.
    pub place: Place,
}

/// Why a table cannot say whether it has a value. The mail waits (451): silence is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// A pattern took too many steps on this key (`attacks.md` I1).
    #[error("{place}: the pattern took too many steps")]
    TooManySteps {
        /// The rule.
        place: Place,
    },
    /// A pattern needs more steps than all lookups of the mail before it have left (`attacks.md`
    /// I1).
    #[error(
        "{place}: patterns that backtrack took too many steps on one mail, the last of them here; \
         write them without look-around and back-references, or so that they begin with plain words"
    )]
    NoStepsLeft {
        /// The rule that came last.
        place: Place,
    },
    /// Another server answered that it cannot tell this.
    #[error("{table}: {reason}")]
    Declined {
        /// The table as it was configured.
        table: Arc<str>,
        /// Why, in its words.
        reason: Box<str>,
    },
    /// Another server that was asked did not answer, or not so that it can be understood.
    #[error("{table}: {reason}")]
    Remote {
        /// The table as it was configured.
        table: Arc<str>,
        /// Why, in words.
        reason: Box<str>,
    },
    /// A value is not what such a table may hold.
    #[error("{place}: {reason}")]
    Value {
        /// The rule.
        place: Place,
        /// Why, in words.
        reason: Box<str>,
    },
    /// A `fail:` table has no other answer.
    #[error("{table}: every lookup in such a table fails")]
    Fails {
        /// The table as it was configured.
        table: Arc<str>,
    },
}

impl LookupError {
    /// Whether the value is only wrong in that it is empty. postmap(1) shows it and warns.
    #[must_use]
    pub fn is_empty_value(&self) -> bool {
        matches!(self, Self::Value { reason, .. } if &**reason == EMPTY)
    }
}

/// What is wrong with an empty value, in Postfix's words.
pub(crate) const EMPTY: &str = "empty string result is not allowed";

/// The answer to a lookup, or what must be asked of another server first.
#[derive(Debug)]
#[must_use]
pub enum Step<'t> {
    /// The answer: a value, no value, or cannot tell.
    Done(Result<Option<Found<'t>>, LookupError>),
    /// Ask, and go on with [`Ask::answer`].
    Ask(Ask<'t>),
}

/// A question that a table has for another server.
#[derive(Debug)]
pub struct Ask<'t> {
    table: &'t Table,
    map: &'t RemoteMap,
    key: Vec<u8>,
    search: Search<'t>,
}

impl<'t> Ask<'t> {
    /// The table that has the question, as it was configured.
    #[must_use]
    pub fn table(&self) -> &'t Arc<str> {
        self.table.name()
    }

    /// Whom to ask.
    #[must_use]
    pub fn map(&self) -> &'t RemoteMap {
        self.map
    }

    /// What to ask for.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Goes on with what the server said, or why it did not. `steps`: as for the lookup.
    pub fn answer(
        self,
        answer: Result<Option<Vec<u8>>, LookupError>,
        steps: &PatternSteps,
    ) -> Step<'t> {
        let place = self.table.place(None);
        let found =
            answer.map(|value| value.map(|value| Found { value: Cow::Owned(value), place }));
        self.search.resume(found, steps)
    }
}
