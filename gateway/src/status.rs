//! What the gateway tells about itself on the admin listener.

use std::{
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use axum::Router;
use mailweir_admin_ui::{
    AdminState, Check, CheckResult, ListenerStatus, Observability, Overview, QueueCounts,
};

use crate::{app::App, clock, config::Config, observe::Gauges};

/// Answers for the pages; holds the gateway weakly, so that an open page keeps nothing alive.
pub struct Status {
    app: Weak<App>,
    started: Instant,
}

impl Status {
    /// The status of `app`.
    #[must_use]
    pub fn new(app: Weak<App>) -> Self {
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
        let gauges = Gauges {
            ready: stats.due as u64,
            delivering: stats.delivering as u64,
            deferred: stats.ready.saturating_sub(stats.due) as u64,
            held: stats.held as u64,
            corrupt: stats.corrupt as u64,
            oldest: stats.oldest.map_or(Duration::ZERO, |oldest| clock::now().since(oldest)),
            sessions: shared.permits.open() as u64,
            connections: app.egress().connections() as u64,
            fsync: stats.syncs.into(),
            uptime: self.uptime(),
        };
        shared.observer.render(&gauges)
    }

    fn readiness(&self) -> Vec<Check> {
        let Some(app) = self.app.upgrade() else { return Vec::new() };
        let store = match app.shared().queue.trouble() {
            None => CheckResult::Passed,
            Some(reason) => CheckResult::Failed(reason),
        };
        let listeners = match app.shared().stop.is_cancelled() {
            false => CheckResult::Passed,
            true => CheckResult::Failed("the server is stopping".into()),
        };
        vec![
            Check { name: "store".into(), result: store },
            Check { name: "listeners".into(), result: listeners },
        ]
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
            queue: QueueCounts {
                ready: (stats.due + stats.delivering) as u64,
                deferred: stats.ready.saturating_sub(stats.due) as u64,
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
            queue: QueueCounts::default(),
        }
    }
}

/// The pages of one admin address.
pub fn pages(config: &Config, status: Arc<Status>, only_metrics: bool) -> Router {
    let hosts = config.admin.public_url.iter().map(|url| url.host().into()).collect();
    let state = AdminState { observability: status, hosts };
    match only_metrics {
        true => mailweir_admin_ui::metrics_router(state),
        false => mailweir_admin_ui::router(state),
    }
}
