//! What every request must be, and what every answer carries.
//!
//! Only GET and HEAD, without a body, for a name that is ours, with a short path; and forms of the pages
//! behind links, which must come from a page of ours (`attacks.md` H5). Below `/api` its routes say which
//! methods there are. Every answer forbids scripts, frames, caching and guessing of types (G5, H6, H9,
//! H10).

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
            REFERRER_POLICY, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    AdminState, AllowedHosts,
    api::{self, Denied},
    approval,
    client::Sender,
};

/// Lets a proper request through, and dresses every answer.
pub(crate) async fn guard(
    State(state): State<AdminState>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = approval::is_page(request.uri().path());
    let is_api = api::is_below(request.uri().path());
    let mut response = match objection(&request, &state.hosts) {
        Some(objection) if is_api => Denied::from(objection).into_response(),
        Some(objection) => objection.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if is_page {
        for (name, value) in HEADERS_OF_PAGES {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// Why a request is not answered.
#[derive(Clone, Copy, Debug)]
enum Objection {
    /// Only these are answered.
    Method(&'static str),
    Foreign,
    Form,
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
            Self::Foreign => (StatusCode::FORBIDDEN, "This was sent by a page that is not ours.\n")
                .into_response(),
            Self::Form => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Only forms are taken here.\n").into_response()
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

impl From<Objection> for Denied {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::Method(_) => Self::Method,
            Objection::Foreign => Self::ForeignPage,
            Objection::Form => Self::NoJson,
            Objection::Host => Self::Host,
            Objection::Body => Self::TooLarge,
            Objection::Path => Self::LongPath,
        }
    }
}

fn objection(request: &Request, hosts: &AllowedHosts) -> Option<Objection> {
    let (headers, path) = (request.headers(), request.uri().path());
    if !is_for_us(request, hosts) {
        return Some(Objection::Host);
    }
    if path.len() > MAX_PATH {
        return Some(Objection::Path);
    }
    match *request.method() {
        Method::GET | Method::HEAD => has_body(headers).then_some(Objection::Body),
        _ if api::is_below(path) => is_larger(headers, api::MAX_BODY).then_some(Objection::Body),
        Method::POST if approval::is_page(path) => form_objection(headers, hosts),
        _ if approval::is_page(path) => Some(Objection::Method("GET, HEAD, POST")),
        _ => Some(Objection::Method("GET, HEAD")),
    }
}

fn form_objection(headers: &HeaderMap, hosts: &AllowedHosts) -> Option<Objection> {
    // Cookie and nonce are what counts; a page that hides itself may be ours.
    if Sender::of(headers, hosts) == Sender::Foreign {
        return Some(Objection::Foreign);
    }
    if !is_form(headers) {
        return Some(Objection::Form);
    }
    is_larger(headers, approval::MAX_BODY).then_some(Objection::Body)
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (all.next(), all.next()) else { return false };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
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

/// Of pages with forms, instead of what is above or besides.
const HEADERS_OF_PAGES: [(HeaderName, &str); 2] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

const MAX_PATH: usize = 1_024;
