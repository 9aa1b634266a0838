//! Finding mail by a part of a word: all terms of a field that have it.

use tantivy::postings::TermInfo;
use tantivy::query::{
    BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, DocSet, InvertedIndexReader, Score, SegmentReader, TantivyError};

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
        let mut expansions = 0;
        for (from, to) in self.ranges() {
            let range = index.terms().range().ge(from);
            let mut terms = if let Some(to) = to { range.lt(to) } else { range }.into_stream()?;
            while terms.advance() {
                if !self.pattern.matches(part, terms.key()) {
                    continue;
                }
                expansions += 1;
                if expansions > MAX_EXPANSIONS {
                    let message = format!("{TOO_BROAD}{}", self.part);
                    return Err(TantivyError::InvalidArgument(message));
                }
                add_documents(&index, terms.value(), &mut found)?;
            }
        }
        Ok(found)
    }

    /// Where terms can be that match: from the first, before the second.
    fn ranges(&self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let part = self.part.as_bytes();
        match self.pattern {
            Pattern::Begins => vec![(part.to_vec(), behind(part))],
            // A part is of a word: no term has it that begins with a character of a script without
            // word breaks, since such terms are pairs. In archives of such scripts those are the most.
            Pattern::Ends | Pattern::Within => WORDS
                .iter()
                .map(|(from, to)| (from.as_bytes().to_vec(), to.map(|to| to.as_bytes().to_vec())))
                .collect(),
        }
    }
}

/// What words begin with: all but Kana, Han and Yi, Hangul, and the rarer Han.
const WORDS: [(&str, Option<&str>); 4] = [
    ("", Some("\u{2E80}")),
    ("\u{3200}", Some("\u{3400}")), // numbers in circles
    ("\u{A4D0}", Some("\u{AC00}")),
    ("\u{FB00}", Some("\u{20000}")),
];

/// Adds the mails that have a term.
fn add_documents(
    index: &InvertedIndexReader,
    term: &TermInfo,
    found: &mut BitSet,
) -> tantivy::Result<()> {
    let mut postings = index.read_block_postings_from_terminfo(term, IndexRecordOption::Basic)?;
    while !postings.docs().is_empty() {
        for &doc in postings.docs() {
            found.insert(doc);
        }
        postings.advance();
    }
    Ok(())
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
    use super::{WORDS, behind};
    use crate::words::Terms;

    #[test]
    fn every_word_begins_where_parts_of_words_are_looked_for() {
        let mut inside = 0;
        for c in 'a'..=char::MAX {
            let text = format!("{c}ab");
            let mut terms = Terms::of(&text);
            while terms.advance() {
                if terms.term().contains("ab") {
                    let term = terms.term();
                    let covers = |(from, to): &(&str, Option<&str>)| {
                        *from <= term && to.is_none_or(|to| term < to)
                    };
                    assert!(WORDS.iter().any(covers), "{term:?}");
                    inside += 1;
                }
            }
        }
        assert!(inside > 10_000);
    }

    #[test]
    fn what_stands_behind_a_prefix() {
        assert_eq!(behind(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(behind(b"a\xFF"), Some(b"b".to_vec()));
        assert_eq!(behind(b"\xFF"), None);
        assert_eq!(behind(b""), None);
    }
}
