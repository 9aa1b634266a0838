//! The configuration under arbitrary text: whatever it says, an answer comes, and it can be shown.
//!
//! The body of the fuzz target `config`; the target itself is only the loop around it.

use std::path::Path;

use mailweir::config::{Colour, Config, Severity, Surroundings, report};

/// Checks `data` as the text of a file, with an environment made of its lines `NAME=VALUE`.
///
/// # Panics
/// If the checks break a promise: a file that cannot be used has an error, one that can be used has
/// none, and the answer moves no cursor.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let environment: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let path = Path::new("mailweir.toml");
    let around = Surroundings {
        environment: &environment,
        machine_name: None,
        time_zone: None,
        files: &|_| Ok(data.to_vec()),
    };
    let checked = Config::parse(path, &text, &around);
    let (Ok((_, problems)) | Err(problems)) = &checked;
    let has_error = problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(has_error, checked.is_err());
    let answer = report(path, &checked, Colour::Plain);
    assert!(answer.chars().all(|c| c == '\n' || !c.is_control()), "{answer:?}");
}
