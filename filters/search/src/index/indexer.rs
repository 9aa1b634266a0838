//! Filling the index.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::query::RangeQuery;
use tantivy::schema::{Field, OwnedValue};
use tantivy::{IndexWriter, Term};

use super::document::Document;
use super::error::IndexError;
use super::people;
use super::schema::{ATTACHMENT, Fields};
use super::store::PAYLOAD;
use crate::words::{MAX_TEXT, folded};

/// Memory for terms that wait to be written as a segment, in bytes. With it a process that indexes
/// stays well below 250 MB: what merges and waiting documents need comes on top.
pub const DEFAULT_HEAP: usize = 64 << 20;

/// Bytes of text of one mail that are indexed; what is behind them is not found.
pub const MAX_MAIL_TEXT: usize = MAX_TEXT;

/// Bytes of documents that wait for the writer's thread.
const MAX_WAITING: usize = 8 << 20;
/// Larger segments are merged no further: a merge then takes seconds, not minutes.
const MAX_MERGED: usize = 500_000;
/// Recipients and names of one mail that are indexed; lists with more are mail of nobody in particular.
const MAX_PEOPLE: usize = 10_000;
/// A thread that takes nothing for so long has ended; then the writer says so itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes the index. What is added is found after the next [`commit`](Self::commit); what was added
/// since the last one is lost if the process ends, and is to be added again.
pub struct Indexer {
    writer: IndexWriter<Entry>,
    fields: Fields,
    gate: Arc<Gate>,
    last: Option<u64>,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Added {
    /// All of it will be found.
    Whole,
    /// Its text is longer than [`MAX_MAIL_TEXT`], or it has too many recipients; the rest will not.
    Cut,
    /// The index has it already, or has gone past it.
    Already,
}

impl Indexer {
    pub(super) fn new(
        index: &tantivy::Index,
        fields: Fields,
        heap: usize,
        last: Option<u64>,
    ) -> Result<Self, IndexError> {
        if !(15_000_000..4_000_000_000).contains(&heap) {
            return Err(IndexError::Heap(heap));
        }
        let options = IndexWriterOptions::builder()
            .num_worker_threads(1)
            .memory_budget_per_thread(heap)
            .num_merge_threads(1)
            .build();
        let writer = index.writer_with_options(options)?;
        let mut merging = LogMergePolicy::default();
        merging.set_max_docs_before_merge(MAX_MERGED);
        writer.set_merge_policy(Box::new(merging));
        Ok(Self { writer, fields, gate: Arc::default(), last })
    }

    /// Adds a mail. Waits while too many are on their way to the writer's thread.
    ///
    /// # Errors
    /// If the disk refuses; then nothing since the last commit is in the index.
    pub fn add(&mut self, document: &Document<'_>) -> Result<Added, IndexError> {
        if self.last.is_some_and(|last| document.seq <= last) {
            return Ok(Added::Already);
        }
        let (values, text, cut) = values(&self.fields, document);
        let entry = Entry { values, _pass: self.gate.pass(text + ENTRY) };
        self.writer.add_document(entry)?;
        self.last = Some(document.seq);
        Ok(if cut { Added::Cut } else { Added::Whole })
    }

    /// Takes a mail out of what is found after the next commit, when it is erased from the archive. Its
    /// words stay in the files until its segment is merged, or the index is made anew.
    ///
    /// # Errors
    /// If the writer's thread has ended.
    pub fn remove(&mut self, seq: u64) -> Result<(), IndexError> {
        let term = || std::ops::Bound::Included(Term::from_field_u64(self.fields.seq, seq));
        self.writer.delete_query(Box::new(RangeQuery::new(term(), term())))?;
        Ok(())
    }

    /// Makes all that was added durable, and with it that the index knows the archive's records up to
    /// `up_to`, mails or not. Takes a fifth of a second and more; once in some seconds is often enough.
    ///
    /// # Errors
    /// If the disk refuses; then this indexer is of no more use.
    pub fn commit(&mut self, up_to: u64) -> Result<(), IndexError> {
        let up_to = self.last.map_or(up_to, |last| last.max(up_to));
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&format!("{PAYLOAD}{up_to}"));
        commit.commit()?;
        self.last = Some(up_to);
        Ok(())
    }

    /// Ends, after merges under way. Without a commit before, what was added last is lost.
    ///
    /// # Errors
    /// If a merge failed; the index is as it was before it.
    pub fn finish(self) -> Result<(), IndexError> {
        Ok(self.writer.wait_merging_threads()?)
    }
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indexer").field("last", &self.last).finish_non_exhaustive()
    }
}

/// A document on its way to the writer's thread.
struct Entry {
    values: Vec<(Field, OwnedValue)>,
    /// Given back when the writer is done with the document.
    _pass: Pass,
}

/// What an entry takes besides its text, roughly.
const ENTRY: usize = 4_096;

type Pairs<'a> = std::iter::Map<
    std::slice::Iter<'a, (Field, OwnedValue)>,
    fn(&'a (Field, OwnedValue)) -> (Field, &'a OwnedValue),
>;

impl tantivy::Document for Entry {
    type Value<'a> = &'a OwnedValue;
    type FieldsValuesIter<'a> = Pairs<'a>;

    fn iter_fields_and_values(&self) -> Pairs<'_> {
        self.values.iter().map(|(field, value)| (*field, value))
    }
}

/// The values of a document, the bytes of text in them, and whether something was left out.
fn values(fields: &Fields, document: &Document<'_>) -> (Vec<(Field, OwnedValue)>, usize, bool) {
    let mut values = Vec::with_capacity(24);
    values.push((fields.seq, OwnedValue::U64(document.seq)));
    values.push((fields.time, OwnedValue::I64(document.time)));
    values.push((fields.size, OwnedValue::U64(document.size)));
    let mut budget = Budget { left: MAX_MAIL_TEXT, people: MAX_PEOPLE, cut: false };
    budget.text(&mut values, fields.subject, document.subject);
    for name in document.files {
        budget.text(&mut values, fields.file, name);
    }
    let people = [document.from, document.to, document.cc, document.bcc];
    for (field, people) in fields.people().into_iter().zip(people) {
        budget.people(&mut values, field, people);
    }
    for text in document.text {
        budget.text(&mut values, fields.text, text);
    }
    let ip = document.ip.map(|ip| ip.to_canonical().to_string());
    let id = document.message_id.map(|id| id.trim().trim_matches(['<', '>']));
    budget.owners(&mut values, fields.owner, document.owners);
    whole(&mut values, fields.login, document.login);
    whole(&mut values, fields.ip, ip.as_deref());
    whole(&mut values, fields.message_id, id);
    whole(&mut values, fields.id, Some(document.id));
    whole(&mut values, fields.facts, document.direction.map(|direction| direction.as_str()));
    whole(&mut values, fields.facts, document.has_attachment.then_some(ATTACHMENT));
    (values, MAX_MAIL_TEXT - budget.left, budget.cut)
}

/// Values that are compared as a whole are no longer than this, in bytes.
const MAX_WHOLE: usize = 1_000;

fn whole(values: &mut Vec<(Field, OwnedValue)>, field: Field, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        values.push((field, OwnedValue::Str(folded(beginning(value, MAX_WHOLE)))));
    }
}

/// What of a mail may still be indexed.
struct Budget {
    left: usize,
    people: usize,
    cut: bool,
}

impl Budget {
    fn text(&mut self, values: &mut Vec<(Field, OwnedValue)>, field: Field, text: &str) {
        let taken = self.take(text, self.left);
        if !taken.is_empty() {
            values.push((field, OwnedValue::Str(taken.to_owned())));
        }
    }

    fn people(
        &mut self,
        values: &mut Vec<(Field, OwnedValue)>,
        field: Field,
        people: &[super::Address<'_>],
    ) {
        for person in people {
            if self.people == 0 {
                self.cut = true;
                return;
            }
            self.people -= 1;
            let name = self.take(person.name, MAX_WHOLE);
            let address = self.take(person.address, MAX_WHOLE);
            values.push((field, people::value(&super::Address { name, address })));
        }
    }

    fn owners(&mut self, values: &mut Vec<(Field, OwnedValue)>, field: Field, owners: &[&str]) {
        self.cut |= owners.len() > MAX_PEOPLE;
        for owner in owners.iter().take(MAX_PEOPLE) {
            whole(values, field, Some(owner));
        }
    }

    fn take<'t>(&mut self, text: &'t str, at_most: usize) -> &'t str {
        let taken = beginning(text, at_most.min(self.left));
        self.cut |= taken.len() < text.len();
        self.left -= taken.len();
        taken
    }
}

/// The first bytes of `text`, whole characters of them.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Bounds what waits for the writer's thread: tantivy counts documents, and ten thousand can be many
/// gigabytes.
#[derive(Default)]
struct Gate {
    waiting: Mutex<usize>,
    left: Condvar,
}

impl Gate {
    fn pass(self: &Arc<Self>, bytes: usize) -> Pass {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // One is let in however large it is.
        let full = |waiting: &mut usize| *waiting > 0 && *waiting + bytes > MAX_WAITING;
        let (mut waiting, _) = self
            .left
            .wait_timeout_while(waiting, PATIENCE, full)
            .unwrap_or_else(PoisonError::into_inner);
        *waiting += bytes;
        Pass { gate: Arc::clone(self), bytes }
    }
}

/// Room for one document; given back when dropped.
struct Pass {
    gate: Arc<Gate>,
    bytes: usize,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut waiting = self.gate.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        *waiting = waiting.saturating_sub(self.bytes);
        self.gate.left.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Gate, MAX_WAITING};

    fn waiting(gate: &Gate) -> usize {
        *gate.waiting.lock().unwrap()
    }

    #[test]
    fn documents_wait_outside_until_there_is_room() {
        let gate = Arc::new(Gate::default());
        let large = gate.pass(2 * MAX_WAITING);
        let next = std::thread::spawn({
            let gate = Arc::clone(&gate);
            move || {
                let _pass = gate.pass(MAX_WAITING);
                waiting(&gate)
            }
        });
        drop(large);
        assert_eq!(next.join().unwrap(), MAX_WAITING, "both were inside");
        assert_eq!(waiting(&gate), 0);
        let passes = [gate.pass(1), gate.pass(2)];
        assert_eq!(waiting(&gate), 3);
        drop(passes);
        assert_eq!(waiting(&gate), 0);
    }
}
