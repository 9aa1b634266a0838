//! Tables of patterns: `regexp:` and `pcre:` (regexp_table(5), pcre_table(5)).
//!
//! A table is read line by line as Postfix reads it (`source`, `template`), its patterns
//! as the GNU C library and PCRE2 do (`posix`, `perl`). A key goes through all of them at once
//! (`index`); what can match is asked in the order of the file (`table`), by an automaton where
//! it can do the same as the pattern (`pattern`), by PCRE2 with limits otherwise (`backtrack`, `ladder`).
//!
//! Where this differs from Postfix:
//! - A pattern that takes too many steps is an error of the lookup; Postfix warns and goes on.
//! - A table with a pattern that Postfix takes and we cannot run is refused as a whole.
//! - PCRE2 is that of the build, with what its version takes: `{,3}` is a quantifier and a
//!   look-behind may vary in length since 10.43, `\x` needs a digit since 10.45.
//! - In a key a NUL is a character like others; Postfix's keys end there.
//! - Of `regexp:` patterns, what a group holds may differ with back-references (it is what the
//!   first way of matching gives, not the longest) and within a repeated part that can match
//!   nothing, as in `((a|)+|)*`; there the library follows no rule.
//! - With the flag `E`, a pattern for PCRE2 with sets or `(?` gives an error for a key that ends
//!   with a newline. There are no such keys in mail.

mod backtrack;
mod firsts;
mod index;
mod ladder;
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
