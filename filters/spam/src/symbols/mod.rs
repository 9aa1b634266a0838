//! Evidence with names: what was noticed about a mail, what each of it weighs, and what it comes to.
//!
//! A [`Symbol`] is a fact that a mail may show. A [`Finding`] says that it does, how strongly, and what was seen.
//! [`Weights`] come from a file that an administrator can change; a [`Score`] adds up what was found and explains
//! itself. What becomes of the mail is decided in `decide`.
//!
//! ```
//! use mailweir_spam::symbols::{Finding, Symbol, Weights};
//!
//! let weights = Weights::default();
//! let found = [Finding::new(Symbol::SpfFail, "192.0.2.7 may not send for example.org")];
//! let score = weights.score(found);
//! assert_eq!(score.total(), weights.of(Symbol::SpfFail).weight);
//! assert!(score.log_line().contains("SPF_FAIL"));
//! ```

mod entries;
mod file;
mod finding;
mod score;
mod show;
mod symbol;
#[cfg(test)]
mod tests;

pub use entries::{Entry, Group, Repeats, Weights};
pub use file::Mistake;
pub use finding::{Finding, MOST_STRENGTH};
pub use mailweir_mail::Points;
pub use score::{Contribution, Score};
pub use show::Row;
pub use symbol::Symbol;
