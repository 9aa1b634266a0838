//! What goes wrong, by whose fault it is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tantivy::TantivyError;

/// The index cannot be written or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Another process, or another part of this one, writes this index.
    #[error("the index is being written by someone else")]
    InUse,
    /// Something stands where the index was to be made.
    #[error("{0} is there already and is not empty")]
    NotEmpty(std::path::PathBuf),
    /// The heap asked for is too small or too large.
    #[error("a heap of {0} bytes: at least 15 MB and less than 4 GB are needed")]
    Heap(usize),
    /// The disk, or what is on it. What was added since the last commit is lost; open it again.
    #[error("the index cannot be written: {0}")]
    Write(String),
}

/// A search has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// A part of a word begins or ends too many words.
    #[error("“{0}” is part of too many words. Add a letter.")]
    TooBroad(String),
    /// The index is damaged or cannot be read; it is to be made anew.
    #[error("the index cannot be read: {0}")]
    Damaged(String),
}

/// What a part of a word that is part of too many makes tantivy say; see [`SearchError::TooBroad`].
pub(super) const TOO_BROAD: &str = "too broad: ";

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(..) => Self::InUse,
            other => Self::Write(other.to_string()),
        }
    }
}

impl From<TantivyError> for SearchError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::InvalidArgument(text) if text.starts_with(TOO_BROAD) => {
                Self::TooBroad(text[TOO_BROAD.len()..].to_owned())
            }
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// Does `read`, and takes a panic in it for damage: tantivy trusts the bytes of its files, and a disk
/// that gives others must not end us. What is read is thrown away then.
pub(super) fn guarded<T, E: From<TantivyError>>(
    read: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said =
            said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
        Err(TantivyError::InternalError(format!("its files contradict themselves: {said}")).into())
    })
}
