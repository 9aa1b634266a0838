//! Header and body checks (header_checks(5)): tables look at the headers and lines of a mail, and
//! their values say what becomes of the line and of the mail.
//!
//! [`ContentChecks`] takes a mail in pieces and gives it out edited; [`Inspection`] is the part of
//! it that others ask too, who see the mail as a person does. What it comes to is an [`Outcome`]:
//! it is carried out elsewhere. A table that cannot tell means that the mail waits.

mod action;
mod content;
mod inspection;
mod line;
mod outcome;
mod output;
mod reading;
mod rules;

pub use action::{Action, ActionError, Refusal, Verb, complaint};
pub use content::ContentChecks;
pub use inspection::{Edit, Inspection};
pub use line::header_line;
pub use outcome::{Decision, Decisions, Detour, Fate, Outcome, Trouble};
pub use output::Output;
pub use rules::{ChecksRules, Context};

#[cfg(test)]
mod tests;
