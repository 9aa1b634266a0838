//! A table in memory, whatever its type.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    Engine, Matching, RulesError, Spec, Step, Warning,
    rules::{Dialect, RuleTable},
};

/// A table as its source was when it was read.
#[derive(Debug)]
pub struct Table {
    name: Arc<str>,
    rules: Option<RuleTable>,
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
    /// A table of patterns cannot be used as a whole.
    #[error("{table}: {source}")]
    Rules {
        /// The table as it was configured.
        table: Arc<str>,
        /// Why.
        source: RulesError,
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
        let name = spec.name();
        let mut loaded = Loaded {
            table: Self { name: Arc::clone(name), rules: None },
            warnings: Vec::new(),
            files: Vec::new(),
        };
        let (dialect, path) = match name.split_once(':') {
            Some(("regexp", path)) => (Dialect::Regexp, Path::new(path)),
            Some(("pcre", path)) => (Dialect::Pcre, Path::new(path)),
            _ => return Ok(loaded),
        };
        let content =
            read(path).map_err(|source| TableError::File { path: path.to_owned(), source })?;
        let (rules, warnings) = RuleTable::parse(dialect, matching, Arc::clone(name), &content)
            .map_err(|source| TableError::Rules { table: Arc::clone(name), source })?;
        loaded.table.rules = Some(rules);
        loaded.warnings = warnings;
        loaded.files.push(path.to_owned());
        Ok(loaded)
    }

    /// The table as it was configured.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the table has for `key`.
    pub fn lookup(&self, key: &[u8]) -> Step<'_> {
        match &self.rules {
            Some(rules) => Step::Done(rules.lookup(key)),
            None => Step::Done(Ok(None)),
        }
    }

    /// What runs each pattern of a table of patterns, with its line, in the order of the file.
    pub fn engines(&self) -> impl Iterator<Item = (u32, Engine)> {
        self.rules.iter().flat_map(RuleTable::engines)
    }

    /// Whether parts of an address or a host name are keys too. Tables of patterns see the whole
    /// and nothing else (regexp_table(5), pcre_table(5), cidr_table(5)).
    #[must_use]
    pub fn takes_partial_keys(&self) -> bool {
        true
    }
}
