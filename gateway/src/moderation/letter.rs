//! A notice as a mail: what all notices have in common, where it goes, and how it is queued.

use bytes::Bytes;
use mailweir_mail::{BodyType, Envelope, Origin, QueueId, ReversePath};
use mailweir_moderation::{
    notice::{self, Attached, Composed, Letter, MessageId, Notice},
    token::{AnswerCode, Purpose, Token},
};
use mailweir_queue::{Annex, Disposition, NewMail};

use super::{Moderation, Settings, outbox::NotSent, reader::Reader};
use crate::{clock, egress, own_mail::Prepared};

/// A reader, and where mail for them goes. Found out before any turn is taken: tables on other servers
/// may take long to tell.
pub(super) struct Addressee<'s> {
    pub(super) settings: &'s Settings,
    pub(super) reader: Reader,
    envelope: Envelope,
}

/// What of a mail goes into a notice.
pub(super) struct Original {
    pub(super) attached: Attached,
    pub(super) bytes: Bytes,
}

impl Original {
    pub(super) const NOTHING: Self =
        Self { attached: Attached::Nothing, bytes: Bytes::from_static(&[]) };
}

/// What is in a notice besides what it says.
pub(super) struct Enclosed {
    /// Of its links.
    pub(super) token: Option<(Token, Purpose)>,
    /// Of the address where it is answered.
    pub(super) answer: Option<AnswerCode>,
    pub(super) original: Original,
}

impl Enclosed {
    /// Links that lead nowhere, no answer, and no original.
    pub(super) const NOTHING: Self =
        Self { token: None, answer: None, original: Original::NOTHING };
}

impl Moderation {
    /// Where mail for a reader goes, by the rules about addresses.
    ///
    /// # Errors
    /// A table cannot tell.
    pub(super) async fn addressee<'s>(
        &self,
        settings: &'s Settings,
        reader: Reader,
    ) -> Result<Addressee<'s>, NotSent> {
        // With a null sender: nobody answers a notice that cannot be delivered (RFC 3834).
        let envelope = Envelope::from_sender(ReversePath::Null).to(reader.address.clone());
        let warn = |text| self.warn(format!("notice to <{}>: {text}", reader.address));
        let envelope = egress::addressed(&settings.rewriting, envelope, warn).await?;
        Ok(Addressee { settings, reader, envelope })
    }

    /// Commits a notice, and the cases that do not owe it any more.
    pub(super) async fn post(
        &self,
        to: Addressee<'_>,
        composed: &Composed,
        original: &[u8],
        annex: Annex,
    ) -> Result<QueueId, NotSent> {
        let parts = [&composed.before[..], original, &composed.behind];
        let size: usize = parts.iter().map(|part| part.len()).sum();
        let (own_mail, hostname) = (&to.settings.own, &to.settings.hostname);
        let envelope = to.envelope(composed, original);
        let warn = |text| self.warn(format!("notice: {text}"));
        let Prepared { note: archive, top } = own_mail.prepare(&envelope, &parts, warn).await?;
        let mut intake = self.queue.intake(size as u64)?;
        for part in [&top[..]].into_iter().chain(parts) {
            intake.write(part).await?;
        }
        let own = egress::own_origin(hostname);
        let origin = Origin { listener: "moderation".into(), ..own };
        let mail = NewMail { envelope, origin, disposition: Disposition::Ready, archive };
        let mail = self.queue.compose(intake, mail).await?;
        Ok(self.queue.commit_with(mail, annex).await?.queue_id())
    }
}

impl Addressee<'_> {
    /// Writes a notice. `named`: the case that names it, and its number among the notices of that one;
    /// `thread`: the numbers of those that its reader got before.
    pub(super) fn compose(
        &self,
        notice: &Notice<'_>,
        (id, number): (QueueId, u32),
        thread: &[u32],
        enclosed: &Enclosed,
    ) -> Composed {
        let Self { settings, reader, .. } = self;
        let token = enclosed.token.as_ref().map(|(token, purpose)| (token, *purpose));
        let pages = settings.pages(token);
        let reply_to = enclosed.answer.as_ref().and_then(|code| settings.reply_address(code));
        let name = |number| MessageId::of(id, &reader.address, number, &settings.hostname);
        let thread: Vec<MessageId> = thread.iter().map(|&number| name(number)).collect();
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
            attached: enclosed.original.attached,
        };
        notice::compose(notice, &letter)
    }

    fn envelope(self, composed: &Composed, original: &[u8]) -> Envelope {
        let Self { reader, mut envelope, .. } = self;
        envelope.smtputf8 |= composed.needs_smtputf8() || reader.address.needs_smtputf8();
        if !composed.before.is_ascii() || !original.is_ascii() {
            envelope.body = BodyType::EightBitMime;
        }
        envelope
    }
}
