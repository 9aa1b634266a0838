//! The admin listener: `/livez`, `/readyz`, `/metrics` and one calm page.
//!
//! Reads only. What it shows comes from the gateway through [`Observability`]; it knows no queue,
//! no SMTP and no storage.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;

/// What the gateway tells about itself. Called for every request: answers come from memory and
/// never wait for a disk, a lock that is held across I/O, or the network.
pub trait Observability: Send + Sync + 'static {
    /// The counters in the Prometheus text format.
    fn metrics(&self) -> String;
    /// Whether mail can be accepted, check by check.
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
    /// Mail in the queue.
    pub queue: QueueCounts,
}

/// One listener.
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
    /// Host names by which the listener may be called besides the loopback names and IP
    /// addresses: the host of `[admin] public_url`.
    pub hosts: Arc<[Box<str>]>,
}

/// All pages of the admin listener.
pub fn router(state: AdminState) -> Router {
    Router::new().with_state(state)
}
