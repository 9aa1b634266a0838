//! The patterns of all rules, each kind as one automaton.

use regex::{Regex, RegexSet, RegexSetBuilder};

use super::{BadPattern, Rule, What};

/// The patterns of all rules.
#[derive(Debug)]
pub struct Patterns {
    pub(super) subject: Kind,
    pub(super) text: Kind,
    pub(super) attachment_name: Kind,
    pub(super) attachment_type: Kind,
    /// The kinds of numbers that any rule looks for.
    pub(super) numbers: Vec<crate::numbers::NumberKind>,
}

/// All patterns of a kind, and whose they are.
#[derive(Debug)]
pub(super) struct Kind {
    set: RegexSet,
    /// The rule of each pattern.
    rules: Vec<usize>,
}

impl Patterns {
    pub(super) fn of(rules: &[Rule]) -> Result<Self, BadPattern> {
        let kind = |name, patterns: fn(&What) -> &[Regex]| Kind::of(rules, name, patterns);
        let mut numbers: Vec<_> = rules.iter().flat_map(|rule| rule.what.numbers.clone()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(Self {
            subject: kind("subject", |what| &what.subject)?,
            text: kind("text", |what| &what.text)?,
            attachment_name: kind("attachment_name", |what| &what.attachment_name)?,
            attachment_type: kind("attachment_type", |what| &what.attachment_type)?,
            numbers,
        })
    }

    /// Whether any rule looks at text.
    #[must_use]
    pub fn look_at_text(&self) -> bool {
        !self.text.is_empty() || !self.numbers.is_empty()
    }

    /// Whether any rule looks at the subject.
    #[must_use]
    pub fn look_at_subject(&self) -> bool {
        !self.subject.is_empty()
    }
}

impl Kind {
    fn of(rules: &[Rule], name: &str, patterns: fn(&What) -> &[Regex]) -> Result<Self, BadPattern> {
        let (mut written, mut owners) = (Vec::new(), Vec::new());
        for (number, rule) in rules.iter().enumerate() {
            for pattern in patterns(&rule.what) {
                written.push(pattern.as_str());
                owners.push(number);
            }
        }
        let set = RegexSetBuilder::new(written).case_insensitive(true).size_limit(LARGEST).build();
        let bad = |error: regex::Error| BadPattern {
            text: format!("all patterns of {name}").into(),
            reason: error.to_string().into(),
        };
        Ok(Self { set: set.map_err(bad)?, rules: owners })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that have a pattern for it.
    pub(super) fn rules_of<'a>(&'a self, text: &str) -> impl Iterator<Item = usize> + 'a {
        let matches = if self.is_empty() { None } else { Some(self.set.matches(text)) };
        let places = matches.into_iter().flatten();
        places.filter_map(|place| self.rules.get(place).copied())
    }
}

/// Bytes of all patterns of a kind together.
const LARGEST: usize = 100 << 20;
