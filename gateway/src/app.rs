//! The composition root: builds each part once and wires it, from a checked configuration.
//!
//! Nothing is decided here. Reading order: [`App::start`] builds, [`App::run`] waits for signals,
//! [`App::reload`] swaps what may change, [`App::stop`] lets everything come to its end.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use arc_swap::ArcSwap;
use mailweir_auth::{Authenticator, ThrottleLimits, UserStore};
use mailweir_mail::SessionEvent;
use mailweir_queue::Queue;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    clock,
    config::{CertificateSource as Certificate, Config, DomainPattern, ListenerTls as TlsChoice},
    control,
    egress::{
        Egress, LiveRoutes, Parts,
        resolve::{
            Ourselves, Policy, Reach, Resolver,
            dns::{DnsResolver, NameServers, Settings as DnsSettings},
        },
    },
    ingress::{Listener, Permits, Shared, listen, relay::ServedDomains},
    observe::Observer,
    status::{Serves, Status},
    store::Store,
    tls::{CertificateSource, ServerTls},
};

/// A gateway at work.
pub struct App {
    config: ArcSwap<Config>,
    shared: Arc<Shared>,
    egress: Arc<Egress>,
    certificate: ServerTls,
    sockets: Mutex<HashMap<SocketAddr, Socket>>,
    /// What runs beside the sessions: deliveries, control socket, admin pages.
    services: TaskTracker,
    /// Cancelled when the services end, after the sessions.
    end: CancellationToken,
}

/// A bound address.
struct Socket {
    /// The listener that new connections get.
    current: Arc<ArcSwap<Listener>>,
    /// Stops accepting.
    close: CancellationToken,
}

impl App {
    /// Opens the store, binds all addresses and begins to work.
    ///
    /// # Errors
    /// The store is in use or unreadable, an address cannot be bound, a certificate cannot be
    /// used; each says what to do.
    pub async fn start(config: Config, observer: Observer) -> anyhow::Result<Arc<Self>> {
        let store = Store::of(&config);
        let queue = store.open({
            let observer = observer.clone();
            move |event| observer.mail(event)
        })?;
        let certificate = ServerTls::load(&certificate_source(&config), clock::now())
            .context("the certificate of the listeners cannot be used")?;
        let resolver = resolver(&config)?;
        let shared = Arc::new(shared(&config, &queue, &observer, &resolver)?);
        let egress = Egress::new(parts(&config, &queue, &observer, &resolver)?);
        let app = Arc::new(Self {
            config: ArcSwap::from_pointee(config),
            shared,
            egress,
            certificate,
            sockets: Mutex::default(),
            services: TaskTracker::new(),
            end: CancellationToken::new(),
        });
        app.open_sockets(&app.config.load_full()).await?;
        app.start_services(&store).await?;
        app.notice(&format!("started, version {}", env!("CARGO_PKG_VERSION")));
        Ok(app)
    }

    /// The addresses that mail is accepted on.
    #[must_use]
    pub fn bound(&self) -> Vec<(Box<str>, SocketAddr)> {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bound: Vec<_> = sockets
            .iter()
            .map(|(address, socket)| (socket.current.load().name().into(), *address))
            .collect();
        bound.sort_by_key(|(_, address)| *address);
        bound
    }

    /// Takes another configuration for everything that begins from now on. Sessions and
    /// deliveries that run keep what they began with.
    ///
    /// # Errors
    /// What cannot be used of it. Then the old one stays in force as a whole.
    pub async fn reload(&self, config: Config) -> anyhow::Result<()> {
        let routes = LiveRoutes::new(config.routes.clone(), &config.smtp)?;
        self.certificate.reload(&certificate_source(&config), clock::now())?;
        self.open_sockets(&config).await?;
        self.close_sockets(&config);
        self.egress.reroute(routes);
        self.config.store(Arc::new(config));
        self.notice("configuration reloaded");
        Ok(())
    }

    /// Says in the log that another configuration was not taken.
    pub fn refuse_reload(&self, reason: &str) {
        self.shared.observer.session(&SessionEvent::Warning {
            part: "master",
            text: format!("configuration not reloaded, the old one stays in force: {reason}")
                .into(),
        });
    }

    /// Stops taking mail, lets what is in flight come to its end for at most `patience`, and
    /// closes the store.
    pub async fn stop(&self, patience: Duration) {
        self.notice("stopping");
        self.shared.stop.cancel();
        self.shared.sessions.close();
        let sessions = tokio::time::timeout(patience, self.shared.sessions.wait()).await;
        if sessions.is_err() {
            self.notice("some sessions were cut off: they took too long to end");
        }
        self.end.cancel();
        self.egress.stop();
        self.services.close();
        let services = tokio::time::timeout(patience, self.services.wait()).await;
        if services.is_err() {
            self.notice("some deliveries were cut off: they took too long to end");
        }
        // Last: what a delivery came to can be recorded until here.
        self.shared.queue.shutdown().await;
        self.notice("stopped");
        let _ = self.shared.observer.flush(Duration::from_secs(1));
    }

    async fn start_services(self: &Arc<Self>, store: &Store) -> anyhow::Result<()> {
        self.services.spawn(Arc::clone(&self.egress).run());
        let control = store.control_socket();
        let egress = Arc::clone(&self.egress);
        let (end, observer) = (self.end.clone(), self.shared.observer.clone());
        self.services.spawn(async move {
            if let Err(error) = control::serve(&control, egress, end).await {
                let text = format!("no control socket at {}: {error}", control.display());
                observer.session(&SessionEvent::Warning { part: "master", text: text.into() });
            }
        });
        let config = self.config.load_full();
        let status = Arc::new(Status::new(Arc::downgrade(self)));
        for (bind, serves) in config
            .admin
            .bind
            .iter()
            .map(|bind| (bind, Serves::Everything))
            .chain(config.metrics.bind.iter().map(|bind| (bind, Serves::Metrics)))
        {
            let socket = bound(*bind, "admin")?;
            let pages = crate::status::pages(&config, Arc::clone(&status), serves);
            let end = self.end.clone().cancelled_owned();
            self.services.spawn(mailweir_admin_ui::serve(socket, pages, end));
        }
        Ok(())
    }

    /// Binds what is not bound yet, and gives bound addresses their listener of `config`.
    async fn open_sockets(&self, config: &Config) -> anyhow::Result<()> {
        let served = Arc::new(served(config));
        let mut fresh = Vec::new();
        let mut changed = Vec::new();
        for rules in &config.listeners {
            let tls = match rules.tls {
                TlsChoice::None => None,
                TlsChoice::Optional | TlsChoice::Required | TlsChoice::Implicit => {
                    Some(self.certificate.listener()?)
                }
            };
            let (served, shared) = (Arc::clone(&served), Arc::clone(&self.shared));
            let listener = Arc::new(Listener::new(rules.clone(), served, tls, shared));
            for address in &rules.bind {
                match self.is_bound(*address) {
                    true => changed.push((*address, Arc::clone(&listener))),
                    false => {
                        fresh.push((bound(*address, &rules.name)?, Arc::clone(&listener)));
                    }
                }
            }
        }
        // From here on nothing can fail: the change is made as a whole.
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for (address, listener) in changed {
            if let Some(socket) = sockets.get(&address) {
                socket.current.store(listener);
            }
        }
        for (socket, listener) in fresh {
            let Ok(address) = socket.local_addr() else { continue };
            let current = Arc::new(ArcSwap::new(listener));
            let close = self.shared.stop.child_token();
            self.services.spawn(listen(socket, Arc::clone(&current), close.clone()));
            sockets.insert(address, Socket { current, close });
        }
        Ok(())
    }

    fn close_sockets(&self, config: &Config) {
        let wanted = |address: &SocketAddr| {
            config.listeners.iter().any(|rules| rules.bind.contains(address))
        };
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|address, socket| {
            let keep = wanted(address);
            if !keep {
                socket.close.cancel();
            }
            keep
        });
    }

    fn is_bound(&self, address: SocketAddr) -> bool {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.contains_key(&address)
    }

    fn notice(&self, text: &str) {
        let event = SessionEvent::Notice { part: "master", text: text.into() };
        self.shared.observer.session(&event);
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
) -> anyhow::Result<Shared> {
    let users = UserStore::open(&config.auth.users_file)
        .with_context(|| format!("users file {}", config.auth.users_file.display()))?;
    Ok(Shared {
        hostname: config.server.hostname.clone(),
        queue: queue.clone(),
        observer: observer.clone(),
        resolver: Arc::clone(resolver),
        authenticator: Authenticator::new(Arc::new(users), ThrottleLimits::default()),
        permits: Permits::new(config.limits.session_limit.get() as usize),
        stop: CancellationToken::new(),
        sessions: TaskTracker::new(),
    })
}

fn resolver(config: &Config) -> anyhow::Result<Arc<dyn Resolver>> {
    let name_servers = match config.dns.servers.as_slice() {
        [] => NameServers::System,
        servers => NameServers::Listed(servers.to_vec()),
    };
    let dns = DnsSettings { name_servers, timeout: config.dns.timeout, ..DnsSettings::default() };
    Ok(Arc::new(DnsResolver::new(&dns).context("[dns]: no resolver")?))
}

fn parts(
    config: &Config,
    queue: &Queue,
    observer: &Observer,
    resolver: &Arc<dyn Resolver>,
) -> anyhow::Result<Parts> {
    let addresses = config.listeners.iter().flat_map(|rules| &rules.bind);
    let policy = Policy {
        ourselves: Ourselves {
            names: vec![config.server.hostname.clone()],
            addresses: addresses
                .map(SocketAddr::ip)
                .filter(|address| !address.is_unspecified())
                .collect(),
        },
        reach: if config.dns.allow_private_mx { Reach::Private } else { Reach::Public },
    };
    Ok(Parts {
        queue: queue.clone(),
        observer: observer.clone(),
        hostname: config.server.hostname.clone(),
        resolver: Arc::clone(resolver),
        policy,
        routes: LiveRoutes::new(config.routes.clone(), &config.smtp)?,
        session_limit: config.smtp.session_limit.get() as usize,
    })
}

fn served(config: &Config) -> ServedDomains {
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

/// Binds an address. An IPv6 socket takes IPv6 only, as the file says: `[::]:25` and `0.0.0.0:25`
/// are two addresses.
fn bound(address: SocketAddr, name: &str) -> anyhow::Result<TcpListener> {
    let bind = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => {
                let socket = TcpSocket::new_v6()?;
                rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
                socket
            }
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().with_context(|| format!("listener {name:?} cannot bind {address}"))
}

/// Connections that the system may hold for us while we are busy.
const BACKLOG: u32 = 1_024;
