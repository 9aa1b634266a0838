//! Answers what a session asks: who may connect, log in and relay, and whether the mail is ours.
//!
//! One per session. Holds what the session itself must not know: the mail on its way into the
//! queue and the log-in under way. Decisions are made elsewhere (`relay`, `auth`, `queue`); here
//! they are put to use, and their errors become refusals.

use std::{fmt, sync::Arc};

use mailweir_auth::{Channel, Exchange};
use mailweir_filters::{
    ForOneMail,
    checks::Outcome,
    restrictions::ProtocolState,
    rewriting::{Decision, Decisions},
};
use mailweir_mail::{
    Cutoff, Envelope, Forwarded, Login, MailEvent, Origin, QueueId, Recipient,
    Refused as RefusedEvent, SessionEvent, Timestamp, TransactionSummary,
};
use mailweir_queue::{IntakeError, Receipt};
use mailweir_smtp::{
    replies::Refusal,
    server::{Answer, Question, Refused, Session, Unfinished},
};
use mailweir_tables::PatternSteps;

pub(super) use self::ends::Ends;
pub(crate) use self::ends::Opinion;
use self::moderating::SentBy;
use super::{
    client_name::{self, ClientName},
    content_scan::ContentScan,
    evidence::EvidenceReader,
    filters::ListenerFilters,
    impression::Impression,
    incoming::{Incoming, Watched},
    listener::Listener,
    milters::{self, Failure, Milters, Place},
    permits::{Crowd, Permit},
    recipients, refusals,
    restrictions::SessionRestrictions,
    rules,
    senders::{self, Claim, Submitter},
    trace::Trace,
};
use crate::{archiving::ListenerArchive, clock, observe::Detail};

mod accepting;
mod archiving;
mod authenticating;
mod ends;
mod handing_back;
mod inspecting;
mod judging;
mod login;
mod meeting;
mod moderating;
mod replying;
mod scoring;
mod signing;
mod storing;

/// What one session is allowed, and what it is in the middle of.
pub(super) struct Admission {
    listener: Arc<Listener>,
    permit: Permit,
    ends: Ends,
    incoming: Option<Incoming>,
    /// Who hands it in; absent where nobody asked.
    sent_by: Option<SentBy>,
    exchange: Option<(Box<str>, Exchange)>,
    /// What the next log-in may build on.
    channel: Channel,
    /// Who is logged in, as of the last question.
    submitter: Option<Submitter>,
    /// What is left for patterns that backtrack. A mail that is accepted brings all back, so that an
    /// honest client may send any number, and one that only makes us look things up is stopped.
    steps: PatternSteps,
    /// Absent where none hears the session.
    milters: Option<Box<Milters>>,
    /// Absent where nothing is restricted.
    restrictions: Option<Box<SessionRestrictions>>,
    /// Absent where nothing is looked at before the content.
    impression: Option<Box<Impression>>,
    /// The mail whose refusal the log has from the rule that brought it about.
    refused_by_rule: Option<QueueId>,
}

impl Admission {
    pub(super) fn new(listener: Arc<Listener>, permit: Permit, ends: Ends) -> Self {
        let channel = Channel::default();
        Self {
            listener,
            permit,
            ends,
            incoming: None,
            sent_by: None,
            exchange: None,
            channel,
            submitter: None,
            steps: PatternSteps::all(),
            milters: None,
            restrictions: None,
            impression: None,
            refused_by_rule: None,
        }
    }

    /// What the TLS connection gives to the log-in that begins.
    pub(super) fn bind(&mut self, channel: Channel) {
        self.channel = channel;
    }

    pub(super) fn listener(&self) -> &Arc<Listener> {
        &self.listener
    }

    /// Whether content is flowing: then large reads pay.
    pub(super) fn receives(&self) -> bool {
        self.incoming.is_some()
    }

    /// Answers a question of the session.
    pub(super) async fn answer(&mut self, question: Question, session: &mut Session) -> Answer {
        self.note_login(session.login());
        let answer = self.find_answer(question, session).await;
        if let Some(failure) = self.milters.as_mut().and_then(|it| it.take_failure()) {
            let (Failure { milter, why, outcome }, listener) = (failure, &self.listener);
            milters::note(&listener.shared().observer, milter, outcome, None);
            let name = &milter.name;
            listener
                .warn(format!("the filter {name} failed: {why}; the client is put off or refused"));
        }
        answer
    }

    async fn find_answer(&mut self, question: Question, session: &mut Session) -> Answer {
        match question {
            Question::Connect => self.connect(session).await,
            Question::Hello => {
                // EHLO ends a mail that was begun (RFC 5321 section 4.1.4).
                self.forget_last_mail();
                answer(self.hello(session).await)
            }
            Question::Sender => self.sender(session).await,
            Question::Recipient(recipient) => self.recipient(&recipient, session).await,
            Question::Content => self.open_intake(session).await,
            // Boxed, so that a session does not always have room for what it does once a mail.
            Question::EndOfData => {
                let answer = Box::pin(self.accept(session)).await;
                self.forget_last_mail();
                if let Answer::Accepted(_)
                | Answer::Held(_)
                | Answer::Split { .. }
                | Answer::Judged
                | Answer::HandedBack(_)
                | Answer::ReplyTaken(_) = answer
                {
                    self.steps.refill();
                }
                answer
            }
            // Boxed for the same reason.
            Question::AuthStart { mechanism, initial } => {
                Box::pin(self.log_in(mechanism, initial.as_deref(), session)).await
            }
            Question::AuthResponse(response) => Box::pin(self.go_on(&response, session)).await,
        }
    }

    /// Takes the next piece of content.
    pub(super) async fn content(&mut self, piece: &[u8]) {
        if let Some(incoming) = &mut self.incoming {
            incoming.content(piece, self.listener.remote_maps()).await;
        }
    }

    /// Drops what has come to nothing; an intake cleans up behind itself.
    pub(super) fn abandon(&mut self, what: Unfinished) {
        match what {
            Unfinished::Content => self.incoming = None,
            Unfinished::Auth => self.exchange = None,
        }
    }

    async fn connect(&mut self, session: &mut Session) -> Answer {
        let client = session.client().clone();
        session.grant(self.listener.rights(client.ip()));
        match self.permit.crowd() {
            _ if !self.listener.admits(client.ip()) => {
                return Answer::Refuse(Refusal::ClientRejected(client));
            }
            crowd if !self.listener.turns_away(crowd) => {}
            Crowd::FromOneClient => return Answer::Refuse(Refusal::TooManyConnections(client)),
            Crowd::InAll | Crowd::None => return Answer::Refuse(Refusal::Overloaded),
        }
        let name = match client.name {
            None => self.name(session).await,
            Some(_) => ClientName::Unknown,
        };
        self.begin_meeting(&name, session);
        self.begin_judging(name);
        if let Err(refusal) = self.judge(ProtocolState::Connect, session, None).await {
            return Answer::Refuse(refusal);
        }
        answer(self.meet_milters(session).await)
    }

    async fn meet_milters(&mut self, session: &Session) -> Result<(), Refusal> {
        self.milters = None;
        if self.listener.milters().is_empty() {
            return Ok(());
        }
        let hostname = self.listener.shared().hostname.as_str();
        let place = Place { hostname, listener: self.listener.name() };
        let (met, said) = Milters::meet(self.listener.milters(), session, &place).await;
        self.milters = Some(Box::new(met));
        let hostname = &self.listener.shared().hostname;
        // There is no such greeting. Each command hears it instead, as in Postfix.
        let waits =
            |refusal: &Refusal| matches!(refusal.reply(hostname).code, 400..=420 | 422..=499);
        said.or_else(|refusal| if waits(&refusal) { Ok(()) } else { Err(refusal) })
    }

    async fn hello(&mut self, session: &Session) -> Result<(), Refusal> {
        self.judge(ProtocolState::Helo, session, None).await?;
        match &mut self.milters {
            Some(milters) => Box::pin(milters.helo(session)).await,
            None => Ok(()),
        }
    }

    async fn name(&self, session: &mut Session) -> ClientName {
        let shared = self.listener.shared();
        let found = client_name::look_up(&*shared.resolver, session.client().ip()).await;
        match &found {
            ClientName::Verified(name) => session.name_client(Some(name.as_ascii().into())),
            ClientName::Unconfirmed(name) | ClientName::Unclear(name) => {
                shared.observer.session(&SessionEvent::NameUnconfirmed {
                    listener: self.listener.name().into(),
                    client: session.client().clone(),
                    name: name.as_ascii().into(),
                });
            }
            ClientName::Unknown | ClientName::Unanswered => {}
        }
        found
    }

    /// STARTTLS and XCLIENT end a log-in; a name that a proxy told us is one without credential.
    fn note_login(&mut self, login: Option<&Login>) {
        let known =
            self.submitter.take().filter(|known| login.is_some_and(|login| known.is(login)));
        self.submitter = known.or_else(|| login.cloned().map(Submitter::named));
    }

    fn claim(&self, session: &Session) -> Claim<'_> {
        match &self.submitter {
            Some(submitter) => Claim::LoggedIn(submitter),
            None if session.rights().trusted => Claim::Trusted,
            None => Claim::Stranger,
        }
    }

    async fn sender(&mut self, session: &Session) -> Answer {
        self.forget_last_mail();
        if let Err(refusal) = self.judge(ProtocolState::Mail, session, None).await {
            return Answer::Refuse(refusal);
        }
        if let Err(refusal) = self.check_allowance(0) {
            return Answer::Refuse(refusal);
        }
        let queue = &self.listener.shared().queue;
        if let Err(error) = queue.check_space(session.declared_size().unwrap_or(0)) {
            return self.not_taken(&error);
        }
        match &mut self.milters {
            Some(milters) => answer(Box::pin(milters.sender(session)).await),
            None => Answer::Proceed,
        }
    }

    /// The peer hears that it may try again; the administrator hears why.
    fn not_taken(&self, error: &IntakeError) -> Answer {
        self.listener.warn(format!("mail not taken in: {error}"));
        Answer::Refuse(refusals::intake(error))
    }

    async fn recipient(&mut self, recipient: &Recipient, session: &Session) -> Answer {
        if let Err(refusal) = self.permit(recipient, session).await {
            return Answer::Refuse(refusal);
        }
        match &mut self.milters {
            Some(milters) => answer(Box::pin(milters.recipient(recipient)).await),
            None => Answer::Proceed,
        }
    }

    /// In Postfix's order: first the sender, then the recipient, then how much it becomes.
    async fn permit(&mut self, recipient: &Recipient, session: &Session) -> Result<(), Refusal> {
        // Whoever asks may be answering a probe of ours: to refuse would be a circle.
        if self.listener.takes_answers_to_probes(&recipient.address) {
            return Ok(());
        }
        let envelope = session.transaction().ok_or(Refusal::Internal)?;
        self.permit_sender(envelope, session).await?;
        self.judge(ProtocolState::Rcpt, session, Some(recipient)).await?;
        let recipients = envelope.recipients.len() + 1;
        match self.ends {
            Ends::InQueue if !self.discards() => {
                match self.takes_answer(&recipient.address, self.claim(session).standing()) {
                    // It was asked for, whoever brings it.
                    Some(taken) => {
                        taken?;
                        return self.check_allowance(recipients);
                    }
                    None => self.permit_way(recipient, session).await?,
                }
            }
            // Whoever asks has its own users, and decides who may send through it.
            Ends::InQueue | Ends::InOpinion(_) => {}
        }
        self.check_allowance(recipients)?;
        self.meet(&recipient.address, session).await
    }

    /// Who may relay is decided by a list that was written for it, and otherwise in one place.
    async fn permit_way(&self, recipient: &Recipient, session: &Session) -> Result<(), Refusal> {
        let lookups = ForOneMail { remote: self.listener.remote_maps(), steps: &self.steps };
        let written = self.listener.restrictions().is_some_and(|rules| rules.decide_relaying());
        if !written {
            let standing = self.claim(session).standing();
            let address = &recipient.address;
            recipients::may_be_reached(&self.listener, standing, address, &lookups).await?;
        }
        recipients::exists(&self.listener, &recipient.address, &lookups).await
    }

    async fn permit_sender(&self, envelope: &Envelope, session: &Session) -> Result<(), Refusal> {
        if let Some(sender) = envelope.sender.address() {
            let policy = self.listener.policy();
            let claim = self.claim(session);
            senders::permit(claim, sender, policy.rules(), &*policy.owners().await)?;
        }
        Ok(())
    }

    fn check_allowance(&self, recipients: usize) -> Result<(), Refusal> {
        let Some(submitter) = &self.submitter else { return Ok(()) };
        self.listener.policy().check(submitter, recipients, clock::monotonic())
    }

    async fn open_intake(&mut self, session: &Session) -> Answer {
        if let Err(refusal) = self.judge(ProtocolState::Data, session, None).await {
            return Answer::Refuse(refusal);
        }
        if let Err(refusal) = self.meet_mail(session) {
            return Answer::Refuse(refusal);
        }
        let arrival = clock::now();
        let queue = &self.listener.shared().queue;
        let Some(envelope) = session.transaction() else {
            return Answer::Refuse(Refusal::Internal);
        };
        let intake = match queue.intake(session.declared_size().unwrap_or(0)) {
            Ok(intake) => intake,
            Err(error) => return self.not_taken(&error),
        };
        if let Some(milters) = &mut self.milters
            && let Err(refusal) = Box::pin(milters.data(&intake.id().to_string())).await
        {
            return Answer::Refuse(refusal);
        }
        let prepended = match self.prepended() {
            Ok(headers) => headers,
            Err(refusal) => return Answer::Refuse(refusal),
        };
        let trace = match self.ends {
            Ends::InQueue => Some(self.trace(session, envelope, intake.id(), arrival)),
            Ends::InOpinion(_) => None,
        };
        let policy = self.listener.policy();
        let held_to_from = |who: &Submitter| who.is_held_to_from(policy.rules());
        let moderation = self.listener.moderation();
        let sent_by = moderation.filter(|it| it.has_rules());
        let sent_by = sent_by.map(|_| self.sent_by(envelope, session));
        let submitter = sent_by.as_ref().and_then(|it| it.submitter.as_ref());
        let watch = moderation.and_then(|it| it.watch(&envelope.sender, submitter));
        let watched = moderation.filter(|_| watch.is_some());
        let watched = watched.map(|moderation| Watched::new(moderation.asks_for_hosts()));
        let is_held = self.submitter.as_ref().is_some_and(held_to_from);
        let evidence = self.evidence(envelope, watch.is_some(), arrival, session);
        let answers = evidence.as_ref().is_some_and(EvidenceReader::answers);
        let scan = ContentScan::new(is_held || watch.is_some() || answers);
        let checks = self.listener.checks().begin(watch);
        let logged_in = self.submitter.is_some();
        let headers = self.listener.header_rewriter(session.client().ip(), logged_in);
        let incoming = Incoming::new(intake, scan, checks, watched, headers, arrival);
        let archive = self.archive();
        let fields = archive.map(ListenerArchive::fields);
        let mut incoming = incoming.with_evidence(evidence).with_fields(fields);
        if archive.is_some_and(|archive| archive.mark) {
            incoming = incoming.marked().await;
        }
        if self.listener.filters().is_some_and(ListenerFilters::takes_back) {
            incoming = incoming.without_slip();
        }
        let remote = self.listener.remote_maps();
        for header in &prepended {
            incoming.top(header, remote).await;
        }
        if let Some(trace) = trace {
            incoming.received(trace.as_bytes(), remote).await;
        }
        match incoming.trouble() {
            Some(error) => self.not_taken(error),
            None => {
                self.incoming = Some(incoming);
                self.sent_by = sent_by;
                Answer::Proceed
            }
        }
    }

    fn trace(&self, session: &Session, envelope: &Envelope, id: QueueId, now: Timestamp) -> String {
        Trace {
            hostname: &self.listener.shared().hostname,
            client: session.client(),
            helo: session.helo().unwrap_or("unknown"),
            protocol: session.protocol(),
            login: session.login(),
            tls: session.tls(),
            id,
            envelope,
            now,
        }
        .header()
    }

    /// A table cannot tell: the mail waits at the client (451), and the administrator hears why.
    fn cannot_tell(&self, id: QueueId, trouble: &dyn fmt::Display) -> Answer {
        self.listener.warn(format!("{id}: the mail is put off: {trouble}"));
        Answer::Refuse(Refusal::TableUnavailable)
    }

    /// What rules did to addresses is in no log.
    fn tell(&self, decisions: Option<&Decisions>, detail: fn(&Decision) -> Detail<'_>) {
        let decisions = decisions.map_or(&[][..], Decisions::kept);
        decisions.iter().for_each(|one| self.listener.shared().observer.detail(detail(one)));
    }

    /// One line for each rule that did something to the mail.
    fn log_rules(&self, checked: &Outcome, id: QueueId, session: &Session, envelope: &Envelope) {
        // Most mail meets no rule, and nobody asks who sent it.
        let mut decisions = checked.decisions.iter().peekable();
        if decisions.peek().is_none() {
            return;
        }
        let transaction = summary(session, envelope);
        let observer = &self.listener.shared().observer;
        for decision in decisions {
            match rules::event(decision, id, self.listener.name(), &transaction) {
                Ok(event) => observer.mail(&MailEvent::RuleApplied(Box::new(event))),
                Err(warning) => self.listener.warn(format!("{id}: {warning}")),
            }
        }
        if let more @ 1.. = checked.decisions.left_out() {
            self.listener.warn(format!("{id}: {more} more lines matched rules"));
        }
    }

    fn origin(&self, session: &Session, arrival: Timestamp) -> Origin {
        Origin {
            listener: self.listener.name().into(),
            client: session.client().clone(),
            helo: session.helo().unwrap_or("unknown").into(),
            protocol: session.protocol(),
            login: session.login().cloned(),
            tls: session.tls().cloned(),
            forwarded: session.forwarded().cloned().map(Box::new),
            arrival,
        }
    }

    /// One line for a refused command, unless a rule about content has it already, and one more where Postfix warns.
    pub(super) fn log_refusal(&mut self, session: &Session, refused: Refused) {
        let rule = self.restrictions.as_mut().and_then(|rules| rules.rule_of(&refused.reply));
        if let Some(warning) = refused.warning(session.client()) {
            self.listener.warn(warning);
        }
        self.listener.shared().observer.session(&SessionEvent::Refused(Box::new(RefusedEvent {
            listener: self.listener.name().into(),
            client: session.client().clone(),
            command: refused.command,
            reply: refused.reply,
            sender: refused.sender,
            recipient: refused.recipient,
            protocol: Some(session.protocol()),
            helo: session.helo().map(Into::into),
            rule,
            id: self.refused_by_rule.take(),
        })));
    }

    /// The last lines of a session.
    pub(super) fn log_end(&self, session: &Session, cutoff: Option<Cutoff>) {
        let listener: Box<str> = self.listener.name().into();
        let client = session.client().clone();
        let observer = &self.listener.shared().observer;
        if let Some(cause) = cutoff {
            let (listener, client) = (listener.clone(), client.clone());
            let after = session.stage();
            observer.session(&SessionEvent::Lost { listener, client, after, cause });
        }
        let tally = session.tally().to_string();
        observer.session(&SessionEvent::Disconnected { listener, client, tally });
    }
}

fn summary(session: &Session, envelope: &Envelope) -> TransactionSummary {
    // As in the lines of Postfix's cleanup(8), the client is the one that a relay names.
    let named = session.forwarded().and_then(Forwarded::client);
    TransactionSummary {
        client: named.unwrap_or_else(|| session.client().clone()),
        sender: envelope.sender.clone(),
        recipient: envelope.recipients.first().map(|recipient| recipient.address.clone()),
        protocol: session.protocol(),
        helo: session.helo().unwrap_or("unknown").into(),
    }
}

fn answer(judged: Result<(), Refusal>) -> Answer {
    judged.map_or_else(Answer::Refuse, |()| Answer::Proceed)
}

/// The only way to `250 queued`: with proof that the mail is durable. `waits`: for people to approve
/// it, which stands in the same commit.
fn accepted(receipt: &Receipt, waits: bool) -> Answer {
    if waits { Answer::Held(receipt.queue_id()) } else { Answer::Accepted(receipt.queue_id()) }
}
