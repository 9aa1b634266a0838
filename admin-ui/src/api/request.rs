//! Who asks, and whether a page of somebody else makes their browser ask.
//!
//! A browser sends a password that it knows along with whatever a foreign page has it send. So what
//! names another origin is refused, whatever it asks; and a body must be declared as JSON, which no
//! foreign page can do without being allowed, and we allow none (`attacks.md` H5).

use std::net::SocketAddr;

use axum::http::{
    HeaderMap, HeaderName,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, ORIGIN},
};

use super::{Caller, Claim, words::Denied};
use crate::AdminState;

/// Who asks.
///
/// # Errors
/// Nobody who is let in.
pub(super) async fn caller(
    state: &AdminState,
    peer: SocketAddr,
    headers: &HeaderMap,
) -> Result<Caller, Denied> {
    if !is_of_ours(state, headers) {
        return Err(Denied::ForeignPage);
    }
    let claim = claim(headers).ok_or(Denied::Nobody)?;
    Ok(state.held.log_in(claim, peer.ip().to_canonical()).await?)
}

/// Whether the body says that it is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> Result<(), Denied> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") { Ok(()) } else { Err(Denied::NoJson) }
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

/// Programs name no origin. A page does: ours is where this was sent to, or `public_url`.
fn is_of_ours(state: &AdminState, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if text(HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| !matches!(site, "same-origin" | "none"))
    {
        return false;
    }
    let Some(origin) = text(ORIGIN) else { return true };
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = text(HOST).unwrap_or_default();
    authority.eq_ignore_ascii_case(host) || state.hosts.is_public(authority)
}
