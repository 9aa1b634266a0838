//! What is wrong with a line of a table. The rest of the table is used, as Postfix does.

use std::{fmt, sync::Arc};

/// A line that was skipped, or that does not do what it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The table as it was configured.
    pub table: Arc<str>,
    /// The line, from 1, if it is about one.
    pub line: Option<u32>,
    /// What is wrong and what became of it, in Postfix's words where it has some.
    pub text: Box<str>,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}, line {line}: {}", self.table, self.text),
            None => write!(f, "{}: {}", self.table, self.text),
        }
    }
}

/// The warnings of one table: the first [`KEPT`], and how many more there were.
#[derive(Debug)]
pub(crate) struct Warnings {
    table: Arc<str>,
    kept: Vec<Warning>,
    more: usize,
}

impl Warnings {
    pub(crate) fn of(table: &Arc<str>) -> Self {
        Self { table: Arc::clone(table), kept: Vec::new(), more: 0 }
    }

    /// Notes what is wrong with a line.
    pub(crate) fn add(&mut self, line: u32, text: impl Into<Box<str>>) {
        if self.kept.len() == KEPT {
            self.more += 1;
            return;
        }
        let table = Arc::clone(&self.table);
        self.kept.push(Warning { table, line: Some(line), text: text.into() });
    }

    pub(crate) fn into_vec(mut self) -> Vec<Warning> {
        if self.more > 0 {
            let text = format!("{} more warnings like these", self.more).into();
            self.kept.push(Warning { table: self.table, line: None, text });
        }
        self.kept
    }
}

/// A source where every line is wrong is the wrong file: nobody reads a million warnings.
const KEPT: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thousand_warnings_are_kept_and_the_rest_counted() {
        let mut warnings = Warnings::of(&"hash:/etc/x".into());
        (1..=1_003).for_each(|line| warnings.add(line, "bad"));
        let warnings = warnings.into_vec();
        assert_eq!(warnings.len(), 1_001);
        assert_eq!(warnings[999].to_string(), "hash:/etc/x, line 1000: bad");
        assert_eq!(warnings[1_000].to_string(), "hash:/etc/x: 3 more warnings like these");
    }
}
