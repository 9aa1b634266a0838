//! Filters of other people that are asked about a mail before it is taken.
//!
//! What they are told and answer stands in [`mailweir_external::scanners`]. One that fails, in whatever way, has said
//! nothing of the mail; one that fails again and again is left alone for a while.

mod scan;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_external::{scanners::Fault, verdict::Verdict};
use mailweir_filters::course::{Arrival, Course, Next};
use mailweir_mail::{Envelope, Origin, QueueId, Recipient};
use mailweir_queue::{BodyError, Content};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use super::breaker::{self, Breaker};
use crate::config::{FilterKind, Filters, IfFailed, ScannerFilter};

/// All of them, in their order.
pub(crate) struct Inspectors {
    all: Vec<Inspector>,
    course: Course,
}

/// One of them.
pub(super) struct Inspector {
    name: Box<str>,
    scanner: ScannerFilter,
    if_failed: IfFailed,
    time_limit: Duration,
    /// A permit for each question that is open.
    room: Semaphore,
    breaker: Mutex<Breaker>,
}

/// A filter that was asked, for those who act on what it said.
#[derive(Clone, Copy)]
pub(super) struct Asked<'f> {
    /// What it is called.
    pub(super) name: &'f str,
    /// What becomes of mail when it fails.
    pub(super) if_failed: IfFailed,
}

/// A mail as it is shown to them.
#[derive(Clone, Copy)]
pub(super) struct Shown<'m> {
    pub(super) id: QueueId,
    /// As the client wrote it.
    pub(super) envelope: &'m Envelope,
    pub(super) origin: &'m Origin,
    pub(super) content: &'m Content,
}

/// Why there is no verdict.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The filter has failed, and how.
    Failed(Box<str>),
    /// The mail cannot be read.
    Unreadable(BodyError),
}

impl Inspectors {
    /// Those of a configuration, if it has any.
    pub(crate) fn of(filters: &Filters) -> Option<Arc<Self>> {
        let all: Vec<_> = filters
            .all
            .iter()
            .filter_map(|filter| match &filter.kind {
                FilterKind::Scan(scanner) => Some(Inspector {
                    name: filter.name.clone(),
                    scanner: (**scanner).clone(),
                    if_failed: filter.if_failed,
                    time_limit: filter.time_limit,
                    room: Semaphore::new(filter.concurrency_limit.get() as usize),
                    breaker: Mutex::default(),
                }),
                FilterKind::Smtp(_) | FilterKind::Pipe(_) | FilterKind::Milter(_) => None,
            })
            .collect();
        (!all.is_empty()).then(|| Arc::new(Self { all, course: filters.before.clone() }))
    }

    /// Those that are asked about a mail: those that mean it, for one of its recipients at least, and the one that an action
    /// FILTER has `named`, whatever it means.
    pub(super) fn asked_about<'a>(
        &'a self,
        arrival: &Arrival<'_>,
        recipients: &'a [Recipient],
        named: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Inspector> {
        let names = self.course.ahead(arrival);
        self.all.iter().filter(move |inspector| {
            let name = std::slice::from_ref(&inspector.name);
            let means = |recipient| matches!(self.course.next(name, recipient), Next::Filter(_));
            named == Some(&inspector.name)
                || names.contains(&inspector.name) && recipients.iter().any(means)
        })
    }
}

impl Inspector {
    /// What it is called, and what becomes of mail when it fails.
    pub(super) fn filter(&self) -> Asked<'_> {
        Asked { name: &self.name, if_failed: self.if_failed }
    }

    /// Asks it.
    ///
    /// # Errors
    /// It has failed, or the mail cannot be read.
    pub(super) async fn ask(&self, mail: Shown<'_>) -> Result<Verdict, Trouble> {
        if mail.content.size() > self.scanner.size_limit {
            return self.too_large();
        }
        if let Some(times) = self.breaker().refuses(Instant::now()) {
            return Err(failed(breaker::left_alone(times)));
        }
        let asking = async {
            // The semaphore is never closed.
            let _permit = self.room.acquire().await;
            scan::ask(&self.scanner, mail).await
        };
        let asked = timeout(self.time_limit, asking).await;
        let said = asked.unwrap_or_else(|_| {
            Err(failed(format!("it said nothing for {} s", self.time_limit.as_secs())))
        });
        match &said {
            Ok(_) => self.breaker().succeeded(),
            Err(Trouble::Failed(_)) => self.breaker().failed(Instant::now()),
            Err(Trouble::Unreadable(_)) => {}
        }
        said
    }

    fn too_large(&self) -> Result<Verdict, Trouble> {
        match self.scanner.larger_passes {
            true => Ok(Verdict::nothing("too large to be looked at")),
            false => Err(failed("the mail is larger than its size_limit".to_owned())),
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        failed(fault.to_string())
    }
}

fn failed(why: String) -> Trouble {
    Trouble::Failed(why.into())
}
