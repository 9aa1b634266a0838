//! What of a text can be found: terms with positions.
//!
//! * Text is brought to NFKC, so full width, half width and compatibility forms are one; then to lower case.
//! * Letters and digits that stand together are a **run**. What is neither ends it: spaces,
//!   punctuation, apostrophes (so French `l'avis` is `l` and `avis`). Characters that are not to be
//!   seen (soft hyphen, zero-width space, variation selectors) count as absent.
//! * A run of a script with word breaks is a word: one term, and at the same position a second one
//!   without accents if that differs (`café`, `cafe`).
//! * A run with any character of a script without word breaks (Han, Kana, Hangul; Thai and its
//!   neighbours) becomes overlapping pairs of characters, Latin letters in it as well, because
//!   `A社` is asked for as often as `社`. The words in it are terms too. Its last character is a
//!   term by itself, so that every such character begins a term: one alone is found by prefix.
//! * A line break between two such characters is no break: mail is wrapped in the midst of words.
//!
//! Nothing here reads a file, a clock or an index.

mod class;
mod fold;
mod terms;
mod wanted;

pub use terms::Terms;
pub use wanted::{Pattern, Wanted, wanted};

pub(crate) use fold::folded;

/// The version of these rules. An index made by others is made anew.
pub const RULES: u32 = 1;

/// Characters of the longest term; a longer word is cut into pieces of this length at consecutive
/// positions, and a question for it likewise.
pub const MAX_TERM: usize = 64;

/// Characters of a text that are read, and an upper bound for half the terms it can give.
pub const MAX_TEXT: usize = 2_000_000;

/// Before a pair of which neither character is of a script without word breaks (`ip` in `iPhone用`),
/// so that it is not taken for a word.
pub(crate) const PAIR: char = '\u{2}';

#[cfg(test)]
mod tests;
