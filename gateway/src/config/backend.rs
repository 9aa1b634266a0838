//! Back ends: who knows the users and their passwords.

use std::{collections::HashSet, net::IpAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use mailweir_auth::{
    Checks, DovecotServer, DovecotSettings, JwksSource, LdapScope, LdapSettings, OAuthSettings,
    PasswordCheck, PasswordFileSettings, SaslauthdSettings, Scope, ServiceAccount, SqlSettings,
    UserSearch,
};
use zeroize::Zeroizing;

use super::{
    Secret, Surroundings,
    check::{Written, read_secret},
    choice::{BackendType, WrittenPasswordCheck, WrittenScope},
    problem::Problems,
    schema::BackendSection,
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

impl AuthBackend {
    /// The files that it reads at work.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match &self.kind {
            BackendKind::PasswdFile(settings) => vec![settings.path.clone()],
            BackendKind::Ldap(settings) => settings.ca_file.iter().cloned().collect(),
            BackendKind::OAuth(settings) => settings.ca_file.iter().cloned().collect(),
            BackendKind::Users
            | BackendKind::Saslauthd(_)
            | BackendKind::Dovecot(_)
            | BackendKind::Sql(_)
            | BackendKind::Certificate => Vec::new(),
        }
    }
}

/// What a back end is, with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// Our own user store.
    Users,
    /// A file of names and passwords.
    PasswdFile(PasswordFileSettings),
    /// A saslauthd.
    Saslauthd(SaslauthdSettings),
    /// A Dovecot.
    Dovecot(DovecotSettings),
    /// An LDAP server.
    Ldap(Box<LdapSettings>),
    /// A database.
    Sql(Box<SqlSettings>),
    /// Access tokens.
    OAuth(Box<OAuthSettings>),
    /// Whoever has a certificate that the `client_ca_file` of a listener vouches for.
    Certificate,
}

/// Checks all of them; the own user store stands in if there is none.
pub(super) fn check(
    written: &[Written<BackendSection>],
    around: &Surroundings<'_>,
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
        written => {
            written.iter().filter_map(|written| backend(written, around, problems)).collect()
        }
    }
}

fn backend(
    written: &Written<BackendSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<AuthBackend> {
    let Written { table, section } = written;
    if timeout(section).is_zero() {
        problems.error(table, "timeout", "must be longer than zero");
    } else if timeout(section) <= Checks::PATIENCE {
        problems.warning(
            table,
            "timeout",
            "a log-in may wait 5 s for its turn: a back end with \
            much to do would look as if it did not answer",
        );
    }
    check_keys(written, problems);
    let cache_ttl = cache_ttl(written, problems);
    let kind = kind(written, around, problems)?;
    Some(AuthBackend { name: name(section), timeout: timeout(section), cache_ttl, kind })
}

/// How long what it accepted is remembered: nothing, where it need not be.
fn cache_ttl(written: &Written<BackendSection>, problems: &mut Problems<'_>) -> Duration {
    let Written { table, section } = written;
    let ttl = section.cache_ttl;
    match section.kind {
        BackendType::Users
        | BackendType::PasswdFile
        | BackendType::OAuth
        | BackendType::Certificate => {
            if ttl.is_some() {
                let kind = section.kind.as_str();
                let message = format!("a back end of type {kind:?} is asked at every log-in");
                problems
                    .error(table, "cache_ttl", message)
                    .help("remove it: asking costs little, and what changes there counts at once");
            }
            Duration::ZERO
        }
        BackendType::Saslauthd | BackendType::Dovecot | BackendType::Ldap | BackendType::Sql => {
            if ttl.is_some_and(|ttl| ttl > LONGEST_CACHE) {
                let message = "too long: an old password would be good for over an hour";
                problems.error(table, "cache_ttl", message).allowed("at most 1h");
            }
            ttl.unwrap_or(CACHE)
        }
    }
}

fn kind(
    written: &Written<BackendSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<BackendKind> {
    let section = &written.section;
    Some(match section.kind {
        BackendType::Users => BackendKind::Users,
        BackendType::PasswdFile => BackendKind::PasswdFile(PasswordFileSettings {
            path: needed(written, "file", section.file.as_deref(), problems)?.into(),
            default_scheme: section.default_scheme,
            scram: section.scram,
        }),
        BackendType::Saslauthd => BackendKind::Saslauthd(saslauthd(written, problems)?),
        BackendType::Dovecot => BackendKind::Dovecot(dovecot(written, problems)?),
        BackendType::Ldap => BackendKind::Ldap(Box::new(ldap(written, around, problems)?)),
        BackendType::Sql => BackendKind::Sql(Box::new(sql(written, around, problems)?)),
        BackendType::Certificate => BackendKind::Certificate,
        BackendType::OAuth => BackendKind::OAuth(Box::new(oauth(written, problems)?)),
    })
}

fn saslauthd(
    written: &Written<BackendSection>,
    problems: &mut Problems<'_>,
) -> Option<SaslauthdSettings> {
    let section = &written.section;
    let socket = needed(written, "socket", section.socket.as_deref(), problems)?;
    let mut settings = SaslauthdSettings::new(socket);
    settings.service = section.service.as_str().into();
    settings.realm = section.realm.as_deref().unwrap_or_default().into();
    settings.realms = section.realms.iter().map(|realm| realm.as_str().into()).collect();
    Some(settings)
}

fn dovecot(
    written: &Written<BackendSection>,
    problems: &mut Problems<'_>,
) -> Option<DovecotSettings> {
    let Written { table, section } = written;
    let socket = needed(written, "socket", section.socket.as_deref(), problems)?;
    let server = match socket.starts_with('/') {
        true => DovecotServer::Unix(socket.into()),
        false if socket.contains(':') => DovecotServer::Tcp(socket.into()),
        false => {
            problems
                .error(table, "socket", format!("{socket:?} is neither a path nor \"host:port\""))
                .help("/var/spool/postfix/private/auth is where Debian's Dovecot has it");
            return None;
        }
    };
    let mut settings = DovecotSettings::new(server);
    settings.service = section.service.as_str().into();
    settings.scram = section.scram;
    Some(settings)
}

fn ldap(
    written: &Written<BackendSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<LdapSettings> {
    let Written { table, section } = written;
    let url = needed(written, "url", section.url.as_deref(), problems)?;
    let mut settings = LdapSettings::new(url);
    settings.starttls = section.starttls;
    settings.ca_file.clone_from(&section.ca_file);
    let password = own_password(written, around, problems);
    settings.account = section.bind_dn.as_deref().and_then(|dn| {
        let password = needed(written, "password_file", password, problems)?;
        Some(ServiceAccount { dn: dn.into(), password: Zeroizing::new(password.expose().into()) })
    });
    settings.user_dn = boxed(section.user_dn.as_ref());
    settings.search = ldap_search(written, problems)?;
    settings.password = ldap_password(written, problems);
    if url.starts_with("ldap://") && !section.starttls && !is_local(url) {
        problems
            .warning(table, "url", "passwords will cross the network readable")
            .help("starttls = true, or \"ldaps://...\"");
    }
    settings.name_attribute = boxed(section.name_attribute.as_ref());
    settings.groups.clone_from(&section.group_roles);
    settings.member_of = Some(section.member_of.as_str().into());
    settings.group_filter = boxed(section.group_filter.as_ref());
    settings.connections = connections(section);
    settings.timeout = timeout(section);
    Some(settings)
}

/// How users are searched for, if they are. `None` only if an error was reported.
fn ldap_search(
    written: &Written<BackendSection>,
    problems: &mut Problems<'_>,
) -> Option<Option<UserSearch>> {
    let Written { table, section } = written;
    match (section.base.as_deref(), section.filter.as_deref()) {
        (Some(base), Some(filter)) => {
            let scope = match section.scope {
                WrittenScope::Sub => LdapScope::Subtree,
                WrittenScope::One => LdapScope::OneLevel,
                WrittenScope::Base => LdapScope::Base,
            };
            Some(Some(UserSearch { base: base.into(), scope, filter: filter.into() }))
        }
        (None, None) => Some(None),
        (Some(_), None) | (None, Some(_)) => {
            problems.error(table, "type", "\"base\" and \"filter\" go together");
            None
        }
    }
}

fn ldap_password(written: &Written<BackendSection>, problems: &mut Problems<'_>) -> PasswordCheck {
    let Written { table, section } = written;
    if section.scram && section.password_check != WrittenPasswordCheck::Read {
        problems.error(table, "scram", "SCRAM needs password_check = \"read\"");
    }
    let attribute: Box<str> = section.password_attribute.as_str().into();
    match section.password_check {
        WrittenPasswordCheck::Bind => PasswordCheck::Bind,
        WrittenPasswordCheck::Compare => PasswordCheck::Compare { attribute },
        WrittenPasswordCheck::Read => PasswordCheck::Read {
            attribute,
            default_scheme: section.default_scheme,
            scram: section.scram,
        },
    }
}

fn sql(
    written: &Written<BackendSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<SqlSettings> {
    let section = &written.section;
    let url = needed(written, "url", section.url.as_deref(), problems);
    let query = needed(written, "query", section.query.as_deref(), problems);
    let password = own_password(written, around, problems);
    let mut settings = SqlSettings::new(url?, query?);
    if let Some(password) = password {
        settings = settings.with_password(password.expose());
    }
    settings.default_scheme = section.default_scheme;
    settings.scram = section.scram;
    settings.connections = connections(section);
    settings.timeout = timeout(section);
    Some(settings)
}

fn oauth(written: &Written<BackendSection>, problems: &mut Problems<'_>) -> Option<OAuthSettings> {
    let Written { table, section } = written;
    let issuer = needed(written, "issuer", section.issuer.as_deref(), problems);
    let audience = needed(written, "audience", section.audience.first(), problems);
    let jwks = needed(written, "jwks", section.jwks.as_deref(), problems)?;
    let jwks = match jwks.contains("://").then(|| jwks.parse()) {
        None => JwksSource::File(jwks.into()),
        Some(Ok(url)) => JwksSource::Url(url),
        Some(Err(error)) => {
            problems.error(table, "jwks", format!("{jwks:?}: {error}"));
            return None;
        }
    };
    let mut settings = OAuthSettings::new(issuer?, audience?, jwks);
    settings.audience = section.audience.iter().map(|name| name.as_str().into()).collect();
    settings.ca_file.clone_from(&section.ca_file);
    settings.user_claim = section.user_claim.as_str().into();
    settings.roles_claim = boxed(section.roles_claim.as_ref());
    if let Some(scope) = &section.required_scope {
        settings.required_scope = Scope::new(scope);
        if settings.required_scope.is_none() {
            problems.error(table, "required_scope", format!("{scope:?} is no scope (RFC 6749)"));
        }
    }
    settings.algorithms.clone_from(&section.algorithms);
    settings.one_use = section.one_use;
    Some(settings)
}

/// The password of our own account: from the environment, or else from its file.
fn own_password(
    written: &Written<BackendSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    let Written { table, section } = written;
    section.password.clone().or_else(|| {
        read_secret(table, "password_file", section.password_file.as_deref()?, around, problems)
    })
}

fn timeout(section: &BackendSection) -> Duration {
    section.timeout.unwrap_or(match section.kind {
        BackendType::Dovecot => DOVECOT_TIMEOUT,
        BackendType::Users
        | BackendType::PasswdFile
        | BackendType::Saslauthd
        | BackendType::Ldap
        | BackendType::Sql
        | BackendType::OAuth
        | BackendType::Certificate => TIMEOUT,
    })
}

fn connections(section: &BackendSection) -> NonZeroUsize {
    usize::try_from(section.connections.get()).ok().and_then(NonZeroUsize::new).unwrap_or(ONE)
}

fn boxed(text: Option<&String>) -> Option<Box<str>> {
    text.map(|text| text.as_str().into())
}

fn is_local(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.strip_prefix('[') {
        Some(literal) => literal.split(']').next().unwrap_or(literal),
        None => authority.split(':').next().unwrap_or(authority),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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
            Self::Users | Self::Certificate => &[],
            Self::PasswdFile => &["file", "default_scheme", "scram"],
            Self::Saslauthd => &["socket", "service", "realm", "realms"],
            Self::Dovecot => &["socket", "service", "scram"],
            Self::Ldap => &[
                "url",
                "starttls",
                "ca_file",
                "bind_dn",
                "password_file",
                "password",
                "user_dn",
                "base",
                "scope",
                "filter",
                "password_check",
                "password_attribute",
                "default_scheme",
                "scram",
                "name_attribute",
                "group_roles",
                "member_of",
                "group_filter",
                "connections",
            ],
            Self::Sql => &[
                "url",
                "password_file",
                "password",
                "query",
                "default_scheme",
                "scram",
                "connections",
            ],
            Self::OAuth => &[
                "issuer",
                "audience",
                "jwks",
                "ca_file",
                "user_claim",
                "roles_claim",
                "required_scope",
                "algorithms",
                "one_use",
            ],
        }
    }
}

fn name(section: &BackendSection) -> Box<str> {
    section.name.as_ref().map_or_else(|| section.kind.as_str().into(), |name| name.0.clone())
}

const COMMON: &[&str] = &["type", "name", "timeout", "cache_ttl"];

const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// As in the schema.
const CACHE: Duration = Duration::from_secs(60);

/// As in the schema.
const TIMEOUT: Duration = Duration::from_secs(10);

/// As in the schema. Dovecot's penalty for an address grows to 15 s, and its `auth_failure_delay`
/// of 2 s comes on top.
const DOVECOT_TIMEOUT: Duration = Duration::from_secs(30);

const LONGEST_CACHE: Duration = Duration::from_secs(3_600);
