//! Moderation at work: all cases, who changes them, the clock, and the notices that are owed.
//!
//! What may be done to a case is decided in [`mailweir_moderation::case`]; here it is made durable
//! together with the mail. One change of a case at a time: the next one waits until the one before is
//! on the disk, and sees what came of it. So nobody hears of a decision that a crash could undo,
//! and of two in the same millisecond exactly one counts.

mod account;
mod api;
mod content;
mod correspondents;
mod digest;
mod ends;
mod groups;
mod outbox;
mod pace;
mod pages;
mod reader;
mod registry;
mod reply;
mod take;
#[cfg(test)]
mod tests;
mod trust;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use futures_util::{StreamExt as _, stream};
use mailweir_mail::{Address, Domain, QueueId, SessionEvent, Timestamp};
use mailweir_moderation::{
    case::{Command, Moderator},
    case_file::CaseFile,
    search::Search,
    token::{AnswerCode, Grant, TokenHash},
};
use mailweir_queue::{Annex, Queue, StoredCases};
use tokio::{sync::Notify, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::take::TakeError;
pub(crate) use self::take::annex;
pub(crate) use self::{
    api::Api,
    content::Fingerprint,
    correspondents::{Acquainted, remember_at_rest},
    groups::Groups,
    pages::Pages,
    registry::TrustedLogin,
    reply::{LogIn, Reply, ReplyReader, ReplyText},
};
use self::{
    pace::{Limits, Pace},
    registry::Registry,
    reply::Answers,
};
use crate::{clock, config, observe::Observer, rewriting::LiveRewriting};

/// All cases, and what happens to them.
pub struct Moderation {
    settings: ArcSwap<Settings>,
    registry: Mutex<Registry>,
    /// How many notices people got of late.
    pace: Mutex<Pace>,
    /// How many answers by mail were answered lately.
    answers: Mutex<Answers>,
    queue: Queue,
    observer: Observer,
    /// There may be something to do earlier than was thought.
    changed: Notify,
    /// A change of some case has come to its end.
    freed: Notify,
    /// Changes under way: each comes to its end.
    tasks: TaskTracker,
    /// Cancelled when nothing is to be begun any more.
    end: CancellationToken,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Cases, each with the queue id of its mail.
    pub cases: Vec<(QueueId, Arc<CaseFile>)>,
    /// There are more behind this one; `None`: these are all.
    pub next: Option<QueueId>,
}

/// How people are told. A reload changes it.
pub(crate) struct Settings {
    /// `[moderation]`.
    pub(crate) rules: config::Moderation,
    /// The name of this gateway.
    pub(crate) hostname: Domain,
    /// Where those who run it are told.
    pub(crate) administrators: Option<Address>,
    /// Where its pages are, if anybody can open them.
    pub(crate) public_url: Option<Box<str>>,
    /// What becomes of the addresses of our own mail.
    pub(crate) rewriting: Arc<LiveRewriting>,
}

impl Moderation {
    /// Reads all cases, and blocks meanwhile. What cannot be read is told and left alone.
    pub(crate) fn open(
        settings: Settings,
        queue: Queue,
        observer: Observer,
        end: CancellationToken,
    ) -> Self {
        let mut registry = Registry::default();
        let StoredCases { cases, failures } = queue.cases();
        for failure in failures {
            warn(&observer, format!("cases cannot be read, and mail of theirs waits: {failure}"));
        }
        for (id, stored) in cases {
            let read = stored.map_err(|error| error.to_string());
            let read =
                read.and_then(|json| CaseFile::from_json(&json).map_err(|error| error.to_string()));
            match read {
                Ok(file) => registry.put(id, Arc::new(file)),
                Err(reason) => {
                    let text = format!(
                        "{id}: the case cannot be read, the mail waits for an operator: {reason}"
                    );
                    warn(&observer, text);
                }
            }
        }
        Self {
            settings: ArcSwap::from_pointee(settings),
            registry: Mutex::new(registry),
            pace: Mutex::default(),
            answers: Mutex::default(),
            queue,
            observer,
            changed: Notify::new(),
            freed: Notify::new(),
            tasks: TaskTracker::new(),
            end,
        }
    }

    /// Takes other settings for all that is told from now on.
    pub(crate) fn change(&self, settings: Settings) {
        self.pace().limit(&settings.limits(), clock::now());
        self.settings.store(Arc::new(settings));
        self.changed.notify_one();
    }

    /// A case as it is on the disk.
    #[must_use]
    pub fn case(&self, id: QueueId) -> Option<Arc<CaseFile>> {
        self.registry().get(id).cloned()
    }

    /// At most `most` cases behind `after`, in the order in which their mail came.
    #[must_use]
    pub fn cases(&self, after: Option<QueueId>, most: usize) -> Vec<(QueueId, Arc<CaseFile>)> {
        self.registry().all(after).take(most).map(|(id, file, _)| (id, Arc::clone(file))).collect()
    }

    /// At most `most` cases behind `after` that somebody looks for and that `may_see` lets through, in
    /// the order in which their mail came; and behind which one there may be more. Looks at every
    /// case in memory if it must, some at a time, so that nobody else waits for long.
    #[must_use]
    pub fn search(
        &self,
        search: &Search,
        after: Option<QueueId>,
        most: usize,
        may_see: &dyn Fn(&CaseFile) -> bool,
    ) -> Found {
        let mut found = Found { cases: Vec::new(), next: None };
        let mut after = after;
        loop {
            let registry = self.registry();
            let mut last = None;
            for (id, file, text) in registry.all(after).take(AT_A_TIME) {
                last = Some(id);
                if !search.finds(file, text) || !may_see(file) {
                    continue;
                }
                if found.cases.len() == most {
                    found.next = found.cases.last().map(|(id, _)| *id);
                    return found;
                }
                found.cases.push((id, Arc::clone(file)));
            }
            if last.is_none() {
                return found;
            }
            after = last;
        }
    }

    /// The case that a token belongs to, and what the token is good for now.
    #[must_use]
    pub fn find(&self, token: TokenHash) -> Option<(QueueId, Arc<CaseFile>, Grant)> {
        let registry = self.registry();
        let (id, file, grant) = registry.find(token, clock::now())?;
        Some((id, Arc::clone(file), grant.clone()))
    }

    /// The case of a notice that is answered, and what that notice is good for now.
    pub(crate) fn find_answered(
        &self,
        code: &AnswerCode,
    ) -> Option<(QueueId, Arc<CaseFile>, Grant)> {
        let registry = self.registry();
        let (id, file, grant) = registry.find_answered(code, clock::now())?;
        Some((id, Arc::clone(file), grant.clone()))
    }

    /// Whether rules have somebody decide, or they are listed as one who does.
    pub(crate) fn decides_by_rule(&self, address: &Address) -> bool {
        self.settings.load().decides_by_rule(address)
    }

    /// Whether there is any case, open or decided.
    pub(crate) fn has_cases(&self) -> bool {
        self.registry().all(None).next().is_some()
    }

    /// Who decides today for somebody; `None`: they are away, and nobody stands in.
    pub(crate) fn stand_in(&self, to: &Address) -> Option<Moderator> {
        self.settings.load().stand_in(to)
    }

    /// A case is on the disk with its mail.
    pub(crate) fn opened(&self, id: QueueId, file: CaseFile) {
        self.registry().put(id, Arc::new(file));
        self.changed.notify_one();
    }

    /// Does what time asks for, and sends what is owed, until the end. What is under way then comes
    /// to its end.
    pub(crate) async fn run(self: Arc<Self>) {
        let _ = self.end.run_until_cancelled(self.go_on()).await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    async fn go_on(self: &Arc<Self>) {
        loop {
            self.work().await;
            // Whether something changed or the time has come: there may be something to do.
            let _ = timeout(self.pause(), self.changed.notified()).await;
        }
    }

    /// All that is to be done now. A part of it may make more: then it is asked again at once.
    async fn work(self: &Arc<Self>) {
        let now = clock::now();
        self.pace().limit(&self.settings.load().limits(), now);
        let (due, owing, old) = {
            let mut registry = self.registry();
            registry.look_at_clock(now);
            let keep = self.settings.load().rules.keep_cases;
            let room = if self.full_until(now).is_some() { 0 } else { AT_A_TIME };
            (
                registry.due(now, AT_A_TIME),
                registry.owing(now, room),
                registry.old(now, keep, AT_A_TIME),
            )
        };
        stream::iter(due).for_each_concurrent(SIDE_BY_SIDE, |id| self.tick(id)).await;
        // First, since they are few: what goes by itself could take all room of every minute.
        self.send_digests(now).await;
        stream::iter(owing).for_each_concurrent(SIDE_BY_SIDE, |id| self.pay(id)).await;
        stream::iter(old).for_each_concurrent(SIDE_BY_SIDE, |id| self.forget(id)).await;
    }

    /// How long there is nothing to do. The wall clock may jump: an hour is enough.
    fn pause(&self) -> Duration {
        let keep = self.settings.load().rules.keep_cases;
        let now = clock::now();
        let notices = self.registry().next_owed().into_iter().chain(self.pace().next()).min();
        let full = notices.and_then(|_| self.full_until(now));
        if let Some(until) = full {
            self.tell_full(until, now);
        }
        let notices = notices.max(full);
        let next = self.registry().next(keep).into_iter().chain(notices).min();
        next.map_or(LONGEST_PAUSE, |at| at.since(now).min(LONGEST_PAUSE))
    }

    fn tell_full(&self, until: Timestamp, now: Timestamp) {
        let limits = self.settings.load().limits();
        if self.pace().is_newly_full(&limits, now) {
            let (most, until) = (limits.a_minute, until.rfc5322());
            self.warn(format!("{most} notices within a minute: further ones wait until {until}"));
        }
    }

    /// Until when nobody is told anything, since so many were told of late.
    fn full_until(&self, now: Timestamp) -> Option<Timestamp> {
        let limits = self.settings.load().limits();
        self.pace().full_until(&limits, now)
    }

    /// The time of a case has come.
    async fn tick(self: &Arc<Self>, id: QueueId) {
        match self.take(id, Command::Clock).await {
            Ok(_) | Err(TakeError::Gone | TakeError::Altered | TakeError::NoCase(_)) => {}
            Err(error) => self.put_off(id, &error.to_string()),
        }
    }

    /// Nobody asks about it any more, unless somebody did something with it meanwhile.
    async fn forget(&self, id: QueueId) {
        let _turn = self.turn(id).await;
        let keep = self.settings.load().rules.keep_cases;
        if !self.registry().is_old(id, clock::now(), keep) {
            return self.registry().calm(id);
        }
        let mut annex = Annex::default();
        annex.remove_case(id);
        match self.queue.write(annex).await {
            Ok(()) => {
                self.registry().remove(id);
                self.answers().forget(id);
            }
            Err(error) => self.put_off(id, &error.to_string()),
        }
    }

    /// What could not be done is tried again.
    fn put_off(&self, id: QueueId, reason: &str) {
        let again = self.registry().postpone(id, clock::now()).rfc5322();
        self.warn(format!("{id}: {reason}; tried again {again}"));
    }

    /// Waits until nobody else changes the case.
    async fn turn(&self, id: QueueId) -> Turn<'_> {
        loop {
            // Asked for before the look: no end can come unseen in between.
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.registry().begin(id) {
                return Turn { moderation: self, id };
            }
            freed.await;
        }
    }

    fn warn(&self, text: String) {
        warn(&self.observer, text);
    }

    fn notice(&self, text: String) {
        let event = SessionEvent::Notice { part: "moderation", text: text.into() };
        self.observer.session(&event);
    }

    /// What the locks guard is changed by single calls, so a panic elsewhere leaves it sound.
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settings {
    /// How many notices people get.
    fn limits(&self) -> Limits {
        let config::Digest { after, interval } = self.rules.digest;
        Limits {
            alone: after,
            interval,
            a_minute: self.rules.notices_per_minute,
            sender_a_day: self.rules.sender_notices_per_day,
        }
    }
}

/// The right to change a case, until this is dropped.
struct Turn<'m> {
    moderation: &'m Moderation,
    id: QueueId,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.moderation.registry().end(self.id);
        self.moderation.freed.notify_waiters();
    }
}

fn warn(observer: &Observer, text: String) {
    observer.session(&SessionEvent::Warning { part: "moderation", text: text.into() });
}

/// Why mail cannot be handed on to somebody.
pub(crate) fn nobody_stands_in(to: &Address) -> String {
    format!("{to} is away, and nobody stands in for them")
}

/// A case that waits, for tests of others.
#[cfg(test)]
pub(crate) fn sample_case() -> CaseFile {
    registry::tests::open(9_999)
}

/// So many cases are looked at before others.
const AT_A_TIME: usize = 1_000;

/// So many changes share a commit at best.
const SIDE_BY_SIDE: usize = 32;

const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
