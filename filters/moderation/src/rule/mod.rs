//! Which mail waits: rules in order, each with conditions on who sends it, to whom, what is in it
//! and when.
//!
//! All conditions of a rule must hold; of a list, any entry. A condition that is not written holds.
//! The first rule that matches decides; the others that match are recorded. Content is watched as it
//! flows past ([`Watch`]), by one automaton for all rules.

mod condition;
mod foresee;
mod hours;
mod judge;
mod patterns;
mod watch;

pub use condition::{AddressPattern, BadPattern, What, Who, Whom};
pub use foresee::{Chance, Expected, Prospect};
pub use hours::{Hours, LocalTime, Weekday};
pub use judge::{Judgement, LogIn, MailFacts, Match, Reason};
pub use patterns::{Patterns, TooLarge};
pub use watch::{Glance, Watch};

/// A pattern as rules hold it; [`What::pattern`] makes one.
pub use regex::Regex;

use std::sync::Arc;

use crate::case::RuleName;

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, and where it stands.
    pub name: RuleName,
    /// Who sends the mail.
    pub who: Who,
    /// To whom.
    pub whom: Whom,
    /// What is in it.
    pub what: What,
    /// When it comes. Empty: at any time.
    pub when: Vec<Hours>,
}

/// Rules in order, made ready to watch mail. By default there is none.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Arc<[Rule]>,
    patterns: Arc<Patterns>,
}

impl Rules {
    /// Makes rules ready.
    ///
    /// # Errors
    /// All patterns of a kind together are too large for one automaton; says which, and from which
    /// rule on.
    pub fn new(rules: Vec<Rule>) -> Result<Self, TooLarge> {
        let patterns = Arc::new(Patterns::of(&rules)?);
        Ok(Self { rules: rules.into(), patterns })
    }

    /// The rules, in order.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether a rule asks in which groups the sender is.
    #[must_use]
    pub fn ask_for_groups(&self) -> bool {
        self.rules.iter().any(|rule| !rule.who.groups.is_empty())
    }

    /// Whether a rule asks to whom the sender wrote before.
    #[must_use]
    pub fn ask_for_correspondents(&self) -> bool {
        self.rules.iter().any(|rule| rule.whom.new_correspondent)
    }

    /// Watches a mail that begins to arrive.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::new(Arc::clone(&self.patterns), self.rules.len())
    }

    /// Which rules match a mail that was watched to its end.
    #[must_use]
    pub fn judge(&self, facts: &MailFacts<'_>, watch: &Watch) -> Judgement {
        judge::judge(&self.rules, facts, watch, LogIn::Known)
    }

    /// Which rules could match a mail that was watched to its end, if it is not known who logged in.
    #[must_use]
    pub fn judge_whoever(&self, facts: &MailFacts<'_>, watch: &Watch) -> Judgement {
        judge::judge(&self.rules, facts, watch, LogIn::Unknown)
    }

    /// Whether a rule asks who logged in.
    #[must_use]
    pub fn ask_for_log_ins(&self) -> bool {
        self.rules.iter().any(|rule| !rule.who.logins.is_empty() || !rule.who.groups.is_empty())
    }

    /// Which rules may match a mail that has not come yet, with their numbers, in order.
    #[must_use]
    pub fn foresee(&self, prospect: &Prospect<'_>) -> Vec<(usize, Chance)> {
        foresee::foresee(&self.rules, prospect)
    }
}

#[cfg(test)]
mod tests;
