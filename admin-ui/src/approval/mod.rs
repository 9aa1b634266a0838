//! The pages behind the links of notices, `/m/TOKEN`: whoever opens one sees one mail that waits, and
//! may decide about it.
//!
//! GET and HEAD show and change nothing, however often a scanner of links opens them. POST decides, and
//! counts only with a nonce of a page that the same browser has opened (`nonce.rs`). No script anywhere.
//! A link that is unknown, mistyped or over is one and the same page: nothing can be learnt by trying.
//! The gateway is behind [`Approvals`]; what is shown comes from [`mailweir_moderation`].

mod answer;
mod cookie;
mod form;
mod forms;
mod html;
mod nonce;
mod session;

use std::{net::IpAddr, pin::Pin, sync::Arc};

use axum::{
    Router,
    routing::{get, post},
};
use mailweir_mail::{QueueId, Timestamp};
use mailweir_moderation::{
    case::{Proof, Refused},
    case_file::CaseFile,
    notice::{Language, Zone},
    page::Wish,
    token::{Grant, Token},
};

use self::{nonce::Nonces, session::Sessions};
use crate::AdminState;

/// The mail that waits for people, and those who have links to it.
///
/// All answers but those of [`Approvals::decide`] and [`Approvals::log_in`] come from memory.
pub trait Approvals: Send + Sync + 'static {
    /// The case that a token belongs to, as its reader may see it. `None`: there is none, or the token
    /// is over.
    fn look(&self, token: &Token) -> Option<Sight>;

    /// Notes that somebody opened the page of a token. Decides nothing and writes nothing to the disk.
    fn visited(&self, token: &Token, from: IpAddr, agent: &str);

    /// Does what the reader of a token's page wishes. Done means: on the disk.
    fn decide<'a>(
        &'a self,
        token: &'a Token,
        wish: Wish,
        proven: (Proof, Option<IpAddr>),
    ) -> Later<'a, Result<(), NotDone>>;

    /// Whether this is the name and password of the account that the reader of a token has. Brakes
    /// guessing.
    fn log_in<'a>(
        &'a self,
        token: &'a Token,
        login: LogInForm,
        from: Option<IpAddr>,
    ) -> Later<'a, Result<(), NotLoggedIn>>;
}

/// An answer that is not there yet.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A case, and who looks at it.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The name of the case.
    pub id: QueueId,
    /// The case and its mail.
    pub file: Arc<CaseFile>,
    /// What the token is good for.
    pub grant: Grant,
    /// The language of its reader.
    pub language: Language,
    /// The zone of its reader.
    pub zone: Zone,
    /// The time.
    pub now: Timestamp,
    /// Whether the reader must log in before anything is shown.
    pub needs_login: bool,
    /// Who has opened pages of the case; the earliest first.
    pub visits: Vec<Visit>,
}

/// A page that was opened, perhaps several times in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
    /// How often.
    pub times: u32,
    /// From where.
    pub from: IpAddr,
    /// What the program calls itself. Whatever a stranger may send.
    pub agent: Box<str>,
    /// Whether it came so soon after the notice that it was no person, probably.
    pub is_scanner: bool,
}

/// Why something was not done. After [`Self::Handled`] the case is closed; after all else nothing was
/// changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// The token is none any more.
    Unknown,
    /// It may not be done; of a case that was decided, by whom and when.
    Refused(Box<Refused>),
    /// The link is not good for it.
    NotOffered,
    /// Nobody with this address decides about mail.
    NoModerator,
    /// An administrator has handled the mail outside of its case.
    Handled,
    /// It could not be done now. The log knows why.
    Failed,
}

/// What somebody logs in with. Shows itself in no log.
pub struct LogInForm {
    /// The name.
    pub name: Box<str>,
    /// The password.
    pub password: Box<str>,
}

/// Why somebody is not logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotLoggedIn {
    /// Name or password is wrong, or it is another account; which of these, nobody is told.
    Denied,
    /// There were too many failures: it was not looked at.
    Later,
    /// It cannot be found out now.
    Failed,
}

/// The pages of all listeners: what was opened at one may be sent to another.
pub struct ApprovalPages {
    approvals: Arc<dyn Approvals>,
    nonces: Nonces,
    sessions: Sessions,
    /// The path that people see before `/m/`; empty, unless a proxy adds one.
    base: Box<str>,
    /// Whether browsers may send our cookies over TLS only.
    is_secure: bool,
}

impl ApprovalPages {
    /// Pages of `approvals` at `public_url`. `None`: the system gives no random numbers.
    #[must_use]
    pub fn new(approvals: Arc<dyn Approvals>, public_url: Option<&str>) -> Option<Self> {
        Some(Self {
            approvals,
            nonces: Nonces::new()?,
            sessions: Sessions::default(),
            base: public_url.map_or("", path_of).into(),
            is_secure: public_url.is_some_and(|url| url.starts_with("https://")),
        })
    }
}

impl ApprovalPages {
    /// The path of a page as the browser sees it.
    fn cookie_path(&self, token: &str) -> String {
        format!("{}{PREFIX}{token}", self.base)
    }
}

/// The path of an address, without the slash at its end; empty if it could not stand in a cookie.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';') { path } else { "" }
}

/// The routes of these pages.
pub(crate) fn routes() -> Router<AdminState> {
    Router::new()
        .route("/m/{*token}", get(answer::show).merge(post(answer::decide)))
        .route("/m.css", get(answer::style))
}

/// Bytes of a form.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// Whether a request is for one of these pages.
pub(crate) fn is_page(path: &str) -> bool {
    path.starts_with(PREFIX)
}

const PREFIX: &str = "/m/";
