//! Log-ins whose mail passes a rule for a while, since whoever approved earlier mail said so.
//!
//! It stands in the case of that mail, which is kept as long; it is for the rule that held it, and no
//! other.

use std::sync::Arc;

use mailweir_mail::QueueId;
use mailweir_moderation::case::{Actor, By, Command, Proof};

use super::{Moderation, TakeError, registry::TrustedLogin};
use crate::clock;

impl Moderation {
    /// Whether mail of this log-in passes the rule of this name now.
    pub(crate) fn trusts(&self, login: &str, rule: &str) -> bool {
        self.registry().trusts(login, rule, clock::now())
    }

    /// Every log-in that is trusted, with each rule once, in order.
    pub(crate) fn trusted(&self) -> Vec<TrustedLogin> {
        let mut all: Vec<_> =
            self.registry().trusted(clock::now()).map(|(trusted, _)| trusted).collect();
        // The longest trust comes first of those for the same rule.
        all.sort_unstable_by(|a, b| {
            (&a.login, &a.rule, b.until).cmp(&(&b.login, &b.rule, a.until))
        });
        all.dedup_by(|a, b| (&a.login, &a.rule) == (&b.login, &b.rule));
        all
    }

    /// Ends the trust in a log-in, as far as `rule` goes or for all rules, in the name of the
    /// administrator `by`. What cannot be ended keeps nothing else from ending.
    pub(crate) async fn distrust(
        self: &Arc<Self>,
        login: &str,
        rule: Option<&str>,
        by: &str,
    ) -> Distrusted {
        let is_meant = |one: &TrustedLogin| {
            one.login.to_lowercase() == login.to_lowercase()
                && rule.is_none_or(|rule| *one.rule == *rule)
        };
        let meant: Vec<QueueId> = {
            let registry = self.registry();
            let meant = registry.trusted(clock::now()).filter(|(one, _)| is_meant(one));
            meant.map(|(_, id)| id).collect()
        };
        let who = Actor::Administrator(by.into());
        let by = By { who, proof: Proof::CommandLine, from: None };
        let mut distrusted = Distrusted::default();
        for id in meant {
            match self.take(id, Command::Distrust { by: by.clone() }).await {
                Ok(_) => distrusted.mails.push(id),
                // It was forgotten meanwhile, and the trust with it.
                Err(TakeError::NoCase(_)) => {}
                Err(error) => distrusted.left.push((id, error)),
            }
        }
        distrusted
    }
}

/// What came of ending the trust in a log-in.
#[derive(Debug, Default)]
pub(crate) struct Distrusted {
    /// The mails whose trust is ended.
    pub(crate) mails: Vec<QueueId>,
    /// Those whose trust holds still, and why.
    pub(crate) left: Vec<(QueueId, TakeError)>,
}
