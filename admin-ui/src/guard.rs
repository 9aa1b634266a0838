//! What every request must be, and what every answer carries.
//!
//! Only GET and HEAD, without a body, for a name that is ours, with a short path; every answer
//! forbids scripts, frames, caching and guessing of types (`attacks.md` G5, H6, H9, H10). The pages of
//! [`approval`](crate::approval) take POST besides: a small form that one of our own pages sends (H5).

use axum::{
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST,
            ORIGIN, REFERRER_POLICY, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{AdminState, AllowedHosts, approval};

/// Lets a proper request through, and dresses every answer.
pub(crate) async fn guard(
    State(state): State<AdminState>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = approval::is_page(request.uri().path());
    let mut response = match objection(&request, &state.hosts) {
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
    Method,
    MethodOfPage,
    Foreign,
    Form,
    Host,
    Body,
    Path,
}

impl IntoResponse for Objection {
    fn into_response(self) -> Response {
        match self {
            Self::Method => {
                let allow = [(ALLOW, "GET, HEAD")];
                (StatusCode::METHOD_NOT_ALLOWED, allow, "Only GET and HEAD are answered here.\n")
                    .into_response()
            }
            Self::MethodOfPage => {
                let allow = [(ALLOW, "GET, HEAD, POST")];
                (
                    StatusCode::METHOD_NOT_ALLOWED,
                    allow,
                    "Only GET, HEAD and POST are answered here.\n",
                )
                    .into_response()
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
                (StatusCode::PAYLOAD_TOO_LARGE, "No body is expected, or none so large.\n")
                    .into_response()
            }
            Self::Path => (StatusCode::URI_TOO_LONG, "The path is too long.\n").into_response(),
        }
    }
}

fn objection(request: &Request, hosts: &AllowedHosts) -> Option<Objection> {
    let headers = request.headers();
    let is_page = approval::is_page(request.uri().path());
    match *request.method() {
        _ if !is_for_us(request, hosts) => Some(Objection::Host),
        _ if request.uri().path().len() > MAX_PATH => Some(Objection::Path),
        Method::GET | Method::HEAD => has_body(headers).then_some(Objection::Body),
        Method::POST if is_page && !is_from_us(headers, hosts) => Some(Objection::Foreign),
        Method::POST if is_page && !is_form(headers) => Some(Objection::Form),
        Method::POST if is_page => is_too_large(headers).then_some(Objection::Body),
        _ if is_page => Some(Objection::MethodOfPage),
        _ => Some(Objection::Method),
    }
}

/// Whether a page of ours sent this, as far as the browser says. `Origin` is `null` where we forbid a
/// `Referer`, and so it says nothing then; cookie and nonce of the page are what counts.
fn is_from_us(headers: &HeaderMap, hosts: &AllowedHosts) -> bool {
    let one = |name: &HeaderName| {
        let mut all = headers.get_all(name).iter();
        (all.next(), all.next())
    };
    let is_same_site = match one(&SEC_FETCH_SITE) {
        (None, _) => true,
        (Some(site), None) => site == "same-origin",
        _ => false,
    };
    let is_same_origin = match (one(&ORIGIN), headers.get(HOST)) {
        ((None, _), _) => true,
        ((Some(origin), None), _) if origin == "null" => true,
        ((Some(origin), None), Some(host)) => {
            let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
            origin.is_some_and(|(_, authority)| {
                // Behind a proxy the name that people use may stand in `Origin` alone.
                host.as_bytes().eq_ignore_ascii_case(authority.as_bytes())
                    || hosts.is_public(authority)
            })
        }
        _ => false,
    };
    is_same_site && is_same_origin
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    let (Some(kind), None) = (all.next(), all.next()) else { return false };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Whether a body says that it is larger than any form of ours. One that does not say is cut where it
/// is read.
fn is_too_large(headers: &HeaderMap) -> bool {
    let Some(length) = headers.get(CONTENT_LENGTH) else { return false };
    let length = length.to_str().ok().and_then(|length| length.parse::<usize>().ok());
    length.is_none_or(|length| length > MAX_BODY)
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

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

const MAX_PATH: usize = 1_024;

/// Bytes of a form.
pub(crate) const MAX_BODY: usize = 64 * 1024;
