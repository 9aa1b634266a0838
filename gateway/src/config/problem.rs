//! A problem of the configuration: what, where, how bad, and what would be right.
//!
//! A [`Problem`] is complete in itself, so that the command line, the log and the admin UI can
//! show it without the file. How it looks on a terminal is decided in `report.rs`.

use std::{ops::Range, path::Path};

use super::{raw::RawTable, table::TableSummary, value::Place};

/// Something wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the configuration can be used in spite of it.
    pub severity: Severity,
    /// Where it is.
    pub location: Location,
    /// The key, with its section: `listener[0].tls`. Empty if the problem is of no key.
    pub key: String,
    /// What is wrong; names the value, and what was probably meant.
    pub message: String,
    /// Which values are allowed.
    pub allowed: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    /// Adds which values are allowed.
    pub(super) fn allowed(&mut self, allowed: impl Into<String>) -> &mut Self {
        self.allowed = Some(allowed.into());
        self
    }

    /// Adds what to do.
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Shows of the line only its key: the value holds a secret.
    pub(super) fn hide_value(&mut self) -> &mut Self {
        if let Location::Line { text, .. } = &mut self.location {
            let key = text.split('=').next().unwrap_or_default().trim_end();
            *text = format!("{key} = ...");
        }
        self
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is used, but probably does not do what is wanted.
    Warning,
    /// The configuration is not used.
    Error,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// At a place in the file.
    Line {
        /// The path as it was given.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1, in characters.
        column: usize,
        /// How many characters are meant; at least 1.
        width: usize,
        /// The line. Tabs are one blank, other control characters are replaced, and what looks
        /// like a secret is left out with all that follows.
        text: String,
    },
    /// In the environment.
    Variable {
        /// The name of the variable.
        name: String,
    },
    /// In the file as a whole: it cannot be read, or something is missing.
    File {
        /// The path as it was given.
        path: String,
    },
}

/// The text of `mailweir.toml`, and what it is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceFile<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl SourceFile<'_> {
    fn locate(&self, place: &Place) -> Location {
        match place {
            Place::File(span) => self.line(span.start, span.end),
            Place::Variable(name) => Location::Variable { name: printable(name) },
            Place::Default => Location::File { path: self.path() },
        }
    }

    fn line(&self, start: usize, end: usize) -> Location {
        // A span that ends inside a character cannot come from the parser; it must not panic.
        let before = self.text.get(..start).unwrap_or(self.text);
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let whole = self.text[begin..].split('\n').next().unwrap_or_default();
        let marked = self.text.get(start..end).unwrap_or_default().split('\n').next();
        Location::Line {
            path: self.path(),
            line: before.matches('\n').count() + 1,
            column: before[begin..].chars().count() + 1,
            width: marked.map_or(0, |text| text.trim_end().chars().count()).max(1),
            text: without_secrets(&printable(whole.trim_end())),
        }
    }

    /// Whether nothing is said between two lines, counted from 1.
    fn is_blank_between(&self, earlier: usize, later: usize) -> bool {
        let between = self.text.lines().take(later.saturating_sub(1)).skip(earlier);
        between.map(str::trim_start).all(|line| line.is_empty() || line.starts_with('#'))
    }

    fn path(&self) -> String {
        printable(&self.path.to_string_lossy())
    }
}

/// The problems that were found so far.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    file: SourceFile<'a>,
    found: Vec<Problem>,
    /// Where the text is no TOML.
    syntax: Vec<Problem>,
    /// Keys and sections that are there, but misspelt.
    misspelt: Vec<String>,
    /// The tables that were read.
    tables: Vec<TableSummary>,
}

impl<'a> Problems<'a> {
    /// Notes a table that can be used, once.
    pub(super) fn note_table(&mut self, table: TableSummary) {
        if !self.tables.contains(&table) {
            self.tables.push(table);
        }
    }

    /// The tables that were read, in their order.
    pub(super) fn take_tables(&mut self) -> Vec<TableSummary> {
        std::mem::take(&mut self.tables)
    }

    /// No problems yet with this file.
    pub(super) const fn of(file: SourceFile<'a>) -> Self {
        Self {
            file,
            found: Vec::new(),
            syntax: Vec::new(),
            misspelt: Vec::new(),
            tables: Vec::new(),
        }
    }

    /// The file and line of a place, as records name it: `mailweir.toml:12`.
    pub(super) fn line_of(&self, place: &Place) -> String {
        match self.file.locate(place) {
            Location::Line { path, line, .. } => format!("{path}:{line}"),
            Location::Variable { name } => name,
            Location::File { path } => path,
        }
    }

    /// Reports an error at a place.
    pub(super) fn error_at(
        &mut self,
        place: &Place,
        key: impl AsRef<str>,
        message: impl AsRef<str>,
    ) -> &mut Problem {
        self.report(Severity::Error, place, key.as_ref(), message.as_ref())
    }

    /// Reports a warning at a place.
    pub(super) fn warning_at(
        &mut self,
        place: &Place,
        key: impl AsRef<str>,
        message: impl AsRef<str>,
    ) -> &mut Problem {
        self.report(Severity::Warning, place, key.as_ref(), message.as_ref())
    }

    /// Reports an error of a key of a table; at the table, if the key is absent.
    pub(super) fn error(
        &mut self,
        table: &RawTable,
        key: &str,
        message: impl AsRef<str>,
    ) -> &mut Problem {
        self.error_at(table.place_of(key), table.path_of(key), message)
    }

    /// Reports an error of an element of a list, of which all elements could be read.
    pub(super) fn element_error(
        &mut self,
        table: &RawTable,
        key: &str,
        index: usize,
        message: impl AsRef<str>,
    ) -> &mut Problem {
        self.error_at(table.place_of_element(key, index), table.path_of(key), message)
    }

    /// Reports a warning of a key of a table; at the table, if the key is absent.
    pub(super) fn warning(
        &mut self,
        table: &RawTable,
        key: &str,
        message: impl AsRef<str>,
    ) -> &mut Problem {
        self.warning_at(table.place_of(key), table.path_of(key), message)
    }

    /// Reports that the text is no TOML at a place.
    pub(super) fn syntax_error(&mut self, span: Range<usize>, message: &str) {
        let message = message.replace(", expected literal string", "");
        self.error_at(&Place::File(span), "", format!("this is not TOML: {message}"));
        self.syntax.extend(self.found.pop());
    }

    /// Notes what an unknown key or section was meant to be: it is not missing.
    pub(super) fn misspelt(&mut self, path: String) {
        self.misspelt.push(path);
    }

    /// Whether a key of a table already has an error, or is there under a wrong name. What depends
    /// on its value is then not worth a second message.
    pub(super) fn blame(&self, table: &RawTable, key: &str) -> bool {
        let (path, section) = (table.path_of(key), table.path_of(""));
        self.misspelt.iter().any(|misspelt| *misspelt == path || *misspelt == section)
            || self.found.iter().any(|found| found.severity == Severity::Error && found.key == path)
    }

    /// Whether a section already has an error, or is there under a wrong name.
    pub(super) fn blame_section(&self, section: &str) -> bool {
        self.misspelt.iter().any(|misspelt| misspelt == section)
            || self.found.iter().any(|found| found.key.starts_with(section))
    }

    /// Whether there is an error among the problems.
    pub(super) fn has_error(&self) -> bool {
        !self.syntax.is_empty() || self.found.iter().any(|found| found.severity == Severity::Error)
    }

    /// All problems: first those of the file from top to bottom, then those of the environment,
    /// then what is missing.
    pub(super) fn sorted(mut self) -> Vec<Problem> {
        if !self.syntax.is_empty() {
            self.settle_syntax();
        }
        self.found.sort_by(|a, b| rank(&a.location).cmp(&rank(&b.location)));
        self.found.dedup();
        self.found
    }

    /// One missing bracket makes the parser stumble line after line. Of each such stretch the first
    /// error is kept, and nothing else that was found there; and nothing is called missing.
    fn settle_syntax(&mut self) {
        self.syntax.sort_by_key(|problem| rank(&problem.location).1);
        let mut stretches: Vec<Range<usize>> = Vec::new();
        for mut problem in std::mem::take(&mut self.syntax) {
            let Location::Line { line, .. } = problem.location else { continue };
            let first = self.syntax.last().filter(|first| is_open_ended(first));
            match stretches.last_mut() {
                Some(last) if last.end == line => {}
                Some(last) if first.is_some() && self.file.is_blank_between(last.end, line) => {
                    last.end = line;
                }
                _ => {
                    if is_open_ended(&problem) {
                        problem.help("a bracket or a quote may be missing on the line above");
                    }
                    stretches.push(line..line);
                    self.syntax.push(problem);
                }
            }
        }
        let trusted = |line| !stretches.iter().any(|lost| (lost.start..=lost.end).contains(&line));
        self.found.retain(|problem| match problem.location {
            Location::Line { line, .. } => trusted(line),
            Location::Variable { .. } => true,
            Location::File { .. } => false,
        });
        self.found.append(&mut self.syntax);
    }

    fn report(
        &mut self,
        severity: Severity,
        place: &Place,
        key: &str,
        message: &str,
    ) -> &mut Problem {
        let location = self.file.locate(place);
        let (key, message) = (printable(key), printable(message));
        self.found.push_mut(Problem { severity, location, key, message, allowed: None, help: None })
    }
}

/// Whether a syntax error is one that the lines below suffer from too.
fn is_open_ended(problem: &Problem) -> bool {
    ["array", "inline table", "multi-line"].iter().any(|what| problem.message.contains(what))
}

fn rank(location: &Location) -> (u8, usize, usize, &str) {
    match location {
        Location::Line { line, column, .. } => (0, *line, *column, ""),
        Location::Variable { name } => (1, 0, 0, name),
        Location::File { .. } => (2, 0, 0, ""),
    }
}

/// Text that may be written to a terminal: what the file says must not move its cursor.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(shown).collect()
}

/// A line up to the first value that is a secret by the name of its key. The name may be misspelt
/// and the line may be no TOML; a file's name (`password_file`) is no secret.
fn without_secrets(line: &str) -> String {
    for (at, _) in line.match_indices(['=', ':']) {
        let before = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let name = before.rsplit(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).next();
        if name.is_some_and(is_secret) {
            return format!("{} ...", &line[..=at]);
        }
    }
    match line.trim_start().split_once(' ') {
        Some((name, _)) if is_secret(name) => format!("{name} ..."),
        _ => line.to_owned(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["pas", "pw", "cred", "secret", "token"];
    words.iter().any(|word| name.contains(word)) && !name.ends_with("_file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_of_lines_however_they_are_written() {
        for (line, shown) in [
            ("password = \"hunter2\"", "password = ..."),
            ("password: \"hunter2\"", "password: ..."),
            ("  pasword=hunter2 # x", "  pasword= ..."),
            ("'api-token' = \"hunter2\"", "'api-token' = ..."),
            ("r = [{to = \"mx\", password = \"hunter2\"}]", "r = [{to = \"mx\", password = ..."),
            ("password hunter2", "password ..."),
            ("password_file = \"/run/secret\"", "password_file = \"/run/secret\""),
            ("name = \"mx\"", "name = \"mx\""),
            ("# passwords stand elsewhere", "# passwords stand elsewhere"),
        ] {
            assert_eq!(without_secrets(line), shown);
        }
    }
}
