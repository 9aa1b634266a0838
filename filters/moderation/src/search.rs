//! Which of many cases somebody looks for.
//!
//! Words are looked for in what never changes of a case, and so its text is made once
//! ([`text`]) and kept beside it; a search of a hundred thousand cases reads memory and
//! copies nothing.

use std::{fmt::Write as _, str::FromStr};

use mailweir_mail::{Address, QueueId};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::{case::State, case_file::CaseFile};

/// What somebody looks for; all of it must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// How the case stands.
    pub state: StateFilter,
    /// It waits for this moderator.
    pub mine: Option<Address>,
    /// Who sent it, under any name: an address, or `@` and a domain.
    pub sender: Option<Box<str>>,
    /// The name of the rule that holds it.
    pub rule: Option<Box<str>>,
    /// Words of its sender, recipients, subject, rule or id, in any case; all must be there.
    pub words: Box<str>,
}

/// How a case stands: a word of [`CaseFile::state_name`], or one for several of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateFilter {
    /// It is not decided, not sent yet, or waits for an operator.
    #[default]
    Open,
    /// People are to decide.
    Waiting,
    /// It is approved, and waits for its time.
    Scheduled,
    /// It is approved, and waits for an operator.
    Approved,
    /// People have decided, or nobody will; it may wait for an operator still.
    Decided,
    /// It was sent.
    Released,
    /// It was refused.
    Rejected,
    /// It was given back to be corrected.
    Returned,
    /// It was thrown away.
    Discarded,
    /// Its sender took it back.
    Cancelled,
    /// Nobody decided in time, and it was not sent.
    Expired,
    /// It had left the queue, and the case did not hear how; or it is damaged.
    Gone,
    /// Whatever.
    All,
}

/// This is no state of a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "open, waiting, scheduled, approved, decided, released, rejected, returned, discarded, cancelled, \
     expired, gone or all"
)]
pub struct NoStateFilter;

impl FromStr for StateFilter {
    type Err = NoStateFilter;

    fn from_str(text: &str) -> Result<Self, NoStateFilter> {
        STATES.into_iter().find(|state| state.as_str() == text).ok_or(NoStateFilter)
    }
}

impl StateFilter {
    /// What somebody says who looks for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Scheduled => "scheduled",
            Self::Approved => "approved",
            Self::Decided => "decided",
            Self::Released => "released",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Gone => "gone",
            Self::All => "all",
        }
    }

    /// Whether a case stands so.
    #[must_use]
    pub fn is_of(self, file: &CaseFile) -> bool {
        let is_closed = matches!(file.case.progress.state, State::Closed(_));
        match self {
            Self::All => true,
            Self::Open => !is_closed || file.waits_for_operator(),
            Self::Decided => is_closed,
            Self::Waiting
            | Self::Scheduled
            | Self::Approved
            | Self::Released
            | Self::Rejected
            | Self::Returned
            | Self::Discarded
            | Self::Cancelled
            | Self::Expired
            | Self::Gone => file.state_name() == self.as_str(),
        }
    }
}

/// A [`Query`] that is ready to be asked of many cases.
#[derive(Clone, Debug)]
pub struct Search {
    state: StateFilter,
    mine: Option<Address>,
    sender: Option<String>,
    rule: Option<Box<str>>,
    words: Vec<String>,
}

impl Search {
    /// Makes a query ready.
    #[must_use]
    pub fn new(query: &Query) -> Self {
        Self {
            state: query.state,
            mine: query.mine.clone(),
            sender: query.sender.as_deref().map(folded),
            rule: query.rule.clone(),
            words: folded(&query.words).split_whitespace().map(str::to_owned).collect(),
        }
    }

    /// Whether a case is among what is looked for. `text` is that of [`text`].
    #[must_use]
    pub fn finds(&self, file: &CaseFile, text: &str) -> bool {
        let case = &file.case;
        self.state.is_of(file)
            && self.mine.as_ref().is_none_or(|mine| case.waits_for(mine))
            // All names of its senders stand in the text: that rules most cases out.
            && self.sender.as_deref().is_none_or(|it| text.contains(it) && is_from(file, it))
            && self.rule.as_ref().is_none_or(|rule| case.plan.rule.name == *rule)
            && self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// The text of a case that words are looked for in. It never changes.
#[must_use]
pub fn text(id: QueueId, file: &CaseFile) -> Box<str> {
    let (mail, plan) = (&file.mail, &file.case.plan);
    let login = mail.login.as_deref().unwrap_or_default();
    let mut text = format!(
        "{id}\n{}\n{}\n{}\n{login}\n{}",
        mail.subject,
        mail.from,
        mail.sender.as_str(),
        plan.rule.name
    );
    for one in &mail.recipients {
        if text.len() > LONGEST {
            break;
        }
        let _ = write!(text, "\n{}", one.address);
    }
    folded(&text).into()
}

/// As a person would say that two texts are the same.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.nfkc().collect::<String>().to_lowercase()
    }
}

/// Whether a folded address is one of its senders, or `@domain` the domain of one.
fn is_from(file: &CaseFile, wanted: &str) -> bool {
    let envelope = file.mail.sender.address().map(Address::as_str);
    let names = file.case.plan.senders.iter().map(Address::as_str);
    let mut names = names.chain(envelope).chain(file.mail.login.as_deref());
    names.any(|name| {
        let name = name.to_lowercase();
        if wanted.starts_with('@') { name.ends_with(wanted) } else { name == wanted }
    })
}

/// All that can be looked for.
const STATES: [StateFilter; 13] = [
    StateFilter::Open,
    StateFilter::Waiting,
    StateFilter::Scheduled,
    StateFilter::Approved,
    StateFilter::Decided,
    StateFilter::Released,
    StateFilter::Rejected,
    StateFilter::Returned,
    StateFilter::Discarded,
    StateFilter::Cancelled,
    StateFilter::Expired,
    StateFilter::Gone,
    StateFilter::All,
];

/// Of a mail to very many people the first are found.
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests;
