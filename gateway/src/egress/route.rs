//! A `[[route]]` at work: its settings in the forms that connections need.

use std::{sync::Arc, time::Duration};

use mailweir_external::slip;
use mailweir_filters::course::{Arrival, Course, Next};
use mailweir_mail::{Address, Domain, Envelope, Origin, Recipient, Transport};
use mailweir_smtp::client::{Credentials, Dialect, Settings, Timeouts, TlsPolicy};
use mailweir_tables::keys::Extensions;

use super::{
    by_tables::Chosen,
    concurrency,
    connection::Connection,
    destination::{Destination, Hop, NextHop, Protocol, RouteId},
    failover,
    programs::Program,
    replies,
    reporter::is_own,
    transport::End,
};
use crate::{
    app::served,
    archiving,
    config::{
        self, AuthExposure, Config, ConnectionReuse, Filter, FilterKind, Host, IfFailed, Relay,
        RelayProtocol, Route, RouteTls, Smtp, SmtpFilter,
    },
    ingress::relay::ServedDomains,
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
    /// Whether who is there is told by XFORWARD where a mail came from.
    pub(super) xforward: bool,
    /// The filter of other people that it leads to; absent: it leads to where mail goes.
    pub(super) filter: Option<Through>,
}

/// A filter of other people, as the courier needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Through {
    /// Its name.
    pub(super) name: Box<str>,
    /// What becomes of mail when it fails.
    pub(super) if_failed: IfFailed,
}

impl Through {
    pub(super) fn of(filter: &Filter) -> Self {
        Self { name: filter.name.clone(), if_failed: filter.if_failed }
    }
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
            xforward: route.xforward,
            filter: None,
        }
    }

    /// A route to a filter of other people.
    fn through(self, filter: &Filter) -> Self {
        let timeouts = Timeouts { data_done: filter.time_limit, ..self.client.timeouts };
        Self {
            client: Arc::new(Settings { timeouts, ..(*self.client).clone() }),
            filter: Some(Through::of(filter)),
            ..self
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

pub(super) fn settings(route: &Route, smtp: &Smtp) -> Settings {
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

/// How mail comes in, as far as it says which filters are ahead of it.
struct Arrivals {
    listeners: Vec<config::Listener>,
    served: ServedDomains,
}

impl Arrivals {
    /// Whether a mail comes from a network of ours.
    fn trust(&self, origin: &Origin) -> bool {
        let came_in = self.listeners.iter().find(|listener| *listener.name == *origin.listener);
        came_in.is_some_and(|listener| listener.trusts(origin.client.ip()))
    }
}

/// Whether it is a filter of other people that an action has named.
fn names_first(transport: &Transport, envelope: &Envelope) -> bool {
    envelope.ahead.first().is_some_and(|first| **first == *transport.name())
}

/// The way to a filter of other people.
pub(super) enum ToFilter<'r> {
    /// A server.
    Server(&'r Arc<LiveRoute>, Destination),
    /// A program.
    Program(&'r Arc<Program>),
}

/// All routes at work, in the order of the file.
pub struct LiveRoutes {
    configured: config::Routes,
    live: Vec<Arc<LiveRoute>>,
    /// For next hops that rules name and no route leads to: by SMTP, by SMTP inside TLS, by LMTP.
    others: [Arc<LiveRoute>; 3],
    /// Mail to this address goes nowhere.
    sink: Option<Address>,
    /// The filters of other people that are servers, each with the route to it.
    servers: Vec<Arc<LiveRoute>>,
    /// Those that are programs.
    programs: Vec<Arc<Program>>,
    /// Which mail passes them.
    course: Course,
    /// Absent without filters.
    arrivals: Option<Arrivals>,
    /// What the slips of mail are sealed with that goes there.
    slips: Option<slip::Key>,
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
        Ok(Self {
            live,
            configured,
            others,
            sink: None,
            servers: Vec::new(),
            programs: Vec::new(),
            course: Course::default(),
            arrivals: None,
            slips: None,
        })
    }

    /// The same, but for mail to `sink`: it is dropped, as Postfix drops mail to its
    /// `double_bounce_sender`. Nobody reads it, and to return it could go on for ever.
    #[must_use]
    pub fn and_sink(self, sink: Option<Address>) -> Self {
        Self { sink, ..self }
    }

    /// The same, with the filters of other people before it. `slips`: what is told of mail that goes there is sealed
    /// with this.
    ///
    /// # Errors
    /// TLS cannot be set up for one.
    pub fn behind(mut self, config: &Config, slips: slip::Key) -> Result<Self, TlsError> {
        let Config { filters, smtp, rewriting, .. } = config;
        let delimiter = rewriting.recipient_delimiter.as_deref().unwrap_or_default();
        let extensions = Extensions::new(delimiter);
        for (filter, id) in filters.all.iter().zip(FIRST_FILTER..) {
            match &filter.kind {
                FilterKind::Smtp(server) => self.servers.push(to_server(id, filter, server, smtp)?),
                FilterKind::Pipe(settings) => {
                    let program = Program::new(filter, settings, extensions.clone());
                    self.programs.push(Arc::new(program));
                }
                FilterKind::Proxy(_) | FilterKind::Scan(_) | FilterKind::Milter(_) => {}
            }
        }
        let arrivals = Arrivals { listeners: config.listeners.clone(), served: served(config) };
        self.course = filters.course.clone();
        Ok(Self { arrivals: Some(arrivals), slips: Some(slips), ..self })
    }

    /// The same, in the place of those of before.
    pub(super) fn in_place_of(mut self, before: &Self) -> Self {
        for program in &mut self.programs {
            let same = before.program(&program.through.name);
            if let (Some(program), Some(same)) = (Arc::get_mut(program), same) {
                program.share_room(same);
            }
        }
        self
    }

    /// The filter of this name that is a program.
    pub(super) fn program(&self, name: &str) -> Option<&Arc<Program>> {
        self.programs.iter().find(|it| *it.through.name == *name)
    }

    /// The filter that a recipient's copy of a mail goes through now: the one that an action FILTER names, or the first that
    /// is ahead.
    pub(super) fn filter_for(&self, envelope: &Envelope, recipient: &Recipient) -> Option<Chosen> {
        if let Some(transport) = &envelope.filter {
            return if self.to_filter(transport.name()).is_some() {
                Some(Chosen::Filter(transport.clone()))
            } else if names_first(transport, envelope) {
                Some(Chosen::End(End::Deferred(replies::no_filter(transport.name()))))
            } else {
                None
            };
        }
        match self.course.next(&envelope.ahead, recipient) {
            Next::Onward => None,
            Next::Filter(name) => Some(Chosen::Filter(Transport::named(name))),
            Next::Gone(name) => Some(Chosen::End(End::Deferred(replies::no_filter(name)))),
        }
    }

    /// The filters that are ahead of a mail behind one of them.
    pub(super) fn ahead_behind(&self, through: &Through, envelope: &Envelope) -> Vec<Box<str>> {
        self.course.behind(&through.name, &envelope.ahead)
    }

    /// The envelope of a mail whose way is judged by the filters of now; `None`: it stays as it is. Our own mail passes none.
    pub(super) fn judge_anew(&self, envelope: &Envelope, origin: &Origin) -> Option<Envelope> {
        if is_own(origin) {
            let straight = Envelope { filter: None, ahead: Vec::new(), ..envelope.clone() };
            return (straight != *envelope).then_some(straight);
        }
        let arrivals = self.arrivals.as_ref();
        let is_ours = origin.login.is_some() || arrivals.is_some_and(|it| it.trust(origin));
        let served = arrivals.map(|it| &it.served).cloned().unwrap_or_default();
        let arrival = Arrival {
            listener: &origin.listener,
            direction: archiving::direction(envelope, is_ours, &served),
            sender: &envelope.sender,
        };
        let behind = envelope.behind.as_deref();
        let ahead = self.course.anew(&arrival, behind, &envelope.ahead);
        let is_there =
            |it: &&Transport| !names_first(it, envelope) || self.to_filter(it.name()).is_some();
        let action = envelope.filter.as_ref().filter(is_there).cloned();
        let (filter, ahead) = self.course.directed(action, behind, ahead);
        let anew = Envelope { filter, ahead, ..envelope.clone() };
        (anew != *envelope).then_some(anew)
    }

    /// The listener where a filter hands mail back.
    pub(super) fn hands_back_to(&self, through: &Through) -> Option<&str> {
        self.course.hands_back_to(&through.name)
    }

    /// What slips are sealed with.
    pub(super) const fn slips(&self) -> Option<&slip::Key> {
        self.slips.as_ref()
    }

    /// The way to a filter.
    pub(super) fn to_filter(&self, name: &str) -> Option<ToFilter<'_>> {
        if let Some(program) = self.program(name) {
            return Some(ToFilter::Program(program));
        }
        let is_it =
            |route: &&Arc<LiveRoute>| route.filter.as_ref().is_some_and(|it| *it.name == *name);
        let route = self.servers.iter().find(is_it)?;
        let config::NextHop::Relay(relay) = &route.to else { return None };
        let (protocol, next_hop, port) = (protocol(relay), host(relay), relay.port);
        let destination =
            Destination { route: route.id, protocol, next_hop, port, then: Vec::new() };
        Some(ToFilter::Server(route, destination))
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

fn to_server(
    id: u32,
    filter: &Filter,
    SmtpFilter { to, xforward }: &SmtpFilter,
    smtp: &Smtp,
) -> Result<Arc<LiveRoute>, TlsError> {
    let route = Route {
        to: config::NextHop::Relay(to.clone()),
        destination_concurrency_limit: filter.concurrency_limit,
        destination_recipient_limit: filter.recipient_limit,
        xforward: *xforward,
        ..Route::direct()
    };
    let tls = Arc::new(ClientTls::new(check(route.tls), Authorities::public())?);
    let live = LiveRoute::new(RouteId(id), &route, smtp, tls);
    Ok(Arc::new(live.through(filter)))
}

/// The number of the route to the first filter, above those of all routes of the file.
const FIRST_FILTER: u32 = 1 << 30;

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
