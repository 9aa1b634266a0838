//! How problems look on a terminal: as compilers tell them, with the line and what is allowed.
//!
//! ```text
//! mailweir.toml:12:1: error: listener[0].mdoe: unknown key; did you mean "mode"?
//!    12 | mdoe = "mx"
//!       | ^^^^
//!       = allowed: ...
//! ```

use std::{collections::HashSet, fmt, path::Path};

use super::{Config, Location, Problem, Severity};
use crate::count::counted;

/// Whether escape sequences for colours may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Into a file, a pipe or a log.
    Plain,
    /// Onto a terminal.
    Terminal,
}

/// What `mailweir check` prints: every problem, then the verdict, and for a configuration that can
/// be used a summary of it.
#[must_use]
pub fn report(
    path: &Path,
    checked: &Result<(Config, Vec<Problem>), Vec<Problem>>,
    colour: Colour,
) -> String {
    let (Ok((_, problems)) | Err(problems)) = checked;
    let mut text = String::new();
    let mut told = HashSet::new();
    for problem in problems {
        // What is allowed for a key, and which keys a section has, is worth saying once.
        let of = if problem.message.starts_with("unknown") { "" } else { &problem.key };
        let shown = match &problem.allowed {
            Some(allowed) if !told.insert((of, allowed)) => {
                &Problem { allowed: None, ..problem.clone() }
            }
            _ => problem,
        };
        text.push_str(&shown.render(colour));
        text.push('\n');
    }
    let count = |severity| problems.iter().filter(|p| p.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let sum = match (errors, warnings) {
        (0, 0) => "no problems".to_owned(),
        (0, warnings) => counted(warnings, "warning"),
        (errors, 0) => counted(errors, "error"),
        (errors, warnings) => {
            format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))
        }
    };
    let path = path.display();
    match checked {
        Ok((config, _)) => text + &format!("{path}: {sum}\n\n{}", config.describe()),
        Err(_) => text + &format!("{path}: {sum}; this configuration cannot be used\n"),
    }
}

impl Problem {
    /// The problem with its line and its help, each line ended.
    #[must_use]
    pub fn render(&self, colour: Colour) -> String {
        let paint = |sgr: &str, text: &str| match colour {
            Colour::Plain => text.to_owned(),
            Colour::Terminal => format!("\x1b[{sgr}m{text}\x1b[0m"),
        };
        let severity = match self.severity {
            Severity::Error => paint("1;31", "error"),
            Severity::Warning => paint("1;33", "warning"),
        };
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        let headline = format!("{key}{}", self.message);
        let mut text = format!(
            "{}: {severity}: {}\n",
            paint("1", &self.location.to_string()),
            paint("1", &headline)
        );
        if let Location::Line { line, column, width, text: source, .. } = &self.location {
            let (source, column) = excerpt(source, (*column).min(source.chars().count() + 1));
            let width = (*width).min((source.chars().count() + 1).saturating_sub(column)).max(1);
            let marks = paint("1;31", &"^".repeat(width));
            text += &format!("{} {source}\n", paint("34", &format!("{line:>5} |")));
            text += &format!("{} {}{marks}\n", paint("34", "      |"), " ".repeat(column - 1));
        }
        let notes = [("allowed", &self.allowed), ("help", &self.help)];
        for (label, note) in notes {
            let Some(note) = note else { continue };
            let prefix = format!("      {} {label}: ", paint("34", "="));
            text += &indented(&prefix, " ".repeat(label.len() + 10).as_str(), note);
        }
        text
    }
}

impl fmt::Display for Problem {
    /// As [`Problem::render`] without colours and without the last line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(Colour::Plain).trim_end())
    }
}

impl fmt::Display for Location {
    /// `mailweir.toml:12:1`, the name of a variable, or the path of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { path, line, column, .. } => write!(f, "{path}:{line}:{column}"),
            Self::Variable { name } => f.write_str(name),
            Self::File { path } => f.write_str(path),
        }
    }
}

/// The part of a long line around a column, and where the column then is.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    if line.chars().count() <= LONGEST_LINE {
        return (line.to_owned(), column);
    }
    let skipped = column.saturating_sub(LONGEST_LINE / 2);
    let part: String = line.chars().skip(skipped).take(LONGEST_LINE).collect();
    (part, column - skipped)
}

/// Text behind a prefix, broken between words; lines of its own stay lines.
fn indented(prefix: &str, indent: &str, text: &str) -> String {
    let mut wrapped = String::from(prefix);
    for (number, line) in text.lines().enumerate() {
        let mut width = indent.len();
        if number > 0 {
            wrapped += indent;
        }
        for (number, word) in line.split(' ').enumerate() {
            if number > 0 && width + 1 + word.chars().count() > LONGEST_LINE {
                wrapped.push('\n');
                wrapped += indent;
                width = indent.len();
            } else if number > 0 {
                wrapped.push(' ');
                width += 1;
            }
            wrapped += word;
            width += word.chars().count();
        }
        wrapped.push('\n');
    }
    wrapped
}

const LONGEST_LINE: usize = 100;
