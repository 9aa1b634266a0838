//! How much a mail looks like spam by all that was found out about it, and what becomes of it by that.
//!
//! Whoever has looked at the mail left what was noticed in [`Suspicion`]. Here it is added up, and [`decide`] says what becomes of the
//! mail, once.

use std::{sync::Arc, time::Duration};

use mailweir_mail::{
    Envelope, HoldReason, MailEvent, QueueId, Scored, ScoredBy, TransactionSummary,
};
use mailweir_smtp::{
    replies::{NotYet, Refusal, Unwanted},
    server::{Answer, Session},
};
use mailweir_spam::{
    authentication::Ruling,
    decide::{Action, Answers, Attempt, Client, Facts, Objection, decide},
    dns::Budget,
    examination::Examined,
    findings::{self, Asked},
    links::{Host, Links},
    lists::{Listing, Subject},
    symbols::{Finding, Score, Symbol},
};
use tokio::time::Instant;

use super::{Admission, accepting::Judged, authenticating::Comes, meeting, summary};
use crate::{
    config,
    ingress::impression::{Listings, News},
    spam::{Checks, Names, word_of},
};

/// What was found out about a mail so far.
#[derive(Default)]
pub(super) struct Suspicion {
    /// What was noticed.
    pub(super) findings: Vec<Finding>,
    /// What its author's domain wants to become of it; absent where nobody asked.
    pub(super) ruling: Option<Ruling>,
    /// Which way it goes; absent where nobody looks.
    pub(super) way: Option<Way>,
    /// Fields that are to be written on top of it, where they are not yet.
    pub(super) marks: Option<Vec<u8>>,
}

/// Which way a mail goes that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From a stranger.
    In(Comes),
    /// From somebody of ours.
    Out(Comes),
}

impl Admission {
    /// Adds up what was found out about the mail, writes it on top of it if it goes on here, and does what is to become of it.
    ///
    /// # Errors
    /// The mail ends here, or it cannot be stored.
    pub(super) async fn score(
        &mut self,
        mail: &mut Judged,
        envelope: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let listener = Arc::clone(&self.listener);
        let Some(checks) = listener.spam() else { return Ok(()) };
        let (Some(way), Some(examined)) = (mail.suspicion.way, mail.clues.examined.take()) else {
            return self.write_marks(mail).await;
        };
        let mut findings = std::mem::take(&mut mail.suspicion.findings);
        self.look_at(examined, checks, &mut findings).await;
        let (policy, comes) = match way {
            Way::In(comes) => (&checks.rules.inbound, comes),
            Way::Out(comes) => (&checks.rules.outbound, comes),
        };
        let malware = findings.iter().find(|one| one.symbol() == Symbol::Malware);
        let malware: Option<Box<str>> = malware.map(|one| one.evidence().into());
        let answers = self.answers(&findings, checks);
        let mut score = checks.rules.weights.score(findings);
        let facts = Facts {
            client: match comes {
                Comes::Here => Client::Waits,
                Comes::ByRelay => Client::SpokeToRelay,
            },
            malware: malware.as_deref(),
            author: mail.suspicion.ruling.as_ref().unwrap_or(&Ruling::Accept),
            answers,
            attempt: Attempt::First,
        };
        let (action, wait) = match decide(policy, &score, &facts) {
            // Asked only now: mail that ends otherwise shall earn nobody a pass.
            Action::Greylist => match self.suspicious_has_to_wait(session) {
                Some(wait) => (Action::Greylist, wait),
                None => {
                    // That it came again speaks for it, if it was not known before.
                    if score.found(Symbol::Greylisted).is_none() {
                        let more = self.evidence_of_stranger().into_iter();
                        let came_again = more.filter(|one| one.symbol() == Symbol::Greylisted);
                        let all = score.into_findings().chain(came_again);
                        score = checks.rules.weights.score(all);
                    }
                    let again = Facts { attempt: Attempt::Again, ..facts };
                    (decide(policy, &score, &again), Duration::ZERO)
                }
            },
            other => (other, Duration::ZERO),
        };
        self.tell_score(mail.incoming.id(), &score, &action, summary(session, envelope));
        self.follow(action, wait, (&score, way), mail, session).await
    }

    /// What its content says, and lists of what it links to.
    async fn look_at(&self, examined: Examined, checks: &Checks, findings: &mut Vec<Finding>) {
        let Examined { tokens, findings: shown, links } = examined;
        findings.extend(shown);
        findings.extend(findings::of_opinion(&checks.classifier.judge(&tokens)));
        findings.extend(self.listed_links(&links, &checks.rules).await);
    }

    /// What lists say of where a mail links to. All are asked side by side.
    async fn listed_links(&self, links: &Links, rules: &config::Spam) -> Vec<Finding> {
        let lists = &rules.link_lists;
        if lists.is_empty() {
            return Vec::new();
        }
        let hosts = links.to_ask(MOST_HOSTS);
        let subjects: Vec<Subject<'_>> = hosts.iter().map(subject).collect();
        let resolver = &*self.listener.shared().resolver;
        let names = Names::new(resolver, Instant::now() + rules.sender_time());
        let budget = Budget::new(&names, rules.dns_lookup_limit.get());
        let said = Listings::ask(lists, &subjects, &budget).await;
        let mut news = News::default();
        news.tell(&said);
        meeting::tell(&news, &self.listener);
        let listed = news.listed.iter().map(|it| (it.subject.to_string(), &it.listing));
        let listed: Vec<(String, &Listing)> = listed.collect();
        findings::of_listings(listed.iter().map(|(name, listing)| (Asked::Link(name), *listing)))
    }

    /// Whether something that could speak for the mail is not known, since name servers or lists did not answer.
    fn answers(&self, findings: &[Finding], checks: &Checks) -> Answers {
        let lists = &checks.rules.before_data.client_lists;
        let could_speak =
            |zone: &str| lists.iter().any(|list| list.zone() == zone && list.can_speak_for());
        let mut troubled = self.impression.iter().flat_map(|it| it.troubled());
        let is_unclear = |finding: &Finding| UNCLEAR.contains(&finding.symbol());
        match findings.iter().any(is_unclear) || troubled.any(|one| could_speak(&one.zone)) {
            true => Answers::Unclear,
            false => Answers::Complete,
        }
    }

    /// `wait`: how long a mail that is put off has to stay away.
    async fn follow(
        &self,
        action: Action,
        wait: Duration,
        (score, way): (&Score, Way),
        mail: &mut Judged,
        session: &Session,
    ) -> Result<(), Answer> {
        let refuse = |why| Err(Answer::Refuse(Refusal::Unwanted(why)));
        match &action {
            Action::Pass | Action::Tag => {}
            Action::Greylist => return Err(Answer::Refuse(Refusal::NotYet(NotYet::Mail(wait)))),
            Action::Quarantine(_) => {
                mail.hold = Some(quarantined(&action, mail.hold.as_ref()));
            }
            Action::Defer => return refuse(Unwanted::Unclear),
            Action::Reject(Objection::Score(_)) => return refuse(Unwanted::Spam),
            Action::Reject(Objection::Malware(_)) => return refuse(Unwanted::Malware),
            Action::Reject(Objection::Dmarc(author)) => {
                return refuse(Unwanted::Unauthorised(author.clone()));
            }
            Action::Discard { malware } => {
                let why = format!("it has known malware ({malware})");
                return Err(self.discard(mail.incoming.id(), why, session));
            }
        }
        self.mark_score(mail, way, score, &action).await
    }

    /// Mail of our own people leaves without a word of what was thought of it.
    async fn mark_score(
        &self,
        mail: &mut Judged,
        way: Way,
        score: &Score,
        action: &Action,
    ) -> Result<(), Answer> {
        let Way::In(_) = way else { return self.write_marks(mail).await };
        let mut fields = format!("{SCORE}: {}\r\n", score.header_value());
        if let Action::Tag = action {
            fields.push_str(FLAG);
            fields.push_str(": YES\r\n");
        }
        match &mut mail.suspicion.marks {
            Some(marks) => {
                marks.extend_from_slice(fields.as_bytes());
                self.write_marks(mail).await
            }
            // Filters were shown the rest.
            None => {
                let marked = mail.incoming.mark(|_| false, fields.as_bytes()).await;
                marked.map_err(|error| self.unmarked(mail.incoming.id(), &error))
            }
        }
    }

    fn tell_score(
        &self,
        id: QueueId,
        score: &Score,
        action: &Action,
        transaction: TransactionSummary,
    ) {
        let reasons = score.rows().map(|row| ScoredBy {
            symbol: row.symbol.name(),
            adds: row.points,
            seen: row.evidence.into(),
        });
        let scored = Scored {
            id,
            listener: self.listener.name().into(),
            score: score.total(),
            reasons: reasons.collect(),
            action: word_of(action),
            transaction,
        };
        self.listener.shared().observer.mail(&MailEvent::Scored(Box::new(scored)));
    }
}

/// Why a mail is held. Who looks after quarantine goes by how the reason begins, whatever else holds the mail.
fn quarantined(action: &Action, other: Option<&HoldReason>) -> HoldReason {
    match other {
        None => HoldReason::new(&action.to_string()),
        Some(other) => HoldReason::new(&format!("{action}; {other}")),
    }
}

/// What lists are asked about.
fn subject(host: &Host) -> Subject<'_> {
    match host {
        Host::Name(name) => Subject::Domain(name),
        Host::V4(address) => Subject::Address((*address).into()),
        Host::V6(address) => Subject::Address((*address).into()),
    }
}

/// What of the explanation is ours in a header.
pub(super) const OWN_NAMES: [&str; 2] = [SCORE, FLAG];

/// The score, and what it is made of.
const SCORE: &str = "X-Mailweir-Spam";

/// The field that rules of mail programs look for, as SpamAssassin writes it.
const FLAG: &str = "X-Spam-Flag";

/// Hosts of one mail that lists are asked about: with a few lists some dozens of questions.
const MOST_HOSTS: usize = 20;

/// What says that name servers did not answer about something that could speak for the mail.
const UNCLEAR: [Symbol; 4] =
    [Symbol::SpfTemperror, Symbol::DkimTemperror, Symbol::DmarcTemperror, Symbol::ArcTemperror];

#[cfg(test)]
mod tests {
    use mailweir_spam::decide::Reason;

    use super::*;

    #[test]
    fn quarantine_is_the_first_reason_of_whatever_holds_a_mail() {
        let action = Action::Quarantine(Reason::Objection(Objection::Malware("Eicar".into())));
        let alone = quarantined(&action, None);
        assert_eq!(alone.as_str(), "quarantine: it has known malware (Eicar)");
        let other = HoldReason::new("the filter clam failed");
        let both = quarantined(&action, Some(&other));
        assert_eq!(both.as_str(), format!("{alone}; the filter clam failed"));
    }
}
