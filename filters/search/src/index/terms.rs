//! Finding mail by a part of a word: all terms of a field that have it.

use tantivy::query::{
    BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, Score, SegmentReader, TantivyError};

use super::error::TOO_BROAD;
use crate::words::Pattern;

/// Terms of one segment that one part may stand for. A tenth of a second or so.
const MAX_EXPANSIONS: usize = 500_000;

/// Mail with a word in `field` that has `part` where `pattern` says.
#[derive(Debug, Clone)]
pub(super) struct PartOfWord {
    pub(super) field: Field,
    pub(super) pattern: Pattern,
    pub(super) part: String,
}

impl Query for PartOfWord {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for PartOfWord {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let found = BitSetDocSet::from(self.documents(reader)?);
        Ok(Box::new(ConstScorer::new(found, boost)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument("the document does not match".to_owned()));
        }
        Ok(Explanation::new("part of a word", 1.0))
    }
}

impl PartOfWord {
    fn documents(&self, reader: &SegmentReader) -> tantivy::Result<BitSet> {
        let mut found = BitSet::with_max_value(reader.max_doc());
        let index = reader.inverted_index(self.field)?;
        let part = self.part.as_bytes();
        let range = index.terms().range();
        let mut terms = match (self.pattern, behind(part)) {
            (Pattern::Begins, Some(end)) => range.ge(part).lt(end).into_stream()?,
            (Pattern::Begins, None) => range.ge(part).into_stream()?,
            (Pattern::Ends | Pattern::Within, _) => range.into_stream()?,
        };
        let mut expansions = 0;
        while terms.advance() {
            if !self.pattern.matches(part, terms.key()) {
                continue;
            }
            expansions += 1;
            if expansions > MAX_EXPANSIONS {
                return Err(TantivyError::InvalidArgument(format!("{TOO_BROAD}{}", self.part)));
            }
            let mut postings =
                index.read_block_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                for &doc in postings.docs() {
                    found.insert(doc);
                }
                postings.advance();
            }
        }
        Ok(found)
    }
}

/// The first string behind all that begin with `prefix`.
fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[test]
    fn what_stands_behind_a_prefix() {
        assert_eq!(behind(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(behind(b"a\xFF"), Some(b"b".to_vec()));
        assert_eq!(behind(b"\xFF"), None);
        assert_eq!(behind(b""), None);
    }
}
