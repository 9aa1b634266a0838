//! Filters of other people that are asked about a mail before it is taken.
//!
//! What scanners are told and answer stands in [`mailweir_external::scanners`]; proxies get the mail, and hand it back. One that
//! fails, in whatever way, has said nothing of the mail; one that fails again and again is left alone for a while. What a mail
//! brings about is no reason for that, or its client could switch the filter off for everybody.

mod proxy;
mod scan;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailweir_external::{
    scanners::{Fault, Wrong},
    slip,
    verdict::Verdict,
};
use mailweir_filters::course::{Arrival, Course, Next};
use mailweir_mail::{Envelope, Origin, QueueId, Recipient};
use mailweir_queue::{BodyError, Content};
use mailweir_smtp::client::ContentText;
use mailweir_spam::symbols::Finding;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use self::proxy::Proxy;
use super::{
    breaker::{self, Breaker},
    listener::Shared,
    waiting::{Handed, Waiting},
};
use crate::{
    config::{Config, Filter, FilterKind, Filters, IfFailed, IfLarger, ScannerFilter},
    observe::{FilterOutcome, Observer},
    tls::TlsError,
};

/// All of them, in their order.
pub(crate) struct Inspectors {
    all: Vec<Inspector>,
    course: Course,
}

/// One of them.
pub(super) struct Inspector {
    name: Box<str>,
    kind: Kind,
    if_failed: IfFailed,
    time_limit: Duration,
    /// A permit for each question that is open.
    room: Semaphore,
    breaker: Mutex<Breaker>,
}

/// What it is.
enum Kind {
    Scanner(Box<ScannerFilter>),
    Proxy(Box<Proxy>),
}

/// What it says of a mail.
pub(super) enum Said {
    /// This; and what it has found, if that counts in the score.
    Verdict(Verdict, Option<Finding>),
    /// The mail is this one from now on.
    HandedBack(Box<Handed>),
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
    /// As the client wrote it, and the filters before have changed it.
    pub(super) envelope: &'m Envelope,
    pub(super) origin: &'m Origin,
    pub(super) content: &'m Content,
    pub(super) text: ContentText,
    /// Whether what is found out about it is added up.
    pub(super) is_scored: bool,
}

/// Why there is no verdict.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The filter has failed, and how.
    Failed(Box<str>),
    /// The filter can say nothing of such a mail, and why. It may well say something of the next.
    OfTheMail(Box<str>),
    /// The mail cannot be read.
    Unreadable(BodyError),
}

impl Inspectors {
    /// Those of a configuration, if it has any. `slips`: what slips are sealed with.
    ///
    /// # Errors
    /// TLS cannot be set up for one.
    pub(crate) fn of(config: &Config, slips: &slip::Key) -> Result<Option<Arc<Self>>, TlsError> {
        let Filters { all: filters, before, .. } = &config.filters;
        let mut all = Vec::new();
        for filter in filters {
            let kind = match &filter.kind {
                FilterKind::Scan(scanner) => Kind::Scanner(scanner.clone()),
                FilterKind::Proxy(server) => {
                    let back_at = before.hands_back_to(&filter.name).unwrap_or_default();
                    let proxy = Proxy::new(&filter.name, server, back_at, &config.smtp, slips)?;
                    Kind::Proxy(Box::new(proxy))
                }
                FilterKind::Smtp(_) | FilterKind::Pipe(_) | FilterKind::Milter(_) => continue,
            };
            all.push(Inspector::new(filter, kind));
        }
        let inspectors = Self { all, course: before.clone() };
        Ok((!inspectors.all.is_empty()).then(|| Arc::new(inspectors)))
    }

    /// All, in their order.
    pub(super) fn all(&self) -> &[Inspector] {
        &self.all
    }

    /// The names of those that mean a mail, if it has a recipient for them.
    pub(super) fn ahead(&self, arrival: &Arrival<'_>) -> Vec<Box<str>> {
        self.course.ahead(arrival)
    }

    /// Whether one is asked about a mail that has these recipients when it is its turn: it is `ahead`, and means one of them at
    /// least; or an action FILTER has `named` it, whatever it means.
    pub(super) fn asks(
        &self,
        one: &Inspector,
        ahead: &[Box<str>],
        recipients: &[Recipient],
        named: Option<&str>,
    ) -> bool {
        let name = std::slice::from_ref(&one.name);
        let means = |recipient| matches!(self.course.next(name, recipient), Next::Filter(_));
        named == Some(&one.name) || ahead.contains(&one.name) && recipients.iter().any(means)
    }
}

impl Inspector {
    fn new(filter: &Filter, kind: Kind) -> Self {
        Self {
            name: filter.name.clone(),
            kind,
            if_failed: filter.if_failed,
            time_limit: filter.time_limit,
            room: Semaphore::new(filter.concurrency_limit.get() as usize),
            breaker: Mutex::default(),
        }
    }

    /// Whether it has to be able to put another body in the place of the one that came.
    pub(super) const fn takes_whole_mail(&self) -> bool {
        matches!(self.kind, Kind::Proxy(_))
    }

    /// What it is called, and what becomes of mail when it fails.
    pub(super) fn filter(&self) -> Asked<'_> {
        Asked { name: &self.name, if_failed: self.if_failed }
    }

    /// Asks it.
    ///
    /// # Errors
    /// It has failed, or the mail cannot be read.
    pub(super) async fn ask(&self, mail: Shown<'_>, around: &Shared) -> Result<Said, Trouble> {
        let observer = &around.observer;
        if let Kind::Scanner(scanner) = &self.kind
            && mail.content.size() > scanner.size_limit
        {
            return match scanner.if_larger {
                IfLarger::Pass => {
                    Ok(Said::Verdict(Verdict::nothing("too large to be looked at"), None))
                }
                IfLarger::Fail => {
                    self.note_unasked(FilterOutcome::Failed, observer);
                    Err(Trouble::OfTheMail("the mail is larger than its size_limit".into()))
                }
            };
        }
        if let Some(times) = self.breaker().refuses(Instant::now()) {
            self.note_unasked(FilterOutcome::LeftAlone, observer);
            return Err(failed(breaker::left_alone(times)));
        }
        // That it is busy with other mail says nothing of how it fares. The semaphore is never closed.
        let Ok(_permit) = timeout(self.time_limit, self.room.acquire()).await else {
            self.note_unasked(FilterOutcome::Failed, observer);
            let limit = self.time_limit.as_secs();
            return Err(failed(format!("it was busy with other mail for {limit} s")));
        };
        let began = Instant::now();
        let said = self.ask_until(began + self.time_limit, mail, &around.waiting).await;
        if let Some(outcome) = self.note(&said, observer) {
            observer.filter_asked(&self.name, outcome, Some(began.elapsed()));
        }
        said
    }

    async fn ask_until(
        &self,
        deadline: Instant,
        mail: Shown<'_>,
        waiting: &Waiting,
    ) -> Result<Said, Trouble> {
        match &self.kind {
            Kind::Scanner(scanner) => {
                let asked = timeout_at(deadline, scan::ask(scanner, mail)).await;
                let limit = self.time_limit.as_secs();
                let silent = |_| Err(failed(format!("it said nothing for {limit} s")));
                asked.unwrap_or_else(silent).map(|(verdict, found)| Said::Verdict(verdict, found))
            }
            // Before its last answer it may have refused a recipient, and that counts.
            Kind::Proxy(proxy) => proxy.ask(mail, deadline, waiting).await,
        }
    }

    /// Counts a mail that it was not asked about, which says nothing of how it fares.
    pub(super) fn note_unasked(&self, outcome: FilterOutcome, observer: &Observer) {
        observer.filter_asked(&self.name, outcome, None);
    }

    /// How it has fared, if that was for it to say.
    fn note(&self, said: &Result<Said, Trouble>, observer: &Observer) -> Option<FilterOutcome> {
        let (outcome, is_left_alone) = {
            let mut breaker = self.breaker();
            let outcome = match said {
                Ok(said) => {
                    breaker.succeeded();
                    said.outcome()
                }
                Err(Trouble::Failed(_)) => {
                    breaker.failed(Instant::now());
                    FilterOutcome::Failed
                }
                // Such mails must not use up the questions that are let through to one that is left alone.
                Err(Trouble::OfTheMail(_)) => {
                    breaker.is_back();
                    FilterOutcome::Failed
                }
                Err(Trouble::Unreadable(_)) => return None,
            };
            (outcome, breaker.is_open())
        };
        observer.filter_left_alone(&self.name, is_left_alone);
        Some(outcome)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    const fn outcome(&self) -> FilterOutcome {
        match self {
            Self::HandedBack(_) => FilterOutcome::Passed,
            Self::Verdict(verdict, _) => FilterOutcome::of(&verdict.decision),
        }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        let why = fault.to_string();
        match fault.wrong {
            Wrong::TooLarge => Self::OfTheMail(why.into()),
            Wrong::Early
            | Wrong::TooLong(_)
            | Wrong::Twice
            | Wrong::Silent
            | Wrong::CutShort
            | Wrong::Unclear(_)
            | Wrong::Failed(_) => failed(why),
        }
    }
}

fn failed(why: String) -> Trouble {
    Trouble::Failed(why.into())
}

#[cfg(test)]
mod tests {
    use mailweir_external::scanners::rspamd;
    use mailweir_policy::client::Server;

    use super::*;
    use crate::config::Scanner;

    fn inspector() -> Inspector {
        let scanner = ScannerFilter {
            server: Server::Inet("scanner.test".into(), 1),
            scanner: Scanner::Rspamd(rspamd::Options::default()),
            size_limit: 1,
            if_larger: IfLarger::Fail,
            joins_score: false,
        };
        Inspector {
            name: "one".into(),
            kind: Kind::Scanner(Box::new(scanner)),
            if_failed: IfFailed::Pass,
            time_limit: Duration::from_secs(1),
            room: Semaphore::new(1),
            breaker: Mutex::default(),
        }
    }

    #[test]
    fn what_a_mail_brings_about_keeps_a_filter_from_no_other_mail() {
        let (inspector, observer) = (inspector(), Observer::heard_by(|_| {}).unwrap());
        let fails = |trouble| inspector.note(&Err(trouble), &observer);
        let of_the_mail = || Trouble::OfTheMail("too many recipients".into());
        let now = Instant::now();
        for _ in 0..9 {
            assert_eq!(fails(of_the_mail()), Some(FilterOutcome::Failed));
        }
        assert_eq!(inspector.breaker().refuses(now), None);
        // Between failures it changes nothing.
        for _ in 0..4 {
            fails(failed("it is down".to_owned()));
            fails(of_the_mail());
        }
        assert_eq!(inspector.breaker().refuses(now), None);
        fails(failed("it is down".to_owned()));
        assert_eq!(inspector.breaker().refuses(now), Some(5));
        // If the one that is let through after a while is such a mail, so is the next.
        let later = now + Duration::from_secs(60);
        assert_eq!(inspector.breaker().refuses(later), None);
        fails(of_the_mail());
        assert_eq!(inspector.breaker().refuses(later), None);
        fails(failed("it is down".to_owned()));
        assert!(inspector.breaker().refuses(now).is_some());
    }
}
