//! A mail on its way in: watched, checked, and written into the queue's intake.

mod edited;

use bytes::Bytes;
use mailweir_external::{
    edit::{self, OwnFields},
    slip,
    verdict::Edit,
};
use mailweir_filters::{
    RemoteMaps,
    archiving::{Fields, MARK, MARK_NAME},
    checks::{ContentChecks, Decisions, Fate, Outcome, Output as _},
    removal::FieldRemover,
    rewriting::{self, HeaderRewriter, RewriteError},
};
use mailweir_mail::{
    Address, BodyType, Envelope, HoldReason, Origin, QueueId, Received, Timestamp,
};
use mailweir_moderation::chain::{ReceivedHeaders, ReceivedReader};
use mailweir_queue::{Annex, Content, Disposition, Intake, IntakeError, NewMail, Queue, Receipt};
use mailweir_smtp::client::ContentText;

use self::edited::Edited;
pub(super) use self::edited::NotRewritten;
use super::{
    addressees::Addressees,
    checks::{IntoIntake, Onward},
    content_scan::ContentScan,
    evidence::{Evidence, EvidenceReader},
};

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
    /// What the archive asks of the header; absent where nothing is archived.
    fields: Option<Box<Fields>>,
    /// Absent where headers stay as they are.
    headers: Option<Box<HeaderRewriter>>,
    /// Those of its fields that are our own.
    own_fields: OwnFields,
    /// What takes out fields that the gateway alone writes; absent where nothing depends on them.
    removal: Option<Box<FieldRemover>>,
    /// Whether rewriting put UTF-8 into the header.
    utf8_header: bool,
    /// Whether what is stored has bytes over 127.
    eight_bit: bool,
    arrival: Timestamp,
    /// Why it cannot be stored. The peer hears it at the end of data.
    trouble: Option<IntakeError>,
}

/// An entry of the queue that a mail becomes.
pub(super) struct Entry {
    pub(super) id: QueueId,
    pub(super) envelope: Envelope,
    pub(super) hold: Option<HoldReason>,
    /// For the archive, if it keeps the mail.
    pub(super) note: Option<Bytes>,
}

/// What moderation wants to know of the bytes.
pub(super) struct Watched {
    /// Where it came through, as the client tells; absent where nobody asks.
    received: Option<ReceivedReader>,
    /// To whom the header says that it goes.
    addressees: Addressees,
}

/// What moderation has learned of the bytes.
pub(super) struct Seen {
    /// The Received headers, if they were asked for.
    pub(super) received: Option<ReceivedHeaders>,
    /// To whom the header says that it goes.
    pub(super) addressees: Addressees,
}

impl Watched {
    /// `received`: whether the hosts are asked for that it came through.
    pub(super) fn new(received: bool) -> Self {
        Self { received: received.then(ReceivedReader::default), addressees: Addressees::default() }
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
            fields: None,
            headers,
            own_fields: OwnFields::default(),
            removal: None,
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

    /// Reads these fields of its header for the archive, too.
    pub(super) fn with_fields(mut self, fields: Option<Fields>) -> Self {
        self.fields = fields.map(Box::new);
        self
    }

    /// Marks it as archived, before anything else is taken; [`Self::leave_out_mark`] if it is not.
    pub(super) async fn marked(mut self) -> Self {
        if let Err(error) = self.intake.put_on_top(MARK).await {
            self.trouble = Some(error);
        }
        self.removal = Some(Box::new(FieldRemover::of(MARK_NAME, 0)));
        self.own_fields.add(MARK);
        self
    }

    /// Takes out the slip that it brings back from a filter, before anything else is taken.
    pub(super) fn without_slip(mut self) -> Self {
        self.removal = Some(Box::new(FieldRemover::of(slip::NAME, slip::MOST_FIELD)));
        self
    }

    /// The slip that it has brought back. At the end.
    pub(super) fn slip(&self) -> Option<&[u8]> {
        self.removal.as_ref()?.taken()
    }

    /// It is not archived.
    ///
    /// # Errors
    /// The disk is full or failed.
    pub(super) async fn leave_out_mark(&mut self) -> Result<(), IntakeError> {
        self.intake.take_off_top().await
    }

    /// Takes a header that a table wants on top, which the checks see too.
    pub(super) async fn top(&mut self, header: &[u8], remote: &dyn RemoteMaps) {
        let _ = self.put_above(header, remote).await;
    }

    /// Takes our own `Received`, which the checks see too: rules on `Received` depend on it. What they leave of it is our own.
    pub(super) async fn received(&mut self, header: &[u8], remote: &dyn RemoteMaps) {
        let stands = self.put_above(header, remote).await;
        let is_received =
            |field: &&[u8]| field[..field.len().min(9)].eq_ignore_ascii_case(b"received:");
        if let Some(field) = edit::shown(&stands, &OwnFields::default()).filter(is_received).last()
        {
            self.own_fields.add(field);
        }
    }

    /// Takes a header above what the client sends. Gives what stands there by the word of the checks.
    async fn put_above(&mut self, header: &[u8], remote: &dyn RemoteMaps) -> Vec<u8> {
        let mut stands = Vec::new();
        match &mut self.checks {
            None => stands.extend_from_slice(header),
            Some(checks) => checks.own_header(header, &mut stands, remote).await,
        }
        let Self { intake, trouble, eight_bit, removal, .. } = self;
        let removal = removal.as_deref_mut();
        IntoIntake { intake, trouble, eight_bit, removal }.write(&stands).await;
        stands
    }

    /// Takes the next piece of what the client sends.
    pub(super) async fn content(&mut self, piece: &[u8], remote: &dyn RemoteMaps) {
        if self.trouble.is_none() {
            self.scan.feed(piece);
            if let Some(Watched { received, addressees, .. }) = self.watched.as_deref_mut() {
                addressees.feed(piece);
                if let Some(received) = received {
                    received.feed(piece);
                }
            }
            if let Some(evidence) = &mut self.evidence {
                evidence.feed(piece);
            }
            if let Some(fields) = &mut self.fields {
                fields.feed(piece);
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
        let headers = self.headers.take();
        let (_, mut onward) = self.parts(remote);
        let decisions = match headers {
            None => None,
            Some(headers) => Some(headers.finish(&mut onward.intake, remote).await?),
        };
        onward.intake.finish().await;
        let mut kept = decisions.iter().flat_map(rewriting::Decisions::kept);
        self.utf8_header = kept.any(|decision| !decision.after.is_ascii());
        Ok(decisions)
    }

    /// What is stored of it so far, all of it once its headers are finished.
    ///
    /// # Errors
    /// The disk is full or failed.
    pub(super) async fn taken_in(&mut self) -> Result<Content, IntakeError> {
        self.intake.taken_in().await
    }

    /// Those of its fields that are our own.
    pub(super) const fn own_fields(&self) -> &OwnFields {
        &self.own_fields
    }

    /// Its header as it is stored, with the empty line behind it; once its headers are finished.
    ///
    /// # Errors
    /// It is too long, or cannot be read.
    pub(super) async fn header(&mut self) -> Result<Vec<u8>, NotRewritten> {
        edited::header_of(&self.intake.taken_in().await?).await
    }

    /// Changes what is stored of it, once its headers are finished.
    ///
    /// # Errors
    /// What is wanted cannot be done, and nothing was; or it cannot be stored any more.
    pub(super) async fn rewrite(&mut self, edits: &[Edit]) -> Result<(), NotRewritten> {
        match Edited::of(&mut self.intake, edits, &self.own_fields).await? {
            None => Ok(()),
            Some(edited) => self.become_edited(edited).await,
        }
    }

    /// Takes fields out of its header and puts one on top, below our own, once its headers are finished.
    ///
    /// # Errors
    /// Its header is too long, and nothing was done; or it cannot be stored any more.
    pub(super) async fn mark(
        &mut self,
        unwanted: impl Fn(&[u8]) -> bool,
        field: &[u8],
    ) -> Result<(), NotRewritten> {
        let content = self.intake.taken_in().await?;
        let edited = Edited::with_field(&content, &self.own_fields, unwanted, field).await?;
        self.become_edited(edited).await
    }

    /// Takes fields out of its header, if there are any, once its headers are finished.
    ///
    /// # Errors
    /// As [`Self::mark`].
    pub(super) async fn disown(
        &mut self,
        unwanted: impl Fn(&[u8]) -> bool,
    ) -> Result<(), NotRewritten> {
        let header = self.header().await?;
        let has_any = edit::shown(&header, &self.own_fields).any(&unwanted);
        if has_any { self.mark(unwanted, b"").await } else { Ok(()) }
    }

    async fn become_edited(&mut self, edited: Edited) -> Result<(), NotRewritten> {
        let former = self.intake.begin_anew().await?;
        let top = usize::try_from(former.top()).unwrap_or(usize::MAX);
        let (top, below) = edited.beginning.split_at(top.min(edited.beginning.len()));
        let mut into = self.anew(top).await?;
        into.write(below).await;
        edited.copy_rest(former.content(), &mut into).await?;
        self.written().map_err(Into::into)
    }

    /// Puts the content of another in the place of what is stored, as a filter has handed it back. Which fields of ours stand
    /// above is then for the other to say; but whether it is archived nobody else says. `utf8`: whether the filter has said that
    /// a header in UTF-8 may come.
    ///
    /// # Errors
    /// One of the two cannot be read, or it cannot be stored.
    pub(super) async fn become_that(
        &mut self,
        mut other: Self,
        utf8: bool,
    ) -> Result<(), NotRewritten> {
        let content = other.intake.taken_in().await?;
        let is_marked = self.intake.begin_anew().await?.top() > 0;
        self.own_fields = other.own_fields;
        if is_marked {
            self.own_fields.add(MARK);
        }
        self.utf8_header |= utf8 && other.scan.eight_bit_header();
        let mut forged = FieldRemover::of(MARK_NAME, 0);
        let mut into = self.anew(if is_marked { MARK } else { b"" }).await?;
        into.removal = is_marked.then_some(&mut forged);
        let mut reader = content.reader();
        while let Some(piece) = reader.next().await? {
            into.write(&piece).await;
        }
        into.finish().await;
        self.written().map_err(Into::into)
    }

    /// Begins to write what is stored anew, below this.
    async fn anew(&mut self, top: &[u8]) -> Result<IntoIntake<'_>, IntakeError> {
        let Self { intake, trouble, eight_bit, .. } = self;
        *eight_bit = false;
        if !top.is_empty() {
            intake.put_on_top(top).await?;
        }
        Ok(IntoIntake { intake, trouble, eight_bit, removal: None })
    }

    /// Whether it was stored.
    fn written(&mut self) -> Result<(), IntakeError> {
        self.trouble.take().map_or(Ok(()), Err)
    }

    /// What the content is, for servers that must be able to take it. `utf8`: whether the client has said that a header in UTF-8
    /// may come.
    pub(super) const fn text(&self, utf8: bool) -> ContentText {
        if self.utf8_header || utf8 && self.scan.eight_bit_header() {
            ContentText::Utf8Header
        } else if self.eight_bit {
            ContentText::EightBit
        } else {
            ContentText::SevenBit
        }
    }

    fn parts<'a>(
        &'a mut self,
        remote: &'a dyn RemoteMaps,
    ) -> (Option<&'a mut ContentChecks>, Onward<'a>) {
        let Self { intake, trouble, eight_bit, headers, removal, checks, .. } = self;
        let removal = removal.as_deref_mut();
        let headers = headers.as_deref_mut();
        let intake = IntoIntake { intake, trouble, eight_bit, removal };
        (checks.as_deref_mut(), Onward { headers, intake, remote })
    }

    pub(super) const fn id(&self) -> QueueId {
        self.intake.id()
    }

    /// Bytes so far.
    pub(super) const fn size(&self) -> u64 {
        self.intake.size()
    }

    /// What moderation has learned, once, at the end, where it watches.
    pub(super) fn finish_watch(&mut self) -> Option<Seen> {
        let Watched { received, addressees } = *self.watched.take()?;
        let received = received.map(ReceivedReader::finish);
        Some(Seen { received, addressees })
    }

    /// What speaks for the mail, if that is read. Once, at the end.
    pub(super) fn finish_evidence(&mut self) -> Option<Evidence> {
        self.evidence.take().map(|evidence| evidence.finish())
    }

    /// What the archive asked of the header. Once, at the end.
    pub(super) fn finish_fields(&mut self) -> Fields {
        let mut fields = self.fields.take().map(|fields| *fields).unwrap_or_default();
        fields.finish();
        fields
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

    /// The name of the second mail, if this becomes two.
    pub(super) fn other_id(&mut self) -> Result<QueueId, IntakeError> {
        self.intake.other_id()
    }

    /// Makes the mail durable, with what moderation keeps of it.
    pub(super) async fn commit(
        self,
        queue: &Queue,
        entry: Entry,
        origin: Origin,
        annex: Annex,
    ) -> Result<(Receipt, Received), IntakeError> {
        let (mail, mut event) = self.complete(entry, origin);
        let mail = queue.compose(self.intake, mail).await?;
        let receipt = queue.commit_with(mail, annex).await?;
        event.size = receipt.size();
        Ok((receipt, event))
    }

    /// The same, as two mails: the second has the name [`Incoming::other_id`].
    pub(super) async fn commit_two(
        self,
        queue: &Queue,
        entries: [Entry; 2],
        origin: &Origin,
        annex: Annex,
    ) -> Result<[(Receipt, Received); 2], IntakeError> {
        let [one, other] = entries.map(|entry| self.complete(entry, origin.clone()));
        let mails = queue.compose_two(self.intake, [one.0, other.0]).await?;
        let [first, second] = queue.commit_two_with(mails, annex).await?;
        let told = |receipt: Receipt, event| {
            let size = receipt.size();
            (receipt, Received { size, ..event })
        };
        Ok([told(first, one.1), told(second, other.1)])
    }

    fn complete(
        &self,
        Entry { id, mut envelope, hold, note }: Entry,
        origin: Origin,
    ) -> (NewMail, Received) {
        if self.eight_bit {
            envelope.body = BodyType::EightBitMime;
        }
        // Many programs always ask for SMTPUTF8. A mail that does not need it must not bounce at a
        // next hop that lacks it (Postfix `smtputf8_autodetect_classes`).
        envelope.smtputf8 &= self.scan.eight_bit_header() || needs_smtputf8(&envelope);
        envelope.smtputf8 |= self.utf8_header;
        let event = Received {
            id,
            listener: origin.listener.clone(),
            client: origin.client.clone(),
            login: origin.login.clone(),
            message_id: self.scan.message_id().map(Into::into),
            sender: envelope.sender.clone(),
            size: 0,
            recipients: envelope.recipients.len(),
        };
        let disposition = hold.map_or(Disposition::Ready, Disposition::Held);
        let mail = NewMail { envelope, origin, disposition, archive: note };
        (mail, event)
    }
}

fn needs_smtputf8(envelope: &Envelope) -> bool {
    let sender = envelope.sender.address().into_iter();
    let recipients = envelope.recipients.iter().map(|recipient| &recipient.address);
    sender.chain(recipients).any(Address::needs_smtputf8)
}
