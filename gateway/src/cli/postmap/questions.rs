//! Keys, tables, and what is printed of their answers.

use std::{
    io::{BufRead, Write},
    path::Path,
};

use mailweir_filters::{RemoteMaps, look_up};
use mailweir_tables::{Matching, Spec, SpecError, Table, TableError, Warning};

use super::Fatal;
use crate::tables;

/// The tables of a command line. Each is opened when it is asked first: one that nobody asks may
/// have any mistake, as with postmap.
pub(super) struct Tables<'r> {
    tables: Vec<(String, Option<Table>)>,
    folds: bool,
    needs_utf8: bool,
    remote: &'r dyn RemoteMaps,
}

impl<'r> Tables<'r> {
    pub(super) fn new(
        names: Vec<String>,
        folds: bool,
        needs_utf8: bool,
        remote: &'r dyn RemoteMaps,
    ) -> Self {
        let tables = names.into_iter().map(|name| (name, None)).collect();
        Self { tables, folds, needs_utf8, remote }
    }

    /// Prints the value of one key.
    pub(super) async fn print_value(
        &mut self,
        key: &[u8],
        out: &mut impl Write,
    ) -> Result<bool, Fatal> {
        let Some(value) = self.value(key).await? else { return Ok(false) };
        write_line(out, &[&value])?;
        Ok(true)
    }

    /// Prints each line of `keys` that has a value, and the value.
    pub(super) async fn print_pairs(
        &mut self,
        mut keys: impl BufRead,
        out: &mut impl Write,
    ) -> Result<bool, Fatal> {
        let mut found = false;
        let mut line = Vec::new();
        while keys.read_until(b'\n', &mut line)? > 0 {
            let key = line.strip_suffix(b"\n").unwrap_or(&line);
            found |= self.print_pair(key, out).await?;
            line.clear();
        }
        Ok(found)
    }

    /// Prints a key and its value, if it has one.
    pub(super) async fn print_pair(
        &mut self,
        key: &[u8],
        out: &mut impl Write,
    ) -> Result<bool, Fatal> {
        // To Postfix a NUL ends a key.
        let key = key.split(|&byte| byte == 0).next().unwrap_or_default();
        let Some(value) = self.value(key).await? else { return Ok(false) };
        write_line(out, &[key, b"\t", &value])?;
        Ok(true)
    }

    /// Lists the keys and values of the first table.
    pub(super) fn print_all(&mut self, out: &mut impl Write) -> Result<bool, Fatal> {
        let folds = self.folds;
        let Some((name, table)) = self.tables.first_mut() else { return Ok(false) };
        let table = opened(table, name, folds)?;
        let unsupported = || format!("table {name}: sequence operation is not supported");
        let entries = table.entries().ok_or_else(|| Fatal::Said(unsupported()))?;
        let mut entries: Vec<_> = entries.collect();
        if name.starts_with("btree:") {
            entries.sort_unstable();
        }
        for (key, value) in entries {
            write_line(out, &[key, b"\t", value])?;
        }
        Ok(true)
    }

    /// The value that the first table with one has.
    async fn value(&mut self, key: &[u8]) -> Result<Option<Vec<u8>>, Fatal> {
        let Self { tables, folds, needs_utf8, remote } = self;
        for (name, table) in tables {
            let table = opened(table, name, *folds)?;
            if *needs_utf8 && std::str::from_utf8(key).is_err() {
                let key = printable(key);
                let what = "malformed UTF-8 or invalid codepoint";
                eprintln!("postmap: warning: {name}: non-UTF-8 key \"{key}\": {what}");
                continue;
            }
            match look_up(table, key, *remote).await {
                Ok(Some(found)) => return Ok(Some(found.value.into_owned())),
                Ok(None) => {}
                Err(error) if error.is_empty_value() => {
                    warn_of_empty(name, key);
                    return Ok(Some(Vec::new()));
                }
                Err(error) => return Err(query_error(name, &error)),
            }
        }
        Ok(None)
    }
}

fn opened<'t>(table: &'t mut Option<Table>, name: &str, folds: bool) -> Result<&'t Table, Fatal> {
    match table {
        Some(table) => Ok(table),
        None => Ok(table.insert(open(name, folds)?)),
    }
}

fn open(name: &str, folds: bool) -> Result<Table, Fatal> {
    let spec = Spec::parse(name).map_err(|error| bad_name(name, &error))?;
    let read = &mut |path: &Path| tables::read_file(path);
    let loaded = match folds {
        true => Table::load(&spec, Matching::Bytes, read),
        false => Table::load_unfolded(&spec, Matching::Bytes, read),
    };
    let loaded = loaded.map_err(|error| cannot_open(name, &error))?;
    for warning in &loaded.warnings {
        eprintln!("postmap: warning: {}", in_postfix_words(warning));
    }
    Ok(loaded.table)
}

/// What is wrong with the name of a table, as postmap says it.
pub(super) fn bad_name(name: &str, error: &SpecError) -> Fatal {
    Fatal::Said(match error {
        SpecError::Unsupported { kind } => format!("unsupported dictionary type: {kind}"),
        SpecError::NoType => {
            format!("open dictionary: expecting \"type:name\" form instead of \"{name}\"")
        }
        SpecError::Syntax { reason, .. } if reason.starts_with("bad static:name") => {
            reason.to_string()
        }
        other => other.to_string(),
    })
}

fn cannot_open(name: &str, error: &TableError) -> Fatal {
    Fatal::Said(match error {
        TableError::File { path, source } => {
            let is_text = !["pcre:", "regexp:", "cidr:"].iter().any(|kind| name.starts_with(kind));
            let database = if is_text { "database " } else { "" };
            let why = source.to_string();
            let why = why.split(" (os error").next().unwrap_or_default();
            format!("open {database}{}: {why}", path.display())
        }
        other => other.to_string(),
    })
}

fn query_error(name: &str, error: &mailweir_tables::LookupError) -> Fatal {
    use mailweir_tables::LookupError;
    let why = match error {
        LookupError::Fails { .. } => "Application error".to_owned(),
        LookupError::Remote { reason, .. } | LookupError::Declined { reason, .. } => {
            reason.split(" (os error").next().unwrap_or_default().to_owned()
        }
        other => other.to_string(),
    };
    Fatal::Said(format!("table {name}: query error: {why}"))
}

fn warn_of_empty(name: &str, key: &[u8]) {
    let key = printable(key);
    eprintln!("postmap: warning: table {name}: key {key}: empty string result is not allowed");
    eprintln!("postmap: warning: table {name} should return NO RESULT in case of NOT FOUND");
}

/// `pcre map /etc/x, line 3: ...`, and for tables of keys `/etc/x, line 3: ...`.
fn in_postfix_words(warning: &Warning) -> String {
    let Warning { table, line, text } = warning;
    let (kind, file) = table.split_once(':').unwrap_or(("", table));
    // Postfix does not know where what continues nothing stands.
    let line = line.filter(|_| !text.starts_with("logical line must not start"));
    match (kind, line) {
        ("pcre" | "regexp" | "cidr", Some(line)) => {
            format!("{kind} map {file}, line {line}: {text}")
        }
        (_, Some(line)) => format!("{file}, line {line}: {text}"),
        (_, None) => format!("{file}: {text}"),
    }
}

fn write_line(out: &mut impl Write, parts: &[&[u8]]) -> Result<(), Fatal> {
    for part in parts {
        out.write_all(part)?;
    }
    Ok(out.write_all(b"\n")?)
}

/// With `?` for what a terminal must not get.
fn printable(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.extend(chunk.valid().chars().map(|c| if c.is_control() { '?' } else { c }));
        shown.extend(chunk.invalid().iter().map(|_| '?'));
    }
    shown
}
