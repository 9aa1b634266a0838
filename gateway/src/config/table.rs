//! Lookup tables as settings: `"pcre:/etc/mailweir/header_checks"`.

use std::{fmt, path::Path};

use mailweir_filters::{
    checks::{self, Context},
    restrictions, rewriting,
};
use mailweir_tables::{Engine, Matching, Place, Spec, SpecError, Table};

use super::{
    Surroundings,
    problem::Problems,
    raw::RawTable,
    setting::{Element, Refusal, Setting},
    value::RawValue,
};

/// The name of a lookup table, as Postfix writes it: `type:name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName(Spec);

impl TableName {
    /// The table of this name.
    ///
    /// # Errors
    /// It is no name of a table; says why.
    pub(super) fn parse(text: &str) -> Result<Self, SpecError> {
        Spec::parse(text).map(Self)
    }

    /// The table that is named.
    #[must_use]
    pub const fn spec(&self) -> &Spec {
        &self.0
    }
}

impl From<Spec> for TableName {
    fn from(spec: Spec) -> Self {
        Self(spec)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Setting for TableName {
    const ALLOWED: &'static str = "a table, such as \"pcre:/etc/mailweir/header_checks\"";
    const EXAMPLE: &'static str = "\"pcre:/etc/mailweir/header_checks\"";

    fn from_value(value: &RawValue) -> Result<Self, Vec<Refusal>> {
        let text = value.text()?;
        Self::parse(text)
            .or_else(|error| Refusal::new(value, format_args!("{text:?}: {error}")).alone())
    }
}

impl Element for TableName {
    const LIST_ALLOWED: &'static str =
        "a list of tables, such as [\"pcre:/etc/mailweir/header_checks\"]";
    const LIST_EXAMPLE: &'static str = "[\"pcre:/etc/mailweir/header_checks\"]";
}

/// How a table is used.
#[derive(Clone, Copy)]
pub(super) struct Usage<'u> {
    /// What its keys are.
    pub(super) matching: Matching,
    /// What its values are.
    pub(super) values: Values<'u>,
}

/// What the values of a table are.
#[derive(Clone, Copy)]
pub(super) enum Values<'u> {
    /// Nothing that can be judged here.
    Any,
    /// Actions of checks of content.
    Checks(Context),
    /// Actions of access(5). Says which restriction classes there are.
    Access(&'u dyn Fn(&str) -> bool),
    /// Transports (transport(5)).
    Transports,
    /// Next hops.
    Relays,
}

impl Usage<'_> {
    /// A table of bytes whose values can be anything.
    pub(super) const ANY: Self = Self { matching: Matching::Bytes, values: Values::Any };
}

/// A table that is in use, as it was when the configuration was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSummary {
    /// Its name.
    pub name: TableName,
    /// How many rules or keys there are; `None` if another server knows.
    pub rules: Option<usize>,
    /// The rules that need the backtracking engine: their lines.
    pub backtracking: Vec<u32>,
}

/// Reads the tables of a key once, so that all that is wrong in them is said with the rest. Lines
/// that do not count are warnings, as in Postfix, and so are values that cannot be followed; a
/// table that cannot be used is an error.
pub(super) fn check(
    table: &RawTable,
    key: &str,
    names: &[TableName],
    usage: Usage<'_>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    for (index, name) in names.iter().enumerate() {
        check_one(table, (key, index), name, usage, around, problems);
    }
}

/// Reads one table, which is the element at this place of a key's list.
pub(super) fn check_one(
    table: &RawTable,
    (key, index): (&str, usize),
    name: &TableName,
    usage: Usage<'_>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    let mut read = |path: &Path| (around.files)(path);
    match Table::load(name.spec(), usage.matching, &mut read) {
        Ok(loaded) => {
            let place = table.place_of_element(key, index);
            let mut wrong = Wrong::default();
            loaded.warnings.iter().for_each(|warning| wrong.add(|| warning.to_string()));
            usage.values.judge(&loaded.table, &mut wrong);
            for message in wrong.named {
                problems.warning_at(place, table.path_of(key), message);
            }
            if wrong.more > 0 {
                let message = format!("{name}: {} more lines have mistakes", wrong.more);
                problems.warning_at(place, table.path_of(key), message);
            }
            problems.note_table(summary(name, &loaded.table));
        }
        Err(error) => {
            problems.element_error(table, key, index, error.to_string());
        }
    }
}

impl Values<'_> {
    fn judge(self, table: &Table, wrong: &mut Wrong) {
        match self {
            Self::Any => {}
            Self::Checks(context) => table.each_value(&mut |place, value| {
                if let Some(error) = rewriting::filter_complaint(value) {
                    wrong.add(|| format!("{place}: {error}"));
                }
                let verb = value.split(u8::is_ascii_whitespace).next().unwrap_or_default();
                if !verb.contains(&b'$')
                    && let Some(error) = checks::complaint(context, value)
                {
                    wrong.add(|| format!("{place}: {error}"));
                }
            }),
            Self::Access(is_class) => table.each_value(&mut |place, value| {
                let complaint = restrictions::complaint(value, is_class);
                if let Some(error) = complaint.or_else(|| rewriting::filter_complaint(value)) {
                    wrong.add(|| format!("{place}: {error}"));
                }
            }),
            Self::Transports => judge(table, rewriting::transport_complaint, wrong),
            Self::Relays => judge(table, rewriting::relay_complaint, wrong),
        }
    }
}

fn judge(table: &Table, complaint: fn(&[u8]) -> Option<String>, wrong: &mut Wrong) {
    table.each_value(&mut |place, value| {
        if let Some(error) = complaint(value) {
            wrong.add(|| format!("{place}: {error}"));
        }
    });
}

/// What is wrong in a table.
#[derive(Default)]
struct Wrong {
    named: Vec<String>,
    more: usize,
}

impl Wrong {
    fn add(&mut self, message: impl FnOnce() -> String) {
        if self.named.len() < MOST_NAMED { self.named.push(message()) } else { self.more += 1 }
    }
}

fn summary(name: &TableName, table: &Table) -> TableSummary {
    let backtracks = |&(_, engine): &(Place, Engine)| engine == Engine::Backtracking;
    let engines = table.engines().into_iter().filter(backtracks);
    let mut backtracking: Vec<u32> = engines.filter_map(|(place, _)| place.line).collect();
    backtracking.dedup();
    TableSummary { name: name.clone(), rules: table.rule_count(), backtracking }
}

/// Of a file that is no table at all, not every line is named.
const MOST_NAMED: usize = 20;
