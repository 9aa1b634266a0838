//! The parts of a gateway, wired as ever, but reached by nobody: no socket is bound, no courier
//! runs, the queue is in memory, and users and certificate are not looked at.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use mailweir_queue::{Options, Queue, store::memory::MemoryStore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App, Certificate, ServerTls, Sockets, certificate_source, moderation, our_addresses, parts,
    resolver, rewriting, shared, verification,
};
use crate::{
    asked::AskedSockets,
    clock::{self, SystemClock},
    config::Config,
    egress::Egress,
    extraction::Program,
    ingress::{Listener, PolicyServices, Shared, waiting::Waiting},
    observe::Observer,
    policy::Notes,
    spam::{self, Classifier},
};

impl App {
    /// A gateway that rules can be tried on. `directory` is empty, and deleted later.
    ///
    /// # Errors
    /// A part cannot be made of the configuration.
    pub(crate) fn rehearsing(
        mut config: Config,
        observer: &Observer,
        directory: &Path,
    ) -> anyhow::Result<Self> {
        // What is known of addresses and was learned of mail is read, and nothing more.
        let file = config.address_verify.file(&config.server.data_dir);
        let known = config.spam.is_some();
        let known = known.then(|| Classifier::to_judge(&spam::place(&config.server.data_dir)));
        config.server.data_dir = directory.to_owned();
        config.tls.certificate = Certificate::SelfSigned;
        config.auth.backends.clear();
        config.auth.users_file = directory.join("users");
        let queue = queue(directory)?;
        let certificate = ServerTls::load(&certificate_source(&config), clock::now())?;
        let resolver = resolver(&config)?;
        let addresses = our_addresses(&config, observer);
        let shared = shared(&config, &queue, observer, &resolver, addresses)?;
        // Some of them remember whom they were asked about, and what filters hand back would go to the gateway that runs.
        let (policy_services, waiting) = (PolicyServices::supposed(), Waiting::supposed());
        let classifier = known.map(|known| Arc::new(known).into()).unwrap_or_default();
        let shared = Arc::new(Shared { policy_services, waiting, classifier, ..shared });
        let rewriting = rewriting(&config, &shared)?;
        let egress = Egress::new(parts(&config, &shared, Arc::clone(&rewriting), Program::this())?);
        let end = CancellationToken::new();
        let moderation = moderation(&config, &shared, &rewriting, &end);
        let verification = verification(&config, &shared, file, None, &end);
        Ok(Self {
            config: ArcSwap::from_pointee(config),
            shared,
            egress,
            verification,
            moderation,
            archiver: None,
            roots: None,
            finder: None,
            certificate,
            sockets: Sockets::default(),
            policy_sockets: AskedSockets::default(),
            milter_sockets: AskedSockets::default(),
            notes: Arc::new(Notes::new()),
            services: TaskTracker::new(),
            end,
        })
    }

    /// The listener of this name, as it would serve.
    ///
    /// # Errors
    /// A table cannot be used, or there is no such listener.
    pub(crate) fn rehearsed(&self, name: &str) -> anyhow::Result<Arc<Listener>> {
        let config = self.config.load();
        let rewriting = rewriting(&config, &self.shared)?;
        let mut listeners = self.listeners(&config, &rewriting)?.into_iter();
        let found = listeners.find(|(_, listener)| listener.name() == name);
        Ok(found.context("no such listener")?.1)
    }
}

/// No limit of space is in its way.
fn queue(directory: &Path) -> anyhow::Result<Queue> {
    let mut options = Options::new(directory.join("queue"));
    options.queue_minfree = 0;
    let store = Arc::new(MemoryStore::default());
    Ok(Queue::open_on(store, options, Arc::new(SystemClock))?)
}
