//! Sends the notices that cases owe. Notice and case are one commit, so that a crash neither loses a
//! notice nor sends it twice; what cannot be sent is tried again.
//!
//! Requests of one moderator could be gathered here (`[moderation] digest_after`): each goes out by
//! itself as yet.

use std::sync::Arc;

use aws_lc_rs::rand;
use bytes::Bytes;
use mailweir_filters::rewriting::RewriteError;
use mailweir_mail::{BodyType, Envelope, Origin, QueueId, ReversePath, SessionEvent, Timestamp};
use mailweir_moderation::{
    case::{Command, Owed, Refused, To},
    case_file::{Attach, CaseFile},
    notice::{self, About, Attached, Composed, Letter, MessageId, Notice},
    token::{Grant, Purpose, Token},
};
use mailweir_queue::{Disposition, IntakeError, Listed, NewMail, store::StoreError};

use super::{Moderation, Settings, content, reader::Reader, take};
use crate::{clock, egress};

/// Why a notice is not sent yet.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Address(#[from] RewriteError),
    #[error(transparent)]
    Case(#[from] Refused),
    #[error("the case cannot be written: {0}")]
    Unwritable(#[from] serde_json::Error),
    #[error("the system gives no random numbers")]
    NoRandom,
}

/// What of a mail goes into a notice.
struct Original {
    attached: Attached,
    bytes: Bytes,
}

impl Moderation {
    /// Sends all that a case owes.
    pub(super) async fn pay(self: &Arc<Self>, id: QueueId) {
        loop {
            let this = Arc::clone(self);
            // On its own, so that it comes to its end if the gateway stops meanwhile.
            match self.tasks.spawn(async move { this.send_next(id).await }).await {
                Ok(Ok(true)) => {}
                Ok(Ok(false)) => return,
                Err(error) => return self.put_off(id, &format!("notice not sent: {error}")),
                Ok(Err(error)) => {
                    return self.put_off(id, &format!("notice not sent: {error}"));
                }
            }
        }
    }

    /// Sends the first notice that is owed. Says whether one was.
    async fn send_next(&self, id: QueueId) -> Result<bool, NotSent> {
        let _turn = self.turn(id).await;
        let Some(before) = self.case(id) else { return Ok(false) };
        let Some(owed) = before.case.progress.owed.first() else { return Ok(false) };
        let now = clock::now();
        let settled = before.case.take(&Command::Settle { owed: owed.number }, now)?.case;
        let mut after = CaseFile { case: settled, ..(*before).clone() };
        let settings = self.settings.load_full();
        match settings.reader(&owed.to, &before) {
            Some(reader) => {
                let token = grant(&settings, owed, &reader, &mut after, now)?;
                after.note_sent(&reader.address, owed.number);
                let original = self.original(id, owed, &before).await?;
                let letter = Written { settings: &settings, reader, token, original };
                self.send(id, &before, owed, letter, &after).await?;
            }
            // There is no address that it could go to.
            None => self.queue.write(take::annex(id, &after, Some(&before.case))?).await?,
        }
        self.keep(id, after);
        Ok(true)
    }

    /// Commits a notice and the case that does not owe it any more.
    async fn send(
        &self,
        id: QueueId,
        before: &CaseFile,
        owed: &Owed,
        letter: Written<'_>,
        after: &CaseFile,
    ) -> Result<(), NotSent> {
        let composed = letter.compose(id, before, owed);
        let envelope = letter.envelope(&composed);
        let warn = |text| self.warn(format!("{id}: {text}"));
        let envelope = egress::addressed(&letter.settings.rewriting, envelope, warn).await?;
        let parts = [&composed.before[..], &letter.original.bytes, &composed.behind];
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let mut intake = self.queue.intake(size as u64)?;
        for part in parts {
            intake.write(part).await?;
        }
        let origin = Origin {
            listener: "moderation".into(),
            ..egress::own_origin(&letter.settings.hostname)
        };
        let mail = NewMail { envelope, origin, disposition: Disposition::Ready };
        let mail = self.queue.compose(intake, mail).await?;
        let annex = take::annex(id, after, Some(&before.case))?;
        let notice = self.queue.commit_with(mail, annex).await?.queue_id();
        self.told(id, owed, &letter.reader, notice);
        Ok(())
    }

    fn told(&self, id: QueueId, owed: &Owed, reader: &Reader, notice: QueueId) {
        let text = format!("{id}: notice {:?} to <{}>: {notice}", owed.word, reader.address);
        self.observer.session(&SessionEvent::Notice { part: "moderation", text: text.into() });
    }

    /// Only those who decide get the mail: it may be what must not leave.
    async fn original(
        &self,
        id: QueueId,
        owed: &Owed,
        file: &CaseFile,
    ) -> Result<Original, NotSent> {
        let nothing = Original { attached: Attached::Nothing, bytes: Bytes::new() };
        let decides = matches!(owed.to, To::Moderator(_))
            && Purpose::of(&owed.to, owed.word) == Some(Purpose::Decide);
        if !decides || file.attach == Attach::Nothing {
            return Ok(nothing);
        }
        let Some(details) = self.queue.show(id).await? else { return Ok(nothing) };
        let (Some(content), Listed::Sound { envelope, .. }) = (details.content, details.mail)
        else {
            return Ok(nothing);
        };
        let (attached, bytes) = content::attached(file.attach, &envelope, &content);
        Ok(Original { attached, bytes })
    }
}

/// A notice to one reader.
struct Written<'a> {
    settings: &'a Settings,
    reader: Reader,
    token: Option<(Token, Purpose)>,
    original: Original,
}

impl Written<'_> {
    fn compose(&self, id: QueueId, file: &CaseFile, owed: &Owed) -> Composed {
        let Self { settings, reader, token, original } = self;
        let pages = settings.pages(token.as_ref().map(|(token, purpose)| (token, *purpose)));
        let name = |number| MessageId::of(id, &reader.address, number, &settings.hostname);
        let thread: Vec<MessageId> =
            file.sent_to(&reader.address).iter().map(|&number| name(number)).collect();
        let from = &settings.rules.from;
        let letter = Letter {
            language: reader.language,
            zone: reader.zone,
            from_name: from.name.as_ref().map_or("", |name| &name.0),
            from: &from.address,
            to: &reader.address,
            // Answers by mail decide nothing yet.
            reply_to: None,
            links: pages.links(),
            date: clock::now(),
            id: name(owed.number),
            thread: &thread,
            seed: egress::seed(),
            attached: original.attached,
        };
        let about = About { id, case: &file.case, mail: &file.mail };
        notice::compose(&Notice::Owed { word: owed.word, to: &owed.to, about }, &letter)
    }

    /// With a null sender: nobody answers a notice that cannot be delivered (RFC 3834).
    fn envelope(&self, composed: &Composed) -> Envelope {
        let reader = &self.reader.address;
        let mut envelope = Envelope::from_sender(ReversePath::Null).to(reader.clone());
        envelope.smtputf8 = composed.needs_smtputf8() || reader.needs_smtputf8();
        if !composed.before.is_ascii() || !self.original.bytes.is_ascii() {
            envelope.body = BodyType::EightBitMime;
        }
        envelope
    }
}

/// A token for the reader, if the notice is one that something can be done with.
fn grant(
    settings: &Settings,
    owed: &Owed,
    reader: &Reader,
    file: &mut CaseFile,
    now: Timestamp,
) -> Result<Option<(Token, Purpose)>, NotSent> {
    let Some(purpose) = Purpose::of(&owed.to, owed.word) else { return Ok(None) };
    let mut random = [0; 32];
    rand::fill(&mut random).map_err(|_| NotSent::NoRandom)?;
    let token = Token::new(random);
    file.give(Grant {
        token: token.hash(),
        person: reader.address.clone(),
        purpose,
        expires: file.tokens_end(now, settings.rules.keep_cases),
    });
    Ok(Some((token, purpose)))
}
