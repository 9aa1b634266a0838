//! Tells senders who asked for a report of success that a recipient was an alias: its addresses
//! make no more reports of success (RFC 3461 section 5.2.7.3 (b)).
//!
//! Written when the mail is accepted, not by the queue: the recipient is none of the queued mail. If
//! the program dies between the two, this report is missing and nothing else.

use mailweir_mail::{
    Address, Domain, Enhanced, Envelope, MailEvent, QueueId, Recipient, ReportKind, SessionEvent,
    Timestamp,
};
use mailweir_queue::{Disposition, NewMail, Queue, Receipt};

use super::{
    report::{self, Attempt, Diagnostic, Onward, Original, Outcome, Report},
    reporter::{NotQueued, addressed, own_origin},
    seed,
};
use crate::{
    clock,
    observe::Observer,
    own_mail::{OwnMail, Prepared},
    rewriting::LiveRewriting,
};

/// The recipients of an accepted mail that became others.
pub(crate) struct Expansion {
    /// The mail.
    id: QueueId,
    arrival: Timestamp,
    /// The envelope as it is queued; the sender gets the report.
    envelope: Envelope,
    recipients: Vec<Recipient>,
}

impl Expansion {
    /// `None` if nobody is to be told.
    pub(crate) fn of(
        id: QueueId,
        arrival: Timestamp,
        envelope: &Envelope,
        mut recipients: Vec<Recipient>,
    ) -> Option<Self> {
        let sender = &envelope.sender;
        recipients.retain(|one| ReportKind::Success.is_wanted(sender, one.notify));
        let envelope = || Envelope { recipients: Vec::new(), ..envelope.clone() };
        (!recipients.is_empty()).then(|| Self { id, arrival, envelope: envelope(), recipients })
    }

    fn compose(&self, hostname: &Domain, sender: &Address) -> report::Composed {
        let attempts = self.recipients.iter().map(|recipient| Attempt {
            recipient: &recipient.address,
            original: recipient.orcpt.as_ref(),
            status: Enhanced(2, 0, 0),
            diagnostic: Diagnostic::Local("alias expanded"),
            last_attempt: Some(self.arrival),
        });
        let outcome = attempts.map(|attempt| (attempt, Onward::Expanded)).collect();
        Report {
            outcome: Outcome::Succeeded(outcome),
            reporting_mta: hostname,
            id: self.id,
            sender,
            arrival: self.arrival,
            envid: self.envelope.envid.as_ref(),
            ret: self.envelope.ret,
            smtputf8: self.envelope.smtputf8,
            original: Original { content: &[], size: 0 },
            now: clock::now(),
            seed: seed(),
            size_limit: report::DEFAULT_SIZE_LIMIT,
        }
        .compose()
    }
}

/// Where a report goes out.
pub(crate) struct Outbox<'a> {
    pub(crate) queue: &'a Queue,
    pub(crate) observer: &'a Observer,
    pub(crate) hostname: &'a Domain,
    pub(crate) rewriting: &'a LiveRewriting,
    /// What becomes of such mail.
    pub(crate) own: &'a OwnMail,
}

impl Outbox<'_> {
    /// Queues the report about an expansion.
    ///
    /// # Errors
    /// In words for the log; the mail itself is not concerned.
    pub(crate) async fn report(&self, expansion: &Expansion) -> Result<(), String> {
        let Some(sender) = expansion.envelope.sender.address() else { return Ok(()) };
        let report =
            self.queue_report(expansion.id, expansion.compose(self.hostname, sender)).await;
        let report = report.map_err(|error| error.to_string())?.queue_id();
        let (id, kind) = (expansion.id, ReportKind::Success);
        self.observer.mail(&MailEvent::Reported { id, report, kind });
        Ok(())
    }

    async fn queue_report(
        &self,
        id: QueueId,
        composed: report::Composed,
    ) -> Result<Receipt, NotQueued> {
        let warn = |text| {
            let text = format!("{id}: {text}").into();
            self.observer.session(&SessionEvent::Warning { part: "smtp", text });
        };
        let envelope = addressed(self.rewriting, composed.envelope, &warn).await?;
        let prepared = self.own.prepare(&envelope, &[&composed.content], warn).await?;
        let Prepared { note: archive, top } = prepared;
        let mut intake = self.queue.intake(composed.content.len() as u64)?;
        intake.write(&top).await?;
        intake.write(&composed.content).await?;
        let origin = own_origin(self.hostname);
        let mail = NewMail { envelope, origin, disposition: Disposition::Ready, archive };
        Ok(intake.commit(mail).await?)
    }
}
