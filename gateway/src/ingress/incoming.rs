//! A mail on its way in: watched, checked, and written into the queue's intake.

use mailweir_filters::{
    RemoteMaps,
    checks::{ContentChecks, Decisions, Fate, Outcome},
};
use mailweir_mail::{
    Address, BodyType, Envelope, HoldReason, Origin, QueueId, Received, Timestamp,
};
use mailweir_queue::{Disposition, Intake, IntakeError, NewMail, Receipt};

use super::{checks::IntoIntake, content_scan::ContentScan};

/// A mail between DATA and the answer to its end.
pub(super) struct Incoming {
    intake: Intake,
    scan: ContentScan,
    /// Absent where nothing is checked.
    checks: Option<Box<ContentChecks>>,
    arrival: Timestamp,
    /// Why it cannot be stored. The peer hears it at the end of data.
    trouble: Option<IntakeError>,
}

impl Incoming {
    pub(super) fn new(
        intake: Intake,
        scan: ContentScan,
        checks: Option<ContentChecks>,
        arrival: Timestamp,
    ) -> Self {
        Self { intake, scan, checks: checks.map(Box::new), arrival, trouble: None }
    }

    /// Takes a header of our own, which the checks see too: rules on `Received` depend on it.
    pub(super) async fn top(&mut self, header: &[u8], remote: &dyn RemoteMaps) {
        let Self { intake, trouble, .. } = self;
        match &mut self.checks {
            None => *trouble = intake.write(header).await.err(),
            Some(checks) => {
                checks.own_header(header, &mut IntoIntake { intake, trouble }, remote).await;
            }
        }
    }

    /// Takes the next piece of what the client sends.
    pub(super) async fn content(&mut self, piece: &[u8], remote: &dyn RemoteMaps) {
        if self.trouble.is_none() {
            self.scan.feed(piece);
            self.pass(piece, remote).await;
        }
    }

    async fn pass(&mut self, piece: &[u8], remote: &dyn RemoteMaps) {
        let Self { intake, trouble, .. } = self;
        match &mut self.checks {
            None => *trouble = intake.write(piece).await.err(),
            Some(checks) => checks.feed(piece, &mut IntoIntake { intake, trouble }, remote).await,
        }
    }

    /// Takes the end of the content, and says what the checks come to.
    pub(super) async fn finish_checks(&mut self, remote: &dyn RemoteMaps) -> Outcome {
        let Self { intake, trouble, .. } = self;
        match self.checks.take() {
            None => Outcome {
                fate: Fate::Accept,
                detour: None,
                bcc: Vec::new(),
                decisions: Decisions::default(),
            },
            Some(checks) => checks.finish(&mut IntoIntake { intake, trouble }, remote).await,
        }
    }

    pub(super) const fn id(&self) -> QueueId {
        self.intake.id()
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

    pub(super) async fn commit(
        self,
        mut envelope: Envelope,
        origin: Origin,
        hold: Option<HoldReason>,
    ) -> Result<(Receipt, Received), IntakeError> {
        if self.scan.eight_bit() {
            envelope.body = BodyType::EightBitMime;
        }
        // Many programs always ask for SMTPUTF8. A mail that does not need it must not bounce at a
        // next hop that lacks it (Postfix `smtputf8_autodetect_classes`).
        envelope.smtputf8 &= self.scan.eight_bit_header() || needs_smtputf8(&envelope);
        let mut event = Received {
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
        let receipt = self.intake.commit(mail).await?;
        event.size = receipt.size();
        Ok((receipt, event))
    }
}

fn needs_smtputf8(envelope: &Envelope) -> bool {
    let sender = envelope.sender.address().into_iter();
    let recipients = envelope.recipients.iter().map(|recipient| &recipient.address);
    sender.chain(recipients).any(Address::needs_smtputf8)
}
