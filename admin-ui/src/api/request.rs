//! Who asks, and whether a page of somebody else makes their browser ask.
//!
//! A browser sends a password that it knows along with whatever a foreign page has it send. So what
//! names another origin is refused, whatever it asks; and a body must be declared as JSON, which no
//! foreign page can do without being allowed, and we allow none (`attacks.md` H5).

use axum::{
    extract::rejection::BytesRejection,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
        request::Parts,
    },
};

use super::{Caller, Claim, words::Denied};
use crate::{AdminState, client::Sender};

/// Who asks.
///
/// # Errors
/// Nobody who is let in.
pub(super) async fn caller(
    state: &AdminState,
    Parts { headers, extensions, .. }: &Parts,
) -> Result<Caller, Denied> {
    if Sender::of(headers, &state.hosts) != Sender::Ours {
        return Err(Denied::ForeignPage);
    }
    let claim = claim(headers).ok_or(Denied::Nobody)?;
    let source = state.proxies.source(headers, extensions).ok_or(Denied::Nobody)?;
    Ok(state.held.log_in(claim, source).await?)
}

/// Whether the body says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> Result<(), Denied> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(Denied::NoJson) }
}

/// A body that is too large, or that did not come to its end.
pub(super) fn unread(rejection: &BytesRejection) -> Denied {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Denied::TooLarge,
        _ => Denied::NoBody,
    }
}

fn claim(headers: &HeaderMap) -> Option<Claim<'_>> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(one), None) = (all.next(), all.next()) else { return None };
    let (scheme, claim) = one.to_str().ok()?.split_once(' ')?;
    let claim = claim.trim();
    match scheme {
        _ if scheme.eq_ignore_ascii_case("bearer") => Some(Claim::Bearer(claim)),
        _ if scheme.eq_ignore_ascii_case("basic") => Some(Claim::Basic(claim)),
        _ => None,
    }
}
