//! A table in memory, whatever its type.

mod walk;

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    Found, LookupError, Matching, PatternSteps, Place, RemoteMap, RulesError, Spec, Step, Warning,
    cidr::CidrTable,
    keyed::{Case, KeyedTable},
    lookup::Search,
    nfkc,
    rules::RuleTable,
    spec::{Content, Source},
};

/// A table as its source was when it was read.
#[derive(Debug)]
pub struct Table {
    name: Arc<str>,
    kind: Kind,
    folds: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Keyed(KeyedTable),
    Cidr(CidrTable),
    Rules(Box<RuleTable>),
    Static(Box<[u8]>),
    /// The values, and how many were given out: they take turns.
    Random(Box<[Box<str>]>, AtomicUsize),
    Union(Box<[Table]>),
    Pipe(Box<[Table]>),
    Remote(RemoteMap),
    Fail,
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
    /// A file is what postmap made, not what postmap reads.
    #[error("{}: not a text file; name the source that postmap(1) reads", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A table is larger than can be held.
    #[error("{table}: larger than {MAX_SOURCE} bytes")]
    TooLarge {
        /// The table.
        table: Arc<str>,
    },
    /// A table of patterns cannot be used as a whole.
    #[error("{table}: {source}")]
    Rules {
        /// The table.
        table: Arc<str>,
        /// Why.
        source: RulesError,
    },
}

impl Table {
    /// Reads the table that `spec` names. `read` gives the content of a file. Keys are compared
    /// without regard to case, as Postfix does; `matching` is for tables of patterns. With
    /// [`Matching::Text`] keys are expected to be in NFKC; of a pattern or key in the table that is
    /// not, and so never fits, a warning tells.
    ///
    /// # Errors
    /// A file cannot be read, or the table as a whole cannot be used. A bad line is a warning.
    pub fn load(
        spec: &Spec,
        matching: Matching,
        read: &mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Loaded, TableError> {
        Loader { matching, folds: true, read, warnings: Vec::new(), files: Vec::new() }.load(spec)
    }

    /// Reads the table that `spec` names as `postmap -f` does: keys of `texthash:` and `inline:`
    /// have case; of the types that postmap makes, only keys in lower case are found.
    ///
    /// # Errors
    /// As of [`Table::load`].
    pub fn load_unfolded(
        spec: &Spec,
        matching: Matching,
        read: &mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Loaded, TableError> {
        Loader { matching, folds: false, read, warnings: Vec::new(), files: Vec::new() }.load(spec)
    }

    /// The table as it was configured.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the table has for `key`, by itself: with all steps that there are.
    pub fn lookup(&self, key: &[u8]) -> Step<'_> {
        self.lookup_within(key, &PatternSteps::all())
    }

    /// What the table has for `key`. What its patterns take for it beyond the usual is taken from
    /// `steps`.
    pub fn lookup_within(&self, key: &[u8], steps: &PatternSteps) -> Step<'_> {
        match self.local(key, steps) {
            Some(result) => Step::Done(result.and_then(refuse_empty)),
            None => Search::new(self, key).run(steps),
        }
    }

    /// Whether the table may have something for a key that is a part of `text`, and does not end in a newline. If not, such keys
    /// need not be looked up, however many there are. Cheap: one search for words.
    #[must_use]
    pub fn may_have_within(&self, text: &[u8]) -> bool {
        match &self.kind {
            Kind::Rules(table) => table.may_hold_within(text),
            Kind::Keyed(_)
            | Kind::Cidr(_)
            | Kind::Static(_)
            | Kind::Random(..)
            | Kind::Union(_)
            | Kind::Pipe(_)
            | Kind::Remote(_)
            | Kind::Fail => true,
        }
    }

    /// Whether the table may have something for a key that begins with the byte that `begin` does. If not, such a key need not be
    /// looked up. Rules for one header are told so from keys that are another one.
    #[must_use]
    pub fn may_have_at(&self, begin: &[u8]) -> bool {
        match &self.kind {
            Kind::Rules(table) => table.may_hold_at(begin),
            Kind::Keyed(_)
            | Kind::Cidr(_)
            | Kind::Static(_)
            | Kind::Random(..)
            | Kind::Union(_)
            | Kind::Pipe(_)
            | Kind::Remote(_)
            | Kind::Fail => true,
        }
    }

    /// Whether a lookup may take milliseconds: some pattern backtracks. Who has other work to do
    /// should do some of it between such lookups (`attacks.md` I1).
    #[must_use]
    pub fn backtracks(&self) -> bool {
        match &self.kind {
            Kind::Rules(table) => table.backtracks(),
            Kind::Union(tables) | Kind::Pipe(tables) => tables.iter().any(Self::backtracks),
            Kind::Keyed(_)
            | Kind::Cidr(_)
            | Kind::Static(_)
            | Kind::Random(..)
            | Kind::Remote(_)
            | Kind::Fail => false,
        }
    }

    /// Whether parts of an address or a host name are keys too. Tables of patterns see the whole
    /// and nothing else (regexp_table(5), pcre_table(5), cidr_table(5)), and so do other servers
    /// (socketmap_table(5), tcp_table(5)). A union or a pipe is as its first table is.
    #[must_use]
    pub fn takes_partial_keys(&self) -> bool {
        match &self.kind {
            Kind::Keyed(_) | Kind::Static(_) => true,
            Kind::Cidr(_) | Kind::Rules(_) | Kind::Random(..) | Kind::Remote(_) | Kind::Fail => {
                false
            }
            Kind::Union(tables) | Kind::Pipe(tables) => {
                tables.first().is_some_and(Self::takes_partial_keys)
            }
        }
    }

    /// Whether a union or a pipe folds a key before any of its tables sees it, patterns included
    /// (Postfix's `dict_utf8_lookup`).
    pub(crate) fn folds_keys(&self) -> bool {
        self.folds && self.takes_partial_keys()
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The answer of a table that is neither made of others nor another server's. The value may
    /// be empty.
    pub(crate) fn local(
        &self,
        key: &[u8],
        steps: &PatternSteps,
    ) -> Option<Result<Option<Found<'_>>, LookupError>> {
        let found = match &self.kind {
            Kind::Keyed(table) => table.get(key).map(|(value, line)| self.found(value, line)),
            Kind::Cidr(table) => table.get(key).map(|(value, line)| self.found(value, Some(line))),
            Kind::Rules(table) => return Some(table.lookup_within(key, steps)),
            Kind::Static(value) => Some(self.found(value, None)),
            Kind::Random(values, given) => {
                let turn = given.fetch_add(1, Ordering::Relaxed) % values.len().max(1);
                values.get(turn).map(|value| self.found(value.as_bytes(), None))
            }
            Kind::Fail => return Some(Err(LookupError::Fails { table: Arc::clone(&self.name) })),
            Kind::Union(_) | Kind::Pipe(_) | Kind::Remote(_) => return None,
        };
        Some(Ok(found))
    }

    fn found<'t>(&self, value: &'t [u8], line: Option<u32>) -> Found<'t> {
        Found { value: Cow::Borrowed(value), place: self.place(line) }
    }

    pub(crate) fn place(&self, line: Option<u32>) -> Place {
        Place { table: Arc::clone(&self.name), line }
    }
}

/// An empty value is no answer: whoever wrote it meant something that this is not (Postfix's
/// `maps_find`).
pub(crate) fn refuse_empty(found: Option<Found<'_>>) -> Result<Option<Found<'_>>, LookupError> {
    match found {
        Some(found) if found.value.is_empty() => {
            Err(LookupError::Value { place: found.place, reason: crate::lookup::EMPTY.into() })
        }
        found => Ok(found),
    }
}

/// Reads a table and those it is made of.
struct Loader<'r> {
    matching: Matching,
    folds: bool,
    read: &'r mut dyn FnMut(&Path) -> io::Result<Vec<u8>>,
    warnings: Vec<Warning>,
    files: Vec<PathBuf>,
}

impl Loader<'_> {
    fn load(mut self, spec: &Spec) -> Result<Loaded, TableError> {
        let table = self.table(spec)?;
        Ok(Loaded { table, warnings: self.warnings, files: self.files })
    }

    fn case(&self, spec: &Spec) -> Case {
        match self.folds {
            true => Case::Ignored,
            false if spec.is_made_by_postmap() => Case::Asked,
            false => Case::Kept,
        }
    }

    fn table(&mut self, spec: &Spec) -> Result<Table, TableError> {
        let name = spec.name();
        let too_large = |_| TableError::TooLarge { table: Arc::clone(name) };
        let kind = match spec.source() {
            Source::Text(path) => {
                let source = self.file(name, path)?;
                if is_database(&source) {
                    return Err(TableError::NotText { path: path.clone() });
                }
                let (table, warnings) =
                    KeyedTable::parse(name, &source, self.case(spec)).map_err(too_large)?;
                self.warnings.extend(warnings);
                self.warn_of_keys(name, &table);
                Kind::Keyed(table)
            }
            Source::Rules(dialect, content) => {
                let source = self.content(name, content)?;
                let parsed = RuleTable::parse(*dialect, self.matching, Arc::clone(name), &source);
                let (table, warnings) = parsed
                    .map_err(|source| TableError::Rules { table: Arc::clone(name), source })?;
                self.warnings.extend(warnings);
                Kind::Rules(Box::new(table))
            }
            Source::Cidr(content) => {
                let (table, warnings) = CidrTable::parse(name, &self.content(name, content)?);
                self.warnings.extend(warnings);
                Kind::Cidr(table)
            }
            Source::Inline(pairs) => {
                let case = self.case(spec);
                let table = KeyedTable::of_pairs(pairs, case).map_err(too_large)?;
                self.warn_of_keys(name, &table);
                Kind::Keyed(table)
            }
            Source::Static(value) => Kind::Static(value.as_bytes().into()),
            Source::Random(values) => Kind::Random(values.clone(), AtomicUsize::new(0)),
            Source::Union(specs) => Kind::Union(self.tables(specs)?),
            Source::Pipe(specs) => Kind::Pipe(self.tables(specs)?),
            Source::Remote(map) => Kind::Remote(map.clone()),
            Source::Fail => Kind::Fail,
        };
        Ok(Table { name: Arc::clone(name), kind, folds: self.folds })
    }

    /// Keys that no text can be.
    fn warn_of_keys(&mut self, name: &Arc<str>, table: &KeyedTable) {
        if self.matching == Matching::Bytes {
            return;
        }
        for (line, key) in table.keys() {
            if let Some(instead) = nfkc::key(key) {
                let text = nfkc::warning("key", &instead).into();
                self.warnings.push(Warning { table: Arc::clone(name), line, text });
            }
        }
    }

    fn tables(&mut self, specs: &[Spec]) -> Result<Box<[Table]>, TableError> {
        specs.iter().map(|spec| self.table(spec)).collect()
    }

    fn content<'c>(
        &mut self,
        name: &Arc<str>,
        content: &'c Content,
    ) -> Result<Cow<'c, [u8]>, TableError> {
        match content {
            Content::Inline(lines) => Ok(Cow::Borrowed(lines.as_bytes())),
            Content::File(path) => self.file(name, path).map(Cow::Owned),
        }
    }

    fn file(&mut self, name: &Arc<str>, path: &Path) -> Result<Vec<u8>, TableError> {
        let source = (self.read)(path)
            .map_err(|source| TableError::File { path: path.to_owned(), source })?;
        if source.len() > MAX_SOURCE {
            return Err(TableError::TooLarge { table: Arc::clone(name) });
        }
        self.files.push(path.to_owned());
        Ok(source)
    }
}

/// Whether this is a file that postmap made: Berkeley DB and LMDB have their mark within the
/// first bytes, and none of them is without a NUL there. Text has none.
fn is_database(source: &[u8]) -> bool {
    source.iter().take(HEAD).filter(|&&byte| byte == 0).count() > 4
}

/// The largest source, in bytes: ten million lines, and what a `u32` counts is not full.
const MAX_SOURCE: usize = 1 << 30;

/// How much of a file shows what it is.
const HEAD: usize = 64;

#[cfg(test)]
mod tests;
