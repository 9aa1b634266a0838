//! What the administrator says about an LDAP server, and whether it fits together.

use std::{fmt, num::NonZeroUsize, path::PathBuf, time::Duration};

use zeroize::Zeroizing;

use crate::{Role, Scheme};

/// How to reach an LDAP server, find a user's entry there, and check a password.
///
/// Templates may name `{user}` (the whole user name), `{local}` and `{domain}` (its parts before
/// and after the last `@`). A user name without a part that a template names is an unknown user.
/// A template of `{local}` without `{domain}` takes `ann@anywhere.example` for `ann`: where no other
/// one tells both apart, `name_attribute` has to say who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LdapSettings {
    /// `ldap://host[:port]`, `ldaps://host[:port]` or `ldapi://%2Fpath%2Fof%2Fsocket` (RFC 4516).
    /// `ldap://` without `starttls` sends passwords in clear.
    pub url: Box<str>,
    /// Whether to turn on TLS within an `ldap://` connection (RFC 4511 section 4.14). There is no
    /// going on without it.
    pub starttls: bool,
    /// The authorities that may vouch for the server, in PEM (Postfix: `tls_ca_cert_file`). None:
    /// those of the Mozilla root programme, as of the build.
    pub ca_file: Option<PathBuf>,
    /// Who searches, compares and reads (Postfix: `bind_dn`, `bind_pw`). None: nobody, that is
    /// anonymously; after a direct bind, the user.
    pub account: Option<ServiceAccount>,
    /// What a user binds as, without a search (Dovecot: `auth_bind_userdn`): a template of a DN,
    /// such as `uid={user},ou=people,dc=example,dc=org`, or of a name that Active Directory takes
    /// in its place, such as `{user}@corp.example`.
    pub user_dn: Option<Box<str>>,
    /// How to search for a user's entry. Needed without `user_dn`; beside it, it serves
    /// `name_attribute` and `groups`, and a `user_dn` that is no DN needs it for these. Who binds
    /// and is not found then is an unknown user; so is who cannot bind as the entry that is found,
    /// if that is another one.
    pub search: Option<UserSearch>,
    /// How a password is checked. Default: by bind.
    pub password: PasswordCheck,
    /// The attribute that holds who the user is from now on, such as `mail`. None: the name that
    /// the client gave. Of several values the name that the client gave counts, if it is one.
    pub name_attribute: Option<Box<str>>,
    /// The groups whose members have a role.
    pub groups: Vec<GroupRole>,
    /// The attribute of a user's entry that lists its groups by DN. Default: `memberOf`, which
    /// Active Directory always has and OpenLDAP has with its overlay `memberof`.
    pub member_of: Option<Box<str>>,
    /// A filter that a group's entry passes if the user with the DN `{dn}` is a member, such as
    /// `(member={dn})`, or `(member:1.2.840.113556.1.4.1941:={dn})` for Active Directory's groups
    /// within groups. `{user}`, `{local}` and `{domain}` may stand there as well.
    pub group_filter: Option<Box<str>>,
    /// Log-ins that are asked about at the same time. Default: 4. Each has up to two connections:
    /// one that searches and one that users bind on.
    pub connections: NonZeroUsize,
    /// Log-ins that wait for their turn; the next one hears that we are busy. Default: 128.
    pub waiting: usize,
    /// How long one log-in may take, with its wait and everything. Default: 10 seconds.
    pub timeout: Duration,
}

impl LdapSettings {
    /// The defaults for the server at `url`; `user_dn` or `search` is still to be set.
    #[must_use]
    pub fn new(url: impl Into<Box<str>>) -> Self {
        Self {
            url: url.into(),
            starttls: false,
            ca_file: None,
            account: None,
            user_dn: None,
            search: None,
            password: PasswordCheck::Bind,
            name_attribute: None,
            groups: Vec::new(),
            member_of: Some("memberOf".into()),
            group_filter: None,
            connections: CONNECTIONS,
            waiting: 128,
            timeout: Duration::from_secs(10),
        }
    }
}

/// Who the gateway is at the server. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The DN, or at Active Directory a name such as `mailweir@corp.example`.
    pub dn: Box<str>,
    /// The password. Not empty: an empty one would make it an anonymous bind that seems to succeed
    /// (RFC 4513 section 5.1.2).
    pub password: Zeroizing<Box<str>>,
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("dn", &self.dn).finish_non_exhaustive()
    }
}

/// Where a user's entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSearch {
    /// The DN of the entry where the search begins, such as `dc=example,dc=org`.
    pub base: Box<str>,
    /// How deep it goes.
    pub scope: LdapScope,
    /// A template of a filter (RFC 4515) that one entry passes, such as
    /// `(&(objectClass=inetOrgPerson)(mail={user}))`.
    pub filter: Box<str>,
}

/// How deep a search goes (RFC 4511 section 4.5.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LdapScope {
    /// The base itself.
    Base,
    /// What stands right below the base.
    OneLevel,
    /// The base and all that stands below it.
    #[default]
    Subtree,
}

/// How a password is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PasswordCheck {
    /// The user binds with it: the server decides, with all of its policy.
    #[default]
    Bind,
    /// The service account asks whether an attribute has this value (RFC 4511 section 4.10).
    /// OpenLDAP compares bytes: the attribute holds passwords in clear.
    Compare {
        /// The attribute.
        attribute: Box<str>,
    },
    /// The service account reads an attribute, and [`Record`](crate::Record) checks the password.
    Read {
        /// The attribute; often `userPassword`.
        attribute: Box<str>,
        /// The scheme of values without `{SCHEME}`. None: they must be hashes of crypt(3), which
        /// begin with `$`.
        default_scheme: Option<Scheme>,
        /// Whether the values hold SCRAM keys, so that the SCRAM mechanisms can be served.
        scram: bool,
    },
}

/// A role of all members of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRole {
    /// The DN of the group.
    pub group: Box<str>,
    /// What its members may do.
    pub role: Role,
}

/// Why there can be no directory of these settings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LdapSettingsError {
    /// Not an address of an LDAP server.
    #[error("{0} is not of the form ldap://host, ldaps://host or ldapi://%2Fpath%2Fof%2Fsocket")]
    Url(Box<str>),
    /// Only `ldap://` can turn on TLS later.
    #[error("starttls goes with ldap:// only; ldaps:// has TLS anyway")]
    StartTls,
    /// The service account has no DN or no password.
    #[error("the service account needs a DN and a password; leave both out to search anonymously")]
    EmptyAccount,
    /// Nothing tells which entry is a user's.
    #[error("set user_dn, or a search with base and filter: nothing finds a user")]
    NoUsers,
    /// `user_dn` is no DN, and something needs the user's entry.
    #[error("user_dn is no DN: name_attribute, groups and reading passwords need a search as well")]
    NoEntry,
    /// The client could choose the domain of the name that it is known by from then on.
    #[error(
        "ann@example.org and ann@anywhere.example would be one user who chooses the name: write \
         {{user}}, or {{local}} with {{domain}}, in user_dn or filter, or set name_attribute"
    )]
    AnyDomain,
    /// A template names something that there is not.
    #[error("{template}: {{{placeholder}}} stands for nothing there")]
    Placeholder {
        /// The template.
        template: Box<str>,
        /// What stands between the braces.
        placeholder: Box<str>,
    },
    /// A filter is not one of RFC 4515.
    #[error("{0} is no LDAP filter (RFC 4515); one looks like (mail={{user}})")]
    Filter(Box<str>),
    /// The file of authorities cannot be used.
    #[error("{}: {what}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: Box<str>,
    },
    /// The TLS library or the system's randomness.
    #[error("the LDAP client cannot be set up: {0}")]
    Setup(Box<str>),
}

const CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
