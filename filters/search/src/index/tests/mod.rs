//! The index on disk: what is found, by whom, in which order, and what it says of itself.

use super::{
    Added, Address, Count, DEFAULT_HEAP, Direction, Document, Found, Index, IndexError, Indexer,
    MAX_MAIL_TEXT, Opened, Page, Scope, SearchError, Standing,
};
use crate::query::Query;

mod disk;
mod found;
mod people;

const HEAP: usize = 15_000_000;
const HANS: Address<'_> = Address { name: "Hans Müller", address: "Hans@mail.Example.com" };
const JI: Address<'_> = Address { name: "김지훈", address: "ji@example.co.kr" };
const BOSS: Address<'_> = Address { name: "The Boss", address: "boss@secret.example" };

/// An index in a directory of its own.
struct Bench {
    index: Index,
    indexer: Indexer,
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let index = Index::create(&dir.path().join("index")).unwrap();
        let indexer = index.indexer(HEAP).unwrap();
        Self { index, indexer, dir }
    }

    fn holding(documents: &[Document<'_>]) -> Self {
        let mut bench = Self::new();
        bench.add(documents);
        bench
    }

    fn add(&mut self, documents: &[Document<'_>]) {
        for document in documents {
            assert_eq!(self.indexer.add(document).unwrap(), Added::Whole);
        }
        self.commit(documents.last().map_or(0, |document| document.seq));
    }

    fn commit(&mut self, up_to: u64) {
        self.indexer.commit(up_to).unwrap();
        self.index.searcher().refresh().unwrap();
    }

    fn search(&self, query: &str, scope: Scope<'_>) -> Result<Found, SearchError> {
        let query = Query::parse(query).unwrap();
        self.index.searcher().search(&query, &scope, &Page::default(), &|_| true)
    }

    fn find(&self, query: &str) -> Vec<u64> {
        self.search(query, Scope::WithBcc).unwrap().seqs
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("index")
    }
}

fn mail(seq: u64) -> Document<'static> {
    Document { seq, ..Document::default() }
}
