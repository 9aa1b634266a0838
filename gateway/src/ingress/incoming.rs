//! A mail on its way in: watched, checked, and written into the queue's intake.

use mailweir_filters::{
    RemoteMaps,
    checks::{ContentChecks, Decisions, Fate, Outcome, Output as _},
    rewriting::{self, HeaderRewriter, RewriteError},
};
use mailweir_mail::{
    Address, BodyType, Envelope, HoldReason, Origin, QueueId, Received, Timestamp,
};
use mailweir_moderation::chain::{ReceivedHeaders, ReceivedReader};
use mailweir_queue::{Annex, Disposition, Intake, IntakeError, NewMail, Queue, Receipt};

use super::{
    checks::{IntoIntake, Onward},
    content_scan::ContentScan,
    evidence::{Evidence, EvidenceReader},
};
use crate::moderation::Fingerprint;

/// A mail between DATA and the answer to its end.
pub(super) struct Incoming {
    intake: Intake,
    scan: ContentScan,
    /// Absent where nothing is checked.
    checks: Option<Box<ContentChecks>>,
    /// Absent where moderation does not watch.
    watched: Option<Box<Watched>>,
    /// Absent where nobody asks who wrote it.
    evidence: Option<Box<EvidenceReader>>,
    /// Absent where headers stay as they are.
    headers: Option<Box<HeaderRewriter>>,
    /// Whether rewriting put UTF-8 into the header.
    utf8_header: bool,
    /// Whether what is stored has bytes over 127.
    eight_bit: bool,
    arrival: Timestamp,
    /// Why it cannot be stored. The peer hears it at the end of data.
    trouble: Option<IntakeError>,
}

/// What moderation wants to know of the bytes.
pub(super) struct Watched {
    /// Of what is stored.
    hash: Fingerprint,
    /// Where it came through, as the client tells; absent where nobody asks.
    received: Option<ReceivedReader>,
}

impl Watched {
    /// `received`: whether the hosts are asked for that it came through.
    pub(super) fn new(received: bool) -> Self {
        Self { hash: Fingerprint::new(), received: received.then(ReceivedReader::default) }
    }
}

impl Incoming {
    pub(super) fn new(
        intake: Intake,
        scan: ContentScan,
        checks: Option<ContentChecks>,
        watched: Option<Watched>,
        headers: Option<HeaderRewriter>,
        arrival: Timestamp,
    ) -> Self {
        let (checks, headers) = (checks.map(Box::new), headers.map(Box::new));
        let watched = watched.map(Box::new);
        Self {
            intake,
            scan,
            checks,
            watched,
            evidence: None,
            headers,
            utf8_header: false,
            eight_bit: false,
            arrival,
            trouble: None,
        }
    }

    /// Reads what speaks for the mail, too.
    pub(super) fn with_evidence(mut self, evidence: Option<EvidenceReader>) -> Self {
        self.evidence = evidence.map(Box::new);
        self
    }

    /// Takes a header of our own, which the checks see too: rules on `Received` depend on it.
    pub(super) async fn top(&mut self, header: &[u8], remote: &dyn RemoteMaps) {
        let Self { intake, trouble, eight_bit, watched, .. } = self;
        let hash = watched.as_mut().map(|watched| &mut watched.hash);
        let mut into = IntoIntake { intake, trouble, eight_bit, hash };
        match &mut self.checks {
            None => into.write(header).await,
            Some(checks) => checks.own_header(header, &mut into, remote).await,
        }
    }

    /// Takes the next piece of what the client sends.
    pub(super) async fn content(&mut self, piece: &[u8], remote: &dyn RemoteMaps) {
        if self.trouble.is_none() {
            self.scan.feed(piece);
            if let Some(Watched { received: Some(received), .. }) = self.watched.as_deref_mut() {
                received.feed(piece);
            }
            if let Some(evidence) = &mut self.evidence {
                evidence.feed(piece);
            }
            self.pass(piece, remote).await;
        }
    }

    async fn pass(&mut self, piece: &[u8], remote: &dyn RemoteMaps) {
        let (checks, mut onward) = self.parts(remote);
        match checks {
            None => onward.write(piece).await,
            Some(checks) => checks.feed(piece, &mut onward, remote).await,
        }
    }

    /// Takes the end of the content, and says what the checks come to.
    pub(super) async fn finish_checks(&mut self, remote: &dyn RemoteMaps) -> Outcome {
        let checks = self.checks.take();
        let (_, mut onward) = self.parts(remote);
        match checks {
            None => Outcome {
                fate: Fate::Accept,
                detour: None,
                bcc: Vec::new(),
                decisions: Decisions::default(),
                watch: None,
            },
            Some(checks) => checks.finish(&mut onward, remote).await,
        }
    }

    /// Takes the end of the checked content. Gives what was done to its headers, if anything may be.
    ///
    /// # Errors
    /// A table cannot tell what becomes of an address: the mail waits.
    pub(super) async fn finish_headers(
        &mut self,
        remote: &dyn RemoteMaps,
    ) -> Result<Option<rewriting::Decisions>, RewriteError> {
        let Some(headers) = self.headers.take() else { return Ok(None) };
        let (_, mut onward) = self.parts(remote);
        let decisions = headers.finish(&mut onward.intake, remote).await?;
        self.utf8_header = decisions.kept().iter().any(|decision| !decision.after.is_ascii());
        Ok(Some(decisions))
    }

    fn parts<'a>(
        &'a mut self,
        remote: &'a dyn RemoteMaps,
    ) -> (Option<&'a mut ContentChecks>, Onward<'a>) {
        let Self { intake, trouble, eight_bit, watched, headers, checks, .. } = self;
        let headers = headers.as_deref_mut();
        let hash = watched.as_mut().map(|watched| &mut watched.hash);
        let intake = IntoIntake { intake, trouble, eight_bit, hash };
        (checks.as_deref_mut(), Onward { headers, intake, remote })
    }

    pub(super) const fn id(&self) -> QueueId {
        self.intake.id()
    }

    /// Bytes so far.
    pub(super) const fn size(&self) -> u64 {
        self.intake.size()
    }

    /// The hash of all that is stored, and the Received headers if they were asked for. Once, at the
    /// end, where moderation watches.
    pub(super) fn finish_watch(&mut self) -> Option<([u8; 32], Option<ReceivedHeaders>)> {
        let Watched { hash, received } = *self.watched.take()?;
        Some((hash.finish(), received.map(ReceivedReader::finish)))
    }

    /// What speaks for the mail, if that is read. Once, at the end.
    pub(super) fn finish_evidence(&mut self) -> Option<Evidence> {
        self.evidence.take().map(|evidence| evidence.finish())
    }

    pub(super) const fn scan(&self) -> &ContentScan {
        &self.scan
    }

    pub(super) const fn arrival(&self) -> Timestamp {
        self.arrival
    }

    /// Why it cannot be stored, if that is known already.
    pub(super) const fn trouble(&self) -> Option<&IntakeError> {
        self.trouble.as_ref()
    }

    /// Makes the mail durable, with what moderation keeps of it.
    pub(super) async fn commit(
        self,
        envelope: Envelope,
        origin: Origin,
        hold: Option<HoldReason>,
        annex: Option<(&Queue, Annex)>,
    ) -> Result<(Receipt, Received), IntakeError> {
        let (intake, mail, mut event) = self.complete(envelope, origin, hold);
        let receipt = match annex {
            None => intake.commit(mail).await?,
            Some((queue, annex)) => {
                let mail = queue.compose(intake, mail).await?;
                queue.commit_with(mail, annex).await?
            }
        };
        event.size = receipt.size();
        Ok((receipt, event))
    }

    fn complete(
        self,
        mut envelope: Envelope,
        origin: Origin,
        hold: Option<HoldReason>,
    ) -> (Intake, NewMail, Received) {
        if self.eight_bit {
            envelope.body = BodyType::EightBitMime;
        }
        // Many programs always ask for SMTPUTF8. A mail that does not need it must not bounce at a
        // next hop that lacks it (Postfix `smtputf8_autodetect_classes`).
        envelope.smtputf8 &= self.scan.eight_bit_header() || needs_smtputf8(&envelope);
        envelope.smtputf8 |= self.utf8_header;
        let event = Received {
            id: self.intake.id(),
            listener: origin.listener.clone(),
            client: origin.client.clone(),
            login: origin.login.clone(),
            message_id: self.scan.message_id().map(Into::into),
            sender: envelope.sender.clone(),
            size: 0,
            recipients: envelope.recipients.len(),
        };
        let disposition = hold.map_or(Disposition::Ready, Disposition::Held);
        let mail = NewMail { envelope, origin, disposition };
        (self.intake, mail, event)
    }
}

fn needs_smtputf8(envelope: &Envelope) -> bool {
    let sender = envelope.sender.address().into_iter();
    let recipients = envelope.recipients.iter().map(|recipient| &recipient.address);
    sender.chain(recipients).any(Address::needs_smtputf8)
}
