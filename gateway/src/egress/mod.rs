//! Mail going out: routes, destinations, connections, results, reports.
//!
//! `dispatch` takes work from the queue and puts it on lanes, one for each destination. Couriers
//! carry it: `connection` drives [`mailweir_smtp::client`]. What is decided here is decided by pure
//! modules: [`concurrency`], [`failover`], [`resolve::mx`], [`report`].

mod by_tables;
pub mod concurrency;
mod connection;
mod contact;
mod courier;
pub mod destination;
mod dispatch;
mod expansion;
mod explained;
pub mod failover;
mod filters;
mod hosts;
mod inquiry;
mod lane;
mod outcome;
pub(crate) mod probe;
mod programs;
pub(crate) mod proxied;
mod replies;
pub mod report;
mod reporter;
pub mod resolve;
mod route;
mod shown;
mod transport;
mod unrecorded;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use mailweir_mail::{Domain, MailEvent, SessionEvent};
use mailweir_queue::{AttemptResult, BodyError, Claim, Queue, RecipientIndex};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use connection::{Connection, Sent, Target};
pub(crate) use expansion::{Expansion, Outbox};
pub(crate) use explained::Explained;
pub(crate) use reporter::{addressed, own_origin};
pub use route::LiveRoutes;

use self::{
    dispatch::Lanes,
    failover::Failures,
    inquiry::Inquiries,
    resolve::{Policy, Resolver},
};
use crate::{
    clock, extraction::Program, observe::Observer, own_mail::OwnMail, rewriting::LiveRewriting,
    starter::Starter, ways_back::WaysBack,
};

/// Everything deliveries share.
pub struct Egress {
    /// Where mail comes from.
    queue: Queue,
    observer: Observer,
    /// The name of this gateway.
    hostname: Domain,
    resolver: Arc<dyn Resolver>,
    policy: Policy,
    starter: Starter,
    ways_back: Arc<WaysBack>,
    routes: ArcSwap<LiveRoutes>,
    rewriting: ArcSwap<LiveRewriting>,
    /// What becomes of the gateway's own mail.
    own: ArcSwap<OwnMail>,
    lanes: Mutex<Lanes>,
    inquiries: Mutex<Inquiries>,
    failures: Mutex<Failures>,
    bounce_size_limit: usize,
    /// A permit for each connection.
    sessions: Arc<Semaphore>,
    session_limit: usize,
    /// Cancelled when nothing new is to be begun.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What deliveries need from outside.
pub struct Parts {
    /// Where mail comes from.
    pub queue: Queue,
    /// Where events go.
    pub observer: Observer,
    /// The name of this gateway.
    pub hostname: Domain,
    /// Who answers questions about names.
    pub resolver: Arc<dyn Resolver>,
    /// Where mail may go.
    pub policy: Policy,
    /// What starts programs.
    pub mailweir: Program,
    /// How many connections there may be to all destinations together (Postfix
    /// `default_process_limit`).
    pub session_limit: usize,
    /// The routes.
    pub routes: LiveRoutes,
    /// Where mail goes by tables, and how its addresses look to others.
    pub rewriting: Arc<LiveRewriting>,
}

impl Egress {
    /// Deliveries that have not begun.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        Arc::new(Self {
            queue: parts.queue,
            observer: parts.observer,
            hostname: parts.hostname,
            resolver: parts.resolver,
            policy: parts.policy,
            starter: Starter::new(parts.mailweir),
            ways_back: Arc::default(),
            routes: ArcSwap::from_pointee(parts.routes),
            rewriting: ArcSwap::new(parts.rewriting),
            own: ArcSwap::default(),
            lanes: Mutex::default(),
            inquiries: Mutex::default(),
            failures: Mutex::default(),
            bounce_size_limit: report::DEFAULT_SIZE_LIMIT,
            sessions: Arc::new(Semaphore::new(parts.session_limit)),
            session_limit: parts.session_limit,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    /// Delivers until [`Self::stop`], or until the queue is shut down; then lets what is under way
    /// come to its end. The queue must stay open for that: what is not recorded is sent again.
    pub async fn run(self: Arc<Self>) {
        dispatch::run(Arc::clone(&self)).await;
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Begins nothing new from now on.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Takes other routes and tables for mail that is not under way yet.
    pub fn reroute(&self, routes: LiveRoutes, rewriting: Arc<LiveRewriting>) {
        self.rewriting.store(rewriting);
        self.routes.store(Arc::new(routes.in_place_of(&self.routes.load())));
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Has this become of the gateway's own mail from now on.
    pub(crate) fn change_own_mail(&self, own: OwnMail) {
        self.own.store(Arc::new(own));
    }

    /// Tries all mail and all destinations now. Says how many mails became due.
    pub fn flush(&self) -> usize {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.values().for_each(|lane| lane.revive());
        self.queue.flush()
    }

    /// How many connections to next hops are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.session_limit.saturating_sub(self.sessions.available_permits())
    }

    /// The queue that is emptied here.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    fn rewriting(&self) -> Arc<LiveRewriting> {
        self.rewriting.load_full()
    }

    /// How programs hand mail back without TCP.
    pub(crate) const fn ways_back(&self) -> &Arc<WaysBack> {
        &self.ways_back
    }

    fn routes(&self) -> Arc<LiveRoutes> {
        self.routes.load_full()
    }

    /// Makes results durable. The queue's observer hears the events then.
    async fn record(
        &self,
        claim: &Claim,
        results: Vec<(RecipientIndex, AttemptResult)>,
        events: Vec<MailEvent>,
    ) {
        if results.is_empty() {
            return;
        }
        if let Err(error) = self.queue.record_and_tell(claim, results, events).await {
            self.warn(format!("{}: delivery result not recorded: {error}", claim.id));
            if self.queue.is_stopped() {
                // What cannot be recorded would be sent again after the restart.
                self.stop();
            }
        }
    }

    /// The content of a mail cannot be read. Damaged mail is kept for `rescue`; otherwise the claim
    /// is given back when it is dropped, and the mail is tried again later.
    async fn unreadable(&self, claim: &Claim, error: &BodyError) {
        self.warn(format!("{}: content not readable: {error}", claim.id));
        if let BodyError::Damaged = error
            && let Err(error) = self.queue.damaged(claim.id, "the stored content is damaged").await
        {
            self.warn(format!("{}: not marked as corrupt: {error}", claim.id));
        }
    }

    /// Remembers whether an address answered.
    fn reached(&self, target: &Target, answered: bool) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match answered {
            true => failures.remove(target.address),
            false => failures.insert(target.address, clock::monotonic()),
        }
    }

    fn warn(&self, text: String) {
        self.observer.session(&SessionEvent::Warning { part: "smtp", text: text.into() });
    }

    fn seed(&self) -> u64 {
        seed()
    }
}

/// A random number, for what must differ and need not be secret.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(clock::now().as_micros())
}
