//! Whether people must approve a mail that is about to be taken.

use std::collections::HashSet;

use mailweir_filters::ForOneMail;
use mailweir_mail::{
    Address, Client, Domain, Envelope, Forwarded, HoldReason, Login, QueueId, SessionEvent,
};
use mailweir_moderation::{
    Sketch,
    case::RuleName,
    case_file::{Split, Unwritable},
    chain::{ReceivedHeaders, Walk},
    rule::{LogIn, Watch},
};
use mailweir_queue::Annex;
use mailweir_smtp::server::{Answer, Session};

use super::{
    Admission, Ends,
    accepting::{Considered, Judged},
};
use crate::{
    ingress::{
        checks::Nowhere,
        incoming::{Incoming, Seen},
        moderation::{Arrival, Fate, ListenerModeration, Moderated, Shown},
        recipients,
        senders::Submitter,
    },
    moderation::{self, Acquainted, Fingerprint},
    observe::Detail,
};

/// What had to be looked up.
struct Asked {
    ours: HashSet<Domain>,
    groups: Vec<Box<str>>,
    acquainted: Acquainted,
}

/// Who handed in a mail.
pub(super) struct SentBy {
    /// Whether `submitter` says all that there is to say of it.
    log_in: LogIn,
    /// Who logged in, here or at the Postfix in front.
    pub(super) submitter: Option<Submitter>,
    /// From where.
    client: Client,
    /// Whether that is one of `networks`, and so is each that says so.
    is_from_ours: bool,
}

impl Admission {
    /// Asks the rules about the recipients as they are now.
    ///
    /// # Errors
    /// A table or the store cannot tell: the mail waits at the client.
    pub(super) async fn moderate(
        &self,
        mail: &mut Judged,
        envelope: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        let Some(rules) = self.listener.moderation() else { return Ok(()) };
        let (Some(watch), Some(seen)) = (mail.clues.watch.take(), mail.incoming.finish_watch())
        else {
            return Ok(());
        };
        let id = mail.incoming.id();
        if self.came_through_trusted_hosts(rules, id, seen.received.as_ref(), session) {
            return Ok(());
        }
        let form = mail.take_final_form(envelope.clone(), self.listener.served());
        let sender = mail.clues.sent_by.take().unwrap_or_else(|| self.sent_by(envelope, session));
        if sender.log_in == LogIn::Unknown && rules.asks_for_log_ins() {
            self.listener.warn(format!("{id}: {NOT_TOLD}"));
        }
        let submitter = sender.submitter.as_ref();
        let owns_sender = self.owns_sender(submitter, envelope, &mail.incoming).await;
        let asked = self.ask(rules, submitter, &form.envelope, &mail.incoming).await?;
        let arrival =
            self.arrival(&mail.incoming, seen, (&form.envelope, &sender), (asked, owns_sender));
        let moderated = self.judge_arrival(&arrival, &watch, mail).await?;
        let acquainted = arrival.acquainted;
        mail.considered = Some(Considered { acquainted, moderated });
        mail.settle(form);
        Ok(())
    }

    /// Whether the way of the mail lets it pass. The log says why, or why not.
    fn came_through_trusted_hosts(
        &self,
        rules: &ListenerModeration,
        id: QueueId,
        received: Option<&ReceivedHeaders>,
        session: &Session,
    ) -> bool {
        let Some(received) = received.filter(|_| rules.asks_for_hosts()) else { return false };
        let way = rules.way(session.client().ip(), received);
        self.tell_way(id, &way);
        way.is_trusted()
    }

    /// Who handed in the mail, here or at the Postfix in front.
    pub(super) fn sent_by(&self, envelope: &Envelope, session: &Session) -> SentBy {
        let (log_in, elsewhere) = self.logged_in_elsewhere(envelope, session);
        let submitter = self.submitter.clone().or_else(|| elsewhere.map(Submitter::named));
        // Shown to people, and trusted with nothing.
        let client = session.forwarded().and_then(Forwarded::client);
        let is_among = |client: &Client| self.listener.rights(client.ip()).trusted;
        let is_from_ours = session.rights().trusted && client.as_ref().is_none_or(is_among);
        let client = client.unwrap_or_else(|| session.client().clone());
        SentBy { log_in, submitter, client, is_from_ours }
    }

    /// The mail as the rules are asked about it.
    fn arrival<'a>(
        &'a self,
        incoming: &Incoming,
        seen: Seen,
        (envelope, sender): (&'a Envelope, &'a SentBy),
        (Asked { ours, groups, acquainted }, owns_sender): (Asked, bool),
    ) -> Arrival<'a> {
        let from = incoming.scan().from().and_then(|from| from.addresses().ok());
        Arrival {
            listener: self.listener.name(),
            ours,
            submitter: sender.submitter.as_ref(),
            owns_sender,
            log_in: sender.log_in,
            client: &sender.client,
            is_from_ours: sender.is_from_ours,
            envelope,
            from: from.unwrap_or_default(),
            addressees: seen.addressees,
            groups,
            acquainted,
            size: incoming.size(),
            arrival: incoming.arrival(),
        }
    }

    /// What the rules say of it, and whether a signature lets it pass all the same.
    ///
    /// # Errors
    /// What is stored of it cannot be read.
    async fn judge_arrival(
        &self,
        arrival: &Arrival<'_>,
        watch: &Watch,
        mail: &mut Judged,
    ) -> Result<Option<Moderated>, Answer> {
        let Some(rules) = self.listener.moderation() else { return Ok(None) };
        let (matches, lifted) = rules.judge(arrival, watch);
        self.tell_trust(mail.incoming.id(), arrival.submitter, &lifted);
        let mut shown = Shown::default();
        if rules.needs_people(&matches) {
            if self.is_signed_by_trusted(mail, &arrival.from).await {
                return Ok(None);
            }
            // Boxed, so that mail that nobody hears of has no room for it.
            let subject = watch.shown_subject();
            shown = Box::pin(self.read_shown(&mut mail.incoming, subject)).await?;
        }
        let Some(moderated) = rules.carry_out(arrival, &matches, &shown) else {
            return Ok(None);
        };
        self.listener.shared().observer.detail(Detail::Moderated {
            action: moderated.fate.as_str(),
            rule: &moderated.rule,
            reasons: &moderated.reasons,
        });
        Ok(Some(moderated))
    }

    /// What is kept of a mail that people hear of: of what is stored, which is what they open. Most
    /// mail needs nobody, and is not read for that. The subject is as the rules saw it.
    async fn read_shown(&self, incoming: &mut Incoming, subject: &str) -> Result<Shown, Answer> {
        let content = incoming.taken_in().await.map_err(|error| self.not_taken(&error))?;
        let (mut fingerprint, mut reader) = (Fingerprint::new(), content.reader());
        let mut checks = self.listener.checks().showing();
        let remote = self.listener.remote_maps();
        let unreadable = |error| self.cannot_tell(incoming.id(), &error);
        while let Some(piece) = reader.next().await.map_err(unreadable)? {
            fingerprint.feed(&piece);
            if let Some(checks) = &mut checks {
                checks.feed(&piece, &mut Nowhere, remote).await;
            }
        }
        let watch = match checks {
            Some(checks) => checks.finish(&mut Nowhere, remote).await.watch,
            None => None,
        };
        let sketch = watch.map(Watch::into_sketch).unwrap_or_default();
        Ok(Shown {
            hash: fingerprint.finish(),
            sketch: Sketch { subject: subject.into(), ..sketch },
        })
    }

    /// Who logged in at a Postfix that hands over the mail because we told it to, if it does.
    fn logged_in_elsewhere(
        &self,
        envelope: &Envelope,
        session: &Session,
    ) -> (LogIn, Option<Login>) {
        let notes = match self.ends {
            Ends::InQueue => self.listener.notes().filter(|_| self.submitter.is_none()),
            // Whoever asks says who logged in.
            Ends::InOpinion(_) => None,
        };
        let Some(notes) = notes else { return (LogIn::Known, None) };
        let id = session.forwarded().and_then(|forwarded| forwarded.ident.as_deref());
        match id.and_then(|id| notes.login_of(id, envelope.sender.as_str())) {
            Some(login) => (LogIn::Known, login),
            None => (LogIn::Unknown, None),
        }
    }

    /// Why the hosts that a mail came through make it trusted, or do not.
    fn tell_way(&self, id: QueueId, way: &Walk) {
        let observer = &self.listener.shared().observer;
        observer.detail(Detail::Way(way));
        let addresses = way.hops().iter().map(|hop| match hop.address {
            Some(address) => address.to_string(),
            None => "?".to_owned(),
        });
        let addresses: Vec<String> = addresses.collect();
        let text = format!("{id}: trusted_chain: {}; way: {}", way.why(), addresses.join(" < "));
        observer.session(&SessionEvent::Notice { part: "moderation", text: text.into() });
    }

    /// Which rules would have held a mail, were its log-in not trusted.
    fn tell_trust(&self, id: QueueId, submitter: Option<&Submitter>, lifted: &[RuleName]) {
        let login = submitter.map_or("", Submitter::name);
        for RuleName { name, place } in lifted {
            let text = format!("{id}: passes rule {name:?} ({place}): {login} is trusted for it");
            let notice = SessionEvent::Notice { part: "moderation", text: text.into() };
            self.listener.shared().observer.session(&notice);
        }
    }

    /// Whether a signature lets the mail pass. Asked last, since name servers have to tell.
    async fn is_signed_by_trusted(&self, mail: &Judged, from: &[Address]) -> bool {
        let (Some(rules), Some(signed)) = (self.listener.moderation(), &mail.clues.signed) else {
            return false;
        };
        let resolver = &*self.listener.shared().resolver;
        if !rules.asks_for_signatures() {
            return false;
        }
        let Some(signer) = rules.trusted_signer(signed, from, resolver).await else { return false };
        let id = mail.incoming.id();
        let text = format!("{id}: needs no approval: signed by {signer}").into();
        let notice = SessionEvent::Notice { part: "moderation", text };
        self.listener.shared().observer.session(&notice);
        true
    }

    /// What tables and the store know of those whom a mail is from and for.
    ///
    /// # Errors
    /// One of them cannot tell.
    async fn ask(
        &self,
        rules: &ListenerModeration,
        submitter: Option<&Submitter>,
        envelope: &Envelope,
        incoming: &Incoming,
    ) -> Result<Asked, Answer> {
        let (id, now) = (incoming.id(), incoming.arrival());
        let lookups = ForOneMail { remote: self.listener.remote_maps(), steps: &self.steps };
        let ours = recipients::ours(&self.listener, envelope, &lookups).await;
        let groups = rules.groups(submitter, &envelope.sender, &lookups).await;
        let acquainted = rules.acquainted(envelope, now).await;
        Ok(Asked {
            ours: ours.map_err(|error| self.cannot_tell(id, &error))?,
            groups: groups.map_err(|error| self.cannot_tell(id, &error))?,
            acquainted: acquainted.map_err(|error| self.cannot_tell(id, &error))?,
        })
    }

    /// Whether a policy gives whoever logged in the address that the mail is from, as it was handed in.
    async fn owns_sender(
        &self,
        submitter: Option<&Submitter>,
        envelope: &Envelope,
        incoming: &Incoming,
    ) -> bool {
        let Some(submitter) = submitter else { return false };
        let policy = self.listener.policy();
        let owners = policy.owners().await;
        let from = || incoming.scan().from()?.addresses().ok()?.into_iter().next();
        let sender = envelope.sender.address().cloned().or_else(from);
        sender.is_some_and(|sender| submitter.owns(&sender, policy.rules(), &owners))
    }

    /// Mail and case are durable: from now on people may decide about it.
    pub(super) fn begin_case(&self, id: QueueId, moderated: Option<Moderated>) {
        let file = moderated.and_then(|moderated| moderated.fate.into_file());
        if let (Some(file), Some(moderation)) = (file, self.listener.moderation()) {
            moderation.service.opened(id, *file);
        }
    }
}

impl Moderated {
    /// Why the mail is held, if the rule holds it.
    pub(super) fn hold_reason(&self) -> Option<HoldReason> {
        let RuleName { name, place } = &self.rule;
        match self.fate {
            Fate::Hold(_) => Some(HoldReason::new(&format!("moderation rule {name:?} ({place})"))),
            Fate::Accept | Fate::Notice(_) => None,
        }
    }

    /// What is stored with the mail. `also`: why an operator must look at it as well; `split`: the
    /// rest of the mail, if only some recipients wait.
    ///
    /// # Errors
    /// None that is known.
    pub(super) fn annex(
        &mut self,
        id: QueueId,
        also: Option<&HoldReason>,
        split: Option<Split>,
    ) -> Result<Option<Annex>, Unwritable> {
        let file = match &mut self.fate {
            Fate::Accept => return Ok(None),
            Fate::Notice(file) => file,
            Fate::Hold(file) => {
                file.also_held = also.map(|reason| reason.as_str().into());
                file
            }
        };
        file.split = split;
        moderation::annex(id, file, None).map(Some)
    }
}

/// Both reasons, if there are two: each is for somebody else.
pub(super) fn together(
    moderation: Option<HoldReason>,
    other: Option<HoldReason>,
) -> Option<HoldReason> {
    match (moderation, other) {
        (Some(one), Some(other)) => {
            Some(HoldReason::new(&format!("{}; {}", one.as_str(), other.as_str())))
        }
        (one, other) => one.or(other),
    }
}

const NOT_TOLD: &str = "who logged in at the Postfix in front is not known (any more): rules that ask \
                        for it hold the mail; xforward_hosts and smtp_send_xforward_command tell it";
