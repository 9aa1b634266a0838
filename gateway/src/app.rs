//! The composition root: builds each part once and wires it, from a checked configuration.
//!
//! Nothing is decided here. Reading order: [`App::start`] builds, [`App::reload`] swaps what may
//! change, [`App::stop`] lets everything come to its end.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use anyhow::Context;
use arc_swap::ArcSwap;
use mailweir_admin_ui::approval::ApprovalPages;
use mailweir_auth::Allowances;
use mailweir_mail::SessionEvent;
use mailweir_queue::Queue;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    archiving::{
        Archiver, Finder, ListenerArchive, Post, RootsCourier,
        indexing::{self, Indexing},
        purge,
        room::Room,
    },
    asked::{self, AskedSockets},
    clock,
    config::{
        self, AddressVerify, CertificateSource as Certificate, Config, DomainPattern, Filters,
        ListenerTls as TlsChoice, MinTlsVersion, Mode, PolicyAction,
    },
    control,
    count::agreeing,
    egress::{
        Egress, LiveRoutes, Parts,
        resolve::{
            Ourselves, Policy, Reach, Resolver,
            dns::{DnsResolver, NameServers, Settings as DnsSettings},
        },
    },
    extraction::Program,
    ingress::{
        Listener, ListenerChecks, ListenerModeration, ListenerRestrictions, ListenerRules, Permits,
        PolicyServices, Shared, SubmissionPolicy,
        filters::{ListenerFilters, Source},
        inspection::Inspectors,
        milters::{Breakers, Milter},
        relay::ServedDomains,
        waiting::Waiting,
    },
    interfaces, login,
    milter::MilterServer,
    moderation::{self, Groups, Moderation},
    observe::Observer,
    own_mail::OwnMail,
    policy::{Notes, PolicyServer},
    restart,
    rewriting::LiveRewriting,
    signing::Signing,
    slips,
    sockets::{self, Sockets},
    spam::{self, Classifier, Scale},
    status::{self, Serves, Status},
    store::Store,
    strangers::Strangers,
    tables::Tables,
    tls::{self, CertificateSource, ClientAuthorities, OldestVersion, ServerTls},
    verification::{self, Prober, Verification},
};

mod rehearsal;

/// A gateway at work.
pub struct App {
    config: ArcSwap<Config>,
    shared: Arc<Shared>,
    egress: Arc<Egress>,
    verification: Arc<Verification>,
    moderation: Arc<Moderation>,
    /// Absent: nothing is archived.
    archiver: Option<Arc<Archiver>>,
    /// Absent: its roots stay where they are.
    roots: Option<Arc<RootsCourier>>,
    /// Absent: the archive is not searched.
    finder: Option<Finder>,
    certificate: ServerTls,
    sockets: Sockets,
    policy_sockets: AskedSockets<PolicyServer>,
    milter_sockets: AskedSockets<MilterServer>,
    /// What is known of the mails of a Postfix in front.
    notes: Arc<Notes>,
    /// What runs beside the sessions: deliveries, control socket, admin pages.
    services: TaskTracker,
    /// Cancelled when the services end, after the sessions.
    end: CancellationToken,
}

/// All that a configuration needs besides what runs already, made before anything is changed.
struct Prepared {
    routes: LiveRoutes,
    rewriting: Arc<LiveRewriting>,
    certificate: tls::Prepared,
    sockets: PreparedSockets,
}

/// Sockets of all kinds.
struct PreparedSockets {
    listeners: sockets::Prepared,
    policy: asked::Prepared<PolicyServer>,
    milter: asked::Prepared<MilterServer>,
}

impl App {
    /// Opens the store, binds all addresses and begins to work.
    ///
    /// # Errors
    /// The store is in use or unreadable, an address cannot be bound, a certificate cannot be
    /// used; each says what to do.
    pub async fn start(config: Config, observer: Observer) -> anyhow::Result<Arc<Self>> {
        Self::start_beside(config, observer, Program::this()).await
    }

    /// The same, in a program that is not `mailweir`, which is needed to read mail for the index and to start programs.
    ///
    /// # Errors
    /// As those of [`start`](Self::start).
    pub async fn start_beside(
        config: Config,
        observer: Observer,
        mailweir: Program,
    ) -> anyhow::Result<Arc<Self>> {
        let store = Store::of(&config);
        let queue = store.open({
            let observer = observer.clone();
            move |event| observer.mail(event)
        })?;
        let certificate = ServerTls::load(&certificate_source(&config), clock::now())
            .context("the certificate of the listeners cannot be used")?;
        let resolver = resolver(&config)?;
        let addresses = our_addresses(&config, &observer);
        let shared = Arc::new(shared(&config, &queue, &observer, &resolver, addresses)?);
        let rewriting = rewriting(&config, &shared)?;
        let egress =
            Egress::new(parts(&config, &shared, Arc::clone(&rewriting), mailweir.clone())?);
        egress.change_own_mail(OwnMail::of(&config, &rewriting));
        let end = CancellationToken::new();
        let file = config.address_verify.file(&config.server.data_dir);
        let verification = verification(&config, &shared, file, Some(&egress), &end);
        let moderation = moderation(&config, &shared, &rewriting, &end);
        let archiver = archiver(&config, &shared, &end);
        let roots = roots_courier(&config, archiver.as_deref(), &rewriting, &end);
        let (indexing, finder) =
            indexing(&config, &shared, archiver.as_deref(), mailweir, &end).unzip();
        let app = Arc::new(Self {
            config: ArcSwap::from_pointee(config),
            shared,
            egress,
            verification,
            moderation,
            archiver,
            roots,
            finder,
            certificate,
            sockets: Sockets::default(),
            policy_sockets: AskedSockets::default(),
            milter_sockets: AskedSockets::default(),
            notes: Arc::new(Notes::new()),
            services: TaskTracker::new(),
            end,
        });
        app.change_strangers(&app.config.load());
        let opened = app.open_sockets(&app.config.load(), &rewriting)?;
        app.start_services(&store)?;
        if let Some(indexing) = indexing {
            app.services.spawn(indexing.run());
        }
        app.watch_filters();
        app.install_sockets(opened);
        app.notice(&format!("started, version {}", env!("CARGO_PKG_VERSION")));
        Ok(app)
    }

    /// The addresses that mail is accepted on.
    #[must_use]
    pub fn bound(&self) -> Vec<(Box<str>, SocketAddr)> {
        self.sockets.bound()
    }

    /// Takes another configuration for everything that begins from now on. Sessions and
    /// deliveries that run keep what they began with. Keys that need a restart keep their values,
    /// and the log names them.
    ///
    /// # Errors
    /// What cannot be used of it. Then the old one stays in force as a whole.
    pub async fn reload(&self, config: Config) -> anyhow::Result<()> {
        let wants_archive = config.archive.is_some();
        let (config, later) = restart::put_off(&self.config.load(), config);
        let Prepared { routes, rewriting, certificate, sockets } = self.prepare(&config)?;
        // From here on nothing can fail: the change is made as a whole.
        self.certificate.install(certificate);
        self.moderation.change(moderation_settings(&config, &rewriting));
        if let Some(roots) = &self.roots {
            roots.change(own_post(&config, &rewriting));
        }
        self.egress.change_own_mail(OwnMail::of(&config, &rewriting));
        self.egress.reroute(routes, rewriting);
        self.verification.change(verification_settings(&config));
        self.change_strangers(&config);
        self.install_sockets(sockets);
        self.shared.scale.store(Arc::new(Scale::of(&config)));
        self.config.store(Arc::new(config));
        self.watch_filters();
        for key in later {
            self.warn(format!("{key} takes effect after a restart"));
        }
        self.warn_of_owed(wants_archive);
        self.notice("configuration reloaded");
        Ok(())
    }

    fn prepare(&self, config: &Config) -> anyhow::Result<Prepared> {
        let routes = routes(config)?;
        let certificate = self.certificate.prepare(&certificate_source(config), clock::now())?;
        let rewriting = rewriting(config, &self.shared)?;
        let sockets = self.open_sockets(config, &rewriting)?;
        Ok(Prepared { routes, rewriting, certificate, sockets })
    }

    /// Binds what is not bound yet.
    fn open_sockets(
        &self,
        config: &Config,
        rewriting: &Arc<LiveRewriting>,
    ) -> anyhow::Result<PreparedSockets> {
        let listeners = self.listeners(config, rewriting)?;
        let observer = &self.shared.observer;
        // The configuration was checked: there is one of each name.
        let named = |name: &str| {
            let found = listeners.iter().find(|(_, listener)| listener.name() == name);
            found.map(|(_, listener)| Arc::clone(listener))
        };
        let policy = config.policy_servers.iter().filter_map(|rules| {
            let (listener, notes) = (named(&rules.listener)?, Arc::clone(&self.notes));
            Some(PolicyServer::new(rules.clone(), listener, notes, observer.clone()))
        });
        let policy = self.policy_sockets.prepare(policy.collect())?;
        let milter = config.milter_servers.iter().filter_map(|rules| {
            Some(MilterServer::new(rules.clone(), named(&rules.listener)?, observer.clone()))
        });
        let milter = self.milter_sockets.prepare(milter.collect())?;
        Ok(PreparedSockets {
            policy,
            milter,
            listeners: self.sockets.prepare(listeners, self.egress.ways_back())?,
        })
    }

    fn install_sockets(&self, PreparedSockets { listeners, policy, milter }: PreparedSockets) {
        let (services, stop) = (&self.services, &self.shared.stop);
        self.sockets.install(listeners, services, stop);
        self.policy_sockets.install(policy, services, stop);
        self.milter_sockets.install(milter, services, stop);
    }

    /// Says in the log that another configuration was not taken.
    pub fn refuse_reload(&self, reason: &str) {
        self.warn(format!("configuration not reloaded, the old one stays in force: {reason}"));
    }

    /// Stops taking mail, lets what is in flight come to its end for at most `patience`, and
    /// closes the store. What takes longer, within a few seconds more, is left as a crash would leave it.
    pub async fn stop(&self, patience: Duration) {
        self.notice("stopping");
        let deadline = Instant::now() + patience;
        self.shared.stop.cancel();
        self.shared.sessions.close();
        let sessions = timeout_at(deadline, self.shared.sessions.wait()).await;
        if sessions.is_err() {
            self.notice("some sessions were cut off: they took too long to end");
        }
        self.end.cancel();
        self.egress.stop();
        self.services.close();
        let deadline = deadline.max(Instant::now() + LAST_PATIENCE);
        let services = timeout_at(deadline, self.services.wait()).await;
        if services.is_err() {
            self.notice("some work was cut off: it took too long to end");
        }
        // Last: what a delivery came to can be recorded until here.
        let queue = timeout(LAST_PATIENCE, self.shared.queue.shutdown()).await;
        if queue.is_err() {
            self.notice("the queue was not closed: its disk takes too long");
        }
        self.notice("stopped");
        let _ = self.shared.observer.flush(Duration::from_secs(1));
    }

    fn start_services(self: &Arc<Self>, store: &Store) -> anyhow::Result<()> {
        self.services.spawn(Arc::clone(&self.egress).run());
        self.services.spawn(Arc::clone(&self.shared.tables).watch(self.end.clone()));
        self.services.spawn(Arc::clone(&self.verification).keep());
        self.services.spawn(Arc::clone(&self.shared.strangers).keep(self.end.clone()));
        self.services.spawn(Arc::clone(&self.moderation).run());
        if let Some(archiver) = &self.archiver {
            self.services.spawn(Arc::clone(archiver).run());
        }
        if let Some(room) = self.room() {
            let observer = self.shared.observer.clone();
            self.services.spawn(purge::every_day(room, observer, self.end.clone()));
        }
        if let Some(roots) = &self.roots {
            self.services.spawn(Arc::clone(roots).run());
        }
        self.services.spawn(Arc::clone(&self.moderation).forget_correspondents());
        let control = store.control_socket();
        let (egress, gate) = (Arc::clone(&self.egress), Arc::clone(&self.shared));
        let moderation = Arc::clone(&self.moderation);
        let archive = self.room();
        let finder = self.finder.clone();
        let data_dir = store.data_dir().into();
        let operated = control::Operated { egress, gate, moderation, archive, finder, data_dir };
        let (end, observer) = (self.end.clone(), self.shared.observer.clone());
        self.services.spawn(async move {
            if let Err(error) = control::serve(&control, operated, end).await {
                let text = format!("no control socket at {}: {error}", control.display());
                observer.session(&SessionEvent::Warning { part: "master", text: text.into() });
            }
        });
        let config = self.config.load_full();
        let status = Arc::new(Status::new(Arc::downgrade(self)));
        let approval = self.approval_pages(&config)?;
        for (bind, serves) in config
            .admin
            .bind
            .iter()
            .map(|bind| (bind, Serves::Everything))
            .chain(config.metrics.bind.iter().map(|bind| (bind, Serves::Metrics)))
        {
            let socket = sockets::bind(*bind)
                .with_context(|| format!("listener \"admin\" cannot bind {bind}"))?;
            let pages = status::pages(&config, Arc::clone(&status), Arc::clone(&approval), serves);
            let end = self.end.clone().cancelled_owned();
            self.services.spawn(mailweir_admin_ui::serve(socket, pages, end));
        }
        Ok(())
    }

    /// The pages behind the links of notices.
    fn approval_pages(self: &Arc<Self>, config: &Config) -> anyhow::Result<Arc<ApprovalPages>> {
        let approvals = Arc::new(moderation::LinkPages::new(Arc::downgrade(self)));
        let public_url = config.admin.public_url.as_ref().map(|url| url.as_str());
        let pages = ApprovalPages::new(approvals, public_url);
        pages.map(Arc::new).context("the system gives no random numbers")
    }

    /// The listeners of `config`, for each of their addresses.
    fn listeners(
        &self,
        config: &Config,
        rewriting: &Arc<LiveRewriting>,
    ) -> anyhow::Result<Vec<(SocketAddr, Arc<Listener>)>> {
        let served = Arc::new(served(config));
        let policy = Arc::new(self.policy(config)?);
        let groups = Groups::open(&config.moderation.group_maps, &self.shared.tables);
        let groups = Arc::new(groups.context("moderation.group_maps")?);
        let moderation = ListenerModeration {
            rules: Arc::new(config.moderation.clone()),
            service: Arc::clone(&self.moderation),
            groups,
        };
        let archive = config.archive.as_ref().zip(self.archiver.as_ref());
        let archive = archive.map(|(written, archiver)| ListenerArchive {
            rules: Arc::new(written.rules.clone()),
            archiver: Arc::clone(archiver),
            mark: written.mark,
        });
        let spam = self.spam_checks(config);
        let own_mail = OwnMail::of(config, rewriting);
        let signing = Signing::of(config, rewriting).map(Arc::new);
        let filters = slips::of(config)?.map(|slips| (Arc::new(config.filters.clone()), slips));
        let inspectors = match &filters {
            Some((_, slips)) => Inspectors::of(config, slips)?,
            None => None,
        };
        let mut listeners = Vec::new();
        let mut breakers = Breakers::default();
        for rules in &config.listeners {
            let tls = match rules.tls {
                TlsChoice::None => None,
                TlsChoice::Optional | TlsChoice::Required | TlsChoice::Implicit => {
                    let authorities = rules.client_ca_file.as_deref();
                    let authorities = authorities.map(ClientAuthorities::from_file).transpose()?;
                    Some(self.certificate.listener(oldest_version(config), authorities)?)
                }
            };
            let checks = ListenerChecks::open(&rules.checks, &config.checks, &self.shared.tables)
                .with_context(|| format!("listener {:?}", rules.name))?;
            let open = |lists| ListenerRestrictions::open(lists, &self.shared.tables);
            let restrictions = rules.restrictions.as_ref().map(open).transpose();
            let restrictions =
                restrictions.with_context(|| format!("listener {:?}", rules.name))?;
            let shared_rules = ListenerRules {
                served: Arc::clone(&served),
                policy: Arc::clone(&policy),
                checks,
                restrictions,
                rewriting: Arc::clone(rewriting),
                verification: Arc::clone(&self.verification),
                moderation: moderation.clone(),
                archive: archive.clone(),
                spam: spam.clone(),
                signing: signing.clone(),
                own_mail: own_mail.clone(),
                filters: filters.clone().map(|(filters, slips)| ListenerFilters {
                    inspectors: inspectors.clone(),
                    milters: Milter::of(&filters, rules, &mut breakers).into(),
                    source: source(rules, &filters),
                    filters,
                    slips,
                }),
                notes: handed_over(config, &rules.name).then(|| Arc::clone(&self.notes)),
            };
            let shared = Arc::clone(&self.shared);
            let listener = Arc::new(Listener::new(rules.clone(), shared_rules, tls, shared));
            listeners.extend(rules.bind.iter().map(|address| (*address, Arc::clone(&listener))));
        }
        Ok(listeners)
    }

    fn policy(&self, config: &Config) -> anyhow::Result<SubmissionPolicy> {
        let allowances = Arc::clone(&self.shared.allowances);
        let policy = SubmissionPolicy::open(&config.auth, allowances, &self.shared.observer);
        let file = config.auth.senders.login_maps_file.as_deref().unwrap_or(Path::new(""));
        policy.with_context(|| format!("auth.senders.login_maps_file {}", file.display()))
    }

    /// What is owed to an archive that will be switched off stays in the queue then.
    fn warn_of_owed(&self, wants_archive: bool) {
        let owed = self.shared.queue.stats().to_archive;
        if self.archiver.is_some() && !wants_archive && owed > 0 {
            self.warn(format!(
                "{} for the archive: without it they stay in the queue; restart once \
                 `mailweir queue list --queue archiving` shows none",
                agreeing(owed, "mail waits", "mails wait")
            ));
        }
    }

    /// How mail is looked at, by a configuration; `None`: not at all. What was learned is opened where it is wanted for the first
    /// time, and kept until the end. Blocks then.
    fn spam_checks(&self, config: &Config) -> Option<Arc<spam::Checks>> {
        let rules = config.spam.as_ref()?;
        let observer = &self.shared.observer;
        let classifier = self.shared.classifier.get_or_init(|| {
            let classifier = Arc::new(Classifier::open(&spam::place(&config.server.data_dir)));
            classifier.tell_trouble(observer);
            let kept = Arc::clone(&classifier).keep(observer.clone(), self.end.clone());
            self.services.spawn(kept);
            classifier
        });
        Some(Arc::new(spam::Checks::new(config, rules, classifier)))
    }

    /// Reads what is remembered of strangers when it is needed first, and blocks then.
    fn change_strangers(&self, config: &Config) {
        let rules = config.spam.as_ref().map(|spam| &spam.before_data);
        self.shared.strangers.change(rules, &spam::place(&config.server.data_dir));
    }

    fn watch_filters(&self) {
        let config = self.config.load();
        let names = config.filters.all.iter().map(|filter| &*filter.name);
        self.shared.observer.watch_filters(names);
    }

    fn notice(&self, text: &str) {
        let event = SessionEvent::Notice { part: "master", text: text.into() };
        self.shared.observer.session(&event);
    }

    fn warn(&self, text: String) {
        let event = SessionEvent::Warning { part: "master", text: text.into() };
        self.shared.observer.session(&event);
    }

    /// The mail that waits for people.
    #[must_use]
    pub const fn moderation(&self) -> &Arc<Moderation> {
        &self.moderation
    }

    pub(crate) const fn archiver(&self) -> Option<&Arc<Archiver>> {
        self.archiver.as_ref()
    }

    /// The archive for people; `None`: nothing is archived.
    pub(crate) fn room(&self) -> Option<Room> {
        let archiver = self.archiver.clone()?;
        let hostname = self.config().server.hostname.clone();
        Some(Room::of_server(archiver, self.finder.clone(), hostname))
    }

    /// Who finds mail in the archive; `None`: it is not indexed.
    #[must_use]
    pub const fn finder(&self) -> Option<&Finder> {
        self.finder.as_ref()
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    pub(crate) fn egress(&self) -> &Egress {
        &self.egress
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}

fn shared(
    config: &Config,
    queue: &Queue,
    observer: &Observer,
    resolver: &Arc<dyn Resolver>,
    addresses: Vec<IpAddr>,
) -> anyhow::Result<Shared> {
    Ok(Shared {
        hostname: config.server.hostname.clone(),
        addresses,
        queue: queue.clone(),
        observer: observer.clone(),
        resolver: Arc::clone(resolver),
        authenticator: login::authenticator(&config.auth, observer)?,
        tables: Tables::new(observer.clone()),
        policy_services: PolicyServices::new(clock::now()),
        allowances: Arc::new(Mutex::new(Allowances::new(clock::monotonic()))),
        waiting: Waiting::default(),
        classifier: OnceLock::new(),
        scale: ArcSwap::from_pointee(Scale::of(config)),
        strangers: Arc::new(Strangers::new(observer.clone())),
        permits: Permits::new(config.limits.session_limit.get() as usize),
        stop: CancellationToken::new(),
        sessions: TaskTracker::new(),
    })
}

/// Who answers questions about names.
pub(crate) fn resolver(config: &Config) -> anyhow::Result<Arc<dyn Resolver>> {
    let name_servers = match config.dns.servers.as_slice() {
        [] => NameServers::System,
        servers => NameServers::Listed(servers.to_vec()),
    };
    let dns = DnsSettings { name_servers, timeout: config.dns.timeout, ..DnsSettings::default() };
    Ok(Arc::new(DnsResolver::new(&dns).context("[dns]: no resolver")?))
}

fn parts(
    config: &Config,
    shared: &Shared,
    rewriting: Arc<LiveRewriting>,
    mailweir: Program,
) -> anyhow::Result<Parts> {
    let addresses = shared.addresses.clone();
    let names = vec![config.server.hostname.clone()];
    let policy = Policy {
        ourselves: Ourselves { names, addresses: addresses.to_vec() },
        reach: if config.dns.allow_private_mx { Reach::Private } else { Reach::Public },
    };
    Ok(Parts {
        queue: shared.queue.clone(),
        observer: shared.observer.clone(),
        hostname: config.server.hostname.clone(),
        resolver: Arc::clone(&shared.resolver),
        policy,
        mailweir,
        routes: routes(config)?,
        rewriting,
        session_limit: config.smtp.session_limit.get() as usize,
    })
}

/// Where the mail of a listener comes from.
fn source(listener: &config::Listener, filters: &Filters) -> Source {
    match listener.mode {
        Mode::Mx | Mode::Submission => Source::Elsewhere,
        Mode::Filter | Mode::Lmtp if filters.before.returning_to(&listener.name).is_some() => {
            Source::Proxies
        }
        Mode::Filter | Mode::Lmtp => {
            Source::Filters(filters.course.returning_to(&listener.name).map(Into::into))
        }
    }
}

fn routes(config: &Config) -> anyhow::Result<LiveRoutes> {
    let sink = config.address_verify.sender.sink(&config.server.hostname);
    let routes = LiveRoutes::new(config.routes.clone(), &config.smtp)?.and_sink(sink);
    match slips::of(config)? {
        Some(slips) => Ok(routes.behind(config, slips)?),
        None => Ok(routes),
    }
}

/// The rules about addresses. This machine has its loopback addresses besides those it listens on.
fn rewriting(config: &Config, shared: &Shared) -> anyhow::Result<Arc<LiveRewriting>> {
    let mut own = our_addresses(config, &shared.observer);
    own.extend([IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)]);
    LiveRewriting::open(config, own, &shared.tables).context("[rewriting]")
}

/// What is known of addresses, as it was kept. Without deliveries nothing is asked or written.
fn verification(
    config: &Config,
    shared: &Shared,
    file: Option<PathBuf>,
    egress: Option<&Arc<Egress>>,
    end: &CancellationToken,
) -> Arc<Verification> {
    let prober = egress.map(|egress| Box::new(Arc::clone(egress)) as Box<dyn Prober>);
    let (settings, observer) = (verification_settings(config), shared.observer.clone());
    let sessions = config.smtp.session_limit.get() as usize;
    Arc::new(Verification::open(settings, sessions, prober, file, observer, end.clone()))
}

fn verification_settings(config: &Config) -> verification::Settings {
    let AddressVerify { sender, lifetimes, patience, map: _ } = &config.address_verify;
    let hostname = &config.server.hostname;
    let (sender, sink) = (sender.of(hostname), sender.sink(hostname));
    let (served, lifetimes, patience) = (served(config), *lifetimes, *patience);
    verification::Settings { sender, sink, served, lifetimes, patience }
}

/// Whether a Postfix in front is told to hand mail to this listener.
fn handed_over(config: &Config, listener: &str) -> bool {
    config.policy_servers.iter().any(|server| {
        *server.listener == *listener && matches!(server.action, PolicyAction::Filter(_))
    })
}

/// Who takes mail into the archive, if there is one.
fn archiver(config: &Config, shared: &Shared, end: &CancellationToken) -> Option<Arc<Archiver>> {
    let (queue, observer) = (shared.queue.clone(), shared.observer.clone());
    let Some(settings) = config.archive.clone() else {
        let owed = queue.stats().to_archive;
        if owed > 0 {
            let text = format!(
                "{} for the archive, which is switched off: they stay in the queue",
                agreeing(owed, "mail waits", "mails wait")
            );
            observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
        }
        return None;
    };
    Some(Arc::new(Archiver::new(settings, queue, observer, end.clone())))
}

/// Who brings the roots of the archive to other places, if there are any.
fn roots_courier(
    config: &Config,
    archiver: Option<&Archiver>,
    rewriting: &Arc<LiveRewriting>,
    end: &CancellationToken,
) -> Option<Arc<RootsCourier>> {
    let (settings, archiver) = config.archive.clone().zip(archiver)?;
    let post = own_post(config, rewriting);
    RootsCourier::new(settings, archiver, post, end.clone()).map(Arc::new)
}

fn own_post(config: &Config, rewriting: &Arc<LiveRewriting>) -> Post {
    Post {
        hostname: config.server.hostname.clone(),
        rewriting: Arc::clone(rewriting),
        own: OwnMail::of(config, rewriting),
    }
}

/// Who indexes what is archived, and who finds it.
fn indexing(
    config: &Config,
    shared: &Shared,
    archiver: Option<&Archiver>,
    program: Program,
    end: &CancellationToken,
) -> Option<(Indexing, Finder)> {
    let settings = config.archive.as_ref()?;
    if !settings.index {
        // It would answer as if it were whole, and keep words of what is erased.
        if let Err(error) = indexing::remove(&settings.directory) {
            let text =
                format!("archive: the index that is switched off cannot be removed: {error}");
            shared.observer.session(&SessionEvent::Warning { part: "archive", text: text.into() });
        }
        return None;
    }
    let (archive, memory) = (settings.directory.clone(), settings.index_memory);
    let records = settings.reader();
    let settings = indexing::Settings { archive, records, memory, program };
    let written = archiver?.written();
    Some(Indexing::new(settings, written, shared.observer.clone(), end.clone()))
}

/// The cases as they were. Reads all of them, and blocks meanwhile.
fn moderation(
    config: &Config,
    shared: &Shared,
    rewriting: &Arc<LiveRewriting>,
    end: &CancellationToken,
) -> Arc<Moderation> {
    let (queue, observer) = (shared.queue.clone(), shared.observer.clone());
    let settings = moderation_settings(config, rewriting);
    Arc::new(Moderation::open(settings, queue, observer, end.clone()))
}

fn moderation_settings(config: &Config, rewriting: &Arc<LiveRewriting>) -> moderation::Settings {
    moderation::Settings {
        rules: config.moderation.clone(),
        hostname: config.server.hostname.clone(),
        administrators: config.domains.postmaster.clone(),
        public_url: config.admin.public_url.as_ref().map(|url| url.as_str().into()),
        rewriting: Arc::clone(rewriting),
        own: OwnMail::of(config, rewriting),
    }
}

/// Where the world reaches us. What cannot be found out does not keep the gateway from starting.
fn our_addresses(config: &Config, observer: &Observer) -> Vec<IpAddr> {
    let binds: Vec<SocketAddr> =
        config.listeners.iter().flat_map(|rules| rules.bind.iter().copied()).collect();
    interfaces::reached_by(&binds).unwrap_or_else(|error| {
        let text = format!("the addresses of this machine are unknown, loops end late: {error}");
        observer.session(&SessionEvent::Warning { part: "master", text: text.into() });
        binds.iter().map(SocketAddr::ip).filter(|address| !address.is_unspecified()).collect()
    })
}

/// The domains that are served.
pub(crate) fn served(config: &Config) -> ServedDomains {
    let patterns = &config.domains.relay;
    let exact = patterns.iter().filter_map(|pattern| match pattern {
        DomainPattern::Exact(domain) => Some(domain.clone()),
        DomainPattern::Below(_) | DomainPattern::Any => None,
    });
    let parents = patterns.iter().filter_map(|pattern| match pattern {
        DomainPattern::Below(domain) => Some(domain.clone()),
        DomainPattern::Exact(_) | DomainPattern::Any => None,
    });
    let postmaster = config.domains.postmaster.clone();
    ServedDomains::new(exact, parents).and_postmaster(config.server.hostname.clone(), postmaster)
}

const fn oldest_version(config: &Config) -> OldestVersion {
    match config.tls.min_version {
        MinTlsVersion::Tls12 => OldestVersion::Tls12,
        MinTlsVersion::Tls13 => OldestVersion::Tls13,
    }
}

fn certificate_source(config: &Config) -> CertificateSource {
    match &config.tls.certificate {
        Certificate::SelfSigned => CertificateSource::SelfSigned {
            data_dir: config.server.data_dir.clone(),
            hostname: config.server.hostname.as_ascii().to_owned(),
        },
        Certificate::Files { certificate_file, key_file } => CertificateSource::Files {
            certificate: certificate_file.clone(),
            key: key_file.clone(),
        },
    }
}

/// How long deliveries and all other work may take when sessions took all the time there was, and then the queue.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
