//! Users in a PostgreSQL, MySQL or MariaDB database.
//!
//! The administrator's query is read by `query`, which is pure; `address` reads the URL, `entry` a
//! row of the answer; `link` and `pool` are the connections. What is in the database is checked
//! here, never by the database: no password of a user is sent to it.

mod address;
mod entry;
mod link;
mod pool;
mod query;
mod settings;
mod trouble;

use std::{fmt, sync::Arc};

use sqlx::{MySqlConnection, PgConnection, mysql::MySqlConnectOptions, postgres::PgConnectOptions};
use tokio::time::{Duration, timeout};

use crate::{
    Answer, Attempt, Checks, CramMd5Keys, Credentials, Decoys, Denial, Directory, DirectoryError,
    Identity, KeySearch, KeyedIdentity, Mechanism, Password, RequestLimits, Scheme, ScramHash,
    UserName, Verification, Verifier,
    backends::sql::{
        address::Address,
        entry::{Entry, Row},
        pool::Pool,
        query::{Dialect, Query},
        trouble::Trouble,
    },
};

pub use crate::backends::sql::{
    query::SqlQueryError,
    settings::{SqlSettings, SqlSettingsError},
};

/// The users that a query finds in a database, one row each. Its columns by their names:
///
/// | column | meaning |
/// |---|---|
/// | `password` | `{SCHEME}text` for [`Record`](crate::Record); NULL or empty: nobody logs in by this row |
/// | `scram_sha_256`, `scram_sha_512`, `scram_sha_1` | [`ScramKeys`](crate::ScramKeys), with their scheme in braces or without |
/// | `enabled` | a boolean, a number, or a word such as `yes` and `N`; no and NULL: nobody logs in by this row |
/// | `name` | who it is that logs in; without it, who the client says it is, but not under a name with `@` if the query has `{local}` without `{domain}` |
/// | `roles` | [`Roles`](crate::Roles), divided by commas |
///
/// One of the first two is needed, others are left alone. Several rows deny the log-in, and so does
/// a value that is none of these: what is the matter with one user is no fault of the database.
///
/// MySQL and MariaDB compare by a collation, and in the usual ones `ann` equals `änn`. There the
/// query gives the column `name`, or compares exactly: `WHERE name = {user} COLLATE utf8mb4_bin`.
/// Otherwise who has Ann's password can log in under a name that is not Ann's.
///
/// The database need not run when this is made. Connections are made when they are needed; they
/// only read, and give a statement up in time, by order to the database. An unknown user costs what
/// a known one costs (`attacks.md` C1): see [`Verifier`].
pub struct Sql {
    shown: Box<str>,
    database: Database,
    query: Query,
    default_scheme: Option<Scheme>,
    scram: bool,
    gate: Checks,
    patience: Duration,
    verifier: Verifier,
}

enum Database {
    PostgreSql(Pool<PgConnection, PgConnectOptions>),
    MySql(Pool<MySqlConnection, MySqlConnectOptions>),
}

impl Sql {
    /// A directory that asks by these settings; passwords are checked in `checks`.
    ///
    /// # Errors
    /// [`SqlSettingsError`] says what to correct. Nothing is asked of the database.
    pub fn new(
        settings: &SqlSettings,
        checks: Arc<Checks>,
        decoys: Decoys,
    ) -> Result<Self, SqlSettingsError> {
        let address = Address::parse(&settings.url, settings.password())?;
        let limit = settings.timeout;
        let limits = RequestLimits { at_once: settings.connections, waiting: settings.waiting };
        Ok(Self {
            query: Query::parse(address.dialect(), &settings.query)?,
            shown: address.shown(),
            database: match address.dialect() {
                Dialect::PostgreSql => Database::PostgreSql(Pool::new(address.postgresql(), limit)),
                Dialect::MySql => Database::MySql(Pool::new(address.mysql(), limit)),
            },
            default_scheme: settings.default_scheme,
            scram: settings.scram,
            gate: limits.gate(),
            patience: limit,
            verifier: Verifier::new(checks, decoys),
        })
    }

    async fn check(&self, credentials: &Credentials) -> Result<Identity, DirectoryError> {
        let password = credentials.password().ok_or(Denial::OtherProof)?;
        let user = credentials.user();
        let entry = match self.find(user).await {
            Err(DirectoryError::Denied(denial)) => return self.refuse(password, denial).await,
            found => found?,
        };
        let record = entry.record(self.default_scheme);
        self.verifier.learn(&record);
        self.verifier.verify(Some(&record), password).await?;
        Ok(self.identity(&entry, user)?)
    }

    /// What is the matter with a user is said as late as that there is none, and as a denial too:
    /// before the proof, nobody learns who exists.
    async fn find_keys(
        &self,
        user: &UserName,
        hash: ScramHash,
    ) -> Result<KeyedIdentity, DirectoryError> {
        let entry = match self.find(user).await {
            Err(DirectoryError::Denied(denial)) => {
                let searched = self.verifier.keys(None, user, hash).await;
                return Err(searched.err().and_then(temporary).unwrap_or(denial.into()));
            }
            found => found?,
        };
        let record = entry.record(self.default_scheme);
        self.verifier.learn(&record);
        let keys = self.verifier.keys(Some(&record), user, hash).await?;
        Ok(KeyedIdentity { identity: self.identity(&entry, user)?, keys })
    }

    async fn find_cram_md5(
        &self,
        user: &UserName,
    ) -> Result<KeyedIdentity<CramMd5Keys>, DirectoryError> {
        let entry = self.find(user).await?;
        let keys = entry.record(self.default_scheme).cram_md5()?;
        Ok(KeyedIdentity { identity: self.identity(&entry, user)?, keys })
    }

    /// The one row of `user`.
    async fn find(&self, user: &UserName) -> Result<Entry, DirectoryError> {
        let turn = timeout(self.patience / 2, self.gate.turn()).await;
        let turn = turn.map_err(|_| DirectoryError::Busy)??;
        let answer = self.rows(user).await;
        drop(turn);
        let mut rows = match answer {
            // What the database cannot hold is no name in it. ASCII it can; then the query is wrong.
            Err(Trouble::Name(_)) if !user.as_str().is_ascii() => Vec::new(),
            rows => rows.map_err(|trouble| self.unavailable(&trouble))?,
        };
        match (rows.pop(), rows.is_empty()) {
            (None, _) => Err(Denial::UnknownUser.into()),
            (Some(_), false) => Err(Denial::SeveralUsers.into()),
            (Some(row), true) => Entry::read(row).map_err(|odd| self.unavailable(&odd)),
        }
    }

    async fn rows(&self, user: &UserName) -> Result<Vec<Row>, Trouble> {
        let values = self.query.values(user);
        let answer = async {
            match &self.database {
                Database::PostgreSql(pool) => pool.ask(&self.query, &values).await,
                Database::MySql(pool) => pool.ask(&self.query, &values).await,
            }
        };
        let in_time = timeout(self.patience, answer).await;
        match in_time {
            Ok(answer) => answer.map_err(|error| Trouble::of(error, self.patience)),
            Err(_) => Err(Trouble::Late(self.patience)),
        }
    }

    fn identity(&self, entry: &Entry, user: &UserName) -> Result<Identity, Denial> {
        let unnamed = match self.query.tells_domains_apart() || !user.as_str().contains('@') {
            true => Ok(user),
            // The domain is what the client likes.
            false => Err(Denial::NoName),
        };
        entry.identity(unnamed)
    }

    /// Refuses at the cost of a check.
    async fn refuse(
        &self,
        password: &Password,
        denial: Denial,
    ) -> Result<Identity, DirectoryError> {
        let checked = self.verifier.verify(None, password).await;
        Err(checked.err().and_then(temporary).unwrap_or(denial.into()))
    }

    fn unavailable(&self, why: &dyn fmt::Display) -> DirectoryError {
        DirectoryError::Unavailable(format!("database {}: {why}", self.shown).into())
    }
}

impl Directory for Sql {
    fn serves(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::ScramPlus(_) | Mechanism::Scram(_) => self.scram,
            // Who has no keys for it is denied; it is served where the administrator names it.
            Mechanism::Plain | Mechanism::Login | Mechanism::CramMd5 => true,
            Mechanism::External | Mechanism::OAuthBearer | Mechanism::XOAuth2 => false,
        }
    }

    fn verify<'a>(
        &'a self,
        credentials: &'a Credentials,
        _attempt: &'a Attempt,
    ) -> Verification<'a> {
        Box::pin(self.check(credentials))
    }

    fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a> {
        Box::pin(self.find_keys(user, hash))
    }

    fn cram_md5<'a>(&'a self, user: &'a UserName) -> Answer<'a, KeyedIdentity<CramMd5Keys>> {
        Box::pin(self.find_cram_md5(user))
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql").field("database", &self.shown).finish_non_exhaustive()
    }
}

/// Whatever is no denial.
fn temporary(error: DirectoryError) -> Option<DirectoryError> {
    (!matches!(error, DirectoryError::Denied(_))).then_some(error)
}
