//! The programming interface: what programs, and people with a program, do about held mail and archived mail.
//!
//! JSON below `/api/v1`. Here is HTTP alone: who may ask what, and what becomes of it, says the gateway
//! through [`HeldMail`] and [`ArchivedMail`]. What somebody may not see is answered as what is not there.

mod archive;
mod held;
mod query;
mod request;
mod words;

use std::{net::IpAddr, pin::Pin, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{any, get, post},
};
use mailweir_mail::{Address, QueueId};
use mailweir_moderation::{deed::Deed, search::Query};
use serde_json::Value;

pub use self::archive::{ArchivedMail, Content, NotShown, Search};
pub(crate) use self::words::Denied;
use crate::{AdminState, Source};

/// Held mail as the gateway has it. Every call stands for itself: nothing is remembered between two.
pub trait HeldMail: Send + Sync + 'static {
    /// Who it is that asks. Slow answers and bans are for the implementation.
    fn log_in<'a>(&'a self, claim: Claim<'a>, from: Source) -> Later<'a, Result<Caller, NoEntry>>;

    /// Cases that the caller may see, in the order in which their mail came.
    fn list<'a>(&'a self, caller: &'a Caller, wanted: Wanted) -> Later<'a, Page>;

    /// A case; `None` if there is none that the caller may see.
    fn show(&self, caller: &Caller, id: QueueId) -> Option<Value>;

    /// Does something, and gives the case as it is then.
    fn act<'a>(
        &'a self,
        caller: &'a Caller,
        id: QueueId,
        deed: Deed,
    ) -> Later<'a, Result<Value, DeedError>>;
}

/// An answer that takes a while.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What somebody says to be proven by. Never shown.
#[derive(Clone, Copy)]
pub enum Claim<'a> {
    /// A token (RFC 6750).
    Bearer(&'a str),
    /// A log-in and its password, in base64 (RFC 7617).
    Basic(&'a str),
}

/// Somebody who is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// From where.
    pub from: IpAddr,
    /// What they may see of the archive.
    pub archive: ArchiveSight,
}

/// What somebody may see of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveSight {
    /// Nothing.
    Nothing,
    /// Mail that they sent or got.
    Own,
    /// All mail, and all who got it.
    Everything,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A program of those who run the gateway.
    Token {
        /// The name of its token.
        name: Box<str>,
        /// Whether it may change anything.
        decides: bool,
    },
    /// A person, or a program of theirs.
    Account {
        /// The log-in.
        login: Box<str>,
        /// The address that rules know them by; `None`: their log-in is none.
        address: Option<Address>,
        /// Whether they proved it by their own password: one that is for a program decides nothing.
        decides: bool,
    },
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEntry {
    /// The token or the password is wrong.
    Wrong,
    /// A password, on a way that others can listen to.
    InClear,
    /// Too many were wrong; it may be tried again after so long.
    Throttled(Duration),
    /// Whoever knows the passwords does not answer.
    Unavailable,
}

/// Which cases are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What is looked for.
    pub query: Query,
    /// Only those behind this one.
    pub after: Option<QueueId>,
    /// At most so many.
    pub limit: usize,
}

/// Some of the cases that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// They.
    pub held: Vec<Value>,
    /// There are more behind this one.
    pub next: Option<QueueId>,
}

/// Why something was not done. The case may be closed since: the mail was gone, or was not what was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeedError {
    /// There is no such mail that the caller may see.
    NotFound,
    /// The caller may see it, and not do this.
    NotTheirs(Box<str>),
    /// It is too late, and why; by whom and when it was decided, if it was.
    TooLate(Box<str>, Option<Value>),
    /// What is asked makes no sense.
    Senseless(Box<str>),
    /// We cannot do it now.
    Failed(Box<str>),
}

/// All paths below `/api`. What is no path of ours, and what a path does not take, is answered in JSON
/// as everything else.
pub(crate) fn router() -> Router<AdminState> {
    Router::new()
        .route("/api/v1/held", get(held::list))
        .route("/api/v1/held/{id}", get(held::show))
        .route("/api/v1/held/{id}/{deed}", post(held::act))
        .route("/api/v1/archive/search", post(archive::search))
        .route("/api/v1/archive/{id}/show", post(archive::show))
        .route("/api/v1/archive/{id}/content", post(archive::content))
        .method_not_allowed_fallback(async || Denied::Method)
        .route("/api", any(async || Denied::NoPath))
        .route("/api/", any(async || Denied::NoPath))
        .route("/api/{*rest}", any(async || Denied::NoPath))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Whether a request is for the API.
pub(crate) fn is_below(path: &str) -> bool {
    path.strip_prefix("/api").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Bytes of a body.
pub(crate) const MAX_BODY: usize = 64 * 1_024;

#[cfg(test)]
pub(crate) mod tests;
