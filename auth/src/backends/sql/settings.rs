//! What the administrator says of the database.

use std::{fmt, num::NonZeroUsize, time::Duration};

use zeroize::Zeroizing;

use crate::{Scheme, SqlQueryError};

/// How [`super::Sql`] asks a database. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqlSettings {
    /// Where the database is: `postgres://user@host:5432/database` or
    /// `mysql://user@host:3306/database`, MariaDB too. It is shown in logs and so holds no password.
    ///
    /// A UNIX socket: `postgres://user@localhost/database?host=/run/postgresql` (its directory), or
    /// `mysql://user@localhost/database?socket=/run/mysqld/mysqld.sock`.
    ///
    /// TLS: `sslmode` is `disable`, `prefer`, `require`, `verify-ca` or `verify-full` (also in the
    /// words of MySQL's `--ssl-mode`); `sslrootcert` (`ssl-ca`) is a PEM file of more authorities;
    /// `sslcert` and `sslkey` are the gateway's own certificate. Without `sslmode` another machine
    /// has to prove itself (`verify-full`), this one not (`prefer`), and a socket needs no TLS.
    pub url: Box<str>,
    /// A SELECT that gives one row, or none if there is no such user. `{user}`, `{local}` and
    /// `{domain}` are values: they stand where a value stands, without quotes. Names are in lower
    /// case ([`UserName`](crate::UserName)); of a name without `@`, `{domain}` is empty. With
    /// `{local}` and without `{domain}` the client could log in under any domain: then the query
    /// gives the column `name`, or names with `@` are denied.
    pub query: Box<str>,
    /// The scheme of a password that does not begin with one in braces (Dovecot's
    /// `default_pass_scheme`). None: such a password must be a hash of crypt(3), which begins with
    /// `$`, or logs nobody in.
    pub default_scheme: Option<Scheme>,
    /// Whether the query gives SCRAM keys, and those mechanisms are offered. Default: no.
    pub scram: bool,
    /// The most connections to the database at a time. Default: 4.
    pub connections: NonZeroUsize,
    /// Questions that wait for a connection; the next one hears that we are busy, and so does one
    /// that has waited for half of `timeout`. Default: 128.
    pub waiting: usize,
    /// How long an answer may take, once there is a connection for the question. The database gives
    /// up then too. Default: 5 seconds.
    pub timeout: Duration,
    password: Option<Zeroizing<Box<str>>>,
}

impl SqlSettings {
    /// The usual settings for this URL and this query.
    #[must_use]
    pub fn new(url: &str, query: &str) -> Self {
        Self {
            url: url.into(),
            query: query.into(),
            default_scheme: None,
            scram: false,
            connections: CONNECTIONS,
            waiting: 128,
            timeout: Duration::from_secs(5),
            password: None,
        }
    }

    /// The same with a password of the gateway at the database. Wiped from memory when dropped.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        Self { password: Some(Zeroizing::new(password.into())), ..self }
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_ref().map(|password| &***password)
    }
}

impl fmt::Debug for SqlSettings {
    /// Without the URL too: nobody has looked yet whether there is a password in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlSettings")
            .field("query", &self.query)
            .field("scram", &self.scram)
            .finish_non_exhaustive()
    }
}

/// Why settings cannot be used: for who wrote them. Never quotes a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlSettingsError {
    /// It is no URL.
    #[error("the database's URL is malformed; write postgres://user@host/database")]
    Url,
    /// Another kind of database.
    #[error("the database's URL begins neither with postgres:// nor with mysql://")]
    Scheme,
    /// URLs are shown in logs.
    #[error("there is a password in the database's URL; logs show it: set `password` instead")]
    PasswordInUrl,
    /// No host.
    #[error("the database's URL names no host; write localhost for a socket")]
    NoHost,
    /// No user.
    #[error("the database's URL names no user; write one before the host: user@host")]
    NoUser,
    /// No database.
    #[error("the database's URL names no database; write it after the host: /database")]
    NoDatabase,
    /// A parameter that is not known.
    #[error(
        "the database's URL has the parameter `{0}`; there are sslmode, sslrootcert, sslcert, \
         sslkey, and host or socket with a path"
    )]
    Parameter(Box<str>),
    /// Another `sslmode`.
    #[error("sslmode is disable, prefer, require, verify-ca or verify-full")]
    SslMode,
    /// A certificate without its key, or the reverse.
    #[error("sslcert and sslkey go together")]
    HalfCertificate,
    /// The query.
    #[error("the query for users cannot be used: {0}")]
    Query(#[from] SqlQueryError),
}

const CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
