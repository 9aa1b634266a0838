//! Address verification at work: asks next hops about addresses before mail is accepted, remembers
//! what they say, and lets sessions wait for it (Postfix verify(8)).
//!
//! What an answer is worth, and for how long, is decided in [`mailweir_filters::verification`].
//! Whoever asks for an address, it is probed once; how many probes run and wait is bounded, and so
//! is what is remembered (`attacks.md` G4).

mod cache;
mod file;
mod prober;
#[cfg(test)]
mod tests;
mod under_way;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use mailweir_filters::verification::{self, Answer, Asked, Lifetimes, Status};
use mailweir_mail::{Address, Domain, ReversePath, SessionEvent};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

pub(crate) use self::prober::Prober;
use self::{
    cache::Cache,
    file::WriteError,
    under_way::{Place, State, Whose},
};
use crate::{clock, ingress::relay::ServedDomains, observe::Observer};

/// Who knows which addresses take mail.
pub(crate) struct Verification {
    settings: ArcSwap<Settings>,
    state: Mutex<State>,
    /// Absent where nothing is sent: then an address that nobody knows stays so.
    prober: Option<Box<dyn Prober>>,
    /// Where records survive a restart; absent: nowhere.
    file: Option<PathBuf>,
    observer: Observer,
    /// Whether the log has heard that too many addresses wait.
    crowd_told: AtomicBool,
    /// Whether it has heard that the file is another.
    another_told: AtomicBool,
    /// Cancelled when nothing is to be probed any more.
    end: CancellationToken,
}

/// How addresses are verified. A reload changes it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Whom probes come from.
    pub(crate) sender: ReversePath,
    /// The same, if nobody reads what is sent to it.
    pub(crate) sink: Option<Address>,
    /// The domains whose addresses are ours.
    pub(crate) served: ServedDomains,
    /// How long answers are believed.
    pub(crate) lifetimes: Lifetimes,
    /// How long a session waits for the first answer about an address.
    pub(crate) patience: Duration,
}

impl Verification {
    /// A memory with what `file` holds. Reads it, and blocks meanwhile. There may be
    /// `session_limit` connections to all next hops together.
    pub(crate) fn open(
        settings: Settings,
        session_limit: usize,
        prober: Option<Box<dyn Prober>>,
        file: Option<PathBuf>,
        observer: Observer,
        end: CancellationToken,
    ) -> Self {
        let mut cache = Cache::new(MOST_REMEMBERED);
        if let Some(path) = &file {
            let warn = |text: String| warn(&observer, text);
            file::load(path, &mut cache, &settings.lifetimes, clock::now(), &warn);
        }
        Self {
            settings: ArcSwap::from_pointee(settings),
            state: Mutex::new(State::new(cache, session_limit)),
            prober,
            file,
            observer,
            crowd_told: AtomicBool::new(false),
            another_told: AtomicBool::new(false),
            end,
        }
    }

    /// Takes other settings for whoever asks from now on.
    pub(crate) fn change(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Whether this is the address that probes come from, and nobody reads what is sent to it. It
    /// takes mail, whatever rules say: who asks us about it may be answering a probe of ours.
    pub(crate) fn is_sink(&self, address: &Address) -> bool {
        self.settings.load().sink.as_ref().is_some_and(|sink| is_same(sink, address))
    }

    /// What is known of an address. If that is nothing yet, it is waited for as long as the
    /// settings allow.
    pub(crate) async fn ask(self: &Arc<Self>, address: &Address) -> Answer {
        let settings = self.settings.load_full();
        if settings.sender.address().is_some_and(|sender| is_same(sender, address)) {
            return Answer { status: Status::Deliverable, text: "sender of probes".into() };
        }
        let (answer, ending) = self.look_up(address, &settings);
        if answer.status != Status::InProgress || settings.patience.is_zero() {
            return answer;
        }
        let Some(mut ending) = ending else { return answer };
        // Nothing is ever sent: the channel closes when the probe has ended, well or not.
        if timeout(settings.patience, ending.changed()).await.is_err() {
            return answer;
        }
        let asked = self.state().ask(address, &settings.lifetimes);
        asked.answer
    }

    /// What is known now, and the end of the probe that is under way, if one is.
    fn look_up(
        self: &Arc<Self>,
        address: &Address,
        settings: &Settings,
    ) -> (Answer, Option<watch::Receiver<()>>) {
        let mut state = self.state();
        let Asked { answer, keep, probe } = state.ask(address, &settings.lifetimes);
        if self.prober.is_none() {
            let is_known = answer.status != Status::InProgress;
            return (if is_known { answer } else { would_be_probed() }, None);
        }
        let under_way = state.under_way.get(address).cloned();
        let (Some(while_probed), None) = (probe, &under_way) else { return (answer, under_way) };
        let (ended, ending) = watch::channel(());
        let is_ours = settings.served.serve(address.domain());
        let whose = if is_ours { Whose::Ours } else { Whose::Foreign };
        let Some(place) = state.begin(address, whose, &ending) else {
            state.cache.keep(address, keep);
            drop(state);
            self.tell_crowd(address.domain());
            return (answer, None);
        };
        state.cache.keep(address, while_probed);
        drop(state);
        let under_way =
            UnderWay { verification: Arc::clone(self), address: address.clone(), whose };
        tokio::spawn(Arc::clone(self).probe(under_way, place, ended));
        (answer, Some(ending))
    }

    /// Asks the next hop. `_ended` is dropped last, when all is recorded: whoever waits is woken.
    async fn probe(self: Arc<Self>, under_way: UnderWay, place: Place, _ended: watch::Sender<()>) {
        let UnderWay { address, .. } = &under_way;
        // The semaphores are never closed.
        let Ok(_of_domain) = place.of_domain.acquire().await else { return };
        let Ok(_of_class) = place.of_class.acquire().await else { return };
        let Some(prober) = &self.prober else { return };
        let sender = self.settings.load().sender.clone();
        let probing = prober.probe(&sender, address);
        let Some(probed) = self.end.run_until_cancelled(probing).await else { return };
        let lifetimes = self.settings.load().lifetimes;
        let mut state = self.state();
        let known = state.cache.get(address);
        let learnt = match probed {
            Some(probed) => verification::learn(known, &probed.into(), &lifetimes, clock::now()),
            None => verification::give_up(known),
        };
        state.cache.keep(address, learnt);
    }

    /// Keeps the file current until the end, and once more then. Who probes nobody has learnt
    /// nothing, and the file may be that of a gateway at work.
    pub(crate) async fn keep(self: Arc<Self>) {
        let (Some(path), Some(_)) = (&self.file, &self.prober) else { return };
        loop {
            let ended = timeout(BETWEEN_WRITES, self.end.cancelled()).await.is_ok();
            self.write(path).await;
            if ended {
                return;
            }
        }
    }

    async fn write(&self, path: &std::path::Path) {
        let lifetimes = self.settings.load().lifetimes;
        let Some(known) = self.state().cache.take_changed() else { return };
        let (place, now) = (path.to_owned(), clock::now());
        let write = move || file::write(&place, &file::text(&known, &lifetimes, now));
        let written = tokio::task::spawn_blocking(write).await;
        let failure = match written {
            Ok(Ok(())) => return self.another_told.store(false, Ordering::Relaxed),
            Ok(Err(error)) => {
                let is_another = matches!(error, WriteError::Another);
                if self.another_told.swap(is_another, Ordering::Relaxed) && is_another {
                    return self.state().cache.set_changed();
                }
                error.to_string()
            }
            Err(error) => error.to_string(),
        };
        self.state().cache.set_changed();
        warn(&self.observer, format!("{}: not written: {failure}", path.display()));
    }

    fn tell_crowd(&self, domain: &Domain) {
        if !self.crowd_told.swap(true, Ordering::Relaxed) {
            let text = format!("too many addresses wait to be probed, now one of {domain}");
            warn(&self.observer, text);
        }
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address that is being probed, until this is dropped.
struct UnderWay {
    verification: Arc<Verification>,
    address: Address,
    whose: Whose,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.verification.state();
        state.end(&self.address, self.whose);
        if state.under_way.is_empty() {
            self.verification.crowd_told.store(false, Ordering::Relaxed);
        }
    }
}

fn warn(observer: &Observer, text: String) {
    observer.session(&SessionEvent::Warning { part: "verify", text: text.into() });
}

/// The sender of probes in other letters is still that.
fn is_same(sender: &Address, address: &Address) -> bool {
    sender.domain() == address.domain()
        && sender.local_part().eq_ignore_ascii_case(address.local_part())
}

fn would_be_probed() -> Answer {
    Answer { status: Status::InProgress, text: "the address would be probed".into() }
}

/// More addresses are not remembered; those that were not asked for the longest are forgotten.
const MOST_REMEMBERED: usize = 100_000;

const BETWEEN_WRITES: Duration = Duration::from_secs(60);
