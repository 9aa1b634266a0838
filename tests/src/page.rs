//! A page of the manual whose examples a test follows, so that the page cannot rot.

use std::{fs, path::Path};

/// A page of the manual.
#[derive(Debug)]
pub struct Page(String);

impl Page {
    /// Reads a page, such as `rules.md`.
    ///
    /// # Panics
    /// If there is none of that name.
    #[must_use]
    pub fn read(name: &str) -> Self {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        Self(fs::read_to_string(page).expect("a page of the manual"))
    }

    /// The examples under a heading, in order: those in this language, `""` for none.
    ///
    /// # Panics
    /// If there is no such heading.
    #[must_use]
    pub fn examples(&self, heading: &str, language: &str) -> Vec<&str> {
        let (_, rest) = self.0.split_once(&format!("\n## {heading}\n")).expect("a heading");
        let under = rest.split("\n## ").next().unwrap_or_default();
        let fenced = under.split("```").skip(1).step_by(2);
        let parted = fenced.filter_map(|example| example.split_once('\n'));
        parted.filter(|(named, _)| *named == language).map(|(_, text)| text).collect()
    }

    /// What stands in the first section of this header in the TOML under a heading: its lines from `first` on.
    ///
    /// # Panics
    /// If there is no such section, or no such line in it.
    #[must_use]
    pub fn section(&self, heading: &str, header: &str, first: &str) -> &str {
        let toml = self.examples(heading, "toml")[0];
        let (_, rest) = toml.split_once(&format!("{header}\n")).expect("a section");
        let lines = rest.split("\n[").next().unwrap_or_default();
        &lines[lines.find(first).expect("a line")..]
    }
}

/// The parameters of an example of main.cf.
///
/// # Panics
/// If a line is none.
#[must_use]
pub fn parameters(main_cf: &str) -> Vec<(&str, &str)> {
    main_cf.lines().map(|line| line.split_once(" = ").expect("a parameter")).collect()
}
