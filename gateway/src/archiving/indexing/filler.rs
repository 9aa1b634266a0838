//! Fills an index with what the source gives, in its order. Blocks.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use mailweir_archive::{
    Place, ReadError, Reader,
    entry::Capture,
    frame::{Head, Seq},
};
use mailweir_search::index::{Document, Index, IndexError, Indexer, SearchError};

use super::{
    document::{Mail, of_unreadable},
    source::{Source, Step},
};
use crate::{
    clock,
    extraction::{Extractor, Failure, Reading, StartError, header_alone},
};

/// Has mails of the archive read.
pub(super) type MailReader = Extractor<()>;

/// An index that is being filled.
pub(super) struct Filler {
    index: Index,
    indexer: Indexer,
    source: Source,
    /// Those that were taken and are not in the index yet.
    steps: VecDeque<Step>,
    /// The last record that the index knows.
    reached: Option<Head>,
    /// The last one when mail was committed.
    committed: Seq,
    /// What is not committed.
    uncommitted: Uncommitted,
    /// When words of removed mail are to be taken out of the files.
    forget_at: Option<Instant>,
    /// Mails that are found by number, time and header alone.
    pub(super) unread: u64,
}

#[derive(Default)]
struct Uncommitted {
    records: u64,
    mails: u64,
    /// When the last commit was made, and how long it took.
    last: Option<(Instant, Duration)>,
}

/// Filling cannot go on now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("the archive cannot be read: {0}")]
    Archive(#[from] ReadError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A mail that its reader could not read.
pub(super) struct Fatal {
    pub(super) seq: Seq,
    pub(super) capture: Box<Capture>,
    pub(super) failure: Failure,
}

/// What one step came to.
pub(super) enum Done {
    /// A record more is known.
    Record,
    /// The same, of a mail that could not be read.
    Failed(Fatal),
    /// There are none left up to the number that was asked for.
    All,
}

impl Filler {
    /// Goes on behind `reached`, the last record that the index has, and where it is in the archive.
    pub(super) fn new(
        index: Index,
        heap: usize,
        archive: Reader,
        reached: Option<(Head, Place)>,
    ) -> Result<Self, Trouble> {
        let indexer = index.indexer(heap)?;
        Ok(Self {
            index,
            indexer,
            source: Source::new(archive, reached),
            steps: VecDeque::new(),
            reached: reached.map(|(head, _)| head),
            committed: reached.map_or(0, |(head, _)| head.seq),
            uncommitted: Uncommitted::default(),
            // What was left to do when the last one ended.
            forget_at: Some(clock::monotonic()),
            unread: 0,
        })
    }

    /// The number of the last record that the index knows; 0: none.
    pub(super) fn reached(&self) -> Seq {
        self.reached.map_or(0, |head| head.seq)
    }

    /// The number up to which all mail is found. `last`: the last one of all, if there are none left.
    pub(super) fn found_up_to(&self, last: Option<Seq>) -> Seq {
        match self.uncommitted.mails {
            0 => last.unwrap_or(0).max(self.reached()),
            _ => self.committed,
        }
    }

    /// Takes a record into the index, of those up to `last`.
    pub(super) fn step(&mut self, last: Seq, reader: &mut MailReader) -> Result<Done, Trouble> {
        while reader.has_room() && self.steps.len() < MOST_STEPS {
            let Some(step) = self.source.next(last, reader.most() as u64)? else { break };
            if let Step::Mail { head, content, .. } = &step {
                reader.send(head.seq, (), content);
            }
            self.steps.push_back(step);
        }
        let reading = match self.steps.front() {
            None => return Ok(Done::All),
            Some(Step::Mail { .. }) => reader.take()?.map(|((), reading)| reading),
            Some(_) => None,
        };
        let Some(step) = self.steps.pop_front() else { return Ok(Done::All) };
        self.add(step, reading)
    }

    fn add(&mut self, step: Step, reading: Option<Reading>) -> Result<Done, Trouble> {
        let (mut done, mut is_mail) = (Done::Record, true);
        let head = match step {
            Step::Mail { head, capture, content, is_whole } => {
                let (found, failure) = match reading {
                    Some(Reading::Read(found)) => (found, None),
                    Some(Reading::Failed(failure)) => (header_alone(&content), Some(failure)),
                    None => (header_alone(&content), None),
                };
                let has_failed = failure.is_some() || !is_whole;
                self.unread += u64::from(has_failed);
                let mail = Mail { head, capture: *capture, found, has_failed };
                mail.with_document(|document| add(&mut self.indexer, document))?;
                if let Some(failure) = failure {
                    let capture = Box::new(mail.capture);
                    done = Done::Failed(Fatal { seq: head.seq, capture, failure });
                }
                head
            }
            Step::Unreadable(head) => {
                self.unread += 1;
                of_unreadable(&head, |document| add(&mut self.indexer, document))?;
                head
            }
            Step::Erased { head, seq, at_once } => {
                self.indexer.remove(seq)?;
                let at = clock::monotonic() + if at_once { Duration::ZERO } else { LATER };
                self.forget_at = Some(self.forget_at.map_or(at, |before| before.min(at)));
                head
            }
            Step::Other(head) => {
                is_mail = false;
                head
            }
        };
        self.reached = Some(head);
        self.uncommitted.records += 1;
        self.uncommitted.mails += u64::from(is_mail);
        Ok(done)
    }

    // --- what is on the disk ------------------------------------------------------------------

    /// When the next commit is to be made, if nothing more comes; `None`: there is nothing to commit.
    pub(super) fn commit_at(&self) -> Option<Instant> {
        let Uncommitted { records, mails, last } = self.uncommitted;
        let pause = match (records, mails) {
            (0, _) => return None,
            // Nothing that is looked for.
            (_, 0) => IDLE,
            (_, MANY..) => Duration::ZERO,
            _ => last.map_or(Duration::ZERO, |(_, took)| (10 * took).clamp(SHORTEST, LONGEST)),
        };
        Some(last.map_or_else(clock::monotonic, |(at, _)| at + pause))
    }

    /// Makes durable what was added, and lets it be found.
    pub(super) fn commit(&mut self) -> Result<(), Trouble> {
        let Some(head) = self.reached.filter(|_| self.uncommitted.records > 0) else {
            return Ok(());
        };
        let begin = clock::monotonic();
        self.indexer.commit_marked(head.seq, &mark(&head))?;
        self.index.searcher().refresh()?;
        let end = clock::monotonic();
        let last = Some((end, end.duration_since(begin)));
        self.committed = head.seq;
        self.uncommitted = Uncommitted { last, ..Uncommitted::default() };
        Ok(())
    }

    /// When words of removed mail are to be taken out of the files.
    pub(super) const fn forget_at(&self) -> Option<Instant> {
        self.forget_at
    }

    /// Takes them out.
    pub(super) fn forget(&mut self) -> Result<(), Trouble> {
        self.commit()?;
        let left = self.indexer.forget()?;
        self.forget_at = (left > 0).then(|| clock::monotonic() + LONGEST);
        Ok(())
    }

    /// Commits, and ends after merges under way.
    pub(super) fn finish(mut self) -> Result<(), Trouble> {
        if self.forget_at.is_some() {
            self.forget()?;
        }
        self.commit()?;
        Ok(self.indexer.finish()?)
    }
}

/// What an index remembers of the last record that it knows.
pub(super) fn mark(head: &Head) -> String {
    head.leaf().to_string()
}

fn add(indexer: &mut Indexer, document: &Document<'_>) -> Result<(), IndexError> {
    // Too much text, or added before: the index has what it can have.
    indexer.add(document).map(drop)
}

/// Records on their way, mails or not.
const MOST_STEPS: usize = 256;

/// Mails after which a commit is made in any case.
const MANY: u64 = 5_000;

/// From commit to commit.
const SHORTEST: Duration = Duration::from_secs(1);

/// At most so long.
const LONGEST: Duration = Duration::from_secs(10);

/// From commit to commit, while no mail comes.
const IDLE: Duration = Duration::from_secs(60);

/// Mail whose time is over is taken out of the files together with what goes within so long.
const LATER: Duration = Duration::from_secs(3_600);
