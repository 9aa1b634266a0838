//! Who has had mail of whom, as moderation remembers it: a key for each pair of people, and the last
//! day on which one wrote to the other. Who they are cannot be told from it.

use bytes::Bytes;

use crate::{
    annex::Annex,
    queue::Queue,
    record::{RecordError, open_acquaintance, seal_acquaintance},
    store::{Key, Space, StoreError},
};

/// A pair of people: a hash of both, of the caller's making.
pub type Pair = Key;

/// A day: days since 1970-01-01, in UTC.
pub type Day = u32;

/// A part of all pairs, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The pairs, and when they wrote last.
    pub pairs: Vec<(Pair, Result<Day, RecordError>)>,
    /// Where the next page begins; `None`: this was the last one.
    pub next: Option<Pair>,
}

impl Annex {
    /// Remembers that one of a pair wrote to the other on a day.
    pub fn put_acquaintance(&mut self, pair: Pair, day: Day) {
        self.batch.put_at(Space::Acquaintances, pair, seal_acquaintance(day));
    }

    /// Forgets a pair.
    pub fn remove_acquaintance(&mut self, pair: Pair) {
        self.batch.delete_at(Space::Acquaintances, pair);
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }
}

impl Queue {
    /// When each of these pairs wrote last; `None`: never, as far as is remembered. Reads outside the
    /// runtime's own threads.
    ///
    /// # Errors
    /// The store cannot be read. A record that is damaged counts as none.
    pub async fn acquaintances(&self, pairs: Vec<Pair>) -> Result<Vec<Option<Day>>, StoreError> {
        let storage = self.storage();
        let read = tokio::task::spawn_blocking(move || {
            let days = pairs.into_iter().map(|pair| {
                let record: Option<Bytes> = storage.get(Space::Acquaintances, pair)?;
                Ok(record.and_then(|record| open_acquaintance(&record).ok()))
            });
            days.collect()
        });
        read.await.map_err(|error| StoreError::engine("read", error))?
    }

    /// At most `most` pairs from `first` on. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn all_acquaintances(&self, first: Pair, most: usize) -> Result<Page, StoreError> {
        let (mut page, mut failure) = (Page::default(), None);
        self.storage().scan(Space::Acquaintances, first, &mut |entry| {
            let (key, record) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    failure = Some(error);
                    return std::ops::ControlFlow::Break(());
                }
            };
            let Ok(pair) = Pair::try_from(key) else { return std::ops::ControlFlow::Continue(()) };
            if page.pairs.len() == most {
                page.next = Some(pair);
                return std::ops::ControlFlow::Break(());
            }
            page.pairs.push((pair, open_acquaintance(record)));
            std::ops::ControlFlow::Continue(())
        });
        failure.map_or(Ok(page), Err)
    }
}
