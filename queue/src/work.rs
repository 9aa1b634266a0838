//! What the queue hands out: mail to deliver, mail to screen, reports to write, and mail for the
//! archive.
//!
//! Each piece carries a lease. Dropping the last copy of a lease without having told the queue a
//! result gives the work back, so that a task that dies strands no mail.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_mail::{Envelope, Origin, QueueId, Stage, Timestamp};

use crate::{
    body::Body,
    progress::{ArchivePart, Outcome, RecipientIndex, RecipientStatus, ReportKind},
    queue::Lease,
};

/// The next thing to do.
#[derive(Debug)]
pub enum Work {
    /// Deliver this mail, then tell [`crate::Queue::record`] each recipient's result.
    Deliver(Claim),
    /// Let a stage look at this mail, then call [`crate::Queue::pass`], [`crate::Queue::hold`] or
    /// [`crate::Queue::delete`].
    Screen(Screening),
    /// Write this report, then call [`crate::Queue::commit_report`] or
    /// [`crate::Queue::waive_report`].
    Report(OwedReport),
}

/// A mail under delivery. Nobody else delivers it until every pending recipient has a result, or
/// the last copy of the claim is dropped: then what has no result counts as not tried.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The mail.
    pub id: QueueId,
    /// Who sent it and who gets it.
    pub envelope: Arc<Envelope>,
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// When it arrived.
    pub arrival: Timestamp,
    /// Counts from 1.
    pub attempt: u32,
    /// Bytes of content.
    pub size: u64,
    /// The content, or where it is; see [`crate::Queue::body`].
    pub body: Body,
    /// The recipients that wait for it.
    pub pending: Vec<RecipientIndex>,
    /// When the claim was made.
    pub claimed_at: Timestamp,
    /// Gives the mail back when dropped too early.
    pub(crate) _lease: Arc<Lease>,
}

/// A mail that a stage between acceptance and delivery looks at.
#[derive(Clone, Debug)]
pub struct Screening {
    /// The mail.
    pub id: QueueId,
    /// The stage that has not looked yet.
    pub stage: Stage,
    /// Who sent it and who gets it.
    pub envelope: Arc<Envelope>,
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// Bytes of content.
    pub size: u64,
    /// The content, or where it is; see [`crate::Queue::body`].
    pub body: Body,
    /// Gives the mail back when dropped too early.
    pub(crate) _lease: Arc<Lease>,
}

/// A report that must be written: about one mail, of one kind, naming all recipients it concerns.
#[derive(Clone, Debug)]
pub struct OwedReport {
    /// The mail that it is about.
    pub id: QueueId,
    /// What it says.
    pub kind: ReportKind,
    /// The envelope of the mail. Its sender, never null, gets the report.
    pub envelope: Arc<Envelope>,
    /// Where the mail came from.
    pub origin: Arc<Origin>,
    /// When it arrived.
    pub arrival: Timestamp,
    /// Until when delivery is tried, for a delay report (RFC 3464 Will-Retry-Until).
    pub retry_until: Timestamp,
    /// Bytes of content.
    pub size: u64,
    /// The content, or where it is; see [`crate::Queue::body`].
    pub body: Body,
    /// The recipients, each with what was heard last.
    pub recipients: Vec<(RecipientIndex, RecipientStatus)>,
    /// Gives the report back when dropped too early.
    pub(crate) _lease: Arc<Lease>,
}

/// A mail that the archive is owed, or how it ended, or both. Nobody else gets it until
/// [`crate::Queue::archived`] hears that the archive has it, or this is dropped: then it is owed again.
#[derive(Debug)]
#[must_use = "what is dropped is owed again"]
pub struct ToArchive {
    /// The mail.
    pub id: QueueId,
    /// What the archive is to take of it.
    pub part: ArchivePart,
    /// How it ended, where that is to be taken.
    pub ending: Option<Ending>,
    /// Who sent it and who gets it.
    pub envelope: Arc<Envelope>,
    /// Where it came from.
    pub origin: Arc<Origin>,
    /// What the one who accepted it wrote down for the archive.
    pub note: Bytes,
    /// When it arrived.
    pub arrival: Timestamp,
    /// Bytes of content.
    pub size: u64,
    /// The content, or where it is; see [`crate::Queue::body`].
    pub body: Body,
    /// Has it owed again when dropped too early.
    pub(crate) lease: Lease,
}

/// How a mail ended. It does not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// How it ended for all.
    pub outcome: Outcome,
    /// How each recipient fared, in the order of the envelope. Whoever still waits for a mail that
    /// was deleted does not get it.
    pub recipients: Vec<RecipientStatus>,
    /// Who decided about it, as [`crate::Annex::tell_archive`] was told, in order.
    pub decisions: Vec<Bytes>,
}
