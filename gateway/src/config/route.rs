//! Routes: which next hop a recipient's domain has. A pure look-up.

use mailweir_mail::Domain;

use super::{DomainPattern, NextHop, Secret};

/// All routes, in order. The last one always is "everything else, by MX", unless the file says
/// where everything goes.
#[derive(Clone, Debug)]
pub struct Routes {
    listed: Vec<Route>,
    rest: Route,
}

impl Routes {
    /// The routes of the file, in their order.
    #[must_use]
    pub fn new(listed: Vec<Route>) -> Self {
        Self { listed, rest: Route::direct() }
    }

    /// The route for mail to `domain`: the first with a pattern that matches.
    #[must_use]
    pub fn find(&self, domain: &Domain) -> &Route {
        self.listed.iter().find(|route| route.matches(domain)).unwrap_or(&self.rest)
    }

    /// The routes that can be found, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        let complete = self.listed.iter().any(|route| route.domains.contains(&DomainPattern::Any));
        self.listed.iter().chain((!complete).then_some(&self.rest))
    }
}

/// One way for mail to leave.
#[derive(Clone, Debug)]
pub struct Route {
    /// Recipient domains; at least one.
    pub domains: Vec<DomainPattern>,
    /// The next hop.
    pub to: NextHop,
    /// What is done about TLS.
    pub tls: RouteTls,
    /// The login at the next hop.
    pub login: Option<RouteLogin>,
    /// The most connections to one destination (Postfix `default_destination_concurrency_limit`);
    /// at least 1.
    pub destination_concurrency_limit: u32,
    /// The most recipients in one transaction (Postfix `default_destination_recipient_limit`);
    /// at least 1.
    pub destination_recipient_limit: u32,
}

impl Route {
    /// Every domain by its MX, with TLS where offered: what holds where no route does.
    #[must_use]
    pub fn direct() -> Self {
        Self {
            domains: vec![DomainPattern::Any],
            to: NextHop::Mx,
            tls: RouteTls::Opportunistic,
            login: None,
            destination_concurrency_limit: 20,
            destination_recipient_limit: 50,
        }
    }

    /// Whether mail to `domain` may take this route.
    #[must_use]
    pub fn matches(&self, domain: &Domain) -> bool {
        self.domains.iter().any(|pattern| pattern.matches(domain))
    }
}

/// What delivery does about TLS (Postfix `smtp_tls_security_level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RouteTls {
    /// No TLS ("none").
    None,
    /// TLS if the peer offers it; its certificate is not looked at ("may").
    Opportunistic,
    /// No mail without TLS; the certificate is not looked at ("encrypt").
    Required,
    /// No mail without TLS; the certificate must be trusted and name the host ("secure").
    Verify,
}

/// A login at the next hop.
#[derive(Clone, Debug)]
pub struct RouteLogin {
    /// The user.
    pub username: Box<str>,
    /// The password.
    pub password: Secret,
    /// When it may be sent.
    pub exposure: AuthExposure,
}

/// Whether a login may cross the network readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthExposure {
    /// Only inside TLS.
    TlsOnly,
    /// Also without TLS: `allow_clear_auth`.
    ClearAllowed,
}
