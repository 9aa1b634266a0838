//! A file of weights as TOML: what it says, or all that is wrong with it.
//!
//! Nothing of a file with a mistake is used: an administrator who misspelt a name would otherwise believe that a
//! symbol is off. Each mistake has its line and what would be right.

use std::{fmt, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Points, Repeats, Symbol};

/// What is wrong in a file of weights.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what is expected there: one line.
    pub what: String,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) groups: Vec<(Box<str>, GroupChange)>,
    pub(super) symbols: Vec<(Symbol, EntryChange)>,
}

/// What a file says of a group.
#[derive(Debug, Default)]
pub(super) struct GroupChange {
    pub(super) most: Option<Points>,
    pub(super) least: Option<Points>,
    pub(super) description: Option<Box<str>>,
}

/// What a file says of a symbol.
#[derive(Debug, Default)]
pub(super) struct EntryChange {
    /// Where it stands, from 1.
    pub(super) line: usize,
    pub(super) weight: Option<Points>,
    pub(super) is_on: Option<bool>,
    pub(super) group: Option<Box<str>>,
    pub(super) description: Option<Box<str>>,
    pub(super) repeats: Option<Repeats>,
    pub(super) alone: Option<Box<str>>,
}

/// Reads a file. `is_group` says which groups there are besides those of the file.
pub(super) fn read(text: &str, is_group: impl Fn(&str) -> bool) -> Result<File, Vec<Mistake>> {
    let mut reader = Reader { text, mistakes: Vec::new() };
    if text.len() > LARGEST {
        reader.wrong(&(0..0), format!("the file is larger than {LARGEST} bytes"));
        return Err(reader.mistakes);
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        reader.wrong(
            &error.span().unwrap_or(0..0),
            format!("this is not TOML: {}", one_line(error.message())),
        );
    }
    let mut file = File::default();
    for (name, value) in root.get_ref() {
        match name.get_ref().as_ref() {
            "group" => reader.groups(value, &mut file),
            "symbol" => reader.symbols(value, &mut file),
            other => reader
                .wrong(&name.span(), format!("{other:?}: expected [symbol.NAME] or [group.NAME]")),
        }
    }
    reader.check_groups(root.get_ref(), &file, is_group);
    reader.mistakes.sort_by_key(|mistake| mistake.line);
    if reader.mistakes.is_empty() { Ok(file) } else { Err(reader.mistakes) }
}

struct Reader<'t> {
    text: &'t str,
    mistakes: Vec<Mistake>,
}

type Value<'v> = Spanned<DeValue<'v>>;
type Key<'v> = Spanned<std::borrow::Cow<'v, str>>;

impl Reader<'_> {
    fn groups(&mut self, value: &Value<'_>, file: &mut File) {
        for (name, value) in self.table(value, "group") {
            let mut group = GroupChange::default();
            for (key, value) in self.table(value, name.get_ref()) {
                match key.get_ref().as_ref() {
                    "most" => group.most = self.number(key, value, 0.0, HEAVIEST),
                    "least" => group.least = self.number(key, value, -HEAVIEST, 0.0),
                    "description" => group.description = self.line(key, value),
                    _ => self.unknown(key, &["most", "least", "description"]),
                }
            }
            file.groups.push((name.get_ref().as_ref().into(), group));
        }
    }

    fn symbols(&mut self, value: &Value<'_>, file: &mut File) {
        for (name, value) in self.table(value, "symbol") {
            let entry = self.entry(name, value);
            match name.get_ref().parse() {
                Ok(symbol) => file.symbols.push((symbol, entry)),
                Err(_) => {
                    let names = Symbol::ALL.iter().map(|symbol| symbol.name());
                    let hint = did_you_mean(mailweir_mail::nearest(name.get_ref(), names));
                    self.wrong(
                        &name.span(),
                        format!("{:?}: there is no such symbol{hint}", name.get_ref()),
                    );
                }
            }
        }
    }

    fn entry(&mut self, name: &Key<'_>, value: &Value<'_>) -> EntryChange {
        let mut entry = EntryChange { line: self.line_of(&name.span()), ..Default::default() };
        for (key, value) in self.table(value, name.get_ref()) {
            match key.get_ref().as_ref() {
                "weight" => entry.weight = self.number(key, value, -HEAVIEST, HEAVIEST),
                "on" => entry.is_on = self.flag(key, value),
                "group" => entry.group = self.line(key, value),
                "description" => entry.description = self.line(key, value),
                "repeats" => entry.repeats = self.repeats(key, value),
                "alone" => entry.alone = self.line(key, value),
                _ => {
                    self.unknown(key, &["weight", "on", "group", "description", "repeats", "alone"])
                }
            }
        }
        entry
    }

    /// A symbol whose group nobody knows would count without a limit.
    fn check_groups(&mut self, root: &DeTable<'_>, file: &File, is_group: impl Fn(&str) -> bool) {
        let symbols = root.get("symbol").and_then(|symbols| symbols.get_ref().as_table());
        for (_, entry) in symbols.into_iter().flatten() {
            let Some(group) = entry.get_ref().as_table().and_then(|entry| entry.get("group"))
            else {
                continue;
            };
            let Some(name) = group.get_ref().as_str() else { continue };
            if !is_group(name) && !file.groups.iter().any(|(known, _)| **known == *name) {
                self.wrong(&group.span(), format!("group: there is no [group.{}]", one_line(name)));
            }
        }
    }

    fn table<'v, 'd>(
        &mut self,
        value: &'v Value<'d>,
        name: &str,
    ) -> Vec<(&'v Key<'d>, &'v Value<'d>)> {
        match value.get_ref() {
            DeValue::Table(table) => table.iter().collect(),
            _ => {
                self.wrong(
                    &value.span(),
                    format!("{name}: expected a table with a name in brackets"),
                );
                Vec::new()
            }
        }
    }

    fn number(
        &mut self,
        key: &Key<'_>,
        value: &Value<'_>,
        least: f64,
        most: f64,
    ) -> Option<Points> {
        let number = match value.get_ref() {
            DeValue::Float(float) => float.as_str().replace('_', "").parse::<f64>().ok(),
            DeValue::Integer(integer) => {
                i32::from_str_radix(integer.as_str(), integer.radix()).ok().map(f64::from)
            }
            _ => None,
        };
        let found = number.filter(|number| (least..=most).contains(number)).map(Points::round);
        self.or_expected(found, key, value, &format!("a number from {least} to {most}"))
    }

    fn flag(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<bool> {
        self.or_expected(value.get_ref().as_bool(), key, value, "true or false")
    }

    fn repeats(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Repeats> {
        let found = match value.get_ref().as_str() {
            Some("strongest") => Some(Repeats::Strongest),
            Some("each") => Some(Repeats::Each),
            _ => None,
        };
        self.or_expected(found, key, value, "\"strongest\" or \"each\"")
    }

    fn line(&mut self, key: &Key<'_>, value: &Value<'_>) -> Option<Box<str>> {
        let is_line = |text: &&str| {
            !text.is_empty()
                && text.chars().count() <= LONGEST_LINE
                && !text.chars().any(char::is_control)
        };
        let found = value.get_ref().as_str().filter(is_line).map(Box::from);
        self.or_expected(
            found,
            key,
            value,
            &format!("text on one line, of 1 to {LONGEST_LINE} characters"),
        )
    }

    fn or_expected<T>(
        &mut self,
        found: Option<T>,
        key: &Key<'_>,
        value: &Value<'_>,
        expected: &str,
    ) -> Option<T> {
        if found.is_none() {
            self.wrong(&value.span(), format!("{}: expected {expected}", key.get_ref()));
        }
        found
    }

    fn unknown(&mut self, key: &Key<'_>, known: &[&str]) {
        let hint = did_you_mean(mailweir_mail::nearest(key.get_ref(), known.iter().copied()));
        let known = known.join(", ");
        self.wrong(
            &key.span(),
            format!("{:?} is no key here{hint} (there are {known})", key.get_ref()),
        );
    }

    fn line_of(&self, place: &Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..place.start).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    fn wrong(&mut self, place: &Range<usize>, what: impl fmt::Display) {
        let line = self.line_of(place);
        if self.mistakes.len() < MOST_MISTAKES {
            self.mistakes.push(Mistake { line, what: what.to_string() });
        }
    }
}

fn did_you_mean(word: Option<&str>) -> String {
    word.map(|word| format!("; did you mean {word}?")).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

/// Bytes of a file; the built-in one has a tenth of it.
const LARGEST: usize = 256 * 1024;
/// Nobody reads more of them at once, and finding a line is a walk through the file.
const MOST_MISTAKES: usize = 100;
/// Points of a weight or a group: far beyond every sensible threshold.
const HEAVIEST: f64 = 1000.0;
/// A description fits on a line of a page and of a terminal.
const LONGEST_LINE: usize = 160;
