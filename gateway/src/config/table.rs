//! Lookup tables as settings: `"pcre:/etc/mailweir/header_checks"`.

use std::{fmt, path::Path};

use mailweir_tables::{Matching, Spec, SpecError, Table};

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

/// Reads the tables of a key once, so that all that is wrong in them is said with the rest. Lines
/// that do not count are warnings, as in Postfix; a table that cannot be used is an error.
pub(super) fn check(
    table: &RawTable,
    key: &str,
    names: &[TableName],
    matching: Matching,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    for (index, name) in names.iter().enumerate() {
        check_one(table, (key, index), name, matching, around, problems);
    }
}

/// Reads one table, which is the element at this place of a key's list.
pub(super) fn check_one(
    table: &RawTable,
    (key, index): (&str, usize),
    name: &TableName,
    matching: Matching,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) {
    let mut read = |path: &Path| (around.files)(path);
    match Table::load(name.spec(), matching, &mut read) {
        Ok(loaded) => {
            let place = table.place_of_element(key, index);
            for warning in loaded.warnings.iter().take(MOST_NAMED) {
                problems.warning_at(place, table.path_of(key), warning.to_string());
            }
            if let more @ 1.. = loaded.warnings.len().saturating_sub(MOST_NAMED) {
                let message = format!("{name}: {more} more lines have mistakes");
                problems.warning_at(place, table.path_of(key), message);
            }
        }
        Err(error) => {
            problems.element_error(table, key, index, error.to_string());
        }
    }
}

/// Of a file that is no table at all, not every line is named.
const MOST_NAMED: usize = 20;
