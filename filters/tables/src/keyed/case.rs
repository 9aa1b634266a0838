//! Whether the case of a key's letters counts.

use std::borrow::Cow;

use crate::text::{as_written, folded};

/// Whether `A` and `a` are the same key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Case {
    /// They are.
    #[default]
    Ignored,
    /// They are in the source, but only keys in lower case are found: a database that postmap
    /// made as usual, asked with `postmap -fq`.
    Asked,
    /// They are not.
    Kept,
}

impl Case {
    /// The form in which a key of the source is kept; `None` if it is not UTF-8.
    pub(super) fn kept(self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Ignored | Self::Asked => folded(key),
            Self::Kept => as_written(key),
        }
    }

    /// The form in which a key is looked for; `None` if it is not UTF-8.
    pub(super) fn asked(self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Ignored => folded(key),
            Self::Asked | Self::Kept => as_written(key),
        }
    }
}
