//! Which rules match a mail, for which recipients, and why.

use std::fmt;

use mailweir_mail::{Address, Domain, ReversePath};
use serde::{Deserialize, Serialize};

use super::{LocalTime, Rule, Watch, What, Who, Whom};
use crate::numbers::NumberKind;

/// What is known of a mail besides its content.
#[derive(Clone, Copy)]
pub struct MailFacts<'a> {
    /// The label of the listener that it came to.
    pub listener: &'a str,
    /// The login.
    pub login: Option<&'a str>,
    /// The groups of the sender.
    pub groups: &'a [Box<str>],
    /// The name of the credential.
    pub credential: Option<&'a str>,
    /// The envelope sender.
    pub sender: &'a ReversePath,
    /// The recipients, aliases written out.
    pub recipients: &'a [Address],
    /// Whether a domain is ours.
    pub is_ours: &'a dyn Fn(&Domain) -> bool,
    /// Whether the sender has had mail of an address, or wrote to it.
    pub is_known: &'a dyn Fn(&Address) -> bool,
    /// Bytes of the mail.
    pub size: u64,
    /// When it came.
    pub time: LocalTime,
}

/// Which rules match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Those that match, in order. The first decides.
    pub matches: Vec<Match>,
}

/// A rule that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Its number among the rules.
    pub rule: usize,
    /// The recipients for whom it matches, in order; all, unless it asks for some.
    pub recipients: Vec<u32>,
    /// Why, for moderators and senders.
    pub reasons: Vec<Reason>,
}

/// Why a rule matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Some recipients are not ours.
    Outside(usize),
    /// The sender never wrote to some recipients before.
    NewCorrespondent(usize),
    /// It has so many recipients.
    Recipients(usize),
    /// Its subject.
    Subject(Box<str>),
    /// A line of its text.
    Text(Box<str>),
    /// The name of an attachment.
    AttachmentName(Box<str>),
    /// The type of an attachment.
    AttachmentType(Box<str>),
    /// It has an attachment.
    Attachment,
    /// Its size in bytes.
    Size(u64),
    /// So many numbers of a kind stand in it.
    Numbers(NumberKind, u32),
    /// It came at a time of the week.
    Time,
}

/// Whether it is known who logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogIn {
    /// It is what the facts say.
    Known,
    /// It is not: whatever a rule asks of log-in and groups is met.
    Unknown,
}

pub(super) fn judge(
    rules: &[Rule],
    facts: &MailFacts<'_>,
    watch: &Watch,
    log_in: LogIn,
) -> Judgement {
    let numbered = rules.iter().enumerate();
    let matches =
        numbered.filter_map(|(number, rule)| match_rule(number, rule, facts, watch, log_in));
    Judgement { matches: matches.collect() }
}

fn match_rule(
    number: usize,
    rule: &Rule,
    facts: &MailFacts<'_>,
    watch: &Watch,
    log_in: LogIn,
) -> Option<Match> {
    let mut reasons = Vec::new();
    let is_due = rule.when.is_empty() || rule.when.iter().any(|hours| hours.contain(facts.time));
    if !is_due || !is_sent_by(&rule.who, facts, log_in) {
        return None;
    }
    let recipients = recipients(&rule.whom, facts, &mut reasons)?;
    contains(&rule.what, number, facts, watch, &mut reasons)?;
    if !rule.when.is_empty() {
        reasons.push(Reason::Time);
    }
    Some(Match { rule: number, recipients, reasons })
}

fn is_sent_by(who: &Who, facts: &MailFacts<'_>, log_in: LogIn) -> bool {
    let same = |list: &[Box<str>], value: Option<&str>| {
        list.is_empty() || value.is_some_and(|value| list.iter().any(|one| **one == *value))
    };
    let login = who.logins.is_empty()
        || facts.login.is_some_and(|login| {
            who.logins.iter().any(|one| one.to_lowercase() == login.to_lowercase())
        });
    let sender = who.senders.is_empty()
        || facts
            .sender
            .address()
            .is_some_and(|sender| who.senders.iter().any(|pattern| pattern.matches(sender)));
    let group =
        who.groups.is_empty() || who.groups.iter().any(|group| facts.groups.contains(group));
    (login && group || log_in == LogIn::Unknown)
        && sender
        && same(&who.credentials, facts.credential)
        && same(&who.listeners, Some(facts.listener))
}

/// The recipients that the rule means; `None`: nobody.
fn recipients(whom: &Whom, facts: &MailFacts<'_>, reasons: &mut Vec<Reason>) -> Option<Vec<u32>> {
    let count = facts.recipients.len();
    if let Some(more_than) = whom.more_than {
        if count <= more_than as usize {
            return None;
        }
        reasons.push(Reason::Recipients(count));
    }
    let is_meant = |address: &Address| {
        (whom.recipients.is_empty() || whom.recipients.iter().any(|one| one.matches(address)))
            && !(whom.outside && (facts.is_ours)(address.domain()))
            && !(whom.new_correspondent && (facts.is_known)(address))
    };
    let meant: Vec<u32> = (0..)
        .zip(facts.recipients)
        .filter(|(_, address)| is_meant(address))
        .map(|(index, _)| index)
        .collect();
    if meant.is_empty() {
        return None;
    }
    if whom.outside {
        reasons.push(Reason::Outside(meant.len()));
    }
    if whom.new_correspondent {
        reasons.push(Reason::NewCorrespondent(meant.len()));
    }
    Some(meant)
}

fn contains(
    what: &What,
    number: usize,
    facts: &MailFacts<'_>,
    watch: &Watch,
    reasons: &mut Vec<Reason>,
) -> Option<()> {
    let seen = watch.seen.get(number)?;
    type Words = fn(Box<str>) -> Reason;
    let patterns: [(bool, &Option<Box<str>>, Words); 4] = [
        (what.subject.is_empty(), &seen.subject, Reason::Subject),
        (what.text.is_empty(), &seen.text, Reason::Text),
        (what.attachment_name.is_empty(), &seen.attachment_name, Reason::AttachmentName),
        (what.attachment_type.is_empty(), &seen.attachment_type, Reason::AttachmentType),
    ];
    for (is_free, example, reason) in patterns {
        if !is_free {
            reasons.push(reason(example.clone()?));
        }
    }
    if what.attachment {
        watch.has_attachment.then(|| reasons.push(Reason::Attachment))?;
    }
    if let Some(limit) = what.larger_than {
        (facts.size > limit).then(|| reasons.push(Reason::Size(facts.size)))?;
    }
    if !what.numbers.is_empty() {
        let mut kinds = what.numbers.clone();
        kinds.sort_unstable();
        kinds.dedup();
        let found = kinds.into_iter().filter_map(|kind| Some((kind, *watch.numbers.get(&kind)?)));
        let found: Vec<(NumberKind, u32)> = found.collect();
        let sum = found.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
        (sum >= what.numbers_at_least.max(1)).then_some(())?;
        reasons.extend(found.into_iter().map(|(kind, count)| Reason::Numbers(kind, count)));
    }
    Some(())
}

impl Judgement {
    /// The rule that decides.
    #[must_use]
    pub fn first(&self) -> Option<&Match> {
        self.matches.first()
    }
}

impl fmt::Debug for MailFacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listener, login, sender, recipients, size, .. } = self;
        write!(f, "{listener} {login:?} {sender:?} {recipients:?} {size}")
    }
}
