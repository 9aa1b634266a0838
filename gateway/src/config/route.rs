//! Routes: which next hop a recipient's domain has. A pure look-up.

use std::{net::Ipv4Addr, num::NonZeroU32};

use mailweir_mail::Domain;

use super::{
    DomainPattern, Host, NextHop, Relay, RelayProtocol, Secret, Surroundings,
    check::{Written, read_secret},
    choice::WrittenRouteTls,
    problem::Problems,
    schema::RouteSection,
    setting::Setting,
};

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

    /// The place in [`Self::iter`] of the route for mail to `domain`.
    #[must_use]
    pub fn position(&self, domain: &Domain) -> usize {
        self.listed.iter().position(|route| route.matches(domain)).unwrap_or(self.listed.len())
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
    /// The most connections to one destination (Postfix `default_destination_concurrency_limit`).
    pub destination_concurrency_limit: NonZeroU32,
    /// The most recipients in one transaction (Postfix `default_destination_recipient_limit`).
    pub destination_recipient_limit: NonZeroU32,
    /// Whether who is there is told by XFORWARD from which client a mail came, if it asks for that.
    pub xforward: bool,
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
            destination_concurrency_limit: CONCURRENCY,
            destination_recipient_limit: RECIPIENTS,
            xforward: false,
        }
    }

    /// How hosts are reached that no route leads to: by this protocol, with TLS where offered.
    #[must_use]
    pub fn unlisted(protocol: RelayProtocol) -> Self {
        let host = Host::Ip(Ipv4Addr::UNSPECIFIED.into());
        Self { to: NextHop::Relay(Relay { protocol, host, port: 0 }), ..Self::direct() }
    }

    /// Whether mail to `domain` takes this route only because all mail may.
    #[must_use]
    pub fn is_for_all(&self, domain: &Domain) -> bool {
        let first = self
            .domains
            .iter()
            .find(|pattern| pattern.matches(domain) && !matches!(pattern, DomainPattern::Any));
        first.is_none() && self.matches(domain)
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

impl Route {
    /// Checks what one route says by itself, and reads its password.
    pub(super) fn check(
        written: &Written<RouteSection>,
        around: &Surroundings<'_>,
        problems: &mut Problems<'_>,
    ) -> Self {
        let Written { table, section } = written;
        if section.domains.is_empty() && !problems.blame(table, "for") {
            problems
                .error(table, "for", "the list is empty")
                .allowed(Vec::<DomainPattern>::ALLOWED);
        }
        if section.xforward && !matches!(section.to, NextHop::Relay(_)) {
            let message = format!("\"{}\" must not be told who our clients are", section.to);
            problems
                .error(table, "xforward", message)
                .help("tell one host of yours: \"smtp://host:port\"");
        }
        Self {
            domains: section.domains.clone(),
            to: section.to.clone(),
            tls: check_tls(written, problems),
            login: check_login(written, around, problems),
            destination_concurrency_limit: section.destination_concurrency_limit,
            destination_recipient_limit: section.destination_recipient_limit,
            xforward: section.xforward,
        }
    }
}

fn check_tls(written: &Written<RouteSection>, problems: &mut Problems<'_>) -> RouteTls {
    let Written { table, section } = written;
    let implicit = matches!(&section.to, NextHop::Relay(r) if r.protocol == RelayProtocol::Smtps);
    match section.tls {
        WrittenRouteTls::None if implicit => {
            problems
                .error(table, "tls", "\"none\" contradicts \"smtps://\", which begins with TLS")
                .help("write \"smtp://\", or leave tls out");
            RouteTls::Required
        }
        WrittenRouteTls::Opportunistic if implicit => RouteTls::Required,
        WrittenRouteTls::None => RouteTls::None,
        WrittenRouteTls::Opportunistic => RouteTls::Opportunistic,
        WrittenRouteTls::Required => RouteTls::Required,
        WrittenRouteTls::Verify => RouteTls::Verify,
        WrittenRouteTls::Dane => {
            problems
                .error(table, "tls", "\"dane\" is not yet available")
                .help("\"verify\" checks the certificate by the public authorities");
            RouteTls::Verify
        }
    }
}

fn check_login(
    written: &Written<RouteSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<RouteLogin> {
    let Written { table, section } = written;
    let password = password(written, around, problems);
    let Some(username) = &section.username else {
        for key in ["password_file", "password"].into_iter().filter(|key| table.has(key)) {
            if !problems.blame(table, key) && !problems.blame(table, "username") {
                problems.error(table, key, "username is missing: the two go together");
            }
        }
        return None;
    };
    if !matches!(section.to, NextHop::Relay(_)) {
        let message = format!("a login cannot be used with \"{}\"", section.to);
        problems.error(table, "username", message).help("log in to one host: \"smtp://host:port\"");
    }
    if section.tls == WrittenRouteTls::None && !section.allow_clear_auth {
        problems
            .error(table, "tls", "the password would cross the network readable")
            .help("set tls = \"required\", or allow_clear_auth = true on a network you trust");
    }
    let exposure = match section.allow_clear_auth {
        true => AuthExposure::ClearAllowed,
        false => AuthExposure::TlsOnly,
    };
    Some(RouteLogin { username: username.as_str().into(), password: password?, exposure })
}

/// The password: from the environment, or else from its file.
fn password(
    written: &Written<RouteSection>,
    around: &Surroundings<'_>,
    problems: &mut Problems<'_>,
) -> Option<Secret> {
    let Written { table, section } = written;
    if section.password.is_some() {
        return section.password.clone();
    }
    let Some(path) = &section.password_file else {
        let blamed = ["password", "password_file"].iter().any(|key| problems.blame(table, key));
        if section.username.is_some() && !blamed {
            problems
                .error(table, "username", "password_file is missing: the two go together")
                .help("write the password into a file of its own and name it in password_file");
        }
        return None;
    };
    read_secret(table, "password_file", path, around, problems)
}

/// Postfix `default_destination_concurrency_limit`, as in the schema.
const CONCURRENCY: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// Postfix `default_destination_recipient_limit`, as in the schema.
const RECIPIENTS: NonZeroU32 = NonZeroU32::new(50).unwrap();
