//! One value as it is written, in TOML or in an environment variable, and what it can be read as.
//!
//! The file is taken literally: a number is no text and text is no number, but the refusal says
//! how to write it. A variable has no types, so its text becomes what the key needs.

use std::{borrow::Cow, ops::Range};

use toml::{Spanned, de::DeValue};

use super::{nearest::nearest, setting::Refusal};

/// A value, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct RawValue {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// Where a value or a key stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The file, at these bytes.
    File(Range<usize>),
    /// The environment variable of this name.
    Variable(String),
    /// Nowhere: a default, or something absent.
    Default,
}

/// A value as written.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// `"text"`.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A number with a fraction, which no key takes.
    Fraction(String),
    /// `true` or `false`.
    Flag(bool),
    /// `[...]`.
    List(Vec<RawValue>),
    /// `{ key = value, ... }`.
    Table(Vec<Entry>),
    /// What an environment variable says: text that is whatever the key needs.
    Loose(String),
    /// What no key takes; described in words.
    Other(&'static str),
}

/// A key of a table that stands as a value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Where the name stands.
    pub(super) place: Place,
    pub(super) value: RawValue,
}

impl RawValue {
    /// What a variable says.
    pub(super) const fn loose(text: String, place: Place) -> Self {
        Self { value: Value::Loose(text), place }
    }

    /// A default of the schema.
    pub(super) fn from_default(toml: &str) -> Option<Self> {
        let value = DeValue::parse(toml).ok()?;
        Some(Self::from_toml(&value).moved_to(&Place::Default))
    }

    pub(super) fn from_toml(value: &Spanned<DeValue<'_>>) -> Self {
        let place = Place::File(value.span());
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Value::Other("a number that is out of range"), Value::Number),
            DeValue::Float(fraction) => Value::Fraction(fraction.as_str().to_owned()),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Array(elements) => Value::List(elements.iter().map(Self::from_toml).collect()),
            DeValue::Table(table) => Value::Table(table.iter().map(Entry::from_toml).collect()),
            other @ DeValue::Datetime(_) => Value::Other(described(other)),
        };
        Self { value, place }
    }

    fn moved_to(mut self, place: &Place) -> Self {
        if let Value::List(elements) = &mut self.value {
            let moved = std::mem::take(elements).into_iter();
            *elements = moved.map(|element| element.moved_to(place)).collect();
        }
        if let Value::Table(entries) = &mut self.value {
            let moved = std::mem::take(entries).into_iter();
            *entries = moved.map(|entry| entry.moved_to(place)).collect();
        }
        self.place = place.clone();
        self
    }

    /// The text; not empty.
    pub(super) fn text(&self) -> Result<&str, Vec<Refusal>> {
        match &self.value {
            Value::Text(text) | Value::Loose(text) if text.trim().is_empty() => {
                Refusal::new(self, "the text is empty").alone()
            }
            Value::Text(text) | Value::Loose(text) => Ok(text),
            Value::Number(_)
            | Value::Fraction(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Other(_) => self.unsuited().alone(),
        }
    }

    /// The text, where an empty one means something.
    pub(super) fn text_or_nothing(&self) -> Result<Option<&str>, Vec<Refusal>> {
        match &self.value {
            Value::Text(text) | Value::Loose(text) if text.is_empty() => Ok(None),
            _ => self.text().map(Some),
        }
    }

    /// The boolean.
    pub(super) fn flag(&self) -> Result<bool, Vec<Refusal>> {
        match &self.value {
            Value::Flag(flag) => Ok(*flag),
            Value::Text(text) | Value::Loose(text) => match text.to_ascii_lowercase().as_str() {
                word @ ("true" | "false") if matches!(self.value, Value::Loose(_)) => {
                    Ok(word == "true")
                }
                "true" | "yes" | "on" | "1" => self.unsuited().hint("true").alone(),
                "false" | "no" | "off" | "0" => self.unsuited().hint("false").alone(),
                _ => self.unsuited().alone(),
            },
            Value::Number(_)
            | Value::Fraction(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Other(_) => self.unsuited().alone(),
        }
    }

    /// The number, which is not negative.
    pub(super) fn number(&self) -> Result<u64, Vec<Refusal>> {
        match &self.value {
            Value::Number(number) => u64::try_from(*number)
                .or_else(|_| Refusal::new(self, format_args!("{number} is negative")).alone()),
            Value::Loose(text) => text.trim().parse().or_else(|_| self.unsuited().alone()),
            Value::Text(text) => match text.trim().parse::<u64>() {
                Ok(number) => self.unsuited().hint(number.to_string()).alone(),
                Err(_) => self.unsuited().alone(),
            },
            Value::Fraction(_)
            | Value::Flag(_)
            | Value::List(_)
            | Value::Table(_)
            | Value::Other(_) => self.unsuited().alone(),
        }
    }

    /// The elements of the list. A variable separates them by commas or blanks, or is a TOML array.
    pub(super) fn elements(&self) -> Result<Vec<Self>, Vec<Refusal>> {
        match &self.value {
            Value::List(elements) => Ok(elements.clone()),
            Value::Loose(text) => match DeValue::parse(text.trim()) {
                Ok(array) if array.get_ref().is_array() => {
                    Self::from_toml(&array).moved_to(&self.place).elements()
                }
                _ => Ok(self.separated(text)),
            },
            Value::Text(text) => self.unsuited().hint(format!("[{text:?}]")).alone(),
            Value::Number(_)
            | Value::Fraction(_)
            | Value::Flag(_)
            | Value::Table(_)
            | Value::Other(_) => self.unsuited().alone(),
        }
    }

    /// The keys of the table.
    pub(super) fn entries(&self) -> Result<&[Entry], Vec<Refusal>> {
        match &self.value {
            Value::Table(entries) => Ok(entries),
            _ => self.unsuited().alone(),
        }
    }

    /// The meaning of the word.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, Vec<Refusal>> {
        if let Value::Fraction(number) = &self.value
            && words.iter().any(|(word, _)| word == number)
        {
            return self.unsuited().hint(format!("{number:?}")).alone();
        }
        let text = self.text()?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == text) {
            return Ok(*meaning);
        }
        let meant = nearest(text, words.iter().map(|(word, _)| *word));
        Refusal::new(self, format_args!("{text:?} is not allowed"))
            .maybe(meant.map(|word| format!("{word:?}")))
            .alone()
    }

    fn separated(&self, text: &str) -> Vec<Self> {
        text.split([',', ' '])
            .filter(|element| !element.is_empty())
            .map(|element| Self::loose(element.to_owned(), self.place.clone()))
            .collect()
    }

    fn unsuited(&self) -> Refusal {
        match &self.value {
            Value::Text(text) | Value::Loose(text) => {
                Refusal::new(self, format_args!("{text:?} is not allowed"))
            }
            Value::Number(number) => Refusal::new(self, format_args!("{number} is not allowed")),
            Value::Fraction(number) => Refusal::new(self, format_args!("{number} is not allowed")),
            Value::Flag(flag) => Refusal::new(self, format_args!("{flag} is not allowed")),
            Value::List(_) => Refusal::new(self, "a list is not allowed here"),
            Value::Table(_) => Refusal::new(self, "a table is not allowed here"),
            Value::Other(what) => Refusal::new(self, format_args!("{what} is not allowed here")),
        }
    }
}

impl Entry {
    fn from_toml((name, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)) -> Self {
        Self {
            name: name.get_ref().clone().into_owned(),
            place: Place::File(name.span()),
            value: RawValue::from_toml(value),
        }
    }

    fn moved_to(self, place: &Place) -> Self {
        Self { place: place.clone(), value: self.value.moved_to(place), ..self }
    }
}

pub(super) const fn described(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
