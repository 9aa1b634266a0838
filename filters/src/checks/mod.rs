//! Header and body checks (header_checks(5)): tables look at the headers and lines of a mail, and
//! their values say what becomes of the line and of the mail.
//!
//! An [`Inspection`] is asked for each of them and decides; what it comes to is an [`Outcome`]: it
//! is carried out elsewhere. A table that cannot tell means that the mail waits.

mod action;
mod inspection;
mod outcome;
mod rules;

pub use action::{Action, ActionError, Refusal, Verb, complaint};
pub use inspection::{Edit, Inspection};
pub use outcome::{Decision, Decisions, Detour, Fate, Outcome, Trouble};
pub use rules::{ChecksRules, Context};
