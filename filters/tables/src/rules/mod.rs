//! Tables of patterns: `regexp:` and `pcre:` (regexp_table(5), pcre_table(5)).
//!
//! A table is read line by line as Postfix reads it (`lines`, `source`, `template`), its patterns
//! as the GNU C library and PCRE2 do (`posix`, `perl`). A key goes through all of them at once
//! (`index`); what can match is asked in the order of the file (`table`), by an automaton where
//! it can do the same as the pattern (`pattern`), by PCRE2 with limits otherwise (`backtrack`).
//!
//! Where this differs from Postfix:
//! - A pattern that takes too many steps is an error of the lookup; Postfix warns and goes on.
//! - An empty result is an error of the lookup, as Postfix's own callers treat it.
//! - A table with a pattern that Postfix takes and we cannot run is refused as a whole.
//! - PCRE2 is that of the build: `{,3}` is a quantifier since its version 10.43.
//! - In a key a NUL is a character like others; Postfix's keys end there.
//! - Of `regexp:` patterns with `$1` and back-references, a group holds what the first way of
//!   matching gives it, not the longest.

mod backtrack;
mod index;
mod lines;
mod literals;
mod node;
mod pattern;
mod perl;
mod posix;
mod source;
mod table;
mod template;
mod unicode;

#[cfg(test)]
mod tests;

pub(crate) use table::RuleTable;
pub use table::RulesError;

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
    /// `regexp:`, POSIX regular expressions as the GNU C library has them.
    Regexp,
    /// `pcre:`, Perl's as PCRE2 has them.
    Pcre,
}
