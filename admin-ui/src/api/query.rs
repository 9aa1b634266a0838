//! What is asked: the query of a list, and the bodies of deeds. Unknown names are mistakes: what is
//! left out in silence would show too much, or decide for too many.

use mailweir_mail::Address;
use mailweir_moderation::{deed::Deed, search::Query};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;

use super::{Wanted, words::Denied};

/// Reads `state=waiting&limit=10`.
pub(super) fn read(query: &str) -> Result<Wanted, Denied> {
    let mut wanted = Wanted { query: Query::default(), after: None, limit: USUAL_PAGE };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.contains(char::REPLACEMENT_CHARACTER) {
            return Err(Denied::BadQuery(format!("{name}: text in UTF-8").into()));
        }
        take(&mut wanted, &name, value.into_owned())
            .map_err(|expected| Denied::BadQuery(format!("{name}: {expected}").into()))?;
    }
    Ok(wanted)
}

fn take(wanted: &mut Wanted, name: &str, value: String) -> Result<(), String> {
    let query = &mut wanted.query;
    match name {
        "state" => query.state = value.parse().map_err(|error| format!("{error}"))?,
        "mine" => query.mine = Some(value.parse().map_err(|_| "an address".to_owned())?),
        "sender" => query.sender = Some(value.into()),
        "rule" => query.rule = Some(value.into()),
        "search" if value.len() > LONGEST_SEARCH => {
            return Err(format!("at most {LONGEST_SEARCH} bytes"));
        }
        "search" => query.words = value.into(),
        "after" => wanted.after = Some(value.parse().map_err(|_| "a queue id".to_owned())?),
        "limit" => {
            let limit = value.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
            wanted.limit = limit.ok_or(format!("1 to {LARGEST_PAGE}"))?;
        }
        _ => return Err("state, mine, sender, rule, search, after or limit".to_owned()),
    }
    Ok(())
}

/// Reads what is to be done.
pub(super) fn deed(name: &str, body: &[u8]) -> Result<Deed, Denied> {
    Ok(match name {
        "approve" => {
            let Approve { comment, only, at, trust_days } = body_of(body)?;
            let at = at.map(|at| at.parse()).transpose();
            let at = at.map_err(|error| Denied::Senseless(format!("at: {error}").into()))?;
            Deed::Approve { comment, only, at, trust_days }
        }
        "reject" => Deed::Reject { reason: body_of::<Reason>(body)?.reason },
        "return" => Deed::Return { reason: body_of::<Reason>(body)?.reason },
        "discard" => Deed::Discard { reason: body_of::<Reason>(body)?.reason },
        "comment" => Deed::Comment { text: body_of::<Comment>(body)?.text },
        "forward" => Deed::Forward { to: body_of::<Forward>(body)?.to },
        "cancel" => {
            let Nothing {} = body_of(body)?;
            Deed::Cancel
        }
        _ => return Err(Denied::NotFound),
    })
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Approve {
    comment: Box<str>,
    only: Option<Vec<Address>>,
    at: Option<Box<str>>,
    trust_days: u16,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Reason {
    reason: Box<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comment {
    text: Box<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forward {
    to: Address,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

pub(super) fn body_of<T: DeserializeOwned>(body: &[u8]) -> Result<T, Denied> {
    // Nothing is as good as `{}`.
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| Denied::Senseless(error.to_string().into()))
}

const USUAL_PAGE: usize = 100;

const LARGEST_PAGE: usize = 1_000;

/// Each word is looked for in every case.
const LONGEST_SEARCH: usize = 200;
