//! `/api/v1/archive`. All of it is POST: whatever somebody sees of the archive leaves a record there, and what
//! they look for stands in no log of requests.

use std::io;

use axum::{
    Json,
    body::{Body, Bytes},
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::stream::unfold;
use mailweir_mail::QueueId;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Caller, Later, query::body_of, request, words::Denied};
use crate::AdminState;

/// The archive as the gateway has it. Every call stands for itself, and leaves a record.
pub trait ArchivedMail: Send + Sync + 'static {
    /// Mails that the caller may see, the newest first.
    fn search<'a>(
        &'a self,
        caller: &'a Caller,
        wanted: Search,
    ) -> Later<'a, Result<Value, NotShown>>;

    /// All about a mail, but its content.
    fn show<'a>(&'a self, caller: &'a Caller, id: QueueId) -> Later<'a, Result<Value, NotShown>>;

    /// The mail itself, byte for byte as it was accepted.
    fn content<'a>(
        &'a self,
        caller: &'a Caller,
        id: QueueId,
    ) -> Later<'a, Result<Content, NotShown>>;
}

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// As people write it.
    pub query: Box<str>,
    /// Only older ones than this: `next` of the page before.
    pub before: Option<u64>,
    /// At most so many; absent: 50.
    pub limit: Option<usize>,
    /// Seconds that the clocks of who asks are ahead of UTC: when a day begins.
    pub utc_offset: i32,
}

/// The content of a mail.
#[derive(Debug)]
pub struct Content {
    /// Its size in bytes.
    pub size: u64,
    /// Its parts, in order.
    pub parts: mpsc::Receiver<io::Result<Bytes>>,
}

/// Why something of the archive is not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotShown {
    /// There is no such mail that the caller may see.
    NotFound,
    /// The caller may not do this.
    NotTheirs(Box<str>),
    /// What is asked makes no sense.
    Senseless(Box<str>),
    /// It cannot be done now.
    Failed(Box<str>),
}

impl From<NotShown> for Denied {
    fn from(reason: NotShown) -> Self {
        match reason {
            NotShown::NotFound => Self::NotFound,
            NotShown::NotTheirs(reason) => Self::NotTheirs(reason),
            NotShown::Senseless(reason) => Self::Senseless(reason),
            NotShown::Failed(reason) => Self::Unavailable(reason),
        }
    }
}

/// Mails that the caller may see.
pub(super) async fn search(
    State(state): State<AdminState>,
    parts: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Denied> {
    request::is_json(&parts.headers)?;
    let caller = request::caller(&state, &parts).await?;
    let wanted: Search = body_of(&body.map_err(|rejection| request::unread(&rejection))?)?;
    if wanted.limit.is_some_and(|limit| !(1..=LARGEST_PAGE).contains(&limit)) {
        return Err(Denied::Senseless(format!("limit: 1 to {LARGEST_PAGE}").into()));
    }
    Ok(Json(state.archive.search(&caller, wanted).await?).into_response())
}

/// A mail, but its content.
pub(super) async fn show(
    State(state): State<AdminState>,
    path: Result<Path<String>, PathRejection>,
    parts: Parts,
) -> Result<Response, Denied> {
    let (caller, id) = asked(&state, path, &parts).await?;
    Ok(Json(state.archive.show(&caller, id).await?).into_response())
}

/// The content of a mail. As something to save: nothing of it is ever run where it came from.
pub(super) async fn content(
    State(state): State<AdminState>,
    path: Result<Path<String>, PathRejection>,
    parts: Parts,
) -> Result<Response, Denied> {
    let (caller, id) = asked(&state, path, &parts).await?;
    let Content { size, parts } = state.archive.content(&caller, id).await?;
    let stream = unfold(parts, async |mut parts| parts.recv().await.map(|part| (part, parts)));
    let name = format!("attachment; filename=\"{id}.eml\"");
    let name = HeaderValue::try_from(name).map_err(|_| Denied::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("message/rfc822")),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, HeaderValue::from(size)),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

async fn asked(
    state: &AdminState,
    path: Result<Path<String>, PathRejection>,
    parts: &Parts,
) -> Result<(Caller, QueueId), Denied> {
    request::is_json(&parts.headers)?;
    let caller = request::caller(state, parts).await?;
    let Path(id) = path.map_err(|_| Denied::NotFound)?;
    Ok((caller, id.parse().map_err(|_| Denied::NotFound)?))
}

const LARGEST_PAGE: usize = 1_000;
