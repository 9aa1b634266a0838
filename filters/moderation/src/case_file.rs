//! What is stored of a case, and what the journal says of each of its steps.
//!
//! JSON with the number of its format. Who reads a format that is newer than this program leaves it
//! alone: another version has written it, and knows what is in it.

use std::fmt::Write as _;

use mailweir_mail::{Address, QueueId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    case::{
        Actor, By, Case, Closing, Command, Decision, Deed, Entry, Outcome, Owed, Proof, Refused,
        RuleName, State, Step, To, Trust, Word,
    },
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
    pub grants: Vec<Grant>,
    /// What of the mail is attached to notices.
    pub attach: Attach,
    /// Whether a decision needs a log-in.
    pub sensitive: bool,
    /// The notices that people got of it, so that the next ones stand in the same thread.
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

/// What an operator did with the mail of a case in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operated {
    /// What.
    pub deed: Deed,
    /// Who.
    pub by: Box<str>,
    /// When.
    pub at: Timestamp,
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
    Damaged(#[from] serde_json::Error),
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

    /// Reads what [`CaseFile::to_json`] wrote.
    ///
    /// # Errors
    /// It is damaged, or of a newer format.
    pub fn from_json(stored: &[u8]) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        #[derive(Deserialize)]
        struct Stored {
            file: CaseFile,
        }
        let Head { format } = serde_json::from_slice(stored)?;
        if format > FORMAT {
            return Err(Unreadable::Newer(format));
        }
        Ok(serde_json::from_slice::<Stored>(stored)?.file)
    }

    /// The file as it is stored.
    ///
    /// # Errors
    /// None that is known: all of it has a form in JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        #[derive(Serialize)]
        struct Stored<'a> {
            format: u32,
            file: &'a CaseFile,
        }
        serde_json::to_vec(&Stored { format: FORMAT, file: self })
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
            // An approval that was taken back makes nobody trusted.
            (_, State::Closed(closing)) if !closing.decision.sends() => None,
            _ => outcome.trust.or(self.trust),
        };
        let case = outcome.case.clone();
        Ok((Self { case, trust, ..self.clone() }, outcome))
    }

    /// How it stands, on one line, also if an operator has a say.
    #[must_use]
    pub fn standing(&self) -> String {
        match (&self.case.progress.state, &self.operator) {
            (State::Closed(closing), Some(Operated { deed, by, .. })) if self.is_sent(closing) => {
                let deed = match deed {
                    Deed::Released => "released",
                    Deed::Deleted => "deleted",
                };
                format!("{}, {deed} by operator {by}", approved(closing))
            }
            (State::Closed(closing), None) if self.is_sent(closing) => {
                format!("{}, waits for an operator", approved(closing))
            }
            _ => self.case.standing(),
        }
    }

    /// How it stands, in one word; `approved` while an operator has the last word.
    #[must_use]
    pub fn state_name(&self) -> &'static str {
        match (&self.case.progress.state, &self.operator) {
            (State::Closed(closing), operator) if self.is_sent(closing) => match operator {
                None => "approved",
                Some(Operated { deed: Deed::Released, .. }) => Decision::Released.as_str(),
                Some(Operated { deed: Deed::Deleted, .. }) => Decision::Discarded.as_str(),
            },
            (state, _) => state.as_str(),
        }
    }

    /// Whether the mail is approved, and an operator has the last word.
    #[must_use]
    pub fn waits_for_operator(&self) -> bool {
        let State::Closed(closing) = &self.case.progress.state else { return false };
        self.operator.is_none() && self.is_sent(closing)
    }

    /// Whether people let it go, and it was held for another reason as well.
    fn is_sent(&self, closing: &Closing) -> bool {
        self.also_held.is_some() && closing.decision.sends()
    }

    /// The sender hears only once the mail is really sent.
    pub fn keep_from_sender(&mut self) {
        let is_news = |owed: &Owed| owed.to == To::Sender && owed.word == Word::Decided;
        self.case.progress.owed.retain(|owed| !is_news(owed));
    }

    /// An operator has released or deleted the mail in the queue.
    ///
    /// # Errors
    /// That is no news: the case was closed before, and the mail had left it.
    pub fn operated(&self, deed: Deed, by: &str, now: Timestamp) -> Result<Self, Refused> {
        let who =
            By { who: Actor::Administrator(by.into()), proof: Proof::CommandLine, from: None };
        let command = match self.waits_for_operator() {
            true => Command::Follow { by: who, deed },
            false => Command::Overtake { by: who, deed },
        };
        let case = self.case.take(&command, now)?.case;
        let operator = Some(Operated { deed, by: by.into(), at: now });
        Ok(Self { case, operator, ..self.clone() })
    }

    /// The numbers of these recipients.
    ///
    /// # Errors
    /// The first address that is none of a recipient.
    pub fn numbers_of<'a>(&self, only: &'a [Address]) -> Result<Vec<u32>, &'a Address> {
        let number = |wanted: &'a Address| {
            let place = self.mail.recipients.iter().position(|one| one.address == *wanted);
            place.and_then(|place| u32::try_from(place).ok()).ok_or(wanted)
        };
        only.iter().map(number).collect()
    }

    /// What a token of this case is good for, and whose it is.
    #[must_use]
    pub fn grant(&self, token: TokenHash) -> Option<&Grant> {
        self.grants.iter().find(|grant| grant.token == token)
    }

    /// Makes a token good. Of each person's the newest are kept, however often they were reminded.
    pub fn give(&mut self, grant: Grant) {
        let same = |one: &&Grant| one.person == grant.person && one.purpose == grant.purpose;
        if self.grants.iter().filter(same).count() >= MOST_TOKENS
            && let Some(oldest) = self.grants.iter().position(|one| same(&one))
        {
            self.grants.remove(oldest);
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

    /// What the journal is to say of all that happened since `before`; of a case that is opened, of
    /// all.
    #[must_use]
    pub fn journal(&self, id: QueueId, before: Option<&Case>) -> Vec<JournalEntry<'_>> {
        let known = before.map_or(0, |case| case.progress.history.len());
        let new = self.case.progress.history.iter().skip(known);
        new.map(|entry| JournalEntry::new(id, self, entry)).collect()
    }

    /// When tokens that are given now are good for nothing any more: when the case would be
    /// forgotten, so that whoever comes late hears who decided.
    #[must_use]
    pub fn tokens_end(&self, now: Timestamp, keep: std::time::Duration) -> Timestamp {
        let end = self.case.expires().map_or_else(|| now.plus(LONGEST_WAIT), |end| end.max(now));
        end.plus(keep)
    }
}

/// What the journal says of one step of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalEntry<'a> {
    /// The name of the case.
    pub case: QueueId,
    /// When.
    pub at: Timestamp,
    /// Who, how that is known, and from where.
    pub by: &'a By,
    /// What.
    pub step: &'a Step,
    /// The words that belong to it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub words: &'a str,
    /// The rule that holds the mail.
    pub rule: &'a RuleName,
    /// SHA-256 of the content, in hexadecimal digits.
    pub content: String,
    /// Where it is opened: the rest of the mail, if only some recipients wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
}

/// An entry of the journal, read back. What a newer version adds to it is left out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Recorded {
    /// The name of the case.
    pub case: QueueId,
    /// When.
    pub at: Timestamp,
    /// Who, how that is known, and from where.
    pub by: By,
    /// What.
    pub step: Step,
    /// The words that belong to it.
    #[serde(default)]
    pub words: Box<str>,
    /// The rule that holds the mail.
    pub rule: RuleName,
    /// SHA-256 of the content, in hexadecimal digits.
    pub content: Box<str>,
}

impl<'a> JournalEntry<'a> {
    fn new(id: QueueId, CaseFile { case, split, .. }: &'a CaseFile, entry: &'a Entry) -> Self {
        let Entry { at, by, step, words } = entry;
        let split = split.filter(|_| *step == Step::Opened);
        let mut content = String::with_capacity(64);
        for byte in case.plan.content {
            let _ = write!(content, "{byte:02x}");
        }
        Self { case: id, at: *at, by, step, words, rule: &case.plan.rule, content, split }
    }

    /// The entry as it is stored.
    ///
    /// # Errors
    /// None that is known: all of it has a form in JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
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

fn approved(closing: &Closing) -> String {
    match &closing.by.who {
        Actor::Clock => "its time had come".to_owned(),
        who => format!("approved by {who}"),
    }
}

/// The newest format, which is written.
const FORMAT: u32 = 1;

/// So many notices of one person may have a link that works.
const MOST_TOKENS: usize = 8;

/// What the header of a notice names of those before it.
const LONGEST_THREAD: usize = 12;

/// For mail that waits for ever.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(365 * 86_400);

#[cfg(test)]
pub(crate) mod tests;
