//! Sends the notices that cases owe. Notice and case are one commit, so that a crash neither loses a
//! notice nor sends it twice; what cannot be sent is tried again.
//!
//! Which notice goes out by itself is for [`super::pace`] to say; those that go out together are sent
//! by [`super::digest`].

use std::sync::Arc;

use aws_lc_rs::rand;
use bytes::Bytes;
use mailweir_filters::rewriting::RewriteError;
use mailweir_mail::{BodyType, Envelope, Origin, QueueId, ReversePath, SessionEvent, Timestamp};
use mailweir_moderation::{
    case::{Command, Owed, Refused, To, Word},
    case_file::{Attach, CaseFile},
    notice::{self, About, Attached, Composed, Letter, MessageId, Notice},
    token::{AnswerCode, Grant, Purpose, Token},
};
use mailweir_queue::{Annex, Disposition, IntakeError, Listed, NewMail, store::StoreError};

use super::{
    Moderation, Settings, content,
    pace::{Class, Verdict},
    reader::Reader,
    take,
};
use crate::{clock, egress};

/// Why a notice is not sent yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
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
pub(super) struct Original {
    attached: Attached,
    bytes: Bytes,
}

impl Moderation {
    /// Sends all that a case owes, but for what goes out together with others or has no room now.
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

    /// Does what is to be done about the first notice that is owed. Says whether there may be more.
    async fn send_next(&self, id: QueueId) -> Result<bool, NotSent> {
        let _turn = self.turn(id).await;
        let Some(before) = self.case(id) else { return Ok(false) };
        let Some(owed) = self.registry().owed(id).cloned() else { return Ok(false) };
        let settings = self.settings.load_full();
        // There may be no address that it could go to.
        let Some(reader) = settings.reader(&owed.to, &before) else {
            return self.leave_out(id, &before, &owed).await.map(|()| true);
        };
        let class = Class::of(&owed, &before);
        let (which, limits, now) = ((id, owed.number), settings.limits(), clock::now());
        let verdict = self.pace().ask(which, &reader.address, class, &limits, now);
        match verdict {
            Verdict::Alone => {
                let address = reader.address.clone();
                let sent = self.send_alone(&settings, reader, id, &before, &owed).await;
                sent.inspect_err(|_| self.pace().withdraw(&address, class))?;
            }
            Verdict::Gathered => self.registry().gather(id, owed.number),
            Verdict::Later => return Ok(false),
            Verdict::LeftOut(count) => {
                let (word, to) = (owed.word, &reader.address);
                self.leave_out(id, &before, &owed).await?;
                let text =
                    format!("{id}: notice {word:?} to <{to}> left out: number {count} today");
                self.warn(text);
            }
        }
        Ok(true)
    }

    /// Commits the case as one that does not owe a notice any more that nobody gets.
    async fn leave_out(&self, id: QueueId, before: &CaseFile, owed: &Owed) -> Result<(), NotSent> {
        let after = settled(before, owed, clock::now())?;
        self.queue.write(take::annex(id, &after, Some(&before.case))?).await?;
        self.keep(id, after);
        Ok(())
    }

    /// Sends a notice about one case.
    pub(super) async fn send_alone(
        &self,
        settings: &Settings,
        reader: Reader,
        id: QueueId,
        before: &CaseFile,
        owed: &Owed,
    ) -> Result<(), NotSent> {
        let now = clock::now();
        let mut after = settled(before, owed, now)?;
        let token = grant(settings, owed, &reader, &mut after, now)?;
        after.note_sent(&reader.address, owed.number);
        let original = self.original(id, owed, before).await?;
        let decides = token.as_ref().filter(|(_, purpose)| *purpose == Purpose::Decide);
        let answer = decides.map(|(token, _)| token.answer_code());
        let letter = Written { settings, reader, token, answer, original };
        self.send(id, before, owed, letter, &after).await?;
        self.keep(id, after);
        Ok(())
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
        let about = About { id, case: &before.case, mail: &before.mail };
        let notice = Notice::Owed { word: owed.word, to: &owed.to, about };
        let composed = letter.compose(id, before, &notice, owed.number);
        let annex = take::annex(id, after, Some(&before.case))?;
        let Written { settings, reader, original, .. } = letter;
        let notice = self.post(settings, &reader, &composed, &original.bytes, annex).await?;
        self.told(id, owed.word, &reader, notice);
        Ok(())
    }

    /// Commits a notice, and the cases that do not owe it any more.
    pub(super) async fn post(
        &self,
        settings: &Settings,
        reader: &Reader,
        composed: &Composed,
        original: &[u8],
        annex: Annex,
    ) -> Result<QueueId, NotSent> {
        let envelope = envelope(reader, composed, original);
        let warn = |text| self.warn(format!("notice to <{}>: {text}", reader.address));
        let envelope = egress::addressed(&settings.rewriting, envelope, warn).await?;
        let parts = [&composed.before[..], original, &composed.behind];
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let mut intake = self.queue.intake(size as u64)?;
        for part in parts {
            intake.write(part).await?;
        }
        let origin =
            Origin { listener: "moderation".into(), ..egress::own_origin(&settings.hostname) };
        let mail = NewMail { envelope, origin, disposition: Disposition::Ready };
        let mail = self.queue.compose(intake, mail).await?;
        Ok(self.queue.commit_with(mail, annex).await?.queue_id())
    }

    pub(super) fn told(&self, id: QueueId, word: Word, reader: &Reader, notice: QueueId) {
        let text = format!("{id}: notice {word:?} to <{}>: {notice}", reader.address);
        self.observer.session(&SessionEvent::Notice { part: "moderation", text: text.into() });
    }

    /// Only those who decide get the mail: it may be what must not leave.
    async fn original(
        &self,
        id: QueueId,
        owed: &Owed,
        file: &CaseFile,
    ) -> Result<Original, NotSent> {
        let nothing = Original::NOTHING;
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

impl Original {
    pub(super) const NOTHING: Self =
        Self { attached: Attached::Nothing, bytes: Bytes::from_static(&[]) };
}

/// A notice to one reader.
pub(super) struct Written<'a> {
    pub(super) settings: &'a Settings,
    pub(super) reader: Reader,
    /// Of its links.
    pub(super) token: Option<(Token, Purpose)>,
    /// Of the address where it is answered.
    pub(super) answer: Option<AnswerCode>,
    pub(super) original: Original,
}

impl Written<'_> {
    /// `number`: of the notice, among those of its case.
    pub(super) fn compose(
        &self,
        id: QueueId,
        file: &CaseFile,
        notice: &Notice<'_>,
        number: u32,
    ) -> Composed {
        let Self { settings, reader, token, answer, original } = self;
        let token = token.as_ref().map(|(token, purpose)| (token, *purpose));
        let pages = settings.pages(token);
        let reply_to = answer.as_ref().and_then(|code| settings.reply_address(code));
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
            reply_to: reply_to.as_ref(),
            links: pages.links(),
            date: clock::now(),
            id: name(number),
            thread: &thread,
            seed: egress::seed(),
            attached: original.attached,
        };
        notice::compose(notice, &letter)
    }
}

/// With a null sender: nobody answers a notice that cannot be delivered (RFC 3834).
fn envelope(reader: &Reader, composed: &Composed, original: &[u8]) -> Envelope {
    let reader = &reader.address;
    let mut envelope = Envelope::from_sender(ReversePath::Null).to(reader.clone());
    envelope.smtputf8 = composed.needs_smtputf8() || reader.needs_smtputf8();
    if !composed.before.is_ascii() || !original.is_ascii() {
        envelope.body = BodyType::EightBitMime;
    }
    envelope
}

/// A case that does not owe this notice.
fn settled(file: &CaseFile, owed: &Owed, now: Timestamp) -> Result<CaseFile, Refused> {
    let case = file.case.take(&Command::Settle { owed: owed.number }, now)?.case;
    Ok(CaseFile { case, ..file.clone() })
}

/// A token for the reader, if the notice is one that something can be done with.
pub(super) fn grant(
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
        answer: (purpose == Purpose::Decide).then(|| token.answer_code().hash()),
        person: reader.address.clone(),
        purpose,
        expires: file.tokens_end(now, settings.rules.keep_cases),
        sent: Some(now),
    });
    Ok(Some((token, purpose)))
}
