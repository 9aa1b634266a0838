//! What binds those who log in: the addresses they may use, and how much they may send.
//!
//! The decisions are pure and made elsewhere (`senders`, [`Allowances`]); here is what they are made
//! from. A reload puts another policy in place; what was sent goes on counting.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use mailweir_auth::{Allowances, Exceeded, LoginMap, LoginMapFile, Quotas};
use mailweir_mail::{Envelope, HoldReason, QueueId, SessionEvent};
use mailweir_smtp::replies::Refusal;

use super::senders::Submitter;
use crate::{
    config::{Auth, Senders},
    observe::Observer,
};

/// `[auth.senders]` and `[auth.limits]` at work.
#[derive(Debug)]
pub struct SubmissionPolicy {
    rules: Senders,
    file: Option<LoginMapFile>,
    nobody: Arc<LoginMap>,
    quotas: Quotas,
    allowances: Arc<Mutex<Allowances>>,
}

/// What a mail was counted as.
#[derive(Debug)]
pub(super) struct Spent {
    recipients: u32,
    at: Instant,
    /// The soft limit that it is over.
    over: Option<Exceeded>,
}

impl SubmissionPolicy {
    /// The policy of a configuration. Reads the file of owners, and blocks meanwhile.
    ///
    /// # Errors
    /// The file cannot be read; names it.
    pub fn open(
        auth: &Auth,
        allowances: Arc<Mutex<Allowances>>,
        observer: &Observer,
    ) -> io::Result<Self> {
        let rules = auth.senders.clone();
        let open = |path| {
            let observer = observer.clone();
            LoginMapFile::open(path, move |text| {
                observer.session(&SessionEvent::Warning { part: "auth", text: text.into() });
            })
        };
        let file = rules.login_maps_file.as_ref().map(open).transpose()?;
        Ok(Self { rules, file, nobody: Arc::default(), quotas: auth.limits, allowances })
    }

    pub(super) const fn rules(&self) -> &Senders {
        &self.rules
    }

    /// Who owns which address, as of at most a second ago.
    pub(super) async fn owners(&self) -> Arc<LoginMap> {
        match &self.file {
            Some(file) => file.current().await,
            None => Arc::clone(&self.nobody),
        }
    }

    /// Whether somebody may begin, or go on with, a mail to so many recipients.
    pub(super) fn check(
        &self,
        submitter: &Submitter,
        recipients: usize,
        now: Instant,
    ) -> Result<(), Refusal> {
        if self.quotas.are_empty() {
            return Ok(());
        }
        let checked = self.lock().check(submitter.name(), &self.quotas, count(recipients), now);
        checked.map_err(|exceeded| enough(submitter, exceeded))
    }

    /// Counts a mail that is about to be accepted. Checked again, since other sessions of the same
    /// login may have sent meanwhile.
    pub(super) fn spend(
        &self,
        submitter: &Submitter,
        envelope: &Envelope,
        now: Instant,
    ) -> Result<Spent, Refusal> {
        let recipients = count(envelope.recipients.len());
        let spent = self.lock().spend(submitter.name(), &self.quotas, recipients, now);
        let over = spent.map_err(|exceeded| enough(submitter, exceeded))?;
        Ok(Spent { recipients, at: now, over })
    }

    /// The mail was not accepted after all.
    pub(super) fn take_back(&self, submitter: &Submitter, spent: &Spent) {
        if !self.quotas.are_empty() {
            self.lock().take_back(submitter.name(), spent.recipients, spent.at);
        }
    }

    /// No panic can come while the lock is held; if one did, the counts are still counts.
    fn lock(&self) -> MutexGuard<'_, Allowances> {
        self.allowances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spent {
    /// Why the mail is held, if it is, and how it goes on.
    pub(super) fn hold_reason(&self, submitter: &Submitter, id: QueueId) -> Option<HoldReason> {
        let excess = self.excess(submitter)?;
        Some(HoldReason::new(&format!("{excess}; `mailweir queue release {id}` sends it on")))
    }

    /// The soft limit that the mail is over, if it is.
    pub(super) fn excess(&self, submitter: &Submitter) -> Option<String> {
        let exceeded = self.over?;
        let (login, key) = (submitter.name(), exceeded.measure.key());
        Some(format!("{login} has sent {exceeded} (auth.limits.{key}_soft)"))
    }
}

fn enough(submitter: &Submitter, exceeded: Exceeded) -> Refusal {
    Refusal::SentEnough(submitter.name().into(), exceeded.to_string().into())
}

fn count(recipients: usize) -> u32 {
    u32::try_from(recipients).unwrap_or(u32::MAX)
}
