//! The end of a mail: from its last byte to the reply.
//!
//! It passes the stages of [`BEFORE_QUEUE`], and then the queue, whose receipt alone makes a 250 (but
//! for DISCARD, which claims one).

use mailweir_archive::entry::Note;
use mailweir_filters::{
    checks::{Detour, Fate, Verb},
    stages::{BEFORE_QUEUE, BeforeQueue},
};
use mailweir_mail::{Envelope, HoldReason, MailEvent, Origin, QueueId, Transport};
use mailweir_moderation::rule::Watch;
use mailweir_smtp::{
    replies::{NotAwaited, Refusal},
    server::{Answer, Session},
};
use mailweir_spam::{dkim::SignedMail, examination::Examined};

use super::{Admission, Ends, moderating::SentBy, scoring::Suspicion, summary};
use crate::{
    clock,
    ingress::{
        addressing::{self, Addressed, FinalForm},
        content_scan::ContentScan,
        filters::{Ahead, Back},
        incoming::Incoming,
        moderation::Moderated,
        policy::Spent,
        relay::ServedDomains,
        senders,
    },
    moderation::Acquainted,
    observe::Detail,
};

/// A mail whose content is complete, and what the stages before have made of it.
pub(super) struct Judged {
    pub(super) incoming: Incoming,
    pub(super) hold: Option<HoldReason>,
    draft: Draft,
    /// Absent: its sender is not counted.
    pub(super) counted: Option<Spent>,
    pub(super) clues: Clues,
    /// What makes it look like spam.
    pub(super) suspicion: Suspicion,
    /// Absent: moderation was not asked.
    pub(super) considered: Option<Considered>,
    /// What the archive is to know of it, if it keeps it.
    pub(super) note: Option<Note>,
    onward: Onward,
}

/// What moderation judges by, besides the mail itself.
#[derive(Default)]
pub(super) struct Clues {
    /// Who handed it in; absent until somebody asks.
    pub(super) sent_by: Option<SentBy>,
    /// What moderation has seen of it, where it watches.
    pub(super) watch: Option<Watch>,
    /// Its signatures, where they may matter.
    pub(super) signed: Option<SignedMail>,
    /// What it is like, where somebody asks.
    pub(super) examined: Option<Examined>,
}

/// What moderation has found.
pub(super) struct Considered {
    /// Which recipients are nobody new to its sender.
    pub(super) acquainted: Acquainted,
    /// The rule that means it.
    pub(super) moderated: Option<Moderated>,
}

/// An envelope, as far as the stages have come with it.
enum Draft {
    /// As the client wrote it, and what rules want of it.
    Open { detour: Option<Detour>, addressed: Addressed },
    /// Settled, for whoever has to know who gets the mail.
    Final(FinalForm),
}

/// Where a mail goes that nothing refuses.
enum Onward {
    /// Into the queue, and past the filters of other people that are ahead of it.
    Queue(Ahead),
    /// To the session that waits for it: the name that it has there, and the filter that hands it back.
    Client(QueueId, Box<str>),
}

impl Judged {
    fn new(incoming: Incoming, sent_by: Option<SentBy>) -> Self {
        Self {
            incoming,
            hold: None,
            draft: Draft::default(),
            counted: None,
            clues: Clues { sent_by, ..Clues::default() },
            suspicion: Suspicion::default(),
            considered: None,
            note: None,
            onward: Onward::Queue(Ahead::default()),
        }
    }

    /// What an action FILTER names.
    pub(super) fn named_by_action(&self) -> Option<&str> {
        match &self.draft {
            Draft::Open { detour: Some(Detour::Filter(transport)), .. } => Some(transport.name()),
            Draft::Open { detour: Some(Detour::Redirect(_)) | None, .. } => None,
            Draft::Final(form) => form.envelope.filter.as_ref().map(Transport::name),
        }
    }

    /// Where it came from before its first filter, if that is known and it goes into the queue. `here`: where it came in, if that
    /// is where it came from.
    pub(super) fn origin_if_queued(&self, here: impl FnOnce() -> Option<Origin>) -> Option<Origin> {
        match &self.onward {
            Onward::Queue(ahead) => ahead.origin.clone().or_else(here),
            Onward::Client(..) => None,
        }
    }

    /// Whether a filter behind the queue has had it, as its slip says.
    pub(super) const fn is_handed_back(&self) -> bool {
        match &self.onward {
            Onward::Queue(ahead) => ahead.origin.is_some(),
            Onward::Client(..) => false,
        }
    }

    /// The envelope as it is queued; whoever is not the last to ask has it settled. `written`: as the client wrote it.
    pub(super) fn take_final_form(
        &mut self,
        written: Envelope,
        served: &ServedDomains,
    ) -> FinalForm {
        match std::mem::take(&mut self.draft) {
            Draft::Open { detour, addressed } => addressed.envelope(written, detour, served),
            Draft::Final(form) => form,
        }
    }

    /// The envelope is to be queued so.
    pub(super) fn settle(&mut self, form: FinalForm) {
        self.draft = Draft::Final(form);
    }
}

impl Default for Draft {
    fn default() -> Self {
        Self::Open { detour: None, addressed: Addressed::default() }
    }
}

impl Admission {
    /// The content is complete: what becomes of the mail.
    pub(super) async fn accept(&mut self, session: &mut Session) -> Answer {
        self.try_to_accept(session).await.unwrap_or_else(|answer| answer)
    }

    async fn try_to_accept(&mut self, session: &mut Session) -> Result<Answer, Answer> {
        let incoming = self.incoming.take().ok_or_else(internal)?;
        let mut mail = Box::new(Judged::new(incoming, self.sent_by.take()));
        if let Some(answer) = self.take_answers(&mut mail, session).await? {
            return Ok(answer);
        }
        for stage in BEFORE_QUEUE {
            self.pass(stage, &mut mail, session).await?;
        }
        let onward = std::mem::replace(&mut mail.onward, Onward::Queue(Ahead::default()));
        match (&self.ends, onward) {
            (Ends::InQueue, Onward::Client(id, filter)) => {
                self.hand_over(*mail, id, &filter, session)
            }
            (Ends::InQueue, Onward::Queue(ahead)) => self.store(mail, ahead, session).await,
            (Ends::InOpinion(_), _) => self.opine(mail, session).await,
        }
    }

    /// The session keeps the envelope until the mail is accepted, so that the line of a refusal
    /// names the sender.
    async fn pass(
        &mut self,
        stage: BeforeQueue,
        mail: &mut Judged,
        session: &Session,
    ) -> Result<(), Answer> {
        let envelope = session.transaction().ok_or_else(internal)?;
        match stage {
            BeforeQueue::EndOfData => self.end_of_data(mail, session).await,
            BeforeQueue::Content => self.check_content(mail, envelope, session).await,
            BeforeQueue::Header => self.rewrite_header(mail).await,
            BeforeQueue::Envelope => self.rewrite_envelope(mail, envelope).await,
            BeforeQueue::Hops => self.check_hops(mail.incoming.scan()),
            // Boxed, so that mail that nobody is asked about has no room for it.
            BeforeQueue::Authentication => {
                Box::pin(self.authenticate(mail, envelope, session)).await
            }
            // Boxed for the same reason.
            BeforeQueue::Inspection => Box::pin(self.inspect(mail, envelope, session)).await,
            BeforeQueue::Score => Box::pin(self.score(mail, envelope, session)).await,
            BeforeQueue::Archive => self.judge_for_archive(mail, envelope, session).await,
            BeforeQueue::Filters => self.find_filters_ahead(mail, envelope, session),
            BeforeQueue::Signing => Box::pin(self.sign(mail, session)).await,
            BeforeQueue::Sender => {
                let counted = self.check_sender(mail.incoming.scan(), envelope).await;
                mail.counted = counted.map_err(Answer::Refuse)?;
                Ok(())
            }
            BeforeQueue::Moderation => self.moderate(mail, envelope, session).await,
        }
    }

    /// What the lists for the end of data say, and whether any list wants the mail thrown away.
    async fn end_of_data(&mut self, mail: &mut Judged, session: &Session) -> Result<(), Answer> {
        let judged = self.judge_whole(mail.incoming.id(), session).await;
        judged.map_err(Answer::Refuse)?;
        if let Some(rule) = self.discarded_by() {
            return Err(self.discard(mail.incoming.id(), rule, session));
        }
        Ok(())
    }

    /// What the checks of the content say, and where they and all lists want the mail to go.
    async fn check_content(
        &mut self,
        mail: &mut Judged,
        envelope: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let id = mail.incoming.id();
        let wishes = self.wishes().map_err(Answer::Refuse)?;
        let checked = mail.incoming.finish_checks(self.listener.remote_maps()).await;
        self.log_rules(&checked, id, session, envelope);
        self.warn_of_body_rules(&checked, id);
        if let Some(error) = mail.incoming.trouble() {
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
        mail.clues.watch = checked.watch;
        mail.hold = wishes.hold.clone().or(ruled_hold);
        let (detour, copies) = wishes.and(checked.detour, checked.bcc);
        mail.draft = Draft::Open { detour, addressed: Addressed::AsWritten(copies) };
        Ok(())
    }

    async fn rewrite_header(&self, mail: &mut Judged) -> Result<(), Answer> {
        let headers = mail.incoming.finish_headers(self.listener.remote_maps()).await;
        let decisions = headers.map_err(|error| self.cannot_tell(mail.incoming.id(), &error))?;
        self.tell(decisions.as_ref(), |one| Detail::Header(one));
        Ok(())
    }

    async fn rewrite_envelope(&self, mail: &mut Judged, written: &Envelope) -> Result<(), Answer> {
        let Draft::Open { addressed, .. } = &mut mail.draft else { return Ok(()) };
        let copies = addressed.take_copies();
        let rewritten = addressing::address(&self.listener, written, copies).await;
        *addressed = rewritten.map_err(|error| self.cannot_tell(mail.incoming.id(), &error))?;
        self.tell(addressed.decisions(), |one| Detail::Address(one));
        Ok(())
    }

    fn check_hops(&self, scan: &ContentScan) -> Result<(), Answer> {
        if scan.hops() > self.listener.hopcount_limit() {
            return Err(Answer::Refuse(Refusal::LoopDetected));
        }
        Ok(())
    }

    /// Which filters of other people it is to pass. `written`: the envelope as the client wrote it.
    fn find_filters_ahead(
        &self,
        mail: &mut Judged,
        written: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let filters = match self.ends {
            Ends::InQueue => self.listener.filters(),
            Ends::InOpinion(_) => None,
        };
        let Some(filters) = filters else { return Ok(()) };
        let (name, slip) = (self.listener.name(), mail.incoming.slip());
        mail.onward = match filters.handed_back(name, slip, &written.sender) {
            None => {
                let direction = self.direction(written, session);
                Onward::Queue(filters.arriving(name, direction, &written.sender))
            }
            Some(Back::Queued(ahead)) => Onward::Queue(ahead),
            Some(Back::Awaited(id, filter)) => Onward::Client(id, filter),
            Some(Back::Unknown) => {
                return Err(self.not_awaited(mail.incoming.id(), NotAwaited::Unknown));
            }
        };
        Ok(())
    }

    /// Whether those who log in may send it; and it is counted.
    async fn check_sender(
        &self,
        scan: &ContentScan,
        envelope: &Envelope,
    ) -> Result<Option<Spent>, Refusal> {
        let Some(submitter) = &self.submitter else { return Ok(None) };
        let policy = self.listener.policy();
        // Moderation asks for it, too.
        let asked = submitter.is_held_to_from(policy.rules());
        if let Some(from) = scan.from().filter(|_| asked) {
            let owners = policy.owners().await;
            senders::permit_from(submitter, from, policy.rules(), &owners)?;
        }
        policy.spend(submitter, envelope, clock::monotonic()).map(Some)
    }

    /// The client hears that the mail was accepted, and nothing is kept of it but a line: that of the
    /// rule, before DATA, could not name the mail.
    pub(super) fn discard(&self, id: QueueId, rule: String, session: &Session) -> Answer {
        let Some(envelope) = session.transaction() else { return internal() };
        let transaction = Box::new(summary(session, envelope));
        let event = MailEvent::Discarded { id, reason: rule.into(), transaction };
        self.listener.shared().observer.mail(&event);
        Answer::Discarded(id)
    }
}

pub(super) fn internal() -> Answer {
    Answer::Refuse(Refusal::Internal)
}
