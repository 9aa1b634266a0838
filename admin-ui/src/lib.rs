//! The admin listener: `/livez`, `/readyz`, `/metrics`, one calm page, the pages behind the links of
//! notices, and the API for held and archived mail.
//!
//! What it shows comes from the gateway through [`Observability`]; what is done about held mail goes to it
//! through [`approval::Approvals`] and [`api::HeldMail`]. It knows no queue, no SMTP and no storage. It
//! stands on its own listener, local by default (`attacks.md` H11).

pub mod api;
pub mod approval;
mod client;
mod guard;
mod health;
mod home;
mod hosts;
mod server;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, middleware, routing::get};

pub use self::{
    client::{Proxies, Source},
    hosts::AllowedHosts,
    server::serve,
};

/// What the gateway tells about itself. Asked for every request: answers come from memory and
/// never wait for a disk, for the network, or for a lock that is held across either.
pub trait Observability: Send + Sync + 'static {
    /// The counters in the Prometheus text format, version 0.0.4.
    fn metrics(&self) -> String;
    /// Whether mail can be accepted, check by check. No check means: not ready.
    fn readiness(&self) -> Vec<Check>;
    /// What the first page shows.
    fn overview(&self) -> Overview;
}

/// One condition for accepting mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is checked: `store`, `listener mx`.
    pub name: Box<str>,
    /// The result.
    pub result: CheckResult,
}

/// The result of a [`Check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// As it should be.
    Passed,
    /// Not so, with the reason in words.
    Failed(Box<str>),
}

/// What the first page shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The host name of the gateway.
    pub hostname: Box<str>,
    /// The version of the program.
    pub version: Box<str>,
    /// Time since the start.
    pub uptime: Duration,
    /// Where mail comes in.
    pub listeners: Vec<ListenerStatus>,
    /// The filters of other people, in their order.
    pub filters: Vec<FilterStatus>,
    /// Mail in the queue.
    pub queue: QueueCounts,
}

/// One listener, in the words of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerStatus {
    /// Its label.
    pub name: Box<str>,
    /// `mx`, `submission`, `filter` or `lmtp`.
    pub mode: Box<str>,
    /// `none`, `optional`, `required` or `implicit`.
    pub tls: Box<str>,
    /// The bound address.
    pub address: SocketAddr,
}

/// How a filter of other people fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterStatus {
    /// Its name.
    pub name: Box<str>,
    /// About how many mails it was asked since the start.
    pub asked: u64,
    /// With how many of them it has failed.
    pub failed: u64,
    /// Whether it is left alone, since it fails again and again.
    pub is_left_alone: bool,
}

/// Numbers of mails by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// On their way.
    pub ready: u64,
    /// Waiting for another attempt.
    pub deferred: u64,
    /// On hold.
    pub held: u64,
}

/// What the pages need.
#[derive(Clone)]
pub struct AdminState {
    /// The gateway.
    pub observability: Arc<dyn Observability>,
    /// By which names the listener may be called.
    pub hosts: Arc<AllowedHosts>,
    /// Reverse proxies in front.
    pub proxies: Arc<Proxies>,
    /// The pages behind the links of notices.
    pub approval: Arc<approval::ApprovalPages>,
    /// Held mail, for programs.
    pub held: Arc<dyn api::HeldMail>,
    /// Archived mail, for programs.
    pub archive: Arc<dyn api::ArchivedMail>,
}

/// `/metrics` alone, for a network that may see numbers and nothing else.
pub fn metrics_router(state: AdminState) -> Router {
    Router::new()
        .route("/metrics", get(health::metrics))
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// All pages of the admin listener. [`serve`] adds the limits that concern a whole connection.
pub fn router(state: AdminState) -> Router {
    Router::new()
        .route("/", get(home::page))
        .route("/style.css", get(home::style))
        .route("/icon.svg", get(home::icon))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .merge(approval::routes())
        .merge(api::router())
        .layer(middleware::from_fn_with_state(state.clone(), guard::guard))
        .with_state(state)
}

/// Whether all checks passed, and there were any.
fn is_ready(checks: &[Check]) -> bool {
    !checks.is_empty() && checks.iter().all(|check| check.result == CheckResult::Passed)
}
