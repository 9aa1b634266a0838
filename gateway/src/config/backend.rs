//! Back ends: who knows the users and their passwords.

use std::{collections::HashSet, time::Duration};

use mailweir_auth::PasswordFileSettings;

use super::{
    check::Written, choice::BackendType, problem::Problems, schema::BackendSection,
    section::Section as _,
};

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
    /// A file of names and passwords.
    PasswdFile(PasswordFileSettings),
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
    check_keys(written, problems);
    let kind = match section.kind {
        BackendType::Users => BackendKind::Users,
        BackendType::PasswdFile => BackendKind::PasswdFile(PasswordFileSettings {
            path: needed(written, "file", section.file.clone(), problems)?,
            default_scheme: section.default_scheme,
            scram: section.scram,
        }),
    };
    let cache_ttl = match kind {
        // They have a memory of their own, or need none.
        BackendKind::Users | BackendKind::PasswdFile(_) => Duration::ZERO,
    };
    Some(AuthBackend {
        name: name(section),
        timeout: section.timeout,
        cache_ttl: section.cache_ttl.unwrap_or(cache_ttl),
        kind,
    })
}

/// A key that another type has is a mistake, not a wish that is passed over.
fn check_keys(written: &Written<BackendSection>, problems: &mut Problems<'_>) {
    let Written { table, section } = written;
    let own = section.kind.keys();
    let written_here = BackendSection::SCHEMA.keys.iter().map(|key| key.name);
    for key in written_here.filter(|key| !COMMON.contains(key) && table.has(key)) {
        if !own.contains(&key) && !problems.blame(table, key) {
            let message = format!("a back end of type {:?} has no such key", section.kind.as_str());
            problems.error(table, key, message).allowed([COMMON, own].concat().join(", "));
        }
    }
}

fn needed<T>(
    written: &Written<BackendSection>,
    key: &str,
    value: Option<T>,
    problems: &mut Problems<'_>,
) -> Option<T> {
    if value.is_none() && !problems.blame(&written.table, key) {
        let kind = written.section.kind.as_str();
        problems.error(&written.table, "type", format!("{kind:?} needs the key {key:?} too"));
    }
    value
}

impl BackendType {
    /// The keys that this type has beside the common ones.
    const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Users => &[],
            Self::PasswdFile => &["file", "default_scheme", "scram"],
        }
    }
}

fn name(section: &BackendSection) -> Box<str> {
    section.name.as_ref().map_or_else(|| section.kind.as_str().into(), |name| name.0.clone())
}

const COMMON: &[&str] = &["type", "name", "timeout", "cache_ttl"];

/// As in the schema.
const TIMEOUT: Duration = Duration::from_secs(10);

const LONGEST_CACHE: Duration = Duration::from_secs(3_600);
