//! The end of a mail: from its last byte to the reply.
//!
//! In order, and the first that says no has the last word: the lists for the end of data, the checks
//! of the content, headers and envelope under the rules about addresses, the sender's policy, and
//! the queue, whose receipt alone makes a 250 (but for DISCARD, which claims one).

use mailweir_filters::{
    checks::{Detour, Fate, Verb},
    restrictions::ProtocolState,
};
use mailweir_mail::{
    Address, Envelope, HeldBy, HoldReason, MailEvent, QueueId, Received, TransactionSummary,
};
use mailweir_smtp::{
    replies::Refusal,
    server::{Answer, Session},
};

use super::{Admission, accepted, forwarded_client, summary};
use crate::{
    clock,
    egress::Expansion,
    ingress::{
        addressing::{self, Addressed},
        content_scan::ContentScan,
        incoming::Incoming,
        policy::Spent,
        restrictions::Wishes,
        senders,
    },
    observe::Detail,
};

/// What rules about the mail's way come to.
struct Way {
    detour: Option<Detour>,
    copies: Vec<Address>,
    hold: Option<HoldReason>,
}

impl Admission {
    /// The content is complete: what becomes of the mail.
    pub(super) async fn accept(&mut self, session: &mut Session) -> Answer {
        self.try_to_accept(session).await.unwrap_or_else(|answer| answer)
    }

    /// The session keeps the envelope until the mail is accepted, so that the line of a refusal
    /// names the sender.
    async fn try_to_accept(&mut self, session: &mut Session) -> Result<Answer, Answer> {
        let mut incoming = self.incoming.take().ok_or_else(internal)?;
        let id = incoming.id();
        let wishes = self.end_of_data(id, session).await?;
        let way = self.check_content(&mut incoming, wishes, session).await?;
        let judged = session.transaction().ok_or_else(internal)?;
        let addressed = addressing::address(&self.listener, judged, way.copies).await;
        let addressed = addressed.map_err(|error| self.cannot_tell(id, &error))?;
        self.tell(addressed.decisions(), |one| Detail::Address(one));
        let counted = self.judge_content(incoming.scan(), judged).await.map_err(Answer::Refuse)?;
        self.store(incoming, (addressed, way.detour, way.hold), counted, session).await
    }

    /// What the lists for the end of data say, and what all lists want done with the mail.
    async fn end_of_data(&mut self, id: QueueId, session: &Session) -> Result<Wishes, Answer> {
        let judged = self.judge(ProtocolState::EndOfMessage, session, None).await;
        judged.map_err(Answer::Refuse)?;
        if let Some(rule) = self.discarded_by() {
            return Err(self.discard(id, rule, session));
        }
        self.wishes().map_err(Answer::Refuse)
    }

    async fn check_content(
        &mut self,
        incoming: &mut Incoming,
        wishes: Wishes,
        session: &Session,
    ) -> Result<Way, Answer> {
        let (id, remote) = (incoming.id(), self.listener.remote_maps());
        let checked = incoming.finish_checks(remote).await;
        self.log_rules(&checked, id, session, session.transaction().ok_or_else(internal)?);
        if let Some(error) = incoming.trouble() {
            return Err(self.not_taken(error));
        }
        let ruled_hold = match checked.fate {
            Fate::Accept => None,
            Fate::Hold(reason) => Some(reason),
            // The line of the rule has named the mail.
            Fate::Discard => return Err(Answer::Discarded(id)),
            Fate::Reject(refusal) => {
                let is_told = checked.decisions.iter().any(|one| one.action == Ok(Verb::Reject));
                self.refused_by_rule = is_told.then_some(id);
                return Err(Answer::Refuse(Refusal::Rule(refusal.reply())));
            }
            Fate::Trouble(trouble) => return Err(self.cannot_tell(id, &trouble)),
        };
        let headers = incoming.finish_headers(remote).await;
        let decisions = headers.map_err(|error| self.cannot_tell(id, &error))?;
        self.tell(decisions.as_ref(), |one| Detail::Header(one));
        let hold = wishes.hold.clone().or(ruled_hold);
        let (detour, copies) = wishes.and(checked.detour, checked.bcc);
        Ok(Way { detour, copies, hold })
    }

    async fn store(
        &self,
        incoming: Incoming,
        (addressed, detour, ruled_hold): (Addressed, Option<Detour>, Option<HoldReason>),
        counted: Option<Spent>,
        session: &mut Session,
    ) -> Result<Answer, Answer> {
        let (id, arrival) = (incoming.id(), incoming.arrival());
        let envelope = session.take_envelope().ok_or_else(internal)?;
        let (envelope, expanded) = addressed.envelope(envelope, detour, self.listener.served());
        let expansion = Expansion::of(id, arrival, &envelope, expanded);
        let limit_hold = self.hold_reason(counted.as_ref(), id);
        let held = limit_hold.clone().map(|reason| (reason, summary(session, &envelope)));
        let origin = self.origin(session, arrival);
        let shown_as = session.forwarded().and_then(forwarded_client);
        let hold = ruled_hold.or(limit_hold);
        self.listener.shared().observer.detail(Detail::Queued(&envelope, hold.as_ref()));
        match incoming.commit(envelope, origin, hold).await {
            Ok((receipt, mut event)) => {
                event.client = shown_as.unwrap_or(event.client);
                self.log_received(event, held);
                if let Some(expansion) = expansion {
                    addressing::report_later(&self.listener, expansion);
                }
                Ok(accepted(&receipt))
            }
            Err(error) => {
                self.take_back(counted.as_ref());
                Err(self.not_taken(&error))
            }
        }
    }

    /// The client hears that the mail was accepted, and nothing is kept of it but a line: that of the
    /// rule, before DATA, could not name the mail.
    fn discard(&self, id: QueueId, rule: String, session: &Session) -> Answer {
        let Some(envelope) = session.transaction() else { return internal() };
        let transaction = Box::new(summary(session, envelope));
        let event = MailEvent::Discarded { id, reason: rule.into(), transaction };
        self.listener.shared().observer.mail(&event);
        Answer::Discarded(id)
    }

    /// Whether the mail may be accepted; and it is counted, if its sender is.
    async fn judge_content(
        &self,
        scan: &ContentScan,
        envelope: &Envelope,
    ) -> Result<Option<Spent>, Refusal> {
        if scan.hops() > self.listener.hopcount_limit() {
            return Err(Refusal::LoopDetected);
        }
        let Some(submitter) = &self.submitter else { return Ok(None) };
        let policy = self.listener.policy();
        if let Some(from) = scan.from() {
            let owners = policy.owners().await;
            senders::permit_from(submitter, from, policy.rules(), &owners)?;
        }
        policy.spend(submitter, envelope, clock::monotonic()).map(Some)
    }

    fn hold_reason(&self, counted: Option<&Spent>, id: QueueId) -> Option<HoldReason> {
        counted?.hold_reason(self.submitter.as_ref()?, id)
    }

    fn take_back(&self, counted: Option<&Spent>) {
        if let (Some(submitter), Some(spent)) = (&self.submitter, counted) {
            self.listener.policy().take_back(submitter, spent);
        }
    }

    fn log_received(&self, event: Received, held: Option<(HoldReason, TransactionSummary)>) {
        let (id, observer) = (event.id, &self.listener.shared().observer);
        observer.mail(&MailEvent::Received(Box::new(event)));
        if let Some((reason, transaction)) = held {
            let by = HeldBy::Rule(Box::new(transaction));
            observer.mail(&MailEvent::Held { id, reason, by });
        }
    }
}

fn internal() -> Answer {
    Answer::Refuse(Refusal::Internal)
}
