//! Accepted mail and its states: durable, scheduled, held, and given to operators.
//!
//! A mail comes in through [`Queue::intake`] and is promised only with a [`Receipt`]. It goes out
//! through [`Queue::next_work`] and [`Queue::record`]. In between it is changed by one pure
//! function, [`state::apply`], and nothing else. `FORMAT.md` says what lies on the disk, and what
//! a restart finds after a crash at any point. This crate knows no network and no filters.

mod acquaintance;
mod annex;
mod body;
mod committer;
mod intake;
pub mod journal;
mod options;
pub mod progress;
mod queue;
pub mod record;
mod rescue;
pub mod schedule;
mod space;
mod spool;
pub mod state;
pub mod store;
mod threads;
mod work;

pub use acquaintance::{Day, Page, Pair};
pub use annex::Annex;
pub use body::{BlockingReader, Body, BodyError, Content, ContentReader, SpoolFile};
pub use committer::SyncTimes;
pub use intake::{Disposition, FormerContent, Intake, IntakeError, LONGEST_NOTE, NewMail, Receipt};
pub use options::{Clock, Engine, Observer, Options};
pub use progress::{ArchivePart, AttemptResult, Place, RecipientIndex, ReportDuty, ReportKind};
pub use queue::{
    ChangeError, Composed, ComposedPair, Details, Filter, Listed, Listing, OpenError, Pinned,
    Queue, Recorded, ReportError, Stats, StoredCases, When,
};
pub use rescue::{RescueReport, rescue};
pub use schedule::Schedule;
pub use threads::{give_way, stand_as_usual, stand_back};
pub use work::{Claim, Ending, OwedReport, Screening, ToArchive, Work};
