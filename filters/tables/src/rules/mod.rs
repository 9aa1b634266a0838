//! Tables of patterns: `regexp:` and `pcre:` (regexp_table(5), pcre_table(5)).

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
