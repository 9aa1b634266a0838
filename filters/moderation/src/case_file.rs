//! What is stored of a case.
//!
//! MessagePack with the names of all fields, and with the number of its format. Who reads a format
//! that is newer than this program leaves it alone: another version has written it, and knows what is
//! in it.

mod journal;
mod operator;

pub use journal::{JournalEntry, Recorded};
pub use operator::{LastWord, Operated};

use mailweir_mail::{Address, QueueId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    case::{Case, Command, Outcome, QueueDeed, Refused, State, Trust},
    notice::Summary,
    token::{Grant, Purpose, TokenHash},
};

/// A case, and all that people need to decide about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// What notices and pages show of its mail.
    pub mail: Summary,
    /// What tokens are good for that stand in notices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What of the mail is attached to notices.
    pub attach: Attach,
    /// Whether a decision needs a log-in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
    /// The notices that people got of it, so that the next ones stand in the same thread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<Thread>,
    /// Why an operator must look at the mail as well: a table said HOLD, or its sender has sent too
    /// much. Whoever approves does not release it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also_held: Option<Box<str>>,
    /// How long mail of its log-in passes its rule, if those who approved said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// The rest of the mail, if only some of its recipients wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// What an operator did with the mail in the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operated>,
}

/// The mail to those whom the rule did not mean: it was sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Its name.
    pub sent_as: QueueId,
    /// How many recipients it has.
    pub recipients: u32,
}

/// What of a mail is attached to notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attach {
    /// All of it.
    Original,
    /// Its header.
    Header,
    /// Nothing.
    Nothing,
}

/// The notices that one person got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Who.
    pub person: Address,
    /// Their numbers ([`crate::case::Owed::number`]), oldest first.
    pub sent: Vec<u32>,
}

/// What is stored is no case that this program can read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// A newer version of the program has written it.
    #[error("it has format {0}, of a newer version of Mailweir; this one reads format {FORMAT}")]
    Newer(u32),
    /// It is damaged.
    #[error("it is damaged: {0}")]
    Damaged(#[from] rmp_serde::decode::Error),
}

/// A case, or an entry of the journal, has no form in which it could be stored. None is known.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// The case.
    #[error("the case cannot be written: {0}")]
    Case(#[from] rmp_serde::encode::Error),
    /// An entry of the journal.
    #[error("the journal cannot be written: {0}")]
    Entry(#[from] serde_json::Error),
}

impl CaseFile {
    /// A case that is opened.
    #[must_use]
    pub const fn new(case: Case, mail: Summary, attach: Attach) -> Self {
        Self {
            case,
            mail,
            grants: Vec::new(),
            attach,
            sensitive: false,
            threads: Vec::new(),
            also_held: None,
            trust: None,
            operator: None,
            split: None,
        }
    }

    /// Reads what [`CaseFile::to_bytes`] wrote.
    ///
    /// # Errors
    /// It is damaged, or of a newer format.
    pub fn from_bytes(stored: &[u8]) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        #[derive(Deserialize)]
        struct Stored {
            file: CaseFile,
        }
        let Head { format } = rmp_serde::from_slice(stored)?;
        if format > FORMAT {
            return Err(Unreadable::Newer(format));
        }
        Ok(rmp_serde::from_slice::<Stored>(stored)?.file)
    }

    /// The file as it is stored.
    ///
    /// # Errors
    /// None that is known: all of it has a form in MessagePack.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Unwritable> {
        #[derive(Serialize)]
        struct Stored<'a> {
            format: u32,
            file: &'a CaseFile,
        }
        let mut bytes = Vec::with_capacity(A_FILE + self.mail.text.len());
        rmp_serde::encode::write_named(&mut bytes, &Stored { format: FORMAT, file: self })?;
        Ok(bytes)
    }

    /// Does what `command` says ([`Case::take`]). Gives the file as it is then, and what becomes of the
    /// mail.
    ///
    /// # Errors
    /// It may not be done.
    pub fn take(&self, command: &Command, now: Timestamp) -> Result<(Self, Outcome), Refused> {
        let outcome = self.case.take(command, now)?;
        let trusts = matches!(command, Command::Approve { trust_days: 1.., .. });
        if trusts && self.mail.login.is_none() {
            return Err(Refused::NoLogIn);
        }
        let trust = match (command, &outcome.case.progress.state) {
            (Command::Distrust { .. }, _) => None,
            // Nor does a mail that was never sent.
            (Command::Follow { deed: QueueDeed::Deleted, .. }, _) => None,
            // An approval that was taken back makes nobody trusted.
            (_, State::Closed(closing)) if !closing.decision.sends() => None,
            _ => outcome.trust.or(self.trust),
        };
        let case = outcome.case.clone();
        Ok((Self { case, trust, ..self.clone() }, outcome))
    }

    /// What a token of this case is good for, and whose it is.
    #[must_use]
    pub fn grant(&self, token: TokenHash) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.token == token)
    }

    /// Makes a token good. Of each person's the first is kept, in the notice that they are most likely
    /// to go back to, and the newest, however often they were reminded.
    pub fn give(&mut self, grant: Grant) {
        let same =
            |(_, one): &(usize, &Grant)| one.person == grant.person && one.purpose == grant.purpose;
        let places = self.grants.iter().enumerate().filter(same).map(|(place, _)| place);
        let places: Vec<usize> = places.collect();
        if let [_, second, ..] = *places
            && places.len() >= MOST_TOKENS
        {
            self.grants.remove(second);
        }
        self.grants.push(grant);
    }

    /// The notices that somebody got, oldest first.
    #[must_use]
    pub fn sent_to(&self, person: &Address) -> &[u32] {
        let thread = self.threads.iter().find(|thread| thread.person == *person);
        thread.map_or(&[], |thread| &thread.sent)
    }

    /// Keeps that somebody got a notice: the first, which all others answer, and the latest.
    pub fn note_sent(&mut self, person: &Address, number: u32) {
        match self.threads.iter_mut().find(|thread| thread.person == *person) {
            None => self.threads.push(Thread { person: person.clone(), sent: vec![number] }),
            Some(thread) => {
                if thread.sent.len() >= LONGEST_THREAD {
                    thread.sent.remove(1);
                }
                thread.sent.push(number);
            }
        }
    }

    /// When tokens that are given now are good for nothing any more: when the case would be
    /// forgotten, so that whoever comes late hears who decided.
    #[must_use]
    pub fn tokens_end(&self, now: Timestamp, keep: std::time::Duration) -> Timestamp {
        let end = self.case.expires().map_or_else(|| now.plus(LONGEST_WAIT), |end| end.max(now));
        end.plus(keep)
    }
}

impl Purpose {
    /// What the reader of a notice may do with its token; `None`: it needs none.
    #[must_use]
    pub const fn of(to: &crate::case::To, word: crate::case::Word) -> Option<Self> {
        use crate::case::{To, Word};
        match (to, word) {
            (_, Word::Decided) | (To::Administrators, _) => None,
            (To::Moderator(_), _) => Some(Self::Decide),
            (To::Sender, _) => Some(Self::Own),
        }
    }
}

/// The newest format, which is written.
const FORMAT: u32 = 1;

/// Bytes of the file of a mail to few people, but for its text.
const A_FILE: usize = 2_048;

/// So many notices of one person may have a link that works. A case file is written anew with each
/// change, and so it does not grow with every reminder.
const MOST_TOKENS: usize = 8;

/// What the header of a notice names of those before it.
const LONGEST_THREAD: usize = 12;

/// For mail that waits for ever.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(365 * 86_400);

#[cfg(test)]
pub(crate) mod tests;
