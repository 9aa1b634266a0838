//! What every request must be, and what every answer carries.
//!
//! Only GET and HEAD, without a body, for a name that is ours, with a short path; and what [`POSTS`]
//! has. Every answer forbids scripts, frames, caching and guessing of types (`attacks.md` G5, H6, H9, H10).

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HOST, REFERRER_POLICY,
            TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{AdminState, AllowedHosts, api::MAX_BODY};

/// Lets a proper request through, and dresses every answer.
pub(crate) async fn guard(
    State(state): State<AdminState>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = match objection(&request, &state.hosts) {
        Some(objection) => objection.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug)]
enum Objection {
    /// Only these are answered.
    Method(&'static str),
    Host,
    Body,
    Path,
}

impl IntoResponse for Objection {
    fn into_response(self) -> Response {
        match self {
            Self::Method(allowed) => {
                let said = format!("Only {allowed} is answered here.\n");
                (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, allowed)], said).into_response()
            }
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "This name is not known here. Use an IP address or localhost, or set `public_url` \
                 in the section [admin] of the configuration.\n",
            )
                .into_response(),
            Self::Body => {
                (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large here.\n").into_response()
            }
            Self::Path => (StatusCode::URI_TOO_LONG, "The path is too long.\n").into_response(),
        }
    }
}

fn objection(request: &Request, hosts: &AllowedHosts) -> Option<Objection> {
    let posts = largest_body(request.uri().path());
    match *request.method() {
        _ if !is_for_us(request, hosts) => Some(Objection::Host),
        _ if request.uri().path().len() > MAX_PATH => Some(Objection::Path),
        Method::GET | Method::HEAD if posts.is_some() => Some(Objection::Method("POST")),
        Method::GET | Method::HEAD if has_body(request.headers()) => Some(Objection::Body),
        Method::GET | Method::HEAD => None,
        Method::POST => match posts {
            None => Some(Objection::Method("GET, HEAD")),
            Some(largest) if is_larger(request.headers(), largest) => Some(Objection::Body),
            Some(_) => None,
        },
        _ => Some(Objection::Method(if posts.is_some() { "POST" } else { "GET, HEAD" })),
    }
}

/// The most bytes of a body that is posted there; `None`: nothing is.
fn largest_body(path: &str) -> Option<usize> {
    let is_at = |pattern: &str| {
        let (mut path, mut pattern) = (path.split('/'), pattern.split('/'));
        loop {
            match (path.next(), pattern.next()) {
                (None, None) => return true,
                (Some(part), Some("*")) if !part.is_empty() => {}
                (Some(part), Some(wanted)) if part == wanted => {}
                _ => return false,
            }
        }
    };
    POSTS.iter().find(|(pattern, _)| is_at(pattern)).map(|(_, largest)| *largest)
}

/// Of a body whose length is not told whoever reads it sees the end.
fn is_larger(headers: &HeaderMap, largest: usize) -> bool {
    let length = headers.get(CONTENT_LENGTH).map(|length| length.to_str().unwrap_or_default());
    length.is_some_and(|length| length.parse::<usize>().map_or(true, |length| length > largest))
}

/// Every name in the request must be ours: exactly one `Host`, and the URI's if it has one.
fn is_for_us(request: &Request, hosts: &AllowedHosts) -> bool {
    let mut named = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return false };
    let in_uri = request.uri().authority();
    host.to_str().is_ok_and(|host| hosts.allow(host))
        && in_uri.is_none_or(|authority| hosts.allow(authority.as_str()))
}

fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length != "0")
}

/// What may be posted, and where; `*` is one part of a path. Everywhere else nothing changes anything.
const POSTS: [(&str, usize); 1] = [("/api/v1/held/*/*", MAX_BODY)];

const HEADERS: [(HeaderName, &str); 7] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
    ),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

const MAX_PATH: usize = 1_024;
