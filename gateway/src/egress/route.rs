//! A `[[route]]` at work: its settings in the forms that connections need.

use std::{sync::Arc, time::Duration};

use mailweir_mail::{Address, Domain};
use mailweir_smtp::client::{Credentials, Dialect, Settings, Timeouts, TlsPolicy};

use super::{
    concurrency,
    connection::Connection,
    destination::{Destination, Hop, NextHop, Protocol, RouteId},
    failover,
};
use crate::{
    config::{
        self, AuthExposure, ConnectionReuse, Host, Relay, RelayProtocol, Route, RouteTls, Smtp,
    },
    tls::{Authorities, ClientTls, PeerCheck, TlsError},
};

/// One way for mail to leave, ready for use.
pub(super) struct LiveRoute {
    id: RouteId,
    to: config::NextHop,
    /// What every connection of the route is set up with.
    pub(super) client: Arc<Settings>,
    /// The route's idea of trust.
    pub(super) tls: Arc<ClientTls>,
    reuse: ConnectionReuse,
    failover: failover::Limits,
    /// How many connections a destination may have.
    pub(super) concurrency: concurrency::Limits,
    /// How many recipients fit into one transaction.
    pub(super) recipient_limit: usize,
}

impl LiveRoute {
    pub(super) fn new(id: RouteId, route: &Route, smtp: &Smtp, tls: Arc<ClientTls>) -> Self {
        Self {
            id,
            to: route.to.clone(),
            client: Arc::new(settings(route, smtp)),
            tls,
            reuse: smtp.reuse,
            failover: failover::Limits {
                addresses: unlimited(smtp.mx_address_limit),
                sessions: unlimited(smtp.mx_session_limit),
            },
            concurrency: concurrency::Limits {
                most: route.destination_concurrency_limit.get(),
                ..concurrency::Limits::default()
            },
            recipient_limit: route.destination_recipient_limit.get() as usize,
        }
    }

    /// Where mail for `domain` goes by this route; `None` if it goes nowhere (`discard`).
    pub(super) fn destination(&self, domain: &Domain) -> Option<Destination> {
        let (protocol, next_hop, port) = match &self.to {
            config::NextHop::Discard => return None,
            config::NextHop::Mx => {
                (Protocol::Smtp, NextHop::Exchangers(domain.clone()), Protocol::Smtp.usual_port())
            }
            config::NextHop::Relay(relay) => (protocol(relay), host(relay), relay.port),
        };
        Some(Destination { route: self.id, protocol, next_hop, port, then: Vec::new() })
    }

    /// How long a courier without work keeps its connection (Postfix
    /// `smtp_connection_cache_time_limit`).
    pub(super) const fn idle_time(&self) -> Duration {
        self.reuse.cache_time_limit
    }

    /// Whether a connection may carry one more mail.
    pub(super) fn may_reuse(&self, connection: &Connection) -> bool {
        let worn = self.reuse.count_limit > 0 && connection.mails() >= self.reuse.count_limit;
        connection.mails() == 0 || (!worn && connection.age() < self.reuse.time_limit)
    }

    /// How many hosts one delivery tries.
    pub(super) const fn failover_limits(&self) -> failover::Limits {
        self.failover
    }
}

fn settings(route: &Route, smtp: &Smtp) -> Settings {
    let implicit =
        matches!(&route.to, config::NextHop::Relay(Relay { protocol: RelayProtocol::Smtps, .. }));
    let lmtp =
        matches!(&route.to, config::NextHop::Relay(Relay { protocol: RelayProtocol::Lmtp, .. }));
    Settings {
        hostname: smtp.helo_name.clone(),
        dialect: if lmtp { Dialect::Lmtp } else { Dialect::Smtp },
        tls: match route.tls {
            _ if implicit => TlsPolicy::Implicit,
            RouteTls::None => TlsPolicy::None,
            RouteTls::Opportunistic => TlsPolicy::Opportunistic,
            RouteTls::Required | RouteTls::Verify => TlsPolicy::Required,
        },
        credentials: route.login.as_ref().map(|login| Credentials {
            user: login.username.to_string(),
            password: login.password.expose().to_owned(),
            allow_clear: login.exposure == AuthExposure::ClearAllowed,
        }),
        timeouts: timeouts(smtp),
    }
}

fn timeouts(smtp: &Smtp) -> Timeouts {
    let times = smtp.timeouts;
    Timeouts {
        connect: times.connect,
        helo: times.helo,
        starttls: times.starttls,
        mail: times.mail,
        rcpt: times.rcpt,
        data_init: times.data_init,
        data_xfer: times.data_xfer,
        data_done: times.data_done,
        rset: times.rset,
        quit: times.quit,
    }
}

const fn protocol(relay: &Relay) -> Protocol {
    match relay.protocol {
        RelayProtocol::Smtp => Protocol::Smtp,
        RelayProtocol::Smtps => Protocol::Smtps,
        RelayProtocol::Lmtp => Protocol::Lmtp,
    }
}

fn host(relay: &Relay) -> NextHop {
    match &relay.host {
        Host::Name(name) => NextHop::Host(name.clone()),
        Host::Ip(address) => NextHop::Address(*address),
    }
}

const fn check(tls: RouteTls) -> PeerCheck {
    match tls {
        RouteTls::None | RouteTls::Opportunistic | RouteTls::Required => PeerCheck::Any,
        RouteTls::Verify => PeerCheck::Name,
    }
}

/// Postfix writes "no limit" as 0.
const fn unlimited(limit: u32) -> usize {
    if limit == 0 { usize::MAX } else { limit as usize }
}

/// All routes at work, in the order of the file.
pub struct LiveRoutes {
    configured: config::Routes,
    live: Vec<Arc<LiveRoute>>,
    /// For next hops that rules name and no route leads to: by SMTP, by SMTP inside TLS, by LMTP.
    others: [Arc<LiveRoute>; 3],
    /// Mail to this address goes nowhere.
    sink: Option<Address>,
}

impl LiveRoutes {
    /// Makes the configured routes ready.
    ///
    /// # Errors
    /// TLS cannot be set up for a route.
    pub fn new(configured: config::Routes, smtp: &Smtp) -> Result<Self, TlsError> {
        let authorities = Authorities::public();
        let make = |id, route: &Route| {
            let tls = Arc::new(ClientTls::new(check(route.tls), authorities.clone())?);
            Ok(Arc::new(LiveRoute::new(RouteId(id), route, smtp, tls)))
        };
        let live = configured.iter().zip(0..).map(|(route, id)| make(id, route));
        let live = live.collect::<Result<_, _>>()?;
        let others = [
            make(u32::MAX - 2, &Route::direct())?,
            make(u32::MAX - 1, &Route::unlisted(RelayProtocol::Smtps))?,
            make(u32::MAX, &Route::unlisted(RelayProtocol::Lmtp))?,
        ];
        Ok(Self { live, configured, others, sink: None })
    }

    /// The same, but for mail to `sink`: it is dropped, as Postfix drops mail to its
    /// `double_bounce_sender`. Nobody reads it, and to return it could go on for ever.
    #[must_use]
    pub fn and_sink(self, sink: Option<Address>) -> Self {
        Self { sink, ..self }
    }

    /// Whether mail to this address is dropped.
    pub(super) fn drop_mail_to(&self, address: &Address) -> bool {
        let same = |sink: &Address| {
            sink.domain() == address.domain()
                && sink.local_part().eq_ignore_ascii_case(address.local_part())
        };
        self.sink.as_ref().is_some_and(same)
    }

    /// The route by which a next hop is reached that a rule names for mail to `domain`, with its
    /// login and its idea of trust: that of the recipient if it leads there, or else the only one
    /// that does. Of several, which may be those of other tenants, none lends its login; nor does
    /// any for a list, whose other hosts its password is not meant for. Otherwise one that offers
    /// TLS and asks for nothing.
    pub(super) fn towards(
        &self,
        domain: &Domain,
        protocol: Protocol,
        first: Hop,
        then: Vec<Hop>,
    ) -> (&Arc<LiveRoute>, Destination) {
        let leads_there = |route: &&Arc<LiveRoute>| match &route.to {
            config::NextHop::Relay(relay) => {
                then.is_empty()
                    && (self::protocol(relay), relay.port) == (protocol, first.port)
                    && host(relay) == first.next_hop
            }
            config::NextHop::Mx | config::NextHop::Discard => false,
        };
        let own = Some(self.find(domain)).filter(leads_there);
        let route = own.or_else(|| only(self.live.iter().filter(leads_there)));
        let route = route.unwrap_or_else(|| self.unlisted(protocol));
        let Hop { next_hop, port } = first;
        (route, Destination { route: route.id, protocol, next_hop, port, then })
    }

    const fn unlisted(&self, protocol: Protocol) -> &Arc<LiveRoute> {
        let [smtp, smtps, lmtp] = &self.others;
        match protocol {
            Protocol::Smtp => smtp,
            Protocol::Smtps => smtps,
            Protocol::Lmtp => lmtp,
        }
    }

    /// Whether no route is there for mail to `domain` but one for all domains, so that the relay of
    /// its sender comes first.
    pub(super) fn is_left_to_relays(&self, domain: &Domain) -> bool {
        self.configured.find(domain).is_for_all(domain)
    }

    /// The route for mail to `domain`.
    pub(super) fn find(&self, domain: &Domain) -> &Arc<LiveRoute> {
        &self.live[self.configured.position(domain)]
    }
}

/// What there is, if there is one.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Surroundings};

    /// Two tenants with logins of their own at `[shared]`, and one at `[single]`.
    fn routes() -> LiveRoutes {
        let route =
            |domain, host| format!("[[route]]\nfor = [\"{domain}\"]\nto = \"smtp://{host}:25\"\n");
        let text = [
            "[[listener]]\nname = \"mx\"\nbind = [\"127.0.0.1:25\"]\nmode = \"mx\"\n".to_owned(),
            route("a.test", "shared.test"),
            route("b.test", "shared.test"),
            route("c.test", "single.test"),
        ];
        let around = Surroundings {
            environment: &[],
            machine_name: Some("gate.test"),
            time_zone: None,
            files: &|_| Err(std::io::ErrorKind::NotFound.into()),
        };
        let path = std::path::Path::new("mailweir.toml");
        let config = Config::parse(path, &text.concat(), &around).unwrap().0;
        LiveRoutes::new(config.routes, &config.smtp).unwrap()
    }

    #[test]
    fn a_next_hop_of_a_rule_is_never_reached_by_another_tenants_login() {
        let routes = routes();
        let by = |recipient: &str, host: &str| {
            let domain = Domain::parse(recipient).unwrap();
            let next_hop = NextHop::fixed(host).unwrap();
            let first = Hop { next_hop, port: 25 };
            routes.towards(&domain, Protocol::Smtp, first, Vec::new()).1.route
        };
        let unlisted = routes.others[0].id;
        for (recipient, host, expected) in [
            ("a.test", "shared.test", RouteId(0)),
            ("b.test", "shared.test", RouteId(1)),
            ("c.test", "shared.test", unlisted),
            ("far.test", "shared.test", unlisted),
            ("a.test", "single.test", RouteId(2)),
            ("a.test", "unknown.test", unlisted),
        ] {
            assert_eq!(by(recipient, host), expected, "{recipient} by {host}");
        }
    }
}
