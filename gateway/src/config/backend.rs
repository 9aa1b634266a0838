//! Back ends: who knows the users and their passwords.

use std::{collections::HashSet, time::Duration};

use super::{check::Written, choice::BackendType, problem::Problems, schema::BackendSection};

/// `[[auth.backend]]`: one directory of users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthBackend {
    /// The name in logs and metrics; each is used once.
    pub name: Box<str>,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// How long a password that it accepted is accepted again without asking.
    pub cache_ttl: Duration,
    /// What it is.
    pub kind: BackendKind,
}

/// What a back end is, with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// Our own user store.
    Users,
    /// Whoever has a certificate that the `client_ca_file` of a listener vouches for.
    Certificate,
}

/// Checks all of them; the own user store stands in if there is none.
pub(super) fn check(
    written: &[Written<BackendSection>],
    problems: &mut Problems<'_>,
) -> Vec<AuthBackend> {
    let mut names = HashSet::new();
    for Written { table, section } in written {
        if !names.insert(name(section)) {
            let key = if section.name.is_some() { "name" } else { "type" };
            let message = format!("another back end is called {:?} already", name(section));
            problems.error(table, key, message).help("give each its own name");
        }
    }
    match written {
        [] => vec![AuthBackend {
            name: BackendType::Users.as_str().into(),
            timeout: TIMEOUT,
            cache_ttl: Duration::ZERO,
            kind: BackendKind::Users,
        }],
        written => written.iter().filter_map(|written| backend(written, problems)).collect(),
    }
}

fn backend(written: &Written<BackendSection>, problems: &mut Problems<'_>) -> Option<AuthBackend> {
    let Written { table, section } = written;
    if section.timeout.is_zero() {
        problems.error(table, "timeout", "must be longer than zero");
    }
    if section.cache_ttl.is_some_and(|ttl| ttl > LONGEST_CACHE) {
        problems
            .error(table, "cache_ttl", "too long: an old password would be good for over an hour")
            .allowed("at most 1h");
    }
    let (kind, cache_ttl) = match section.kind {
        // It has a memory of its own, which a changed password ends at once.
        BackendType::Users => (BackendKind::Users, Duration::ZERO),
        BackendType::Certificate => (BackendKind::Certificate, Duration::ZERO),
    };
    Some(AuthBackend {
        name: name(section),
        timeout: section.timeout,
        cache_ttl: section.cache_ttl.unwrap_or(cache_ttl),
        kind,
    })
}

fn name(section: &BackendSection) -> Box<str> {
    section.name.as_ref().map_or_else(|| section.kind.as_str().into(), |name| name.0.clone())
}

/// As in the schema.
const TIMEOUT: Duration = Duration::from_secs(10);

const LONGEST_CACHE: Duration = Duration::from_secs(3_600);
