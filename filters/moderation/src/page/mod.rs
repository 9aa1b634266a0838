//! Pages: what the reader of one may do, and what of that they want.
//!
//! What a page says stands in [`crate::notice::page`], since notices say the same. Here is what may come
//! back from it. The engine has the last word: [`choices`] asks it beforehand, so that no page offers
//! what would be refused.

pub(crate) mod choice;
mod wish;

pub use choice::{Choice, choices};
pub use wish::Wish;

#[cfg(test)]
mod tests;
