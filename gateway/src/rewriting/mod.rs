//! The rules about addresses in force: `[rewriting]`, and the users of relay domains.
//!
//! What the rules do is decided in [`mailweir_filters::rewriting`]; here they are made from the
//! configuration and from the tables as they are at the moment. Mail that comes in, mail that
//! leaves, and `explain` all take them from here.

mod make;
mod recipients;
mod way;

use std::{net::IpAddr, sync::Arc};

use mailweir_filters::{
    RemoteMaps,
    rewriting::{
        GenericRules, Maps, RewriteError, RewritingRules, RoutingRules, VirtualAliasDomains,
        rewrite,
    },
};
use mailweir_mail::{Domain, Envelope};
use mailweir_tables::TableError;

pub use self::{recipients::Existence, way::ByTable};
use crate::{
    config::{Config, HeaderRewriteClient},
    tables::{Derived, LiveTable, Tables},
};

/// The rules of one configuration. They follow their tables; a reload makes others.
pub struct LiveRewriting {
    settings: Settings,
    /// Keeps the tables in use, so that making the rules anew reads no file.
    _kept: Vec<Arc<LiveTable>>,
    rules: Derived<Rewriting>,
}

/// What the rules are made of besides the tables.
#[derive(Clone, Debug)]
struct Settings {
    rewriting: crate::config::Rewriting,
    relay_recipient_maps: Vec<crate::config::TableName>,
    hostname: Domain,
    /// The addresses of this machine.
    own: Vec<IpAddr>,
}

/// The rules of one moment. A mail keeps those that it began with.
#[derive(Clone, Debug)]
pub struct Rewriting {
    /// What changes the addresses of mail that comes in.
    pub incoming: Arc<RewritingRules>,
    /// The domains whose users are aliases.
    pub alias_domains: VirtualAliasDomains,
    /// The users of the domains that we relay for; without tables everybody exists.
    pub relay_recipients: Maps,
    /// Where mail goes by tables.
    pub routing: RoutingRules,
    /// What changes the addresses of mail that leaves.
    pub generic: Arc<GenericRules>,
}

impl LiveRewriting {
    /// Opens the tables of a configuration. Reads files that are not in use yet, and blocks
    /// meanwhile. `own` are the addresses of this machine (Postfix `inet_interfaces`).
    ///
    /// # Errors
    /// A table cannot be used.
    pub fn open(
        config: &Config,
        own: Vec<IpAddr>,
        tables: &Arc<Tables>,
    ) -> Result<Arc<Self>, TableError> {
        let settings = Settings {
            rewriting: config.rewriting.clone(),
            relay_recipient_maps: config.domains.relay_recipient_maps.clone(),
            hostname: config.server.hostname.clone(),
            own,
        };
        let mut kept = Vec::new();
        let rules = Derived::new(tables, || make::rewriting(&settings, tables, &mut kept))?;
        Ok(Arc::new(Self { settings, _kept: kept, rules }))
    }

    /// The rules as of now.
    #[must_use]
    pub fn current(&self) -> Arc<Rewriting> {
        // It cannot fail: no file is read for tables in use.
        let tables = self.rules.tables();
        self.rules.current(|| make::rewriting(&self.settings, tables, &mut Vec::new()))
    }

    /// Those who can ask the tables of other servers.
    #[must_use]
    pub fn remote(&self) -> &dyn RemoteMaps {
        self.rules.tables().remote()
    }

    /// The envelope of mail of our own. A report goes where mail for the sender would go: canonical
    /// maps and aliases hold for it too. As in Postfix, nobody gets copies of it.
    ///
    /// # Errors
    /// A table cannot tell: the report waits; or leads astray: [`RewriteError::may_pass`].
    pub async fn address_own_mail(&self, envelope: Envelope) -> Result<Envelope, RewriteError> {
        let rules = self.current();
        if !rules.incoming.change_envelopes() {
            return Ok(envelope);
        }
        let rules = rules.incoming.without_copies();
        Ok(rewrite(&rules, envelope, &[], self.remote()).await?.envelope)
    }

    /// Whether the headers of a client's mail are rewritten (Postfix
    /// `local_header_rewrite_clients`).
    #[must_use]
    pub fn is_local(&self, client: IpAddr, is_trusted: bool, is_logged_in: bool) -> bool {
        let allowed = &self.settings.rewriting.local_header_rewrite_clients;
        allowed.iter().any(|who| match who {
            HeaderRewriteClient::OwnInterfaces => self.settings.own.contains(&client),
            HeaderRewriteClient::Trusted => is_trusted,
            HeaderRewriteClient::LoggedIn => is_logged_in,
            HeaderRewriteClient::All => true,
        })
    }
}

impl Rewriting {
    /// Whether tables have a say in where mail goes; otherwise routes alone decide.
    #[must_use]
    pub fn routes_mail(&self) -> bool {
        let RoutingRules { transport, relocated, sender_relayhost, .. } = &self.routing;
        [transport, relocated, sender_relayhost].iter().any(|maps| !maps.is_empty())
            || !self.alias_domains.domains.is_empty()
    }
}
