//! Environment variables that override keys of the file: `MAILWEIR_<SECTION>__<KEY>`.
//!
//! Of sections that repeat, `MAILWEIR_LISTENER__0__TLS` means the first, and
//! `MAILWEIR_LISTENER__MX__TLS` the one whose name is `mx`. The next free index adds a section,
//! so that a container needs no file. An empty variable counts as absent.

use super::{
    nearest::nearest,
    problem::Problems,
    raw::{RawConfig, RawTable},
    schema::SCHEMAS,
    section::{Key, Schema},
    value::{Place, RawValue},
};

/// Puts what the environment says over what the file says.
pub(super) fn overlay(
    config: &mut RawConfig,
    environment: &[(String, String)],
    problems: &mut Problems<'_>,
) {
    let mut variables: Vec<Variable<'_>> = environment
        .iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .filter_map(|(name, value)| Variable::parse(name, value, problems))
        .collect();
    // By index first, in order, since an index may add the section that a name then finds.
    variables.sort_by(|a, b| (&a.instance, a.name).cmp(&(&b.instance, b.name)));
    for variable in variables {
        variable.apply(config, problems);
    }
}

/// A variable that overrides a known key.
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
    schema: &'static Schema,
    key: &'static Key,
    instance: Instance,
}

/// Which of the sections of one name is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Instance {
    /// The only one there is.
    Only,
    /// By its place in the file.
    Index(usize),
    /// By its key `name`, in the alphabet of variables.
    Named(String),
}

impl<'a> Variable<'a> {
    /// Understands the name of a variable. What does not begin with the prefix is not ours.
    fn parse(name: &'a str, value: &'a str, problems: &mut Problems<'_>) -> Option<Self> {
        let rest = name.strip_prefix(PREFIX)?;
        let Some((section, _)) = rest.split_once("__") else {
            warn_single_underscore(name, rest, problems);
            return None;
        };
        let Some((schema, rest)) = section_and_rest(rest) else {
            unknown(name, section, SCHEMAS.iter().map(|schema| schema.name), problems);
            return None;
        };
        let section = in_variable(schema.name);
        let (instance, key) = instance_and_key(schema, rest);
        let Some(key) = schema.keys.iter().find(|known| in_variable(known.name) == key) else {
            unknown(name, key, schema.keys.iter().map(|key| key.name), problems);
            return None;
        };
        let Some(instance) = instance else {
            let example = format!("{PREFIX}{section}__0__{}", in_variable(key.name));
            let message = format!("this variable does not say which {} it means", schema.header());
            error(name, message, problems).help(format!("such as {example}"));
            return None;
        };
        Some(Self { name, value, schema, key, instance })
    }

    fn apply(self, config: &mut RawConfig, problems: &mut Problems<'_>) {
        let place = Place::Variable(self.name.to_owned());
        let value = RawValue::loose(self.value.to_owned(), place.clone());
        let tables = config.all_mut(self.schema.name);
        let index = match &self.instance {
            Instance::Only => 0,
            Instance::Index(index) => *index,
            Instance::Named(wanted) => {
                let named = |table: &RawTable| {
                    table.text("name").is_some_and(|name| in_variable(name) == *wanted)
                };
                match tables.iter().position(named) {
                    Some(index) => index,
                    None => return self.nobody_of_that_name(wanted, tables, problems),
                }
            }
        };
        let count = tables.len();
        if index == count {
            tables.push(RawTable::empty(self.schema.path(index), place));
        }
        match tables.get_mut(index) {
            Some(table) => table.set(self.key.name, value),
            None => {
                let header = self.schema.header();
                let message = format!("there are {count} {header}, counted from 0");
                error(self.name, message, problems).help(format!("the next one to add is {count}"));
            }
        }
    }

    fn nobody_of_that_name(&self, wanted: &str, tables: &[RawTable], problems: &mut Problems<'_>) {
        let header = self.schema.header();
        let names: Vec<String> =
            tables.iter().filter_map(|t| t.text("name").map(in_variable)).collect();
        let message = match nearest(wanted, names.iter().map(String::as_str)) {
            Some(name) => format!("no {header} is named {wanted:?}; did you mean {name:?}?"),
            None => format!("no {header} is named {wanted:?}"),
        };
        let known = if names.is_empty() { "a number from 0".to_owned() } else { names.join(", ") };
        error(self.name, message, problems).allowed(known);
    }
}

/// The longest name counts: `AUTH__BACKEND__0__URL` is of `auth.backend`, not of `auth`.
fn section_and_rest(text: &str) -> Option<(&'static Schema, &str)> {
    let split = |schema: &'static Schema| {
        let rest = text.strip_prefix(&in_variable(schema.name))?.strip_prefix("__")?;
        Some((schema, rest))
    };
    SCHEMAS.iter().filter_map(split).min_by_key(|(_, rest)| rest.len())
}

fn instance_and_key<'a>(schema: &Schema, rest: &'a str) -> (Option<Instance>, &'a str) {
    if !schema.repeats {
        return (Some(Instance::Only), rest);
    }
    let Some((instance, key)) = rest.split_once("__") else { return (None, rest) };
    let instance = match instance.parse() {
        Ok(index) => Instance::Index(index),
        Err(_) => Instance::Named(instance.to_owned()),
    };
    (Some(instance), key)
}

/// A variable such as `MAILWEIR_SERVER_HOSTNAME` was meant for us, and would be lost in silence.
fn warn_single_underscore(name: &str, rest: &str, problems: &mut Problems<'_>) {
    let of_section = |schema: &&Schema| {
        let after = rest.strip_prefix(&in_variable(schema.name)).and_then(|r| r.strip_prefix('_'));
        after.is_some_and(|key| schema.keys.iter().any(|known| in_variable(known.name) == key))
    };
    let Some(schema) = SCHEMAS.iter().find(of_section) else { return };
    let section = in_variable(schema.name);
    let key = &rest[section.len() + 1..];
    let place = Place::Variable(name.to_owned());
    let message = "this variable has no effect: section and key are divided by two underscores";
    problems.warning_at(&place, "", message).help(format!("write {PREFIX}{section}__{key}"));
}

fn unknown<'a>(
    name: &str,
    written: &str,
    words: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Problems<'_>,
) {
    let message = match nearest(written, words.clone()) {
        Some(word) => format!("unknown: {written:?}; did you mean {:?}?", in_variable(word)),
        None => format!("unknown: {written:?}"),
    };
    let words: Vec<_> = words.map(in_variable).collect();
    error(name, message, problems).allowed(words.join(", "));
}

fn error<'p>(
    name: &str,
    message: String,
    problems: &'p mut Problems<'_>,
) -> &'p mut super::Problem {
    problems.error_at(&Place::Variable(name.to_owned()), "", message)
}

/// A name in the alphabet of variables: `re-entry` is `RE_ENTRY`.
fn in_variable(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.replace('.', "__").chars().map(letter).collect()
}

/// What the names of all our variables begin with.
pub(super) const PREFIX: &str = "MAILWEIR_";
