//! Tables of patterns: `regexp:` and `pcre:` (regexp_table(5), pcre_table(5)).

use std::sync::Arc;

use crate::{Found, LookupError, Warning};

/// What the characters of keys and patterns are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matching {
    /// Bytes, as Postfix matches: `.` is one byte, and only ASCII letters have a case.
    #[default]
    Bytes,
    /// UTF-8 text, for the decoded checks: `.` is one character, and every letter has its case.
    Text,
}

/// What runs a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// The automaton of the whole table: linear in the key, whatever the rules.
    Automaton,
    /// Backtracking with a step limit: look-around, back-references and what else needs it.
    Backtracking,
}

/// How the patterns of a table are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// POSIX (regexp_table(5)).
    Regexp,
    /// PCRE (pcre_table(5)).
    Pcre,
}

/// Why a table of patterns cannot be used as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {}

/// A table of patterns.
#[derive(Debug)]
pub(crate) struct RuleTable {}

impl RuleTable {
    pub(crate) fn parse(
        _dialect: Dialect,
        _matching: Matching,
        _name: Arc<str>,
        _source: &[u8],
    ) -> Result<(Self, Vec<Warning>), RulesError> {
        Ok((Self {}, Vec::new()))
    }

    pub(crate) fn lookup(&self, _key: &[u8]) -> Result<Option<Found<'_>>, LookupError> {
        Ok(None)
    }

    pub(crate) fn engines(&self) -> impl Iterator<Item = (u32, Engine)> {
        std::iter::empty()
    }
}
