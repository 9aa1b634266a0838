//! What the file and the environment say, before anything of it is believed.
//!
//! [`RawConfig`] is the file walked against the schema: known sections with known keys, each value
//! with the place it came from. Unknown ones are reported here; values are judged by
//! [`Setting`], and only there.

use std::{borrow::Cow, collections::BTreeMap};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    nearest::{suggest_key, suggest_section},
    problem::Problems,
    schema::SCHEMAS,
    section::Schema,
    setting::{Refusal, Setting},
    value::{Place, RawValue, Value, described},
};

/// The sections of the file, by name; those that may repeat in their order.
#[derive(Debug, Default)]
pub(super) struct RawConfig {
    tables: BTreeMap<&'static str, Vec<RawTable>>,
}

impl RawConfig {
    /// Walks the text of a file. Syntax errors are reported, and what could be read is walked.
    pub(super) fn parse(text: &str, problems: &mut Problems<'_>) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            problems.syntax_error(span, error.message());
        }
        let mut config = Self::default();
        for (name, value) in root.get_ref() {
            match SCHEMAS.iter().find(|schema| schema.name == name.get_ref().as_ref()) {
                Some(schema) => config.section(schema, value, problems),
                None => unknown_section(name, value.get_ref(), problems),
            }
        }
        config
    }

    /// The tables of a section that may repeat.
    pub(super) fn all(&self, section: &str) -> &[RawTable] {
        self.tables.get(section).map_or(&[], Vec::as_slice)
    }

    /// The table of a section that stands once; an empty one if it is absent.
    pub(super) fn only(&self, section: &str) -> RawTable {
        match self.all(section) {
            [] => RawTable::empty(section.to_owned(), Place::Default),
            [table, ..] => table.clone(),
        }
    }

    /// The tables of a section, to change them.
    pub(super) fn all_mut(&mut self, section: &'static str) -> &mut Vec<RawTable> {
        self.tables.entry(section).or_default()
    }

    fn section(
        &mut self,
        schema: &Schema,
        value: &Spanned<DeValue<'_>>,
        problems: &mut Problems<'_>,
    ) {
        let place = Place::File(value.span());
        let header = schema.header();
        for (name, inner) in value.get_ref().as_table().into_iter().flatten() {
            if let Some(schema) = schema.inner(name.get_ref()) {
                self.section(schema, inner, problems);
            }
        }
        let tables = self.tables.entry(schema.name).or_default();
        match (schema.repeats, value.get_ref()) {
            (false, DeValue::Table(table)) => {
                tables.push(RawTable::walk(schema, schema.name.to_owned(), place, table, problems));
            }
            (true, DeValue::Array(elements)) if elements.iter().all(|e| e.get_ref().is_table()) => {
                for (index, element) in elements.iter().enumerate() {
                    let path = format!("{}[{index}]", schema.name);
                    let DeValue::Table(table) = element.get_ref() else { continue };
                    let place = Place::File(element.span());
                    tables.push(RawTable::walk(schema, path, place, table, problems));
                }
            }
            (true, DeValue::Table(table)) => {
                let message = "this section may repeat, so its name stands in double brackets";
                problems.error_at(&place, schema.name, message).help(format!("write {header}"));
                let path = format!("{}[0]", schema.name);
                tables.push(RawTable::walk(schema, path, place, table, problems));
            }
            (_, value) => {
                let message = format!("{} where a section is expected", described(value));
                problems.error_at(&place, schema.name, message).help(format!("write {header}"));
            }
        }
    }
}

/// One section as written: its known keys.
#[derive(Clone, Debug)]
pub(super) struct RawTable {
    /// The name of the section, with its index if it may repeat: `listener[0]`.
    path: String,
    place: Place,
    values: BTreeMap<&'static str, RawValue>,
}

impl RawTable {
    /// A table without keys.
    pub(super) const fn empty(path: String, place: Place) -> Self {
        Self { path, place, values: BTreeMap::new() }
    }

    /// Sets a key, whatever it was before.
    pub(super) fn set(&mut self, key: &'static str, value: RawValue) {
        self.values.insert(key, value);
    }

    /// The text of a key, if it is there and is text.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match &self.values.get(key)?.value {
            Value::Text(text) | Value::Loose(text) => Some(text),
            Value::Number(_)
            | Value::Fraction(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Other(_) => None,
        }
    }

    /// Whether the key is written in the file or the environment.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Where the key's value stands; where the table stands, if the key is absent.
    pub(super) fn place_of(&self, key: &str) -> &Place {
        self.values.get(key).map_or(&self.place, |value| &value.place)
    }

    /// Where an element of the key's list stands, if the list is of the file.
    pub(super) fn place_of_element(&self, key: &str, index: usize) -> &Place {
        match self.values.get(key).map(|value| &value.value) {
            Some(Value::List(elements)) => {
                elements.get(index).map_or_else(|| self.place_of(key), |element| &element.place)
            }
            _ => self.place_of(key),
        }
    }

    /// The key with its section, as problems name it.
    pub(super) fn path_of(&self, key: &str) -> String {
        if key.is_empty() { self.path.clone() } else { format!("{}.{key}", self.path) }
    }

    /// Reads a key as the schema says. If its value is wrong, that is reported and the default
    /// stands in, so that the checks can go on.
    pub(super) fn read<T: Setting>(
        &self,
        schema: &Schema,
        key: &str,
        problems: &mut Problems<'_>,
    ) -> Option<T> {
        if let Some(value) = self.values.get(key) {
            match T::from_value(value) {
                Ok(setting) => return Some(setting),
                Err(refusals) => self.refuse(key, T::ALLOWED, refusals, problems),
            }
        }
        let default = schema.key(key).and_then(|key| key.default);
        let setting = match default {
            Some(default) => T::from_value(&RawValue::from_default(default)?).ok(),
            None => T::absent(),
        };
        if setting.is_none() && !self.has(key) && !problems.blame(self, key) {
            let message = format!("missing; {} needs it", schema.header());
            problems.error(self, key, message).allowed(T::ALLOWED);
        }
        setting
    }

    fn refuse(
        &self,
        key: &str,
        allowed: &'static str,
        refusals: Vec<Refusal>,
        problems: &mut Problems<'_>,
    ) {
        for refusal in refusals {
            let message = match refusal.hint {
                Some(hint) => format!("{}; did you mean {hint}?", refusal.message),
                None => refusal.message,
            };
            let problem = problems.error_at(&refusal.place, self.path_of(key), message);
            problem.allowed(allowed);
            if refusal.secret {
                problem.hide_value();
            }
        }
    }

    fn walk(
        schema: &Schema,
        path: String,
        place: Place,
        table: &DeTable<'_>,
        problems: &mut Problems<'_>,
    ) -> Self {
        let mut walked = Self::empty(path, place);
        for (name, value) in table {
            match schema.key(name.get_ref()) {
                Some(key) => walked.set(key.name, RawValue::from_toml(value)),
                None if schema.inner(name.get_ref()).is_some() => {}
                None => walked.unknown_key(schema, name, problems),
            }
        }
        walked
    }

    fn unknown_key(
        &self,
        schema: &Schema,
        name: &Spanned<Cow<'_, str>>,
        problems: &mut Problems<'_>,
    ) {
        let written = name.get_ref().as_ref();
        let place = Place::File(name.span());
        let suggestion = suggest_key(written, schema);
        let message = match &suggestion {
            Some(suggestion) => format!("unknown key; {}", suggestion.sentence),
            None => "unknown key".to_owned(),
        };
        let keys: Vec<_> = schema.written_keys().map(|key| key.name).collect();
        problems.error_at(&place, self.path_of(written), message).allowed(format!(
            "the keys of {}: {}",
            schema.header(),
            keys.join(", ")
        ));
        match suggestion {
            Some(meant) if meant.section == schema.name => {
                problems.misspelt(self.path_of(meant.key));
            }
            Some(meant) if meant.key.is_empty() => problems.misspelt(meant.section.to_owned()),
            Some(meant) => problems.misspelt(format!("{}.{}", meant.section, meant.key)),
            None => {}
        }
    }
}

fn unknown_section(name: &Spanned<Cow<'_, str>>, value: &DeValue<'_>, problems: &mut Problems<'_>) {
    let written = name.get_ref().as_ref();
    let what = match value {
        DeValue::Table(_) | DeValue::Array(_) => "unknown section",
        _ => "unknown key outside of any section",
    };
    let suggestion = suggest_section(written);
    let message = match &suggestion {
        Some(suggestion) => format!("{what}; {}", suggestion.sentence),
        None => what.to_owned(),
    };
    let headers: Vec<_> = SCHEMAS.iter().map(Schema::header).collect();
    let place = Place::File(name.span());
    problems
        .error_at(&place, written, message)
        .allowed(format!("the sections: {}", headers.join(", ")));
    match suggestion {
        Some(meant) if meant.key.is_empty() => problems.misspelt(meant.section.to_owned()),
        Some(meant) => problems.misspelt(format!("{}.{}", meant.section, meant.key)),
        None => {}
    }
}
