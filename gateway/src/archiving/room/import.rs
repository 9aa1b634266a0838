//! Bringing mail in from files: in groups, between those of new mail.
//!
//! The way of a mail: the command reads it (`cli/archive/import`) and sends it through the control socket, where
//! `control/import` receives it; a large one goes into a file without a name meanwhile (`Content::receive`). Over a short
//! channel, so that files are read no faster than they are archived, it comes here: it waits for its group, what was
//! written since the last one is read, and a job between two groups of new mail leaves out what is there and writes the
//! rest (`Shelf::bring`). Only then is it told as archived. Without a server the channel begins in the command.

use mailweir_archive::{
    commit::Salt,
    entry::{Capture, Note, Source},
    import::envelope,
};
use mailweir_mail::QueueId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Answers, Gone, Keeper, Room, RoomError, Visitor, failed, read, tell};
use crate::{
    archiving::{
        Content, ENDS, NotNow,
        known::{Known, Past, names_all},
        shelf::Shelf,
        turns::Turn,
        words::{Brought, Doubles, Imported, Told},
    },
    clock,
};

impl Room {
    /// Takes in mails until no more come. What it has told is on the disk, and stays.
    ///
    /// # Errors
    /// Whoever asked has gone.
    pub(crate) async fn import<C: Into<Content>>(
        &self,
        visitor: &Visitor,
        doubles: Doubles,
        mails: &mut mpsc::Receiver<(Brought, C)>,
        answers: &Answers,
    ) -> Result<(), Gone> {
        let told = match self.take_all(visitor, doubles, mails, answers).await {
            Ok(imported) => Told::Imported(imported),
            Err(error) => failed(&error),
        };
        tell(answers, told).await
    }

    async fn take_all<C: Into<Content>>(
        &self,
        visitor: &Visitor,
        doubles: Doubles,
        mails: &mut mpsc::Receiver<(Brought, C)>,
        answers: &Answers,
    ) -> Result<Imported, RoomError> {
        let (_turn, end) = self.begin_import(visitor)?;
        let known = match doubles {
            Doubles::LeaveOut => Some(self.remember(&end, answers).await?),
            Doubles::TakeIn => None,
        };
        let (by, counts) = (visitor.by.clone(), Imported::default());
        let mut import = Import { known, by, serial: FIRST_SERIAL, counts };
        loop {
            // Of who has gone no more mails come.
            let _ = tell(answers, Told::Imported(import.counts)).await;
            let group = end.run_until_cancelled(next_group(mails)).await.ok_or_else(ends)?;
            if group.is_empty() {
                break;
            }
            import.known = catch_up(import.known, &end).await?;
            let take = move |shelf: &mut Shelf| import.take(shelf, group).map(|()| import);
            import = self.with(take).await??;
        }
        if import.counts.mails > 0 {
            // So that all of it has its proof.
            self.with(|shelf| shelf.seal(clock::now())).await??;
        }
        Ok(import.counts)
    }

    fn begin_import(
        &self,
        visitor: &Visitor,
    ) -> Result<(Option<Turn>, CancellationToken), RoomError> {
        let Keeper::Running(archiver, _) = &self.keeper else {
            return Ok((None, CancellationToken::new()));
        };
        let turn = archiver.imports.take(&visitor.by, clock::now());
        let turn = turn.map_err(|other| RoomError::Refused(other.to_string().into()))?;
        Ok((Some(turn), archiver.end.clone()))
    }

    /// Reads which contents are there. New mail goes on meanwhile.
    async fn remember(
        &self,
        end: &CancellationToken,
        answers: &Answers,
    ) -> Result<Known, RoomError> {
        let all = self.with(|shelf| shelf.last()).await?;
        let (reader, stop, answers) = (self.reader.clone(), end.clone(), answers.clone());
        let mut told = None;
        let known = read(move || {
            let mut goes_on = |done: u64| {
                let part = done.saturating_mul(100).checked_div(all);
                let is_heard = told == part || {
                    told = part;
                    answers.blocking_send(Told::Remembering { done, all }).is_ok()
                };
                is_heard && !stop.is_cancelled()
            };
            Ok(Known::read(reader, &mut goes_on)?)
        });
        known.await?.ok_or_else(|| match end.is_cancelled() {
            true => ends(),
            false => RoomError::Refused(GONE.into()),
        })
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
            // What was written while this waited for its turn.
            known.catch_up(&mut |_| true)?;
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

/// Reads what was written since, and that may be much. New mail goes on meanwhile.
async fn catch_up(
    known: Option<Known>,
    end: &CancellationToken,
) -> Result<Option<Known>, RoomError> {
    let Some(mut known) = known else { return Ok(None) };
    let end = end.clone();
    let known = read(move || {
        let is_all = known.catch_up(&mut |_| !end.is_cancelled())?;
        Ok(is_all.then_some(known))
    });
    known.await?.ok_or_else(ends).map(Some)
}

/// Those that come next; none: no more do.
async fn next_group<C: Into<Content>>(
    mails: &mut mpsc::Receiver<(Brought, C)>,
) -> Vec<(Brought, Content)> {
    let (mut group, mut bytes) = (Vec::new(), 0);
    while group.len() < MOST_MAILS && bytes < GROUP_BYTES {
        let Some((brought, content)) = mails.recv().await else { break };
        let content = content.into();
        bytes += content.size() + BYTES_OF_RECIPIENT * brought.envelope.recipients.len() as u64;
        group.push((brought, content));
    }
    group
}

fn ends() -> RoomError {
    NotNow(ENDS.into()).into()
}

/// Nobody hears it.
const GONE: &str = "whoever asked has gone";

/// Mails in a group.
const MOST_MAILS: usize = 256;

/// Bytes of a group; one mail may have more. New mail waits for its archiving while a group is written.
pub(in crate::archiving) const GROUP_BYTES: u64 = 8 << 20;

/// About what a recipient takes: there may be very many.
const BYTES_OF_RECIPIENT: u64 = 100;

/// No mail that the gateway accepts has a serial as high: it counts those of one microsecond.
const FIRST_SERIAL: u32 = 1 << 31;
