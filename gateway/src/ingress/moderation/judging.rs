//! What the rules say of a mail, and what becomes of it.
//!
//! What a rule means stands in [`mailweir_moderation::rule`].

use std::collections::HashSet;

use mailweir_mail::Address;
use mailweir_moderation::{
    action::{self, Action, HeldMail, Hold},
    case::{Case, RuleName},
    case_file::{Attach, CaseFile},
    notice::Summary,
    person::{self, is_among},
    rule::{Judgement, LogIn, MailFacts, Match, Reason, Watch},
};

use super::{Arrival, ListenerModeration, Shown};
use crate::{
    config::{self, ModerationRule},
    ingress::senders::Submitter,
};

/// What a rule does with a mail.
pub(in crate::ingress) struct Moderated {
    /// What becomes of it.
    pub(in crate::ingress) fate: Fate,
    /// The recipients whose mail waits, by their places in the envelope; absent: all.
    pub(in crate::ingress) only: Option<Vec<u32>>,
    /// The rule that decides.
    pub(in crate::ingress) rule: RuleName,
    /// Why it matches.
    pub(in crate::ingress) reasons: Vec<Reason>,
}

/// What becomes of a mail that a rule means.
pub(in crate::ingress) enum Fate {
    /// It needs nobody.
    Accept,
    /// It goes, and people hear of it.
    Notice(Box<CaseFile>),
    /// It waits for people.
    Hold(Box<CaseFile>),
}

impl Fate {
    /// The case, to keep; `None`: the mail needs nobody.
    pub(in crate::ingress) fn into_file(self) -> Option<Box<CaseFile>> {
        match self {
            Self::Accept => None,
            Self::Notice(file) | Self::Hold(file) => Some(file),
        }
    }

    /// In one word.
    pub(in crate::ingress) const fn as_str(&self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Notice(_) => "notice",
            Self::Hold(_) => "hold",
        }
    }
}

impl ListenerModeration {
    fn ask(&self, mail: &Arrival<'_>, watch: &Watch) -> Judgement {
        let recipients = mail.envelope.recipients.iter().map(|one| one.address.clone());
        let recipients: Vec<Address> = recipients.collect();
        let facts = MailFacts {
            listener: mail.listener,
            login: mail.submitter.map(Submitter::name),
            groups: &mail.groups,
            credential: mail.submitter.and_then(Submitter::credential),
            sender: &mail.envelope.sender,
            recipients: &recipients,
            is_ours: &|domain| mail.ours.contains(domain),
            is_known: &|recipient| mail.acquainted.knows(recipient),
            size: mail.size,
            time: self.rules.time_zone.local(mail.arrival),
        };
        let judgement = self.rules.matching.judge(&facts, watch);
        match mail.log_in {
            LogIn::Known => judgement,
            LogIn::Unknown => {
                let mut whoever = self.rules.matching.judge_whoever(&facts, watch);
                // In doubt a mail is held, and not let go.
                whoever.matches.retain(|one| {
                    let rule = self.rules.rules.get(one.rule);
                    rule.is_some_and(|rule| matches!(rule.action, Action::Hold(_)))
                        || judgement.matches.iter().any(|sure| sure.rule == one.rule)
                });
                whoever
            }
        }
    }

    /// The rules that mean the mail, but for those that the log-in is let out of for a while; these are given as well.
    pub(in crate::ingress) fn judge(
        &self,
        mail: &Arrival<'_>,
        watch: &Watch,
    ) -> (Vec<Match>, Vec<RuleName>) {
        let Judgement { matches } = self.ask(mail, watch);
        let (lifted, matches): (Vec<Match>, Vec<Match>) =
            matches.into_iter().partition(|one| self.is_lifted(one, mail.submitter));
        let names = lifted.iter().filter_map(|one| self.name(one)).collect();
        (matches, names)
    }

    /// Whether people hear of a mail that these rules mean.
    pub(in crate::ingress) fn needs_people(&self, matches: &[Match]) -> bool {
        let rule = matches.first().and_then(|first| self.rules.rules.get(first.rule));
        rule.is_some_and(|rule| !matches!(rule.action, Action::Accept))
    }

    /// Whether those who approved earlier mail of this log-in said that the rule is not to hold it.
    fn is_lifted(&self, meant: &Match, submitter: Option<&Submitter>) -> bool {
        let (Some(rule), Some(submitter)) = (self.rules.rules.get(meant.rule), submitter) else {
            return false;
        };
        matches!(rule.action, Action::Hold(_))
            && self.service.trusts(submitter.name(), &rule.rule.name.name)
    }

    fn name(&self, meant: &Match) -> Option<RuleName> {
        self.rules.rules.get(meant.rule).map(|rule| rule.rule.name.clone())
    }

    /// What the first of the rules that mean the mail does with it. `shown`: of its content, where
    /// people hear of it.
    pub(in crate::ingress) fn carry_out(
        &self,
        mail: &Arrival<'_>,
        matches: &[Match],
        shown: &Shown,
    ) -> Option<Moderated> {
        let (first, others) = matches.split_first()?;
        let rule = self.rules.rules.get(first.rule)?;
        let only = rule.splits(first, &mail.envelope.recipients);
        let waiting = mail.recipients(only.as_deref());
        let recipients = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let held = || HeldMail {
            rule: rule.rule.name.clone(),
            also: others.iter().filter_map(|one| self.name(one)).collect(),
            senders: self.senders(mail),
            recipients,
            content: shown.hash,
        };
        let file = |case| {
            let summary = mail.summary(waiting, first.reasons.clone());
            Box::new(file(case, summary.with(&shown.sketch), rule))
        };
        let fate = match &rule.action {
            Action::Accept => Fate::Accept,
            Action::Notice(readers) => {
                Fate::Notice(file(Case::passed(action::notice(held()), readers, mail.arrival)))
            }
            Action::Hold(hold) => Fate::Hold(file(self.hold(hold, held(), mail))),
        };
        Some(Moderated { fate, only, rule: rule.rule.name.clone(), reasons: first.reasons.clone() })
    }

    /// Who sent it, under every name. First the one that is proven best, which is where notices go.
    fn senders(&self, mail: &Arrival<'_>) -> Vec<Address> {
        let mut senders = self.proven(mail);
        // Strangers may claim to be a thousand people.
        let mut known: HashSet<Box<str>> = senders.iter().map(person::key).collect();
        senders.extend(mail.claimed().filter(|one| known.insert(person::key(one))).cloned());
        senders
    }

    /// The addresses of whoever logged in: the log-in itself, and those under which they decide.
    fn proven(&self, mail: &Arrival<'_>) -> Vec<Address> {
        let Some(login) = mail.submitter.map(Submitter::name) else { return Vec::new() };
        let moderators = self.rules.moderators_by_login(login).cloned();
        let mut proven: Vec<Address> = Vec::with_capacity(1);
        for one in Address::parse(login).ok().into_iter().chain(moderators) {
            if !is_among(&one, &proven) {
                proven.push(one);
            }
        }
        proven
    }

    fn hold(&self, hold: &Hold, held: HeldMail, mail: &Arrival<'_>) -> Case {
        let calendar = |person: &Address, at| self.rules.zone_of(person).date(at);
        let people = (&self.rules.people, &calendar as _);
        let plan = hold.plan(held, people, mail.arrival);
        let is_certain = mail.is_claim_certain() || !self.proven(mail).is_empty();
        let plan = if is_certain { plan } else { plan.of_uncertain_sender() };
        Case::open(plan, mail.arrival)
    }
}

impl ModerationRule {
    /// The recipients who wait where the others do not: those whom the rule means, unless it means
    /// all.
    fn splits(&self, meant: &Match, all: &[mailweir_mail::Recipient]) -> Option<Vec<u32>> {
        let holds = matches!(self.action, Action::Hold(_));
        let splits = self.split && holds && meant.recipients.len() < all.len();
        splits.then(|| meant.recipients.clone())
    }
}

fn file(case: Case, mail: Summary, rule: &ModerationRule) -> CaseFile {
    let attach = match rule.attach {
        config::Attach::Original => Attach::Original,
        config::Attach::Header => Attach::Header,
        config::Attach::None => Attach::Nothing,
    };
    CaseFile { sensitive: rule.sensitive, ..CaseFile::new(case, mail, attach) }
}
