//! Connections to one LDAP server, and the operations on them.
//!
//! There are two stacks of idle connections. On one, the service account is bound and looks things
//! up; on the other, users bind. A bind changes who a connection is (RFC 4511 section 4.2.1): the
//! two never mix, so that nothing is looked up as a user by mistake, and the service account need
//! not bind anew, with its password, for each log-in.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ldap3::{LdapConnAsync, LdapConnSettings, LdapResult, Scope, SearchEntry, SearchOptions};
use rustls::ClientConfig;
use url::Url;

use crate::{
    Denial, DirectoryError,
    backends::ldap::{
        answer::{BindRefusal, SUCCESS, Trouble, bound},
        settings::ServiceAccount,
    },
};

/// One LDAP server. `Debug` shows no password.
pub(super) struct Server {
    url: Url,
    starttls: bool,
    tls: Arc<ClientConfig>,
    account: Option<ServiceAccount>,
    lookups: Mutex<Vec<Connection>>,
    binds: Mutex<Vec<Connection>>,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// What the service account does.
    Lookups,
    /// Binding as a user, and then perhaps looking things up as that user. Whoever takes such a
    /// connection begins with a bind.
    Binds,
}

/// What is asked of the server.
pub(super) enum Operation<'a> {
    Search { base: &'a str, scope: Scope, filter: &'a str, attributes: &'a [&'a str], limit: i32 },
    Compare { dn: &'a str, attribute: &'a str, value: &'a str },
    Bind(Bind<'a>),
}

/// A bind with a name and a password that are not empty: else it would be an anonymous one, which
/// succeeds without any proof (RFC 4513 section 5.1.2).
pub(super) struct Bind<'a> {
    dn: &'a str,
    password: &'a str,
}

impl<'a> Bind<'a> {
    pub(super) fn new(dn: &'a str, password: &'a str) -> Option<Self> {
        (!dn.is_empty() && !password.is_empty()).then_some(Self { dn, password })
    }
}

impl Server {
    pub(super) fn new(
        url: Url,
        starttls: bool,
        tls: Arc<ClientConfig>,
        account: Option<ServiceAccount>,
    ) -> Self {
        let (lookups, binds) = (Mutex::default(), Mutex::default());
        Self { url, starttls, tls, account, lookups, binds }
    }

    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Whether a service account looks things up, and not just anybody.
    pub(super) fn has_account(&self) -> bool {
        self.account.is_some()
    }

    /// A connection for `purpose`: an idle one, or a new one.
    pub(super) async fn session(&self, purpose: Purpose) -> Result<Session<'_>, DirectoryError> {
        let (connection, is_new) = match self.take_idle(purpose) {
            Some(connection) => (connection, false),
            None => (self.connect(purpose).await.map_err(|error| self.fault(&error))?, true),
        };
        Ok(Session { server: self, purpose, connection: Some(connection), is_new })
    }

    pub(super) fn fault(&self, trouble: &Trouble) -> DirectoryError {
        trouble.at(self.url())
    }

    async fn connect(&self, purpose: Purpose) -> Result<Connection, Trouble> {
        let settings =
            LdapConnSettings::new().set_starttls(self.starttls).set_config(Arc::clone(&self.tls));
        let made = LdapConnAsync::from_url_with_settings(settings, &self.url).await;
        let (driver, handle) = made.map_err(Trouble::connecting)?;
        // Ends when the connection does, or when the last handle is dropped.
        tokio::spawn(driver.drive());
        let mut connection = Connection { handle, uses: 0 };
        if purpose == Purpose::Lookups {
            self.bind_account(&mut connection).await?;
        }
        Ok(connection)
    }

    async fn bind_account(&self, connection: &mut Connection) -> Result<(), Trouble> {
        let Some(ServiceAccount { dn, password }) = &self.account else { return Ok(()) };
        let bind = Bind::new(dn, password).map(Operation::Bind);
        let bind = bind.ok_or_else(|| Trouble::Answer("the service account is empty".into()))?;
        match connection.carry_out(&bind).await?.result {
            result if result.rc == SUCCESS => Ok(()),
            result => Err(Trouble::account(dn, &result)),
        }
    }

    fn take_idle(&self, purpose: Purpose) -> Option<Connection> {
        let mut idle = self.idle(purpose);
        std::iter::from_fn(|| idle.pop()).find_map(Connection::if_open)
    }

    /// A list of connections is sound at every step.
    fn idle(&self, purpose: Purpose) -> MutexGuard<'_, Vec<Connection>> {
        let stack = match purpose {
            Purpose::Lookups => &self.lookups,
            Purpose::Binds => &self.binds,
        };
        stack.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("url", &self.url()).finish_non_exhaustive()
    }
}

/// A connection in use. Dropped, it is idle again, unless an operation on it did not end well.
pub(super) struct Session<'a> {
    server: &'a Server,
    purpose: Purpose,
    connection: Option<Connection>,
    is_new: bool,
}

impl Session<'_> {
    /// Asks, and asks once more on a new connection if an idle one turns out to be dead: servers
    /// restart, and close what was idle for long.
    pub(super) async fn ask(&mut self, operation: &Operation<'_>) -> Result<Reply, DirectoryError> {
        let reply = match self.try_on_this_connection(operation).await {
            Err(Trouble::Connection(_)) if !self.is_new => {
                self.is_new = true;
                match self.server.connect(self.purpose).await {
                    Ok(connection) => {
                        self.connection = Some(connection);
                        self.try_on_this_connection(operation).await
                    }
                    Err(trouble) => Err(trouble),
                }
            }
            reply => reply,
        };
        reply.map_err(|trouble| self.server.fault(&trouble))
    }

    /// Binds as a user. From here on, what this session asks, it asks as that user.
    pub(super) async fn bind(&mut self, dn: &str, password: &str) -> Result<(), DirectoryError> {
        let bind = Bind::new(dn, password).ok_or(Denial::WrongPassword)?;
        let reply = self.ask(&Operation::Bind(bind)).await?;
        bound(dn, &reply.result).map_err(|refusal| match refusal {
            BindRefusal::Denied(denial) => denial.into(),
            BindRefusal::Trouble(trouble) => self.server.fault(&trouble),
        })
    }

    /// Whether it is a user who asks.
    pub(super) fn is_users(&self) -> bool {
        self.purpose == Purpose::Binds
    }

    async fn try_on_this_connection(
        &mut self,
        operation: &Operation<'_>,
    ) -> Result<Reply, Trouble> {
        let gone = || Trouble::Connection("the connection is gone".into());
        // Taken out: who stops waiting in between leaves a connection that nobody takes again.
        let mut connection = self.connection.take().ok_or_else(gone)?;
        let reply = connection.carry_out(operation).await?;
        self.connection = Some(connection);
        self.is_new = true;
        Ok(reply)
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take().and_then(Connection::once_more) {
            self.server.idle(self.purpose).push(connection);
        }
    }
}

/// What the server answers.
pub(super) struct Reply {
    pub(super) entries: Vec<SearchEntry>,
    pub(super) result: LdapResult,
}

struct Connection {
    handle: ldap3::Ldap,
    uses: u32,
}

impl Connection {
    fn if_open(mut self) -> Option<Self> {
        (!self.handle.is_closed()).then_some(self)
    }

    fn once_more(mut self) -> Option<Self> {
        self.uses += 1;
        (self.uses < MOST_USES).then_some(self)
    }

    async fn carry_out(&mut self, operation: &Operation<'_>) -> Result<Reply, Trouble> {
        let made = match operation {
            Operation::Search { base, scope, filter, attributes, limit } => {
                let options = SearchOptions::new().sizelimit(*limit);
                let handle = self.handle.with_search_options(options);
                let found = handle.search(base, *scope, filter, attributes.to_vec()).await;
                found.map(|found| (found.0, found.1))
            }
            Operation::Compare { dn, attribute, value } => {
                let compared = self.handle.compare(dn, attribute, value).await;
                compared.map(|compared| (Vec::new(), compared.0))
            }
            Operation::Bind(Bind { dn, password }) => {
                let bound = self.handle.simple_bind(dn, password).await;
                bound.map(|result| (Vec::new(), result))
            }
        };
        let (entries, result) = made.map_err(Trouble::of)?;
        let entries = entries.into_iter().map(SearchEntry::construct).collect();
        Ok(Reply { entries, result })
    }
}

/// The library remembers the number of each search on a connection for as long as it lasts.
const MOST_USES: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_password_or_name_never_reaches_a_bind() {
        assert!(Bind::new("cn=ann", "secret").is_some());
        assert!(Bind::new("cn=ann", "").is_none());
        assert!(Bind::new("", "secret").is_none());
    }
}
