//! A table in memory, whatever its type.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{Matching, Spec, Step, Warning};

/// A table as its source was when it was read.
#[derive(Debug)]
pub struct Table {
    name: Arc<str>,
}

/// A table that was read, and what was noticed on the way.
#[derive(Debug)]
pub struct Loaded {
    /// The table.
    pub table: Table,
    /// Lines that were skipped or look wrong.
    pub warnings: Vec<Warning>,
    /// The files it was read from: when one of them changes, read it again.
    pub files: Vec<PathBuf>,
}

/// Why a table cannot be used at all. An older version of it stays in use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Table {
    /// Reads the table that `spec` names. `read` gives the content of a file.
    ///
    /// # Errors
    /// A file cannot be read, or the table as a whole cannot be used. A bad line is a warning.
    pub fn load(
        spec: &Spec,
        matching: Matching,
        read: &mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Loaded, TableError> {
        let _ = (matching, read);
        let table = Self { name: Arc::clone(spec.name()) };
        Ok(Loaded { table, warnings: Vec::new(), files: Vec::new() })
    }

    /// The table as it was configured.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the table has for `key`.
    pub fn lookup(&self, key: &[u8]) -> Step<'_> {
        let _ = key;
        Step::Done(Ok(None))
    }

    /// Whether parts of an address or a host name are keys too. Tables of patterns see the whole
    /// and nothing else (regexp_table(5), pcre_table(5), cidr_table(5)).
    #[must_use]
    pub fn takes_partial_keys(&self) -> bool {
        true
    }
}
