//! Filling the index.

use std::sync::Arc;

use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::query::RangeQuery;
use tantivy::{IndexReader, IndexWriter, TantivyError, Term};

use super::document::Document;
use super::entry::Entry;
use super::error::IndexError;
use super::gate::Gate;
use super::schema::Fields;
use super::store::PAYLOAD;
use crate::words::MAX_TEXT;

/// Memory for terms that wait to be written as a segment, in bytes. With it a process that indexes
/// stays well below 250 MB: what merges and waiting documents need comes on top.
pub const DEFAULT_HEAP: usize = 64 << 20;

/// Bytes of text of one mail that are indexed; what is behind them is not found.
pub const MAX_MAIL_TEXT: usize = MAX_TEXT;

/// Larger segments are merged no further: a merge then takes seconds, not minutes.
const MAX_MERGED: usize = 500_000;

/// Writes the index. What is added is found after the next [`commit`](Self::commit); what was added
/// since the last one is lost if the process ends, and is to be added again.
pub struct Indexer {
    writer: IndexWriter<Entry>,
    fields: Fields,
    gate: Arc<Gate>,
    last: Option<u64>,
    /// That of all searchers of the index in this process.
    reader: IndexReader,
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
        reader: &IndexReader,
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
        Ok(Self { writer, fields, gate: Arc::default(), last, reader: reader.clone() })
    }

    /// Adds a mail. Waits while too many are on their way to the writer's thread.
    ///
    /// # Errors
    /// If the disk refuses; then nothing since the last commit is in the index.
    pub fn add(&mut self, document: &Document<'_>) -> Result<Added, IndexError> {
        if self.last.is_some_and(|last| document.seq <= last) {
            return Ok(Added::Already);
        }
        let (entry, cut) = Entry::of(&self.fields, document, &self.gate);
        self.writer.add_document(entry)?;
        self.last = Some(document.seq);
        Ok(if cut { Added::Cut } else { Added::Whole })
    }

    /// Takes a mail out of what is found after the next commit, when it is erased from the archive. Its
    /// words stay in the files until [`forget`](Self::forget).
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
        self.commit_marked(up_to, "")
    }

    /// The same, with a mark of that record, without spaces, which [`Index::mark`](super::Index::mark) gives back: by
    /// it the index knows its archive again.
    ///
    /// # Errors
    /// As those of [`commit`](Self::commit).
    pub fn commit_marked(&mut self, up_to: u64, mark: &str) -> Result<(), IndexError> {
        let up_to = self.last.map_or(up_to, |last| last.max(up_to));
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(format!("{PAYLOAD}{up_to} {mark}").trim_end());
        commit.commit()?;
        self.last = Some(up_to);
        Ok(())
    }

    /// Writes every segment anew that holds mails which were [removed](Self::remove) before the last commit, so
    /// that nothing of them is in the files any more, and lets all searchers go on to what there is then. Gives
    /// how many segments are left to do, because they are being merged just now: to be called again.
    ///
    /// Takes as long as writing those segments. Files that a search under way still reads go with
    /// a commit after its end.
    ///
    /// # Errors
    /// If the disk refuses. What was removed is found no more all the same.
    pub fn forget(&mut self) -> Result<usize, IndexError> {
        for segment in self.with_removed()? {
            if let Err(error) = self.writer.merge(&[segment]).wait() {
                // Being merged, it goes with that, or is there the next time.
                if self.with_removed()?.contains(&segment) && !is_being_merged(&error) {
                    return Err(error.into());
                }
            }
        }
        self.reader.reload()?;
        self.writer.garbage_collect_files().wait()?;
        Ok(self.with_removed()?.len())
    }

    fn with_removed(&self) -> Result<Vec<SegmentId>, IndexError> {
        let segments = self.writer.index().searchable_segment_metas()?;
        Ok(segments.iter().filter(|one| one.num_deleted_docs() > 0).map(SegmentMeta::id).collect())
    }

    /// Ends, after merges under way. Without a commit before, what was added last is lost.
    ///
    /// # Errors
    /// If a merge failed; the index is as it was before it.
    pub fn finish(self) -> Result<(), IndexError> {
        Ok(self.writer.wait_merging_threads()?)
    }
}

/// tantivy has one kind of error for a segment that it does not have to itself.
fn is_being_merged(error: &TantivyError) -> bool {
    matches!(error, TantivyError::InvalidArgument(_))
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indexer").field("last", &self.last).finish_non_exhaustive()
    }
}
