//! Bringing mail in from files: in groups, between those of new mail.

use mailweir_archive::{
    commit::Salt,
    entry::{Capture, Note, Source},
    import::envelope,
};
use mailweir_mail::QueueId;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use super::{Answers, Gone, Keeper, Room, RoomError, Visitor, failed, read, tell};
use crate::{
    archiving::{
        Content, ENDS, NotNow,
        known::{Known, Past, names_all},
        shelf::Shelf,
        words::{Brought, Imported, Told},
    },
    clock,
};

impl Room {
    /// Takes in mails until no more come, and leaves out what is there or was erased here; with `again` it takes them
    /// all the same. What it has told is on the disk, and stays.
    ///
    /// # Errors
    /// Whoever asked has gone.
    pub(crate) async fn import<C: Into<Content>>(
        &self,
        visitor: &Visitor,
        again: bool,
        mails: &mut mpsc::Receiver<(Brought, C)>,
        answers: &Answers,
    ) -> Result<(), Gone> {
        let told = match self.take_all(visitor, again, mails, answers).await {
            Ok(imported) => Told::Imported(imported),
            Err(error) => failed(&error),
        };
        tell(answers, told).await
    }

    async fn take_all<C: Into<Content>>(
        &self,
        visitor: &Visitor,
        again: bool,
        mails: &mut mpsc::Receiver<(Brought, C)>,
        answers: &Answers,
    ) -> Result<Imported, RoomError> {
        let (_permit, end) = self.begin_import()?;
        let known = if again { None } else { Some(self.remember(&end, answers).await?) };
        let (by, counts) = (visitor.by.clone(), Imported::default());
        let mut import = Import { known, by, serial: FIRST_SERIAL, counts };
        loop {
            // Of who has gone no more mails come.
            let _ = tell(answers, Told::Imported(import.counts)).await;
            let group = end.run_until_cancelled(next_group(mails)).await.ok_or_else(ends)?;
            if group.is_empty() {
                break;
            }
            let take = move |shelf: &mut Shelf| import.take(shelf, group).map(|()| import);
            import = self.with(take).await??;
        }
        if import.counts.mails > 0 {
            // So that all of it has its proof.
            self.with(|shelf| shelf.seal(clock::now())).await??;
        }
        Ok(import.counts)
    }

    /// One at a time: two that bring the same would not know of each other.
    fn begin_import(&self) -> Result<(Option<OwnedSemaphorePermit>, CancellationToken), RoomError> {
        let Keeper::Running(archiver, _) = &self.keeper else {
            return Ok((None, CancellationToken::new()));
        };
        let permit = archiver.importers.clone().try_acquire_owned();
        let permit = permit.map_err(|_| RoomError::Refused(UNDER_WAY.into()))?;
        Ok((Some(permit), archiver.end.clone()))
    }

    /// Reads which contents are there. New mail goes on meanwhile.
    async fn remember(
        &self,
        end: &CancellationToken,
        answers: &Answers,
    ) -> Result<Known, RoomError> {
        let all = self.with(|shelf| shelf.last()).await?;
        let (reader, end, answers) = (self.reader.clone(), end.clone(), answers.clone());
        let mut told = None;
        let known = read(move || {
            let mut goes_on = |done: u64| {
                let part = done.saturating_mul(100).checked_div(all);
                let is_heard = told == part || {
                    told = part;
                    answers.blocking_send(Told::Remembering { done, all }).is_ok()
                };
                is_heard && !end.is_cancelled()
            };
            Ok(Known::read(reader, &mut goes_on)?)
        });
        known.await?.ok_or_else(ends)
    }
}

/// An import under way.
struct Import {
    /// What is there; absent: nobody asks.
    known: Option<Known>,
    by: Box<str>,
    serial: u32,
    counts: Imported,
}

impl Import {
    /// Takes in a group. Once this gives `Ok`, all of it is on the disk.
    fn take(&mut self, shelf: &mut Shelf, group: Vec<(Brought, Content)>) -> Result<(), RoomError> {
        if let Some(known) = &mut self.known {
            known.catch_up()?;
        }
        let mut new: Vec<(Capture, Content)> = Vec::with_capacity(group.len());
        for (brought, content) in group {
            let capture = self.capture(brought, &content)?;
            match self.past(shelf, &new, &capture)? {
                Some(Past::There) => self.counts.known += 1,
                Some(Past::Erased) => self.counts.erased += 1,
                None => new.push((capture, content)),
            }
        }
        shelf.bring(&new, clock::now())?;
        self.counts.mails += new.len() as u64;
        self.counts.bytes += new.iter().map(|(capture, _)| capture.size).sum::<u64>();
        Ok(())
    }

    fn past(
        &self,
        shelf: &Shelf,
        new: &[(Capture, Content)],
        Capture { content, envelope, .. }: &Capture,
    ) -> Result<Option<Past>, RoomError> {
        let Some(known) = &self.known else { return Ok(None) };
        let is_same = |other: &Capture| other.content == *content && names_all(other, envelope);
        if new.iter().any(|(other, _)| is_same(other)) {
            return Ok(Some(Past::There));
        }
        Ok(known.past(shelf.rows(), *content, envelope)?)
    }

    fn capture(&mut self, brought: Brought, content: &Content) -> Result<Capture, RoomError> {
        let Brought { from, envelope, arrival, direction, rule, keep_days } = brought;
        let now = clock::now();
        self.serial = self.serial.wrapping_add(1).max(FIRST_SERIAL);
        let source = Source::Imported { by: self.by.clone(), from };
        Ok(Capture {
            id: QueueId::new(now, self.serial),
            envelope,
            origin: envelope::origin(arrival, now),
            note: Note { direction, rule, keep_days, held: None, source },
            content: content.hash(),
            salt: Salt::random()?,
            size: content.size(),
        })
    }
}

/// Those that come next; none: no more do.
async fn next_group<C: Into<Content>>(
    mails: &mut mpsc::Receiver<(Brought, C)>,
) -> Vec<(Brought, Content)> {
    let (mut group, mut bytes) = (Vec::new(), 0);
    while group.len() < MOST_MAILS && bytes < MOST_BYTES {
        let Some((brought, content)) = mails.recv().await else { break };
        let content = content.into();
        bytes += content.size();
        group.push((brought, content));
    }
    group
}

fn ends() -> RoomError {
    NotNow(ENDS.into()).into()
}

const UNDER_WAY: &str = "another import is under way: begin this one when that has ended";

/// Mails in a group.
const MOST_MAILS: usize = 256;

/// Bytes of content in a group; one mail may have more. New mail waits for its archiving while a group is written.
const MOST_BYTES: u64 = 8 << 20;

/// No mail that the gateway accepts has a serial as high: it counts those of one microsecond.
const FIRST_SERIAL: u32 = 1 << 31;
