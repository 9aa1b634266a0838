//! From what a rule says to what is frozen with one mail.

use std::time::Duration;

use mailweir_mail::{Address, Timestamp};

use super::{Approval, ApprovalLevel, Calendar, End, Hold, Patience, People, Wait};
use crate::case::{
    AtExpiry, Escalation, Expiry, Kind, Level, OwnMail, Plan, RuleName, TellsSender,
};

/// What is known of a mail that is about to be held.
#[derive(Clone, Debug)]
pub struct HeldMail {
    /// The rule that holds it.
    pub rule: RuleName,
    /// All other rules that match, in order.
    pub also: Vec<RuleName>,
    /// Who sent it, under every name that is known. The first is where notices go, and who confirms.
    pub senders: Vec<Address>,
    /// How many recipients wait.
    pub recipients: u32,
    /// SHA-256 of the content as stored.
    pub content: [u8; 32],
}

impl Hold {
    /// Freezes what is to happen with a mail that comes now: who decides, of those who are there
    /// today, and all times.
    #[must_use]
    pub fn plan(
        &self,
        mail: HeldMail,
        (people, calendar): (&People, &Calendar<'_>),
        now: Timestamp,
    ) -> Plan {
        let HeldMail { rule, also, senders, recipients, content } = mail;
        let mut plan = Plan {
            rule,
            also,
            kind: self.wait.kind(),
            levels: vec![of_sender(&senders)],
            senders,
            recipients,
            content,
            own_mail: OwnMail::Allowed,
            remind_every: None,
            escalation: None,
            expiry: None,
            tells_sender: self.tells_sender,
        };
        match &self.wait {
            Wait::Approval(approval) => approve(&mut plan, approval, (people, calendar), now),
            Wait::Delay(delay) => {
                let at = now.plus(*delay);
                plan.expiry = Some(Expiry { at, warning: None, action: AtExpiry::Release });
            }
            Wait::Confirmation(patience) => wait(&mut plan, patience, now),
        }
        plan
    }
}

/// What is frozen of a mail that goes at once and of which people hear: nobody decides about it.
#[must_use]
pub fn notice(mail: HeldMail) -> Plan {
    let HeldMail { rule, also, senders, recipients, content } = mail;
    Plan {
        rule,
        also,
        kind: Kind::Delay,
        levels: Vec::new(),
        senders,
        recipients,
        content,
        own_mail: OwnMail::Never,
        remind_every: None,
        escalation: None,
        expiry: None,
        tells_sender: TellsSender::Never,
    }
}

/// One level, at which the sender decides. Only one name is asked: they are all one person.
fn of_sender(senders: &[Address]) -> Level {
    let sender = senders.first().cloned().map(crate::case::Moderator::new);
    Level { moderators: sender.into_iter().collect(), needed: 1 }
}

fn approve(
    plan: &mut Plan,
    approval: &Approval,
    (people, calendar): (&People, &Calendar<'_>),
    now: Timestamp,
) {
    let there = |at: Timestamp, asked: &[Address]| people.on(&|person| calendar(person, at), asked);
    let level = |level: &ApprovalLevel| Level {
        moderators: there(now, &level.moderators),
        needed: level.needed,
    };
    plan.levels = approval.levels.iter().map(level).collect();
    plan.own_mail = approval.own_mail;
    plan.escalation = approval.escalation.as_ref().and_then(|escalation| {
        let at = now.plus(escalation.after);
        // Whoever is away today may be back by then.
        let to = there(at, &escalation.people);
        (!to.is_empty()).then_some(Escalation { at, to })
    });
    wait(plan, &approval.patience, now);
}

fn wait(plan: &mut Plan, patience: &Patience, now: Timestamp) {
    let seconds = |span: Duration| u32::try_from(span.as_secs()).unwrap_or(u32::MAX).max(1);
    plan.remind_every = patience.remind_every.map(seconds);
    plan.expiry = patience.end.map(|End { after, warn_before, action }| Expiry {
        at: now.plus(after),
        warning: warn_before.map(|before| now.plus(after.saturating_sub(before))),
        action,
    });
}
