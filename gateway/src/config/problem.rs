//! A problem of the configuration, and how it is told: as compilers do.

use std::fmt;

/// Something wrong with the configuration, complete in itself: place, line, what is allowed.
///
/// `Display` gives the message, the line it is about, and the help, without colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Whether the configuration can be used in spite of it.
    pub severity: Severity,
    /// Where it is.
    pub location: Location,
    /// The key, with its section: `listener[0].tls`. Empty if the problem is of no key.
    pub key: String,
    /// What is wrong; names the value.
    pub message: String,
    /// Which values are allowed.
    pub allowed: Option<String>,
    /// What to do, or what was probably meant.
    pub help: Option<String>,
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
    /// In the file as a whole: it cannot be read, or something is missing.
    File {
        /// The path as it was given.
        path: String,
    },
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
        /// The whole line.
        text: String,
    },
    /// In the environment.
    Variable {
        /// The name of the variable.
        name: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Collects problems.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    _file: &'a str,
}
