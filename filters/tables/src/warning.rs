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
