//! Every answer that is no success, in one place.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{DeedError, NoEntry};

/// Why a request is not granted.
#[derive(Debug)]
pub(crate) enum Denied {
    /// It says to be nobody, or nobody who is let in.
    Nobody,
    /// A password, where others can listen.
    InClear,
    /// Too many wrong passwords; seconds to wait.
    Throttled(u64),
    /// A page of somebody else made a browser ask.
    ForeignPage,
    /// The name that was asked for is not ours.
    Host,
    /// There is no such path.
    NoPath,
    /// The path is too long for any of ours.
    LongPath,
    /// The path does not take such requests; what it takes, its route adds.
    Method,
    /// The body is larger than [`MAX_BODY`](super::MAX_BODY), or there should be none.
    TooLarge,
    /// The body did not come to its end.
    NoBody,
    /// The body is not declared as JSON.
    NoJson,
    /// The query makes no sense.
    BadQuery(Box<str>),
    /// The body makes no sense.
    Senseless(Box<str>),
    /// There is nothing, or nothing that the caller may see.
    NotFound,
    /// The caller may not do this.
    NotTheirs(Box<str>),
    /// It was decided before; by whom and when.
    TooLate(Box<str>, Option<Value>),
    /// It cannot be done now.
    Unavailable(Box<str>),
}

impl From<NoEntry> for Denied {
    fn from(reason: NoEntry) -> Self {
        match reason {
            NoEntry::Wrong => Self::Nobody,
            NoEntry::InClear => Self::InClear,
            NoEntry::Throttled(pause) => Self::Throttled(pause.as_secs().saturating_add(1)),
            NoEntry::Unavailable => Self::Unavailable("passwords cannot be checked now".into()),
        }
    }
}

impl From<DeedError> for Denied {
    fn from(reason: DeedError) -> Self {
        match reason {
            DeedError::NotFound => Self::NotFound,
            DeedError::NotTheirs(reason) => Self::NotTheirs(reason),
            DeedError::TooLate(reason, decision) => Self::TooLate(reason, decision),
            DeedError::Senseless(reason) => Self::Senseless(reason),
            DeedError::Failed(reason) => Self::Unavailable(reason),
        }
    }
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let (status, said) = match &self {
            Self::Nobody => (StatusCode::UNAUTHORIZED, "a token, or a log-in and its password"),
            Self::InClear => (
                StatusCode::UNAUTHORIZED,
                "passwords are taken over TLS only: put a proxy with TLS in front, on this machine",
            ),
            Self::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "too many failed log-ins"),
            Self::ForeignPage => (StatusCode::FORBIDDEN, "asked by a page of another site"),
            Self::Host => (StatusCode::MISDIRECTED_REQUEST, HOST),
            Self::NoPath => (StatusCode::NOT_FOUND, "there is no such path"),
            Self::LongPath => (StatusCode::URI_TOO_LONG, "the path is too long"),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "not by this method: GET reads, POST does what the last part of the path says",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "the body is too large: at most 64 KiB, and none to read",
            ),
            Self::NoBody => (StatusCode::BAD_REQUEST, "the body did not come to its end"),
            Self::NoJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body must be JSON, with Content-Type: application/json",
            ),
            Self::BadQuery(reason) => (StatusCode::BAD_REQUEST, &**reason),
            Self::Senseless(reason) => (StatusCode::UNPROCESSABLE_ENTITY, &**reason),
            Self::NotFound => (StatusCode::NOT_FOUND, "there is no such mail"),
            Self::NotTheirs(reason) => (StatusCode::FORBIDDEN, &**reason),
            Self::TooLate(reason, _) => (StatusCode::CONFLICT, &**reason),
            Self::Unavailable(reason) => (StatusCode::SERVICE_UNAVAILABLE, &**reason),
        };
        let mut body = json!({ "error": said });
        if let Self::TooLate(_, Some(decision)) = &self {
            body["decision"] = decision.clone();
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        match &self {
            Self::Nobody => {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(BASIC));
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER));
            }
            // Not offered where it is not taken.
            Self::InClear => {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(BEARER));
            }
            Self::Throttled(seconds) => {
                headers.append(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::ForeignPage
            | Self::Host
            | Self::NoPath
            | Self::LongPath
            | Self::Method
            | Self::TooLarge
            | Self::NoBody
            | Self::NoJson
            | Self::BadQuery(_)
            | Self::Senseless(_)
            | Self::NotFound
            | Self::NotTheirs(_)
            | Self::TooLate(..)
            | Self::Unavailable(_) => {}
        }
        response
    }
}

const HOST: &str = "this name is not known here: use an IP address or localhost, or set `public_url` in \
                    the section [admin] of the configuration";

const BASIC: &str = "Basic realm=\"Mailweir\", charset=\"UTF-8\"";

const BEARER: &str = "Bearer realm=\"Mailweir\"";
