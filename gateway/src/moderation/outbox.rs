//! Sends the notices that cases owe. Notice and case are one commit, so that a crash neither loses a
//! notice nor sends it twice; what cannot be sent is tried again.
//!
//! Which notice goes out by itself is for [`super::pace`] to say; those that go out together are sent
//! by [`super::digest`].

use std::{collections::BTreeSet, sync::Arc};

use aws_lc_rs::rand;
use mailweir_filters::rewriting::RewriteError;
use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::{
    case::{Command, Owed, Refused, To, Word},
    case_file::{Attach, CaseFile, Unwritable},
    notice::Notice,
    token::{Grant, Purpose, Token},
};
use mailweir_queue::{BodyError, IntakeError, Listed, store::StoreError};

use super::{
    Moderation, Settings, content,
    letter::{Addressee, Enclosed, Original},
    pace::{Class, Verdict},
    reader::Reader,
    registry, take,
};
use crate::clock;

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
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl Moderation {
    /// Sends all that a case owes, but for what goes out together with others or has no room now.
    pub(super) async fn pay(self: &Arc<Self>, id: QueueId) {
        while let Some((file, owed)) = self.next_owed_by(id) {
            let (this, which, word) = (Arc::clone(self), (id, owed.number), owed.word);
            // On its own, so that it comes to its end if the gateway stops meanwhile.
            let sent = self.tasks.spawn(async move { this.send(id, &file, &owed).await }).await;
            let reason = match sent {
                Ok(Ok(true)) => continue,
                Ok(Ok(false)) => return,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            let again = self.registry().postpone_notice(which, clock::now()).rfc5322();
            self.warn(format!("{id}: notice {word:?} not sent: {reason}; tried again {again}"));
        }
    }

    /// Does what is to be done about a notice that is owed. Says whether others have room.
    async fn send(&self, id: QueueId, file: &CaseFile, owed: &Owed) -> Result<bool, NotSent> {
        let settings = self.settings.load_full();
        // There may be no address that it could go to.
        let Some(reader) = settings.reader(&owed.to, file) else {
            return self.leave_out(id, owed.number).await.map(|()| true);
        };
        let class = Class::of(owed, file);
        let (which, limits, now) = ((id, owed.number), settings.limits(), clock::now());
        let verdict = self.pace().ask(which, &reader.address, class, &limits, now);
        match verdict {
            Verdict::Alone => {
                let address = reader.address.clone();
                let sent = self.send_alone(&settings, reader, id, owed.number).await;
                if !matches!(sent, Ok(true)) {
                    self.pace().withdraw(&address, class);
                }
                sent?;
            }
            Verdict::Gathered => self.gather(id, owed.number),
            Verdict::Later => return Ok(false),
            Verdict::LeftOut(count) => {
                let (word, to) = (owed.word, &reader.address);
                self.leave_out(id, owed.number).await?;
                let text =
                    format!("{id}: notice {word:?} to <{to}> left out: number {count} today");
                self.warn(text);
            }
        }
        Ok(true)
    }

    /// The notices of a new case that go out together with those that are being gathered.
    pub(super) fn join_others(
        &self,
        settings: &Settings,
        id: QueueId,
        file: &CaseFile,
    ) -> BTreeSet<u32> {
        let mut pace = self.pace();
        let joins = |owed: &&Owed| {
            let reader = settings.address(&owed.to, file);
            let which = (id, owed.number);
            reader.is_some_and(|reader| pace.join(which, reader, Class::of(owed, file)))
        };
        file.case.progress.owed.iter().filter(joins).map(|owed| owed.number).collect()
    }

    /// The first notice that a case owes now, and not together with others.
    fn next_owed_by(&self, id: QueueId) -> Option<(Arc<CaseFile>, Owed)> {
        let registry = self.registry();
        Some((registry.get(id).cloned()?, registry.owed(id, clock::now()).cloned()?))
    }

    /// It goes out together with others, if it is still owed.
    fn gather(&self, id: QueueId, number: u32) {
        let mut registry = self.registry();
        if registry.get(id).is_some_and(|file| registry::owes(file, number)) {
            registry.gather(id, number);
        }
    }

    /// Commits the case as one that does not owe a notice any more that nobody gets.
    async fn leave_out(&self, id: QueueId, number: u32) -> Result<(), NotSent> {
        let _turn = self.turn(id).await;
        let Some((before, owed)) = self.still_owed(id, &[number]) else { return Ok(()) };
        let after = settled(&before, &owed, clock::now())?;
        self.queue.write(take::annex(id, &after, Some(&before.case))?).await?;
        self.keep(id, after);
        Ok(())
    }

    /// Sends a notice about one case. Says whether it was still owed when its turn came.
    async fn send_alone(
        &self,
        settings: &Settings,
        reader: Reader,
        id: QueueId,
        number: u32,
    ) -> Result<bool, NotSent> {
        let to = self.addressee(settings, reader).await?;
        let _turn = self.turn(id).await;
        self.send_in_turn(to, id, &[number]).await
    }

    /// Sends the first of these notices that a case owes. Says whether there is one.
    pub(super) async fn send_in_turn(
        &self,
        to: Addressee<'_>,
        id: QueueId,
        numbers: &[u32],
    ) -> Result<bool, NotSent> {
        let Some((before, owed)) = self.still_owed(id, numbers) else { return Ok(false) };
        let now = clock::now();
        let mut after = settled(&before, &owed, now)?;
        let token = grant(&to, &owed, &mut after, now)?;
        after.note_sent(&to.reader.address, owed.number);
        let original = self.original(id, &owed, &before).await?;
        let decides = token.as_ref().filter(|(_, purpose)| *purpose == Purpose::Decide);
        let answer = decides.map(|(token, _)| token.answer_code());
        let enclosed = Enclosed { token, answer, original };

        let about = before.about(id);
        let notice = Notice::Owed { word: owed.word, to: &owed.to, about };
        let thread = before.sent_to(&to.reader.address);
        let composed = to.compose(&notice, (id, owed.number), thread, &enclosed);
        let annex = take::annex(id, &after, Some(&before.case))?;
        let reader = to.reader.clone();
        self.registry().foretell(id, &after.grants);
        let posted = self.post(to, &composed, &enclosed.original.bytes, annex).await;
        let notice = posted.inspect_err(|_| self.registry().foretell(id, &before.grants))?;
        self.told(id, owed.word, &reader, notice);
        self.keep(id, after);
        Ok(true)
    }

    /// A case, and the first of these notices that it owes.
    fn still_owed(&self, id: QueueId, numbers: &[u32]) -> Option<(Arc<CaseFile>, Owed)> {
        let file = self.case(id)?;
        let mut owed = file.case.progress.owed.iter();
        let owed = owed.find(|owed| numbers.contains(&owed.number))?.clone();
        Some((file, owed))
    }

    pub(super) fn told(&self, id: QueueId, word: Word, reader: &Reader, notice: QueueId) {
        self.log(format!("{id}: notice {word:?} to <{}>: {notice}", reader.address));
    }

    /// Only those who decide get the mail: it may be what must not leave. If it cannot be read, they
    /// are told without it.
    pub(super) async fn original(
        &self,
        id: QueueId,
        owed: &Owed,
        file: &CaseFile,
    ) -> Result<Original, NotSent> {
        let decides = matches!(owed.to, To::Moderator(_))
            && Purpose::of(&owed.to, owed.word) == Some(Purpose::Decide);
        if !decides || file.attach == Attach::Nothing {
            return Ok(Original::NOTHING);
        }
        let Some(Listed::Sound { envelope, .. }) = self.queue.find(id).await? else {
            return Ok(Original::NOTHING);
        };
        let content = match self.queue.content(id).await {
            Ok(Some(content)) => content,
            Err(BodyError::Store(error)) => return Err(error.into()),
            Ok(None) | Err(_) => return Ok(Original::NOTHING),
        };
        let read = content::attached(file.attach, &envelope, &content).await;
        Ok(read.map_or(Original::NOTHING, |(attached, bytes)| Original { attached, bytes }))
    }
}

/// A case that does not owe this notice.
fn settled(file: &CaseFile, owed: &Owed, now: Timestamp) -> Result<CaseFile, Refused> {
    let case = file.case.take(&Command::Settle { owed: owed.number }, now)?.case;
    Ok(CaseFile { case, ..file.clone() })
}

/// A token for the reader, if the notice is one that something can be done with.
pub(super) fn grant(
    Addressee { settings, reader, .. }: &Addressee<'_>,
    owed: &Owed,
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
