//! The index on disk: what is in it, how it grows, and who may find what.
//!
//! A document is a mail under its number in the archive, `seq`. Numbers rise, and so do documents:
//! none is written twice and none is changed. Within each segment of the index the newest mail stands
//! first, so a search yields the newest first and ends when it has enough.
//!
//! One [`Indexer`] writes; any number of [`Searcher`]s read, each what was committed when it was last
//! refreshed. The index holds nothing that is not in the archive: if it is damaged or of another
//! format ([`Opened`]), a new one is made beside it and filled again.

mod compile;
mod document;
mod entry;
mod error;
mod gate;
mod indexer;
mod people;
mod schema;
mod searcher;
mod store;
mod terms;
mod tokens;

pub use document::{Address, Direction, Document};
pub use error::{IndexError, SearchError};
pub use indexer::{Added, DEFAULT_HEAP, Indexer, MAX_MAIL_TEXT};
pub use searcher::{Count, Found, MAX_PAGE, Page, Scope, Searcher};
pub use store::{Index, Opened, Standing};

#[cfg(test)]
mod tests;
