//! Sending an archived mail again.

use mailweir_archive::{entry::AccessDeed, restore::Resent};
use mailweir_mail::{Address, Envelope, Origin, QueueId, ReversePath};
use mailweir_queue::{Disposition, NewMail};

use super::{Keeper, Room, RoomError, Visitor, no_such_mail};
use crate::{
    archiving::{reading, words::Told},
    clock, egress,
};

impl Room {
    /// Has a mail sent again, as it was, with fields above it that say so. It is not archived again: who had it
    /// sent to whom is.
    pub(super) async fn restore(
        &self,
        visitor: &Visitor,
        id: QueueId,
        to: Vec<Address>,
    ) -> Result<Told, RoomError> {
        let Keeper::Running(archiver, hostname) = &self.keeper else {
            return Err(RoomError::Refused("no server runs that could send it".into()));
        };
        let from = format!("postmaster@{hostname}");
        let from = from
            .parse::<Address>()
            .map_err(|error| RoomError::Refused(format!("{from} is no sender: {error}").into()))?;
        let sight = visitor.sight.clone();
        let opened = self.read(move |reading| reading.open(id, &sight)).await?;
        let (row, capture, payload) = opened.ok_or_else(|| no_such_mail(id))?;

        let mut intake = archiver.queue.intake(capture.size)?;
        let sent_as = intake.id();
        let mut parts = reading::parts(payload);
        let mut part = parts.recv().await.transpose()?.unwrap_or_default();
        let (at, unique) = (clock::now(), sent_as.to_string());
        let resent = Resent { at, from: &from, to: &to, unique: &unique, host: hostname };
        intake.write(resent.block(&part).as_bytes()).await?;
        let mut left = capture.size;
        while !part.is_empty() {
            intake.write(&part).await?;
            left = left.saturating_sub(part.len() as u64);
            part = parts.recv().await.transpose()?.unwrap_or_default();
        }
        if left > 0 {
            return Err(RoomError::Refused(format!("{id}: it cannot be read to its end").into()));
        }
        let addresses: Vec<_> = to.iter().map(Address::as_str).collect();
        let deed = AccessDeed::Restored { sent_as, to: addresses.join(", ").into() };
        self.note(visitor, deed, Some(row)).await?;

        let text = format!("{id} is sent again to {} as {sent_as}", addresses.join(", "));
        // With a null sender: nobody who sent it once hears that it did not come this time.
        let envelope = to.into_iter().fold(Envelope::from_sender(ReversePath::Null), Envelope::to);
        let (body, smtputf8) = (capture.envelope.body, capture.envelope.smtputf8);
        let envelope = Envelope { body, smtputf8, ..envelope };
        let origin = Origin { listener: "archive".into(), ..egress::own_origin(hostname) };
        let mail = NewMail { envelope, origin, disposition: Disposition::Ready, archive: None };
        let _receipt = intake.commit(mail).await?;
        Ok(Told::Done { text: text.into() })
    }
}
