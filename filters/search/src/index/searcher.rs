//! Searching: the newest first, and no further than was asked for.

use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::columnar::Column;
use tantivy::query::{EnableScoring, Scorer, Weight};
use tantivy::{DocId, DocSet, IndexReader, SegmentReader, TERMINATED, TantivyError};

use super::compile::compile;
use super::error::{SearchError, guarded};
use super::schema::{Fields, SEQ};
use crate::query::Query;

/// Mails on a page at most.
pub const MAX_PAGE: usize = 1_000;

/// Reads the index; cheap to clone.
#[derive(Clone)]
pub struct Searcher {
    reader: IndexReader,
    fields: Fields,
}

/// What may be found by who asks.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Every mail, and recipients in Bcc.
    WithBcc,
    /// Mail that one of these [owns](super::Document::owners), having sent or got it, by Bcc too. Of
    /// recipients in Bcc they find themselves only.
    Addresses(&'a [&'a str]),
}

/// Which of the mails found are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// How many; at most [`MAX_PAGE`].
    pub size: usize,
    /// Only older ones than this: [`Found::next`] of the page before.
    pub before: Option<u64>,
    /// How far they are counted.
    pub count_to: u64,
    /// Seconds that clocks of who asks are ahead of UTC: when a day begins.
    pub utc_offset: i32,
}

impl Default for Page {
    fn default() -> Self {
        Self { size: 50, before: None, count_to: 1_000, utc_offset: 0 }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Numbers in the archive, the newest first.
    pub seqs: Vec<u64>,
    /// How many there are from this page on.
    pub count: Count,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// A number of mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// This many.
    Exactly(u64),
    /// This many and more.
    MoreThan(u64),
}

impl Searcher {
    pub(super) fn new(reader: IndexReader, fields: Fields) -> Self {
        Self { reader, fields }
    }

    /// Goes to what was committed last. A search under way is not disturbed. Done by whoever commits;
    /// without it files of merged segments stay on the disk.
    ///
    /// # Errors
    /// If the index cannot be read; what could be read before still can.
    pub fn refresh(&self) -> Result<(), SearchError> {
        guarded(|| Ok(self.reader.reload()?))
    }

    /// Mails in the index.
    pub fn mails(&self) -> u64 {
        self.reader.searcher().num_docs()
    }

    /// Finds what `query` asks for and `scope` allows, of what `keep` keeps: the catalogue knows
    /// which mail is erased, and [`Query::status`]. It is asked once for each mail found, the newest
    /// first, until the page is full and the count is reached.
    ///
    /// # Errors
    /// If `scope` does not allow the question, if it is too broad, or if the index is damaged.
    pub fn search(
        &self,
        query: &Query,
        scope: &Scope<'_>,
        page: &Page,
        keep: &dyn Fn(u64) -> bool,
    ) -> Result<Found, SearchError> {
        let compiled = compile(self.fields, &query.clause, scope, page.utc_offset);
        guarded(|| {
            let snapshot = self.reader.searcher();
            let weight = compiled.weight(EnableScoring::disabled_from_searcher(&snapshot))?;
            let mut walk = Walk::new(snapshot.segment_readers(), weight.as_ref(), page.before)?;
            collect(&mut walk, page, keep)
        })
    }
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher").field("mails", &self.mails()).finish_non_exhaustive()
    }
}

fn collect(
    walk: &mut Walk<'_>,
    page: &Page,
    keep: &dyn Fn(u64) -> bool,
) -> Result<Found, SearchError> {
    let size = page.size.clamp(1, MAX_PAGE);
    let count_to = page.count_to.max(size as u64);
    let mut found = Found { seqs: Vec::new(), count: Count::Exactly(0), next: None };
    let mut count = 0;
    while let Some(seq) = walk.next()? {
        if !keep(seq) {
            continue;
        }
        if found.seqs.len() < size {
            found.seqs.push(seq);
        } else {
            found.next = found.seqs.last().copied();
        }
        if count == count_to {
            found.count = Count::MoreThan(count);
            return Ok(found);
        }
        count += 1;
    }
    found.count = Count::Exactly(count);
    Ok(found)
}

/// All matching mails of all segments, the newest first.
struct Walk<'s> {
    weight: &'s dyn Weight,
    /// Segments not begun yet, that with the newest mail last.
    waiting: Vec<Segment<'s>>,
    begun: Vec<Begun<'s>>,
    /// The next mail of each segment begun.
    heads: BinaryHeap<(u64, usize)>,
}

struct Segment<'s> {
    reader: &'s SegmentReader,
    seqs: Arc<dyn tantivy::columnar::ColumnValues<u64>>,
    newest: u64,
    /// Where mail begins that is old enough.
    start: DocId,
}

struct Begun<'s> {
    segment: Segment<'s>,
    scorer: Box<dyn Scorer>,
}

impl<'s> Walk<'s> {
    fn new(
        readers: &'s [SegmentReader],
        weight: &'s dyn Weight,
        before: Option<u64>,
    ) -> Result<Self, TantivyError> {
        let mut waiting = Vec::with_capacity(readers.len());
        for reader in readers {
            waiting.extend(Segment::open(reader, before)?);
        }
        waiting.sort_by_key(|segment| segment.newest);
        Ok(Self { weight, waiting, begun: Vec::new(), heads: BinaryHeap::new() })
    }

    fn next(&mut self) -> Result<Option<u64>, TantivyError> {
        while let Some(segment) = self
            .waiting
            .pop_if(|segment| self.heads.peek().is_none_or(|(newest, _)| segment.newest > *newest))
        {
            self.begin(segment)?;
        }
        let Some((seq, index)) = self.heads.pop() else { return Ok(None) };
        let begun = &mut self.begun[index];
        begun.scorer.advance();
        self.heads.extend(begun.head().map(|seq| (seq, index)));
        Ok(Some(seq))
    }

    fn begin(&mut self, segment: Segment<'s>) -> Result<(), TantivyError> {
        let mut scorer = self.weight.scorer(segment.reader, 1.0)?;
        if scorer.doc() < segment.start {
            scorer.seek(segment.start);
        }
        let mut begun = Begun { segment, scorer };
        let index = self.begun.len();
        self.heads.extend(begun.head().map(|seq| (seq, index)));
        self.begun.push(begun);
        Ok(())
    }
}

impl<'s> Segment<'s> {
    /// `None` if all of its mail is too new.
    fn open(reader: &'s SegmentReader, before: Option<u64>) -> Result<Option<Self>, TantivyError> {
        let seqs = seqs(reader)?.first_or_default_col(0);
        let mails = reader.max_doc();
        let start = before.map_or(0, |before| older(&*seqs, mails, before));
        Ok((start < mails).then(|| Segment { reader, newest: seqs.get_val(start), seqs, start }))
    }
}

impl Begun<'_> {
    /// The number of the mail the scorer stands at, behind those that are deleted.
    fn head(&mut self) -> Option<u64> {
        let alive = self.segment.reader.alive_bitset();
        let mut doc = self.scorer.doc();
        while doc != TERMINATED && alive.is_some_and(|alive| alive.is_deleted(doc)) {
            doc = self.scorer.advance();
        }
        (doc != TERMINATED).then(|| self.segment.seqs.get_val(doc))
    }
}

/// The numbers of a segment's mails; they fall from document to document.
pub(super) fn seqs(reader: &SegmentReader) -> Result<Column<u64>, TantivyError> {
    reader.fast_fields().u64(SEQ)
}

/// The first document with a number below `before`.
fn older(seqs: &dyn tantivy::columnar::ColumnValues<u64>, mails: DocId, before: u64) -> DocId {
    let (mut low, mut high) = (0, mails);
    while low < high {
        let middle = low + (high - low) / 2;
        if seqs.get_val(middle) >= before { low = middle + 1 } else { high = middle }
    }
    low
}
