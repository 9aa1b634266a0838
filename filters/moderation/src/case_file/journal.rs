//! What the journal says of each step of a case.

use mailweir_mail::{QueueId, Timestamp, hex};
use serde::{Deserialize, Serialize};

use super::{CaseFile, Split, Unwritable};
use crate::case::{By, Case, Entry, RuleName, Step};

impl CaseFile {
    /// What the journal is to say of all that happened since `before`; of a case that is opened, of
    /// all.
    #[must_use]
    pub fn journal(&self, id: QueueId, before: Option<&Case>) -> Vec<JournalEntry<'_>> {
        let progress = &self.case.progress;
        let known = before.map_or(0, |case| case.progress.all_steps());
        // What is new stands last, however much of what is old was taken out.
        let new = progress.all_steps().saturating_sub(known);
        let old = progress.history.len().saturating_sub(new);
        let new = progress.history.iter().skip(old);
        new.map(|entry| JournalEntry::new(id, self, entry)).collect()
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
        let content = hex::encode(&case.plan.content);
        Self { case: id, at: *at, by, step, words, rule: &case.plan.rule, content, split }
    }

    /// The entry as it is stored.
    ///
    /// # Errors
    /// None that is known: all of it has a form in JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, Unwritable> {
        let mut json = Vec::with_capacity(AN_ENTRY);
        serde_json::to_writer(&mut json, self)?;
        Ok(json)
    }
}

/// Bytes of an entry with few words.
const AN_ENTRY: usize = 384;
