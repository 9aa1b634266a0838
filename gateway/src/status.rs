//! What the gateway tells about itself on the admin listener.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use axum::Router;
use mailweir_admin_ui::{
    AdminState, AllowedHosts, Check, CheckResult, FilterStatus, ListenerStatus, Observability,
    Overview, Proxies, QueueCounts, approval::ApprovalPages,
};
use mailweir_auth::{Authenticator, Health};

use crate::{
    app::App,
    archiving::api::Api as ArchiveApi,
    clock,
    config::Config,
    moderation::Api,
    observe::{ArchiveGauges, FilterHealth, FsyncTimes, Gauges, LogInGauges},
};

/// Answers for the pages; holds the gateway weakly, so that an open page keeps nothing alive.
pub(crate) struct Status {
    app: Weak<App>,
    started: Instant,
}

impl Status {
    /// The status of `app`.
    #[must_use]
    pub(crate) fn new(app: Weak<App>) -> Self {
        Self { app, started: clock::monotonic() }
    }

    fn uptime(&self) -> Duration {
        clock::monotonic().saturating_duration_since(self.started)
    }
}

impl Observability for Status {
    fn metrics(&self) -> String {
        let Some(app) = self.app.upgrade() else { return String::new() };
        let shared = app.shared();
        let stats = shared.queue.stats();
        let syncs = shared.queue.syncs();
        let gauges = Gauges {
            ready: stats.screening as u64,
            delivering: stats.delivering as u64,
            deferred: stats.ready as u64,
            held: stats.held as u64,
            corrupt: stats.corrupt as u64,
            oldest: shared
                .queue
                .oldest()
                .map_or(Duration::ZERO, |oldest| clock::now().since(oldest)),
            sessions: shared.permits.open() as u64,
            connections: app.egress().connections() as u64,
            fsync: FsyncTimes { count: syncs.count, total: syncs.total },
            logins: logins(&shared.authenticator),
            archive: app.archiver().map(|archiver| ArchiveGauges {
                not_indexed: app.finder().map(|finder| finder.lag().behind),
                ..archiver.gauges()
            }),
            uptime: self.uptime(),
        };
        shared.observer.render(&gauges)
    }

    fn readiness(&self) -> Vec<Check> {
        let Some(app) = self.app.upgrade() else { return Vec::new() };
        let store = match app.shared().queue.is_stopped() {
            false => CheckResult::Passed,
            true => CheckResult::Failed("a write failed; see the log, then restart".into()),
        };
        let listeners = match app.shared().stop.is_cancelled() {
            false => CheckResult::Passed,
            true => CheckResult::Failed("the server is stopping".into()),
        };
        let mut checks = vec![
            Check { name: "store".into(), result: store },
            Check { name: "listeners".into(), result: listeners },
        ];
        // Where mail is accepted all the same, or waits until there is less of it, we are ready.
        checks.extend(app.archiver().map(|archiver| {
            let result = match archiver.ready() {
                Ok(()) => CheckResult::Passed,
                Err(reason) => CheckResult::Failed(format!("{reason}; mail is deferred").into()),
            };
            Check { name: "archive".into(), result }
        }));
        checks
    }

    fn overview(&self) -> Overview {
        let Some(app) = self.app.upgrade() else { return self.nothing() };
        let stats = app.shared().queue.stats();
        let config = app.config();
        let listeners = config.listeners.iter().flat_map(|rules| {
            rules.bind.iter().map(|address| ListenerStatus {
                name: rules.name.clone(),
                mode: rules.mode.as_str().into(),
                tls: rules.tls.as_str().into(),
                address: *address,
            })
        });
        Overview {
            hostname: config.server.hostname.as_str().into(),
            listeners: listeners.collect(),
            filters: filters(app.shared().observer.filters()),
            queue: QueueCounts {
                ready: (stats.screening + stats.delivering) as u64,
                deferred: stats.ready as u64,
                held: stats.held as u64,
            },
            ..self.nothing()
        }
    }
}

impl Status {
    fn nothing(&self) -> Overview {
        Overview {
            hostname: "".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            uptime: self.uptime(),
            listeners: Vec::new(),
            filters: Vec::new(),
            queue: QueueCounts::default(),
        }
    }
}

fn filters(health: Vec<FilterHealth>) -> Vec<FilterStatus> {
    let status = health.into_iter().map(|filter| {
        let FilterHealth { name, asked, failed, is_left_alone } = filter;
        FilterStatus { name, asked, failed, is_left_alone }
    });
    status.collect()
}

fn logins(authenticator: &Authenticator) -> LogInGauges {
    let waiting = authenticator.waiting(clock::monotonic());
    let health = authenticator.chain().health();
    let backends = health.into_iter().map(|(name, health)| (name.into(), health == Health::Up));
    LogInGauges {
        waiting_addresses: waiting.addresses as u64,
        waiting_accounts: waiting.accounts as u64,
        throttled: authenticator.throttled(),
        backends: backends.collect(),
    }
}

/// What an admin address serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// All pages.
    Everything,
    /// Only `/metrics`, for a network that may see numbers and nothing else.
    Metrics,
}

/// The pages of one admin address.
pub(crate) fn pages(
    config: &Config,
    status: Arc<Status>,
    approval: Arc<ApprovalPages>,
    serves: Serves,
) -> Router {
    let public_url = config.admin.public_url.as_ref().map(|url| url.as_str());
    let hosts = Arc::new(AllowedHosts::new(public_url));
    let held = Arc::new(Api::new(status.app.clone()));
    let archive = Arc::new(ArchiveApi::new(status.app.clone()));
    let ours = config.admin.proxies.clone();
    let proxies = move |address| ours.iter().any(|network| network.contains(address));
    let proxies = Arc::new(Proxies::new(proxies));
    let state = AdminState { observability: status, hosts, proxies, approval, held, archive };
    match serves {
        Serves::Everything => mailweir_admin_ui::router(state),
        Serves::Metrics => mailweir_admin_ui::metrics_router(state),
    }
}
