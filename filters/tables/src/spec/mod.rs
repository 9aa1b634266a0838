//! How a table is named: `type:name`, with `inline:{...}`, `unionmap:{...}`, `pipemap:{...}`.
//!
//! The tables that postmap(1) would make (`hash:`, `btree:`, `lmdb:`, ...) are read from their text
//! source, `name` itself and never `name.db`. Nothing is opened here.

mod braces;
mod inline;
mod remote;
#[cfg(test)]
mod tests;

use std::{
    hash::{Hash, Hasher},
    path::PathBuf,
    sync::Arc,
};

use self::braces::Items;
pub use self::remote::RemoteMap;
use crate::rules::Dialect;

/// A table as it is named in the configuration, which tells where it comes from: two of one name are equal.
#[derive(Clone, Debug)]
pub struct Spec {
    name: Arc<str>,
    source: Source,
}

/// Where a table comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// `key value` lines (postmap(1)).
    Text(PathBuf),
    /// `regexp:` and `pcre:`.
    Rules(Dialect, Content),
    /// `cidr:`.
    Cidr(Content),
    /// `inline:{key=value, ...}`.
    Inline(Box<[Pair]>),
    /// `static:value`.
    Static(Box<str>),
    /// `randmap:{value, ...}`.
    Random(Box<[Box<str>]>),
    /// `unionmap:{type:name, ...}`.
    Union(Box<[Spec]>),
    /// `pipemap:{type:name, ...}`.
    Pipe(Box<[Spec]>),
    /// `socketmap:` and `tcp:`.
    Remote(RemoteMap),
    /// `fail:anything`.
    Fail,
}

/// A key and its value.
pub(crate) type Pair = (Box<str>, Box<str>);

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A file.
    File(PathBuf),
    /// `{ {line}, {line} }` in place of a file's name (Postfix 3.7).
    Inline(Box<str>),
}

/// Why a table's name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// There is no `type:` in front, or nothing behind it.
    #[error("a table is written type:name, such as pcre:/etc/mailweir/header_checks")]
    NoType,
    /// There are no tables of this type here.
    #[error(
        "no tables of type \"{kind}\" here; there are regexp, pcre, cidr, hash, btree, lmdb, dbm, \
         cdb, texthash, inline, static, randmap, unionmap, pipemap, socketmap, tcp and fail"
    )]
    Unsupported {
        /// What stands before the colon.
        kind: Box<str>,
    },
    /// What stands behind the type is not what this type wants.
    #[error("{reason}: \"{table}\"; need \"{wanted}\"")]
    Syntax {
        /// The table as it is written.
        table: Box<str>,
        /// What is wrong, in Postfix's words where it has some.
        reason: Box<str>,
        /// How it is written.
        wanted: &'static str,
    },
    /// More unions and pipes inside each other than anybody can follow.
    #[error("unionmap: and pipemap: stand inside each other more than {MAX_DEPTH} deep")]
    TooDeep,
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Spec {}

impl Hash for Spec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Spec {
    /// Reads `type:name`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, SpecError> {
        Self::nested(text, 0)
    }

    /// Reads a list of tables as it stands in main.cf: white space and commas divide, except
    /// inside braces.
    ///
    /// # Errors
    /// Says what is wrong with the first that cannot be read.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, SpecError> {
        Items::of(text).map(Self::parse).collect()
    }

    /// The table as it was written.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether the table is a list of keys, as those that postmap(1) reads and `inline:` are. Patterns,
    /// `static:`, other servers, and tables made of others may answer for any key.
    #[must_use]
    pub const fn has_keys(&self) -> bool {
        matches!(self.source, Source::Text(_) | Source::Inline(_))
    }

    /// Whether postmap(1) makes a database of it, in which keys are folded.
    pub(crate) fn is_made_by_postmap(&self) -> bool {
        matches!(self.source, Source::Text(_)) && !self.name.contains("texthash:")
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    fn nested(text: &str, depth: usize) -> Result<Self, SpecError> {
        Ok(Self { name: text.into(), source: source(text, depth)? })
    }
}

fn source(text: &str, depth: usize) -> Result<Source, SpecError> {
    let (kind, name) = text.split_once(':').ok_or(SpecError::NoType)?;
    if kind.is_empty() || name.is_empty() {
        return Err(SpecError::NoType);
    }
    let wrong = |(reason, wanted): (String, &'static str)| SpecError::Syntax {
        table: text.into(),
        reason: reason.into(),
        wanted,
    };
    Ok(match kind {
        "hash" | "btree" | "lmdb" | "dbm" | "sdbm" | "cdb" | "texthash" => {
            Source::Text(name.into())
        }
        "regexp" => Source::Rules(Dialect::Regexp, content(name).map_err(wrong)?),
        "pcre" => Source::Rules(Dialect::Pcre, content(name).map_err(wrong)?),
        "cidr" => Source::Cidr(content(name).map_err(wrong)?),
        "inline" => Source::Inline(inline::pairs(name).map_err(wrong)?),
        "static" => Source::Static(inline::value(name).map_err(wrong)?),
        "randmap" => Source::Random(inline::values(name).map_err(wrong)?),
        "unionmap" => Source::Union(members(text, name, depth, "unionmap:{type:name...}")?),
        "pipemap" => Source::Pipe(members(text, name, depth, "pipemap:{type:name...}")?),
        "socketmap" => Source::Remote(RemoteMap::socketmap(name).map_err(wrong)?),
        "tcp" => Source::Remote(RemoteMap::tcp(name).map_err(wrong)?),
        "proxy" if depth < MAX_DEPTH => return source(name, depth + 1),
        "proxy" => return Err(SpecError::TooDeep),
        "fail" => Source::Fail,
        _ => return Err(SpecError::Unsupported { kind: kind.into() }),
    })
}

/// The tables of a `unionmap:` or `pipemap:`.
fn members(
    text: &str,
    list: &str,
    depth: usize,
    wanted: &'static str,
) -> Result<Box<[Spec]>, SpecError> {
    if depth == MAX_DEPTH {
        return Err(SpecError::TooDeep);
    }
    let bad = || SpecError::Syntax { table: text.into(), reason: "bad syntax".into(), wanted };
    let list = braces::inside(list).map_err(|_| bad())?;
    if Items::of(list).any(|item| !item.contains(':')) {
        return Err(bad());
    }
    let members: Box<[_]> =
        Items::of(list).map(|item| Spec::nested(item, depth + 1)).collect::<Result<_, _>>()?;
    if members.is_empty() { Err(bad()) } else { Ok(members) }
}

/// A file's name, or its lines in braces.
fn content(name: &str) -> Result<Content, (String, &'static str)> {
    if !name.starts_with('{') {
        return Ok(Content::File(name.into()));
    }
    let wrong = |reason| (reason, "{ {line}, {line}... }");
    let mut lines = String::with_capacity(name.len());
    for item in Items::of(braces::inside(name).map_err(wrong)?) {
        lines.push_str(braces::inside(item).map_err(wrong)?.trim_matches(braces::is_space));
        lines.push('\n');
    }
    Ok(Content::Inline(lines.into()))
}

/// A list of lists of lists is a slip, and each level is a call inside a call.
const MAX_DEPTH: usize = 20;
