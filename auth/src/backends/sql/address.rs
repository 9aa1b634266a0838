//! The URL of a database, read strictly: a parameter that is mistyped must not switch TLS off.

use std::{net::IpAddr, path::PathBuf};

use percent_encoding::percent_decode_str;
use sqlx::{
    ConnectOptions as _,
    mysql::{MySqlConnectOptions, MySqlSslMode},
    postgres::{PgConnectOptions, PgSslMode},
};
use url::{Host, Url};

use crate::backends::sql::{query::Dialect, settings::SqlSettingsError};

/// Where a database is and how to connect to it. Has the password, and so no `Debug`.
pub(super) struct Address {
    dialect: Dialect,
    host: Box<str>,
    port: u16,
    socket: Option<PathBuf>,
    user: Box<str>,
    password: Box<str>,
    database: Box<str>,
    tls: Tls,
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Address {
    /// Reads the URL of [`super::SqlSettings`].
    pub(super) fn parse(url: &str, password: Option<&str>) -> Result<Self, SqlSettingsError> {
        let url = Url::parse(url).map_err(|_| SqlSettingsError::Url)?;
        let (dialect, port) = match url.scheme() {
            "postgres" | "postgresql" => (Dialect::PostgreSql, 5_432),
            "mysql" | "mariadb" => (Dialect::MySql, 3_306),
            _ => return Err(SqlSettingsError::Scheme),
        };
        if url.password().is_some() {
            return Err(SqlSettingsError::PasswordInUrl);
        }
        let mut address = Self {
            dialect,
            host: host(&url)?,
            port: url.port().unwrap_or(port),
            socket: None,
            user: decoded(url.username())?.ok_or(SqlSettingsError::NoUser)?,
            password: password.unwrap_or_default().into(),
            database: decoded(url.path().trim_start_matches('/'))?
                .ok_or(SqlSettingsError::NoDatabase)?,
            tls: Tls::Prefer,
            authorities: None,
            certificate: None,
            key: None,
        };
        if address.host.starts_with('/') {
            address.socket = Some(address.host.as_ref().into());
        }
        address.read_parameters(&url)?;
        Ok(address)
    }

    pub(super) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What may stand in a log.
    pub(super) fn shown(&self) -> Box<str> {
        let scheme = match self.dialect {
            Dialect::PostgreSql => "postgres",
            Dialect::MySql => "mysql",
        };
        let (user, database) = (&self.user, &self.database);
        match &self.socket {
            Some(socket) => {
                format!("{scheme}://{user}@localhost/{database}?socket={}", socket.display())
            }
            None if self.host.contains(':') => {
                format!("{scheme}://{user}@[{}]:{}/{database}", self.host, self.port)
            }
            None => format!("{scheme}://{user}@{}:{}/{database}", self.host, self.port),
        }
        .into()
    }

    /// As sqlx takes it. Everything is said, so that no `PGPASSWORD` and no `.pgpass` counts.
    pub(super) fn postgresql(&self) -> PgConnectOptions {
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .password(&self.password)
            .database(&self.database)
            .application_name("mailweir")
            .ssl_mode(match self.tls {
                Tls::Disable => PgSslMode::Disable,
                Tls::Prefer => PgSslMode::Prefer,
                Tls::Require => PgSslMode::Require,
                Tls::VerifyCa => PgSslMode::VerifyCa,
                Tls::VerifyFull => PgSslMode::VerifyFull,
            });
        if let Some(directory) = &self.socket {
            options = options.socket(directory);
        }
        if let Some(file) = &self.authorities {
            options = options.ssl_root_cert(file);
        }
        if let Some(file) = &self.certificate {
            options = options.ssl_client_cert(file);
        }
        if let Some(file) = &self.key {
            options = options.ssl_client_key(file);
        }
        options.disable_statement_logging()
    }

    /// As sqlx takes it. The SQL mode and the time zone stay those of the server, so that a query
    /// means here what it means in `mysql`.
    pub(super) fn mysql(&self) -> MySqlConnectOptions {
        let mut options = MySqlConnectOptions::new()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .database(&self.database)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .ssl_mode(match self.tls {
                Tls::Disable => MySqlSslMode::Disabled,
                Tls::Prefer => MySqlSslMode::Preferred,
                Tls::Require => MySqlSslMode::Required,
                Tls::VerifyCa => MySqlSslMode::VerifyCa,
                Tls::VerifyFull => MySqlSslMode::VerifyIdentity,
            });
        if !self.password.is_empty() {
            options = options.password(&self.password);
        }
        if let Some(file) = &self.socket {
            options = options.socket(file);
        }
        if let Some(file) = &self.authorities {
            options = options.ssl_ca(file);
        }
        if let Some(file) = &self.certificate {
            options = options.ssl_client_cert(file);
        }
        if let Some(file) = &self.key {
            options = options.ssl_client_key(file);
        }
        options.disable_statement_logging()
    }

    fn read_parameters(&mut self, url: &Url) -> Result<(), SqlSettingsError> {
        let mut tls = None;
        for (name, value) in url.query_pairs() {
            let path = || Some(PathBuf::from(value.as_ref()));
            match name.as_ref() {
                "sslmode" | "ssl-mode" => {
                    tls = Some(Tls::parse(&value).ok_or(SqlSettingsError::SslMode)?);
                }
                "sslrootcert" | "ssl-ca" => self.authorities = path(),
                "sslcert" | "ssl-cert" => self.certificate = path(),
                "sslkey" | "ssl-key" => self.key = path(),
                "socket" | "host" if value.starts_with('/') => self.socket = path(),
                "password" => return Err(SqlSettingsError::PasswordInUrl),
                _ => return Err(SqlSettingsError::Parameter(name.as_ref().into())),
            }
        }
        if self.certificate.is_some() != self.key.is_some() {
            return Err(SqlSettingsError::HalfCertificate);
        }
        self.tls = tls.unwrap_or_else(|| self.usual_tls());
        Ok(())
    }

    /// Nobody stands between us and this machine; between us and another one somebody may.
    fn usual_tls(&self) -> Tls {
        let here = |host: &str| host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match &self.socket {
            Some(_) => Tls::Disable,
            None if &*self.host == "localhost" || here(&self.host) => Tls::Prefer,
            None => Tls::VerifyFull,
        }
    }
}

impl Tls {
    /// In the words of both databases.
    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" | "disabled" => Some(Self::Disable),
            "prefer" | "preferred" => Some(Self::Prefer),
            "require" | "required" => Some(Self::Require),
            "verify-ca" => Some(Self::VerifyCa),
            "verify-full" | "verify-identity" => Some(Self::VerifyFull),
            _ => None,
        }
    }
}

fn host(url: &Url) -> Result<Box<str>, SqlSettingsError> {
    match url.host() {
        Some(Host::Domain(host)) => decoded(host)?.ok_or(SqlSettingsError::NoHost),
        Some(Host::Ipv4(address)) => Ok(address.to_string().into()),
        Some(Host::Ipv6(address)) => Ok(address.to_string().into()),
        None => Err(SqlSettingsError::NoHost),
    }
}

/// `%2F` is `/`. Nothing if nothing stands there.
fn decoded(text: &str) -> Result<Option<Box<str>>, SqlSettingsError> {
    let text = percent_decode_str(text).decode_utf8().map_err(|_| SqlSettingsError::Url)?;
    match text.contains('\0') {
        true => Err(SqlSettingsError::Url),
        false => Ok((!text.is_empty()).then(|| text.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_where_the_database_is() {
        for (url, shown) in [
            ("postgres://mail@db.example/users", "postgres://mail@db.example:5432/users"),
            ("mysql://mail@db.example:33/users", "mysql://mail@db.example:33/users"),
            ("mariadb://m%40il@[::1]/users?ssl-mode=REQUIRED", "mysql://m@il@[::1]:3306/users"),
            (
                "postgresql://mail@%2Frun%2Fpostgresql/users",
                "postgres://mail@localhost/users?socket=/run/postgresql",
            ),
            (
                "mysql://mail@localhost/users?socket=/run/mysqld/mysqld.sock",
                "mysql://mail@localhost/users?socket=/run/mysqld/mysqld.sock",
            ),
        ] {
            assert_eq!(&*parse(url).unwrap().shown(), shown, "{url}");
        }
    }

    #[test]
    fn mistakes_are_named_and_passwords_never_quoted() {
        let parameter = |name: &str| SqlSettingsError::Parameter(name.into());
        for (url, error) in [
            ("secret", SqlSettingsError::Url),
            ("postgres://mail:secret@", SqlSettingsError::Url),
            ("postgres://m%00@db/users", SqlSettingsError::Url),
            ("sqlite://mail@db/users", SqlSettingsError::Scheme),
            ("postgres:mail/users", SqlSettingsError::NoHost),
            ("postgres://mail:secret@db/users", SqlSettingsError::PasswordInUrl),
            ("postgres://mail:@db/users?password=secret", SqlSettingsError::PasswordInUrl),
            ("postgres://db/users", SqlSettingsError::NoUser),
            ("postgres://mail@db/", SqlSettingsError::NoDatabase),
            ("postgres://mail@db/users?sslmod=verify-full", parameter("sslmod")),
            ("mysql://mail@db/users?host=db", parameter("host")),
            ("mysql://mail@db/users?sslmode=yes", SqlSettingsError::SslMode),
            ("mysql://mail@db/users?ssl-cert=/a", SqlSettingsError::HalfCertificate),
        ] {
            let Err(refused) = parse(url) else { panic!("{url} was taken") };
            assert_eq!(refused, error, "{url}");
            assert!(!refused.to_string().contains("secret"));
        }
    }

    #[test]
    fn another_machine_has_to_prove_itself_unless_the_url_says_otherwise() {
        for (url, tls) in [
            ("postgres://mail@db.example/users", Tls::VerifyFull),
            ("postgres://mail@192.0.2.1/users", Tls::VerifyFull),
            ("postgres://mail@db.example/users?sslmode=prefer", Tls::Prefer),
            ("mysql://mail@db.example/users?ssl-mode=VERIFY_CA", Tls::VerifyCa),
            ("mysql://mail@127.0.0.1/users", Tls::Prefer),
            ("mysql://mail@[::1]/users", Tls::Prefer),
            ("mysql://mail@localhost/users", Tls::Prefer),
            ("mysql://mail@localhost/users?socket=/run/mysqld/mysqld.sock", Tls::Disable),
        ] {
            assert_eq!(parse(url).unwrap().tls, tls, "{url}");
        }
    }

    fn parse(url: &str) -> Result<Address, SqlSettingsError> {
        Address::parse(url, None)
    }
}
