//! The mutable half of a queued mail: its state, and how each recipient fares.
//!
//! Plain values without behaviour beyond questions about themselves. They change only through
//! [`crate::state::apply`], and are stored as `record.rs` lays out.

use std::fmt;

use bytes::Bytes;
use mailweir_mail::{Envelope, HoldReason, Reply, Stage, Timestamp};

pub use mailweir_mail::ReportKind;

/// Where a mail stands on its way. Exactly one of these is true at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A stage between acceptance and delivery looks at it.
    Screening {
        /// The stage that has not looked yet.
        next: Stage,
    },
    /// It waits for a person. No index that the scheduler reads holds it.
    Held {
        /// Why.
        reason: HoldReason,
        /// Since when.
        since: Timestamp,
        /// The stage that is next after release; [`Stage::Route`] means delivery.
        resume: Stage,
    },
    /// It waits for its next delivery attempt.
    Ready {
        /// Not tried before this time.
        not_before: Timestamp,
    },
    /// An attempt is under way.
    Delivering {
        /// Counts from 1.
        attempt: u32,
        /// What an operator wants once the attempt is over.
        order: Option<Order>,
    },
    /// All is done but the reports that are owed, and what the archive is owed. Without such a debt
    /// nothing of the mail is left.
    Finished(Outcome),
    /// What is stored cannot be read. Kept for `rescue`; changed by nothing.
    Corrupt,
}

impl State {
    /// The state's name alone, for lists and counters.
    #[must_use]
    pub const fn place(&self) -> Place {
        match self {
            Self::Screening { .. } => Place::Screening,
            Self::Held { .. } => Place::Held,
            Self::Ready { .. } => Place::Ready,
            Self::Delivering { .. } => Place::Delivering,
            Self::Finished(_) => Place::Finished,
            Self::Corrupt => Place::Corrupt,
        }
    }
}

/// The name of a [`State`], for lists and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// [`State::Screening`].
    Screening,
    /// [`State::Held`].
    Held,
    /// [`State::Ready`].
    Ready,
    /// [`State::Delivering`].
    Delivering,
    /// [`State::Finished`], owing a report.
    Finished,
    /// [`State::Finished`], and kept only until the archive has it. Nobody else has to do with it.
    Archiving,
    /// [`State::Corrupt`].
    Corrupt,
}

impl Place {
    /// The word for lists and errors.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Screening => "screening",
            Self::Held => "held",
            Self::Ready => "ready",
            Self::Delivering => "delivering",
            Self::Finished => "finished",
            Self::Archiving => "archiving",
            Self::Corrupt => "corrupt",
        }
    }

    /// Postfix's name of the queue that holds such mail (`postqueue -j`, `queue_name`); it has none
    /// for mail that is done.
    #[must_use]
    pub const fn queue_name(self) -> &'static str {
        match self {
            Self::Screening => "incoming",
            Self::Held => "hold",
            Self::Ready => "deferred",
            Self::Delivering | Self::Finished => "active",
            Self::Archiving => "archive",
            Self::Corrupt => "corrupt",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an operator asked for while an attempt was under way. It is stored, so that a crash in the
/// middle of the attempt does not lose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Hold what the attempt leaves.
    Hold(HoldReason),
    /// Schedule anew what the attempt leaves.
    Requeue(Box<str>),
    /// Delete what the attempt leaves; no report.
    Delete(Box<str>),
    /// Return what the attempt leaves to the sender.
    Expire,
}

/// How a mail ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every recipient got it.
    Delivered,
    /// At least one recipient did not.
    Failed,
    /// A named person deleted it.
    Deleted,
}

/// The mutable half of a queued mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub state: State,
    /// Attempts that are over.
    pub attempts: u32,
    /// From when its lifetime counts: arrival, or the latest release or requeue.
    pub alive_since: Timestamp,
    /// The delay report: one for the whole mail.
    pub delay: Notice,
    /// One entry for each recipient of the envelope, in its order.
    pub recipients: Vec<RecipientStatus>,
    /// What the archive is still to get.
    pub archive: ArchiveDebt,
    /// Who decided about it, for the archive, in order; opaque here. Of a mail that the archive is not to
    /// keep there are none.
    pub decisions: Vec<Bytes>,
}

impl Progress {
    /// The progress of a mail that was just accepted.
    #[must_use]
    pub fn new(state: State, envelope: &Envelope, arrival: Timestamp) -> Self {
        Self {
            state,
            attempts: 0,
            alive_since: arrival,
            delay: Notice::NotDue,
            recipients: vec![RecipientStatus::Pending { last: None }; envelope.recipients.len()],
            archive: ArchiveDebt::Nothing,
            decisions: Vec::new(),
        }
    }

    /// Keeps for the archive that somebody decided, if it is to hear of the end of the mail. Of very many
    /// the last are kept.
    pub(crate) fn keep_decision(&mut self, decision: Bytes) {
        if self.archive == ArchiveDebt::Nothing {
            return;
        }
        if self.decisions.len() >= MOST_DECISIONS {
            self.decisions.remove(0);
        }
        self.decisions.push(decision);
    }

    /// The recipients that still wait for the mail.
    pub fn pending(&self) -> impl Iterator<Item = RecipientIndex> + '_ {
        self.indexed().filter(|(_, status)| status.is_pending()).map(|(index, _)| index)
    }

    /// The recipients that a report of `kind` still has to name.
    pub fn owed(&self, kind: ReportKind) -> impl Iterator<Item = RecipientIndex> + '_ {
        self.indexed().filter(move |(_, status)| self.owes(kind, status)).map(|(index, _)| index)
    }

    /// The kinds of report that are owed.
    #[must_use]
    pub fn debts(&self) -> Vec<ReportKind> {
        ReportKind::ALL.into_iter().filter(|kind| self.owed(*kind).next().is_some()).collect()
    }

    /// Whether nothing is left to do, so that the mail can be removed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.archive == ArchiveDebt::Nothing && self.is_done()
    }

    /// Whether nothing is left to do for anybody but the archive. Nothing changes any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Finished(_)) && self.debts().is_empty()
    }

    /// Where the mail stands.
    #[must_use]
    pub fn place(&self) -> Place {
        if self.is_done() { Place::Archiving } else { self.state.place() }
    }

    /// What can be given to the archive now. It hears nothing of a mail that cannot be read.
    #[must_use]
    pub fn to_archive(&self) -> Option<ArchivePart> {
        match self.archive {
            ArchiveDebt::Nothing => None,
            _ if self.state == State::Corrupt => None,
            ArchiveDebt::Capture if self.is_done() => Some(ArchivePart::Both),
            ArchiveDebt::Capture => Some(ArchivePart::Capture),
            ArchiveDebt::Outcome => self.is_done().then_some(ArchivePart::Outcome),
        }
    }

    pub(crate) fn indexed(&self) -> impl Iterator<Item = (RecipientIndex, &RecipientStatus)> {
        (0..).map(RecipientIndex).zip(&self.recipients)
    }

    fn owes(&self, kind: ReportKind, status: &RecipientStatus) -> bool {
        match (kind, status) {
            (ReportKind::Delay, RecipientStatus::Pending { .. }) => self.delay == Notice::Owed,
            (ReportKind::Success, RecipientStatus::Delivered { report, .. })
            | (ReportKind::Failure, RecipientStatus::Failed { report, .. }) => {
                *report == Notice::Owed
            }
            _ => false,
        }
    }
}

/// What the archive is still to get of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveDebt {
    /// Nothing: it is not to keep the mail, or has all of it.
    Nothing,
    /// The mail, and how it ends.
    Capture,
    /// How the mail ends; the mail itself it has.
    Outcome,
}

/// What the archive can get of a mail at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchivePart {
    /// The mail: its end is not known yet.
    Capture,
    /// How it ended: the archive has the rest.
    Outcome,
    /// The mail and how it ended.
    Both,
}

/// The place of a recipient in its envelope, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipientIndex(pub u32);

impl RecipientIndex {
    /// The index into [`Envelope::recipients`].
    #[must_use]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

/// How one recipient fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientStatus {
    /// Not delivered yet.
    Pending {
        /// What was heard at the last attempt.
        last: Option<LastReply>,
    },
    /// Delivered, or relayed.
    Delivered {
        /// What was heard.
        last: LastReply,
        /// The success report.
        report: Notice,
    },
    /// Given up.
    Failed {
        /// What was heard.
        last: LastReply,
        /// Why it was given up.
        cause: FailureCause,
        /// The non-delivery report.
        report: Notice,
    },
}

impl RecipientStatus {
    /// Whether the recipient still waits for the mail.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending { .. })
    }

    /// What was heard last, if anything was.
    #[must_use]
    pub const fn last(&self) -> Option<&LastReply> {
        match self {
            Self::Pending { last } => last.as_ref(),
            Self::Delivered { last, .. } | Self::Failed { last, .. } => Some(last),
        }
    }
}

/// Why a recipient was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureCause {
    /// The next hop, or our own rules, refused it for good.
    Refused,
    /// It was too old, or an operator expired it.
    Expired,
}

/// What a next hop said last about a recipient, or our own words where none was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastReply {
    /// The reply.
    pub reply: Reply,
    /// The next hop as `name[address]:port`; `None` if none was reached.
    pub relay: Option<Box<str>>,
    /// When.
    pub at: Timestamp,
    /// In which attempt.
    pub attempt: u32,
}

/// Whether a report must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Nothing to report, or nobody wants to hear it.
    NotDue,
    /// To be reported once the attempt is over, so that one report names all recipients.
    AfterAttempt,
    /// To be reported now.
    Owed,
    /// Reported, or waived.
    Settled,
}

/// What one delivery attempt brought for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The next hop took it.
    Delivered {
        /// What it said.
        reply: Reply,
        /// The next hop as `name[address]:port`.
        relay: Option<Box<str>>,
        /// Who reports success, if the sender wants that.
        duty: ReportDuty,
    },
    /// Not now; the mail is tried again.
    Deferred {
        /// What the next hop said, or our own words where none was reached.
        reply: Reply,
        /// The next hop as `name[address]:port`; `None` if none was reached.
        relay: Option<Box<str>>,
    },
    /// Never.
    Failed {
        /// What the next hop said, or our own words where none was reached.
        reply: Reply,
        /// The next hop as `name[address]:port`; `None` if none was reached.
        relay: Option<Box<str>>,
    },
}

/// Who reports the success of a delivery (RFC 3461 section 5.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportDuty {
    /// We do: the next hop announced no DSN, so a "relayed" report ends the chain here.
    Ours,
    /// The next hop does: it got the NOTIFY parameter.
    PassedOn,
    /// Nobody does: the mail was taken to be dropped, and its sender may be forged.
    Nobody,
}

/// Decisions that are kept of a mail: an operator may hold and release it as often as they like.
pub(crate) const MOST_DECISIONS: usize = 32;
