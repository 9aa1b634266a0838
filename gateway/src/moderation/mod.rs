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
mod letter;
mod look_up;
mod outbox;
mod pace;
mod pages;
mod reader;
mod registry;
mod reply;
mod run;
mod search;
mod take;
#[cfg(test)]
mod tests;
mod trust;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use mailweir_mail::{Address, Domain, QueueId, SessionEvent};
use mailweir_moderation::case_file::CaseFile;
use mailweir_queue::{Queue, StoredCases};
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::take::{annex, decision};
pub(crate) use self::{
    api::Api,
    content::Fingerprint,
    correspondents::{Acquainted, remember_at_rest},
    groups::Groups,
    pages::LinkPages,
    registry::TrustedLogin,
    reply::{LoggedIn, Reply, ReplyReader, ReplyText},
    trust::Distrusted,
};
use self::{
    pace::{Limits, Pace},
    registry::Registry,
    reply::Answers,
};
pub use self::{search::Found, take::TakeError};
use crate::{clock, config, observe::Observer, own_mail::OwnMail, rewriting::LiveRewriting};

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
    changed: watch::Sender<()>,
    /// A change of some case has come to its end.
    freed: Notify,
    /// Changes under way: each comes to its end.
    tasks: TaskTracker,
    /// Cancelled when nothing is to be begun any more.
    end: CancellationToken,
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
    /// What else becomes of our own mail.
    pub(crate) own: OwnMail,
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
            let read = read.and_then(|stored| {
                CaseFile::from_bytes(&stored).map_err(|error| error.to_string())
            });
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
            changed: watch::Sender::new(()),
            freed: Notify::new(),
            tasks: TaskTracker::new(),
            end,
        }
    }

    /// Takes other settings for all that is told from now on.
    pub(crate) fn change(&self, settings: Settings) {
        self.pace().limit(&settings.limits(), clock::now());
        self.settings.store(Arc::new(settings));
        self.changed.send_replace(());
    }

    /// A case is on the disk with its mail. Where many come at once, nobody is woken for each.
    pub(crate) fn opened(&self, id: QueueId, file: CaseFile) {
        let settings = self.settings.load();
        let mut registry = self.registry();
        let joined = self.join_others(&settings, id, &file);
        let is_news = registry.open(id, Arc::new(file), joined);
        drop(registry);
        if is_news {
            self.changed.send_replace(());
        }
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

    fn log(&self, text: String) {
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

/// A case that waits, for tests of others.
#[cfg(test)]
pub(crate) fn sample_case() -> CaseFile {
    registry::tests::open(9_999)
}
