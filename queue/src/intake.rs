//! The way in: content flows into an [`Intake`]; only its commit gives a [`Receipt`].
//!
//! Two phases. Until the commit nothing is promised, and dropping the intake leaves nothing
//! behind. After it the mail survives power loss. Small content stays in memory; larger content
//! goes to a spool file through one buffer, and the writer waits while the disk is slow.

use std::{io, sync::Arc};

use bytes::Bytes;
use mailweir_mail::{Envelope, HoldReason, Origin, QueueId, Stage};

use crate::{options::Clock, store::StoreError};

/// A mail on its way in.
#[must_use = "an intake that is not committed is thrown away"]
pub struct Intake {
    id: QueueId,
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
    /// The queue is closing: 421 4.3.2.
    #[error("the queue is closing")]
    Closed,
}

impl Intake {
    /// The name that the mail will have.
    #[must_use]
    pub const fn id(&self) -> QueueId {
        self.id
    }

    /// Bytes taken in so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        0
    }

    /// Takes in more content. Waits while a spool file is written.
    ///
    /// # Errors
    /// The disk is full or failed; the intake is then of no use.
    pub async fn write(&mut self, content: &[u8]) -> Result<(), IntakeError> {
        let _ = content;
        todo!()
    }

    /// Makes the mail durable. Once this is called the mail may be committed even if the future
    /// is dropped, like a peer that leaves after its final dot.
    ///
    /// # Errors
    /// The mail is not promised; after a store error it may yet be found at the next start.
    pub async fn commit(self, mail: NewMail) -> Result<Receipt, IntakeError> {
        let _ = (mail, Bytes::new());
        todo!()
    }
}

#[expect(dead_code, reason = "skeleton")]
fn unused(_: Arc<dyn Clock>) {}
