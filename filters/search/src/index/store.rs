//! The index as a directory: made, opened, judged.

use std::{
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use tantivy::schema::Schema;
use tantivy::{IndexReader, ReloadPolicy, SegmentReader, TantivyError};

use super::error::{IndexError, SearchError, guarded};
use super::indexer::Indexer;
use super::schema::{Fields, settings, tokenizer_name};
use super::searcher::{Searcher, seqs};
use super::tokens::Words;

/// An index that can be used.
pub struct Index {
    inner: tantivy::Index,
    reader: IndexReader,
    fields: Fields,
}

/// What was found where an index should be.
#[derive(Debug)]
pub enum Opened {
    /// One to use. Whether it is behind the archive, [`Index::standing`] says.
    Ready(Index),
    /// Nothing.
    Absent,
    /// One that this version does not read, or whose words were made by other rules.
    OtherFormat,
    /// One that cannot be believed, and why.
    Damaged(String),
}

/// The index beside the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has all of it.
    Current,
    /// The archive has this many records more.
    Behind(u64),
    /// It knows records that the archive does not have: it belongs to another archive, or that was put
    /// back to an older state. It is to be made anew.
    Ahead(u64),
}

impl Index {
    /// Makes an empty index in `path`, a directory that is empty or not there yet. The one it takes the
    /// place of stays beside it until the new one is filled.
    ///
    /// # Errors
    /// If something is there, or the disk refuses.
    pub fn create(path: &Path) -> Result<Self, IndexError> {
        let refused =
            |error: std::io::Error| IndexError::Write(format!("{}: {error}", path.display()));
        // It has words of mail.
        let mut directory = std::fs::DirBuilder::new();
        directory.recursive(true).mode(0o700).create(path).map_err(refused)?;
        if std::fs::read_dir(path).map_err(refused)?.next().is_some() {
            return Err(IndexError::NotEmpty(path.to_owned()));
        }
        let (schema, fields) = Fields::schema();
        let inner =
            tantivy::Index::builder().schema(schema).settings(settings()).create_in_dir(path)?;
        Ok(Self::with(inner, fields)?)
    }

    /// Opens what is in `path`. Looks at every segment, but does not read all of it: that is
    /// [`verify`](Self::verify).
    pub fn open(path: &Path) -> Opened {
        match std::fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(false) => {}
            Ok(true) => return Opened::Absent,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Opened::Absent,
            Err(error) => return Opened::Damaged(error.to_string()),
        }
        let (schema, fields) = Fields::schema();
        match guarded(|| Self::open_checked(path, &schema, fields)) {
            Ok(Some(index)) => Opened::Ready(index),
            Ok(None) | Err(TantivyError::IncompatibleIndex(_)) => Opened::OtherFormat,
            Err(error) => Opened::Damaged(error.to_string()),
        }
    }

    /// `None` if it is of another format.
    fn open_checked(
        path: &Path,
        schema: &Schema,
        fields: Fields,
    ) -> Result<Option<Self>, TantivyError> {
        let inner = tantivy::Index::open_in_dir(path)?;
        if inner.schema() != *schema || *inner.settings() != settings() {
            return Ok(None);
        }
        let index = Self::with(inner, fields)?;
        let up_to = index.committed_up_to()?;
        for segment in index.reader.searcher().segment_readers() {
            check_segment(segment, schema, up_to)?;
        }
        Ok(Some(index))
    }

    fn with(inner: tantivy::Index, fields: Fields) -> Result<Self, TantivyError> {
        inner.tokenizers().register(&tokenizer_name(), Words);
        // Nobody watches the directory: whoever commits says so.
        let reader = inner.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { inner, reader, fields })
    }

    /// The last record of the archive that this index knows, or none.
    ///
    /// # Errors
    /// If it cannot be read any more.
    pub fn indexed_up_to(&self) -> Result<Option<u64>, SearchError> {
        Ok(self.committed_up_to()?)
    }

    /// What the last commit was [marked](Indexer::commit_marked) with; empty: nothing.
    ///
    /// # Errors
    /// If it cannot be read any more.
    pub fn mark(&self) -> Result<String, SearchError> {
        Ok(self.committed()?.map(|(_, mark)| mark).unwrap_or_default())
    }

    fn committed_up_to(&self) -> Result<Option<u64>, TantivyError> {
        Ok(self.committed()?.map(|(up_to, _)| up_to))
    }

    fn committed(&self) -> Result<Option<(u64, String)>, TantivyError> {
        let Some(payload) = self.inner.load_metas()?.payload else { return Ok(None) };
        let said = payload.strip_prefix(PAYLOAD).unwrap_or_default();
        let (up_to, mark) = said.split_once(' ').unwrap_or((said, ""));
        let wrong = || TantivyError::InternalError(format!("the last commit says {payload:?}"));
        Ok(Some((up_to.parse().map_err(|_| wrong())?, mark.to_owned())))
    }

    /// How it stands beside an archive whose last record is `last`.
    ///
    /// # Errors
    /// If it cannot be read any more.
    pub fn standing(&self, last: Option<u64>) -> Result<Standing, SearchError> {
        // Records count from 0; "none" is one before.
        let records = |seq: Option<u64>| seq.map_or(0, |seq| seq.saturating_add(1));
        let (here, there) = (records(self.indexed_up_to()?), records(last));
        Ok(match there.checked_sub(here) {
            Some(0) => Standing::Current,
            Some(more) => Standing::Behind(more),
            None => Standing::Ahead(here - there),
        })
    }

    /// Who writes. Only one at a time.
    ///
    /// # Errors
    /// If there is one already, or the heap has no possible size.
    pub fn indexer(&self, heap: usize) -> Result<Indexer, IndexError> {
        let last = self.committed_up_to()?;
        Indexer::new(&self.inner, &self.reader, self.fields, heap, last)
    }

    /// Who reads, as many as wanted. Sees what is committed now, until it is refreshed.
    pub fn searcher(&self) -> Searcher {
        Searcher::new(self.reader.clone(), self.fields)
    }

    /// Reads every file and compares it with its checksum; says which are damaged. Takes as long as
    /// the disk needs.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn verify(&self) -> Result<Vec<PathBuf>, SearchError> {
        let mut damaged: Vec<_> = guarded(|| self.inner.validate_checksum())
            .map_err(SearchError::from)?
            .into_iter()
            .collect();
        damaged.sort();
        Ok(damaged)
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").finish_non_exhaustive()
    }
}

/// Opens all parts of a segment, and sees that its mails are in order and none is newer than the last
/// commit says.
fn check_segment(
    segment: &SegmentReader,
    schema: &Schema,
    up_to: Option<u64>,
) -> Result<(), TantivyError> {
    for (field, entry) in schema.fields() {
        if entry.is_indexed() {
            segment.inverted_index(field)?;
        }
    }
    let seqs = seqs(segment)?;
    let mut newest = up_to;
    for doc in 0..segment.max_doc() {
        let seq = seqs.first(doc).filter(|seq| newest.is_some_and(|newest| *seq <= newest));
        if seq.is_none() || (doc > 0 && seq == newest) {
            return Err(TantivyError::InternalError(format!(
                "mails out of order at document {doc}"
            )));
        }
        newest = seq;
    }
    Ok(())
}

/// Before the number in what a commit says.
pub(super) const PAYLOAD: &str = "up to ";
