//! The way in: content flows into an [`Intake`]; only its commit gives a [`Receipt`].
//!
//! Two phases. Until the commit nothing is promised, and dropping the intake leaves nothing
//! behind. After it the mail survives power loss. Small content stays in memory; larger content
//! goes to a spool file through one buffer, and the writer waits while the disk is slow.

mod written;

use std::{io, sync::Arc};

use bytes::Bytes;
use mailweir_mail::{Envelope, HoldReason, Origin, QueueId, Stage, Timestamp};

use crate::{
    progress::{ArchiveDebt, Progress, State},
    queue::Shared,
    record::{BodyLocation, BodyRecord, BodyWriter, content_of, encode_envelope},
    spool::{Draft, Placed, Spool},
    store::{Batch, Space, StoreError},
};

pub use written::FormerContent;

/// A mail on its way in.
#[must_use = "an intake that is not committed is thrown away"]
pub struct Intake {
    shared: Arc<Shared>,
    id: QueueId,
    /// The name of a second mail of this content, if there is to be one.
    other: Option<QueueId>,
    size: u64,
    hasher: crc32fast::Hasher,
    /// What stands above the content, and may be taken off again.
    top: Option<Top>,
    /// Absent while a write is under way, and for good after one failed or was given up.
    parts: Option<Parts>,
}

/// What stands above the content.
struct Top {
    size: u64,
    /// The checksum of the content without it.
    rest: crc32fast::Hasher,
}

/// What of the content is in memory, and the file that has the rest.
struct Parts {
    buffer: BodyWriter,
    draft: Option<Draft>,
}

/// What is committed besides the content.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// Who sent it and who gets it. It has at least one recipient.
    pub envelope: Envelope,
    /// Where it came from, and when it began to arrive.
    pub origin: Origin,
    /// Where it goes first.
    pub disposition: Disposition,
    /// What the archive is to know of it besides, opaque here, if the archive is to keep it: at most
    /// [`LONGEST_NOTE`] bytes. The mail then stays until [`crate::Queue::archived`] says that the
    /// archive has it, and how it ended.
    pub archive: Option<Bytes>,
}

/// Where a new mail goes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// To delivery, at once.
    Ready,
    /// On hold; release goes on to delivery.
    Held(HoldReason),
    /// To a stage.
    Screening(Stage),
}

impl Disposition {
    fn into_state(self, now: Timestamp) -> State {
        match self {
            Self::Ready | Self::Screening(Stage::Route) => State::Ready { not_before: now },
            Self::Held(reason) => State::Held { reason, since: now, resume: Stage::Route },
            Self::Screening(next) => State::Screening { next },
        }
    }
}

/// The proof that a mail is durable. Only a commit makes one; only it may be answered with 250.
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    id: QueueId,
    size: u64,
}

impl Receipt {
    /// The mail's name, for "250 2.0.0 queued as ...".
    #[must_use]
    pub const fn queue_id(&self) -> QueueId {
        self.id
    }

    /// Bytes of content.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }
}

/// Why a mail cannot be taken in. Nothing of it is kept, and the peer may try again later.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IntakeError {
    /// The file system has too little free space (`queue_minfree`), or no free inodes: 452 4.3.1.
    #[error("insufficient free space in the queue: {free} bytes left")]
    NoSpace {
        /// Bytes free.
        free: u64,
    },
    /// The disk failed: 451 4.3.0.
    #[error("the queue cannot write the mail")]
    Io(#[from] io::Error),
    /// The store failed, or has stopped after a failure: 451 4.3.0.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The envelope has no recipient: a bug of the caller, 451 4.3.0.
    #[error("the mail has no recipient")]
    NoRecipient,
    /// The note for the archive is too long: a bug of the caller, 451 4.3.0.
    #[error("the note for the archive has {size} bytes, more than {LONGEST_NOTE}")]
    LongNote {
        /// Its size in bytes.
        size: usize,
    },
    /// The queue is closing: 421 4.3.2.
    #[error("the queue is closing")]
    Closed,
}

impl Intake {
    pub(crate) fn new(shared: Arc<Shared>, id: QueueId, expected_size: u64) -> Self {
        let threshold = shared.options.spool_threshold;
        let expected = usize::try_from(expected_size).unwrap_or(threshold);
        let buffer = BodyWriter::new(expected.clamp(MIN_BUFFER.min(threshold), threshold));
        let parts = Some(Parts { buffer, draft: None });
        let hasher = crc32fast::Hasher::new();
        Self { shared, id, other: None, size: 0, hasher, top: None, parts }
    }

    /// The name that the mail will have.
    #[must_use]
    pub const fn id(&self) -> QueueId {
        self.id
    }

    /// The name that a second mail of this content will have ([`crate::Queue::compose_two`]).
    ///
    /// # Errors
    /// The queue is closing.
    pub fn other_id(&mut self) -> Result<QueueId, IntakeError> {
        let id = match self.other {
            Some(id) => id,
            None => self.shared.new_id()?,
        };
        self.other = Some(id);
        Ok(id)
    }

    /// Bytes taken in so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Takes in more content. Waits while a spool file is written. Not cancel safe: an intake
    /// whose write was dropped cannot be committed.
    ///
    /// # Errors
    /// The disk is full or failed; the intake is then of no use.
    pub async fn write(&mut self, mut content: &[u8]) -> Result<(), IntakeError> {
        let mut parts = self.parts.take().ok_or_else(unfinished)?;
        self.hasher.update(content);
        if let Some(top) = &mut self.top {
            top.rest.update(content);
        }
        self.size += content.len() as u64;
        loop {
            let room = self.shared.options.spool_threshold - parts.buffer.content().len();
            let (fitting, rest) = content.split_at(room.min(content.len()));
            parts.buffer.push(fitting);
            if rest.is_empty() {
                break;
            }
            content = rest;
            parts = self.spill(parts).await?;
        }
        self.parts = Some(parts);
        Ok(())
    }

    /// Takes in what stands above the content, before any of it. Whether it stays there may be said later
    /// ([`Self::take_off_top`]).
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn put_on_top(&mut self, top: &[u8]) -> Result<(), IntakeError> {
        self.write(top).await?;
        self.top = Some(Top { size: self.size, rest: crc32fast::Hasher::new() });
        Ok(())
    }

    /// Takes off what was put on top of the content. Of a large content the rest is copied. Not cancel safe,
    /// as [`Self::write`].
    ///
    /// # Errors
    /// The disk is full or failed; the intake is then of no use.
    pub async fn take_off_top(&mut self) -> Result<(), IntakeError> {
        let Some(Top { size, rest }) = self.top.take() else { return Ok(()) };
        let mut parts = self.parts.take().ok_or_else(unfinished)?;
        (self.hasher, self.size) = (rest, self.size - size);
        let mut left = size;
        if let Some(draft) = parts.draft.take() {
            let (shorter, taken) = blocking(move || draft.without_first(size)).await?;
            parts.draft = Some(shorter);
            left -= taken;
        }
        parts.buffer.remove_first(usize::try_from(left).unwrap_or(usize::MAX));
        self.parts = Some(parts);
        Ok(())
    }

    /// Makes the mail durable. Once this is called the mail may be committed even if the future
    /// is dropped, like a peer that leaves after its final dot.
    ///
    /// # Errors
    /// The mail is not promised; after a store error it may yet be found at the next start.
    pub async fn commit(self, mail: NewMail) -> Result<Receipt, IntakeError> {
        let shared = self.shared.clone();
        let prepared = self.prepare(mail).await?;
        shared.commit_new(prepared).await
    }

    /// Brings the content to the disk if it belongs there, and puts the batch together.
    pub(crate) async fn prepare(self, mail: NewMail) -> Result<Prepared, IntakeError> {
        check(&mail)?;
        let (shared, id) = (self.shared.clone(), self.id);
        let content = self.finish().await?;
        Ok(content.prepare(id, mail, shared.clock.now()))
    }

    /// The same for two mails that have one content.
    pub(crate) async fn prepare_two(
        mut self,
        [one, other]: [NewMail; 2],
    ) -> Result<[Prepared; 2], IntakeError> {
        check(&one)?;
        check(&other)?;
        let (shared, id) = (self.shared.clone(), self.id);
        let other_id = self.other_id()?;
        let content = self.finish().await?;
        let again = content.again(&shared.spool, other_id).await?;
        let now = shared.clock.now();
        Ok([content.prepare(id, one, now), again.prepare(other_id, other, now)])
    }

    async fn finish(mut self) -> Result<SafeContent, IntakeError> {
        let parts = self.parts.take().ok_or_else(unfinished)?;
        let checksum = self.hasher.clone().finalize();
        let (stored, placed) = match parts.draft {
            None => (Some(parts.buffer.finish(checksum)), None),
            Some(draft) => (None, Some(place(draft, parts.buffer).await?)),
        };
        let location = if placed.is_some() { BodyLocation::Spool } else { BodyLocation::Store };
        let body = BodyRecord { location, size: self.size, checksum };
        Ok(SafeContent { body, stored, placed })
    }

    /// Empties the buffer into the spool file.
    async fn spill(&self, mut parts: Parts) -> Result<Parts, IntakeError> {
        self.shared.space.check(0).map_err(|free| IntakeError::NoSpace { free })?;
        let (spool, id) = (self.shared.spool.clone(), self.id);
        blocking(move || {
            let mut draft = match parts.draft.take() {
                Some(draft) => draft,
                None => spool.create(id)?,
            };
            draft.write(parts.buffer.content())?;
            parts.buffer.clear();
            Ok(Parts { draft: Some(draft), ..parts })
        })
        .await
    }
}

/// Content that is in its file, or ready to be written with the records.
struct SafeContent {
    body: BodyRecord,
    /// The record of the body, unless it is in a file.
    stored: Option<Bytes>,
    placed: Option<Placed>,
}

impl SafeContent {
    /// The same content for another mail. A file gets a second name: each mail removes its own.
    async fn again(&self, spool: &Spool, id: QueueId) -> Result<Self, IntakeError> {
        let placed = match self.placed.as_ref().map(Placed::path) {
            None => None,
            Some(path) => {
                let (spool, path) = (spool.clone(), path.to_owned());
                Some(blocking(move || spool.name_again(&path, id)).await?)
            }
        };
        Ok(Self { body: self.body, stored: self.stored.clone(), placed })
    }

    fn prepare(self, id: QueueId, mail: NewMail, now: Timestamp) -> Prepared {
        let Self { body, stored, placed } = self;
        let state = mail.disposition.into_state(now);
        let mut progress = Progress::new(state, &mail.envelope, now);
        if mail.archive.is_some() {
            progress.archive = ArchiveDebt::Capture;
        }
        let mut batch = Batch::default();
        let note = mail.archive.as_deref();
        let envelope = encode_envelope(&mail.envelope, &mail.origin, body, note);
        batch.put(Space::Envelopes, id, envelope);
        batch.put(Space::States, id, progress.encode());
        let content = stored.as_ref().map(content_of);
        if let Some(record) = stored {
            batch.put(Space::Bodies, id, record);
        }
        let (envelope, origin) = (Arc::new(mail.envelope), Arc::new(mail.origin));
        let note = mail.archive;
        let newcomer = Newcomer { envelope, origin, body, note, progress, content };
        let ticket = Ticket { id, size: body.size, placed };
        Prepared { newcomer, ticket, batch }
    }
}

fn check(mail: &NewMail) -> Result<(), IntakeError> {
    if mail.envelope.recipients.is_empty() {
        return Err(IntakeError::NoRecipient);
    }
    match mail.archive.as_ref().map_or(0, Bytes::len) {
        size if size > LONGEST_NOTE => Err(IntakeError::LongNote { size }),
        _ => Ok(()),
    }
}

/// A mail whose content is safe and whose records are ready to be written.
pub(crate) struct Prepared {
    pub(crate) newcomer: Newcomer,
    pub(crate) ticket: Ticket,
    pub(crate) batch: Batch,
}

/// What the queue keeps of a new mail in memory.
pub(crate) struct Newcomer {
    pub(crate) envelope: Arc<Envelope>,
    pub(crate) origin: Arc<Origin>,
    pub(crate) body: BodyRecord,
    pub(crate) note: Option<Bytes>,
    pub(crate) progress: Progress,
    pub(crate) content: Option<Bytes>,
}

/// What becomes the receipt of a mail once its batch is durable.
pub(crate) struct Ticket {
    pub(crate) id: QueueId,
    size: u64,
    placed: Option<Placed>,
}

impl Ticket {
    /// The batch was written, or may have been: a spool file stays in either case.
    pub(crate) fn redeem(self, written: Result<(), StoreError>) -> Result<Receipt, StoreError> {
        if let Some(placed) = self.placed {
            placed.keep();
        }
        written.map(|()| Receipt { id: self.id, size: self.size })
    }
}

async fn place(mut draft: Draft, rest: BodyWriter) -> Result<Placed, IntakeError> {
    blocking(move || {
        draft.write(rest.content())?;
        draft.finish()
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, IntakeError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| io::Error::other(error.to_string())).flatten();
    done.map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            IntakeError::NoSpace { free: 0 }
        }
        _ => IntakeError::Io(error),
    })
}

fn unfinished() -> IntakeError {
    IntakeError::Io(io::Error::other("an earlier write of this mail failed or was given up"))
}

/// The longest note for the archive, in bytes.
pub const LONGEST_NOTE: usize = 64 * 1024;

/// Where a peer announces no size, most mail fits in this.
const MIN_BUFFER: usize = 8 * 1024;
