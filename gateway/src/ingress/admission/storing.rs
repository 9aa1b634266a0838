//! The last step: the mail becomes an entry of the queue, or two if only some of its recipients wait
//! for people, in one commit with all that moderation keeps of it.

use mailweir_archive::entry::{self, Note};
use mailweir_mail::{
    Client, Envelope, Forwarded, HeldBy, HoldReason, MailEvent, Origin, QueueId, Received,
    TransactionSummary,
};
use mailweir_moderation::case_file::Split;
use mailweir_queue::Annex;
use mailweir_smtp::server::{Answer, Session};

use super::{
    Admission, accepted,
    accepting::{Considered, Judged, internal},
    meeting::Correspondence,
    moderating::together,
    summary,
};
use crate::{
    clock,
    egress::Expansion,
    ingress::{
        addressing::{self, FinalForm},
        filters::Ahead,
        incoming::{Entry, Incoming},
        listener::Shared,
        moderation::Moderated,
        policy::Spent,
    },
    moderation::Acquainted,
    observe::Detail,
};

/// What is to be stored.
struct Ready {
    incoming: Incoming,
    envelope: Envelope,
    origin: Origin,
    /// The client as the log shows it, if a relay named another.
    shown_as: Option<Client>,
    moderated: Option<Moderated>,
    /// `None`: the rules were not asked about it.
    acquainted: Option<Acquainted>,
    /// A rule of a table holds it.
    ruled_hold: Option<HoldReason>,
    /// What the archive is to know of it, if it keeps it.
    note: Option<Note>,
    /// Who is no stranger any more once it goes on.
    correspondence: Option<Correspondence>,
}

/// Why a mail waits, and what the log has not said of it.
struct Holds {
    /// For people.
    approval: Option<HoldReason>,
    /// For the operator.
    other: Option<HoldReason>,
    told: Option<HoldReason>,
}

impl Admission {
    pub(super) async fn store(
        &self,
        mut mail: Box<Judged>,
        mut ahead: Ahead,
        session: &mut Session,
    ) -> Result<Answer, Answer> {
        let written = session.take_envelope().ok_or_else(internal)?;
        let (id, arrival) = (mail.incoming.id(), mail.incoming.arrival());
        let correspondence = self.correspondence(&written, session);
        let form = mail.take_final_form(written, self.listener.served());
        let FinalForm { mut envelope, expanded } = form;
        let origin = ahead.origin.take();
        if let Some(filters) = self.listener.filters() {
            filters.note(ahead, &mut envelope);
        }
        let expansion = Expansion::of(id, arrival, &envelope, expanded);
        let counted = mail.counted.take();
        let (acquainted, moderated) = match mail.considered {
            Some(Considered { acquainted, moderated }) => (Some(acquainted), moderated),
            None => (None, None),
        };
        let origin = origin.unwrap_or_else(|| self.origin(session, arrival));
        let ready = Ready {
            incoming: mail.incoming,
            envelope,
            shown_as: origin.forwarded.as_deref().and_then(Forwarded::client),
            origin,
            moderated,
            acquainted,
            ruled_hold: mail.hold,
            note: mail.note,
            correspondence,
        };
        let only = ready.moderated.as_ref().and_then(|moderated| moderated.only.clone());
        let stored = match only {
            None => self.store_whole(ready, counted.as_ref(), session).await,
            Some(only) => self.store_split(ready, &only, counted.as_ref(), session).await,
        };
        match (&stored, expansion) {
            (Ok(_), Some(expansion)) => addressing::report_later(&self.listener, expansion),
            (Ok(_), None) => {}
            (Err(_), _) => self.take_back(counted.as_ref()),
        }
        stored
    }

    async fn store_whole(
        &self,
        mail: Ready,
        counted: Option<&Spent>,
        session: &Session,
    ) -> Result<Answer, Answer> {
        let Ready {
            incoming,
            envelope,
            origin,
            shown_as,
            mut moderated,
            acquainted,
            ruled_hold,
            note,
            correspondence,
        } = mail;
        let id = incoming.id();
        let approval = moderated.as_ref().and_then(Moderated::hold_reason);
        let holds = self.holds(approval, ruled_hold, counted, id);
        let waits = holds.approval.is_some();
        let other = holds.other.as_ref();
        let annex = moderated.as_mut().map(|it| it.annex(id, other, None)).transpose();
        let annex = annex.map_err(|error| self.cannot_tell(id, &error))?.flatten();
        let (entry, told) = holds.entry(id, envelope, session);
        let entry = self.with_note(entry, note.as_ref())?;
        let annex = self.and_remember(annex.unwrap_or_default(), &entry, acquainted).await?;
        let Shared { queue, observer, .. } = self.listener.shared();
        observer.detail(Detail::Queued(&entry.envelope, entry.hold.as_ref()));
        let correspondence = correspondence.filter(|_| entry.hold.is_none());
        let stored = incoming.commit(queue, entry, origin, annex).await;
        let (receipt, event) = stored.map_err(|error| self.not_taken(&error))?;
        self.note_correspondence(correspondence, |_| true);
        self.log_received(event, shown_as.as_ref(), told);
        self.begin_case(id, moderated);
        Ok(accepted(&receipt, waits))
    }

    /// Those whom the rule does not mean get the mail at once.
    async fn store_split(
        &self,
        mail: Ready,
        only: &[u32],
        counted: Option<&Spent>,
        session: &Session,
    ) -> Result<Answer, Answer> {
        let Ready {
            incoming,
            envelope,
            origin,
            shown_as,
            moderated,
            acquainted,
            ruled_hold,
            note,
            correspondence,
        } = mail;
        let (mut incoming, mut moderated) = (incoming, moderated);
        let id = incoming.id();
        let held_id = incoming.other_id().map_err(|error| self.not_taken(&error))?;
        let (sent, held) = divided(envelope, only);
        let approval = moderated.as_ref().and_then(Moderated::hold_reason);
        let approval = approval.map(|reason| part_of(&reason, id));
        let sent_holds = self.holds(None, ruled_hold.clone(), counted, id);
        let held_holds = self.holds(approval, ruled_hold, counted, held_id);
        let recipients = u32::try_from(sent.recipients.len()).unwrap_or(u32::MAX);
        let split = Some(Split { sent_as: id, recipients });
        let other = held_holds.other.as_ref();
        let annex = moderated.as_mut().map(|it| it.annex(held_id, other, split)).transpose();
        let annex = annex.map_err(|error| self.cannot_tell(id, &error))?.flatten();
        let (sent, sent_told) = sent_holds.entry(id, sent, session);
        let (held, held_told) = held_holds.entry(held_id, held, session);
        let (sent, held) =
            (self.with_note(sent, note.as_ref())?, self.with_note(held, note.as_ref())?);
        let Shared { queue, observer, .. } = self.listener.shared();
        for entry in [&sent, &held] {
            observer.detail(Detail::Queued(&entry.envelope, entry.hold.as_ref()));
        }
        let annex = self.and_remember(annex.unwrap_or_default(), &sent, acquainted).await?;
        let correspondence = correspondence.filter(|_| sent.hold.is_none());
        let waiting: Vec<_> =
            held.envelope.recipients.iter().map(|it| it.address.clone()).collect();
        let stored = incoming.commit_two(queue, [sent, held], &origin, annex).await;
        let [sent, held] = stored.map_err(|error| self.not_taken(&error))?;
        self.note_correspondence(correspondence, |one| !waiting.contains(one));
        self.log_received(sent.1, shown_as.as_ref(), sent_told);
        self.log_received(held.1, shown_as.as_ref(), held_told);
        self.begin_case(held_id, moderated);
        Ok(Answer::Split { sent: sent.0.queue_id(), held: held.0.queue_id() })
    }

    /// The entry, with what the archive is to know.
    ///
    /// # Errors
    /// None that is known: there is nothing in it but words and numbers.
    fn with_note(&self, entry: Entry, note: Option<&Note>) -> Result<Entry, Answer> {
        let Some(note) = note else { return Ok(entry) };
        let held = entry.hold.as_ref().map(|reason| reason.as_str().into());
        let note = entry::encode(&Note { held, ..note.clone() });
        let note = note.map_err(|error| self.cannot_tell(entry.id, &error))?;
        Ok(Entry { note: Some(note.into()), ..entry })
    }

    /// With whom the sender has mail now, if it goes.
    ///
    /// # Errors
    /// The store cannot be read.
    async fn and_remember(
        &self,
        mut annex: Annex,
        entry: &Entry,
        acquainted: Option<Acquainted>,
    ) -> Result<Annex, Answer> {
        let moderation = self.listener.moderation().filter(|moderation| moderation.remembers());
        let Some(moderation) = moderation.filter(|_| entry.hold.is_none()) else {
            return Ok(annex);
        };
        let (envelope, now) = (&entry.envelope, clock::now());
        let acquainted = match acquainted {
            Some(acquainted) => acquainted,
            None => {
                let read = moderation.acquainted(envelope, now).await;
                read.map_err(|error| self.cannot_tell(entry.id, &error))?
            }
        };
        acquainted.remember(&envelope.sender, &envelope.recipients, &mut annex, now);
        Ok(annex)
    }

    fn holds(
        &self,
        approval: Option<HoldReason>,
        ruled: Option<HoldReason>,
        counted: Option<&Spent>,
        id: QueueId,
    ) -> Holds {
        let limit = counted.zip(self.submitter.as_ref());
        let limit = limit.and_then(|(spent, submitter)| spent.hold_reason(submitter, id));
        // The line of a table has told of its HOLD.
        let told = together(approval.clone(), limit.clone());
        Holds { approval, other: ruled.or(limit), told }
    }

    pub(super) fn take_back(&self, counted: Option<&Spent>) {
        if let (Some(submitter), Some(spent)) = (&self.submitter, counted) {
            self.listener.policy().take_back(submitter, spent);
        }
    }

    fn log_received(
        &self,
        mut event: Received,
        shown_as: Option<&Client>,
        held: Option<(HoldReason, TransactionSummary)>,
    ) {
        event.client = shown_as.cloned().unwrap_or(event.client);
        let (id, observer) = (event.id, &self.listener.shared().observer);
        observer.mail(&MailEvent::Received(Box::new(event)));
        if let Some((reason, transaction)) = held {
            let by = HeldBy::Rule(Box::new(transaction));
            observer.mail(&MailEvent::Held { id, reason, by });
        }
    }
}

impl Holds {
    /// The entry of the queue, and what the log is to say of its hold.
    fn entry(
        self,
        id: QueueId,
        envelope: Envelope,
        session: &Session,
    ) -> (Entry, Option<(HoldReason, TransactionSummary)>) {
        let told = self.told.map(|reason| (reason, summary(session, &envelope)));
        (Entry { id, envelope, hold: together(self.approval, self.other), note: None }, told)
    }
}

/// The envelope without and with `only` these recipients, which are in order.
fn divided(mut envelope: Envelope, only: &[u32]) -> (Envelope, Envelope) {
    let (mut sent, mut held) = (Vec::new(), Vec::new());
    for (index, recipient) in (0..).zip(std::mem::take(&mut envelope.recipients)) {
        let side = if only.binary_search(&index).is_ok() { &mut held } else { &mut sent };
        side.push(recipient);
    }
    (Envelope { recipients: sent, ..envelope.clone() }, Envelope { recipients: held, ..envelope })
}

/// Why the mail waits of which the rest was sent.
fn part_of(reason: &HoldReason, sent: QueueId) -> HoldReason {
    HoldReason::new(&format!("{}, split from {sent}", reason.as_str()))
}
