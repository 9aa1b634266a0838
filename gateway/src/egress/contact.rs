//! Getting in touch with a destination: the hosts it has now, and a connection to one of them. What
//! is the same for couriers and for probes.

use std::sync::{Arc, PoisonError};

use mailweir_mail::SessionEvent;
use mailweir_smtp::client::{Cause, Closed, Settings, TlsPolicy};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Egress,
    connection::{Connection, OpenError, Target},
    destination::{Destination, NextHop},
    failover::Failover,
    hosts::Hosts,
    outcome::NoHost,
    resolve::{self, NextHops},
    route::LiveRoute,
};
use crate::clock;

/// A place for one connection among all connections to next hops.
pub(super) struct Room {
    _permit: OwnedSemaphorePermit,
}

/// An open connection, counted among all connections to next hops.
pub(super) struct Held {
    pub(super) connection: Connection,
    _room: Room,
}

impl Held {
    /// Says good-bye, and makes room for another connection.
    pub(super) async fn leave(self) {
        self.connection.quit().await;
    }
}

impl Egress {
    /// The hosts of all next hops. One that has none is passed over if another has some.
    pub(super) async fn hosts(
        &self,
        destination: &Destination,
        route: &LiveRoute,
    ) -> Result<Hosts, NoHost> {
        let mut hosts = Hosts::default();
        let mut none: Option<NoHost> = None;
        for (next_hop, port) in destination.hops() {
            match self.hosts_of(next_hop, port, route).await {
                Ok(failover) => hosts.push(port, failover),
                Err(reason) => {
                    none = Some(match none {
                        Some(said) => said.or(reason),
                        None => reason,
                    });
                }
            }
        }
        match none {
            Some(none) if hosts.is_empty() => Err(none),
            _ => Ok(hosts),
        }
    }

    async fn hosts_of(
        &self,
        next_hop: &NextHop,
        port: u16,
        route: &LiveRoute,
    ) -> Result<Failover, NoHost> {
        let seed = self.seed();
        match resolve::next_hops(&*self.resolver, next_hop, &self.policy, seed).await {
            NextHops::Hosts(candidates) => {
                let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
                let now = clock::monotonic();
                Ok(Failover::new(candidates, port, &failures, now, route.failover_limits()))
            }
            NextHops::Fail { reply } => Err(NoHost::never(reply)),
            NextHops::Defer { reply } => Err(NoHost::not_now(reply)),
        }
    }

    /// Room for one more connection, when there is some: as long as others talk, there may be none.
    pub(super) async fn room(&self) -> Result<Room, NoHost> {
        let permit = Arc::clone(&self.sessions).acquire_owned().await;
        permit.map(|permit| Room { _permit: permit }).map_err(|_| NoHost::no_address())
    }

    /// Connects to a host as the route says.
    pub(super) async fn connect(
        &self,
        room: Room,
        target: &Target,
        route: &LiveRoute,
    ) -> Result<Held, NoHost> {
        let mut outcome = open(target, route, Arc::clone(&route.client)).await;
        if let Err(OpenError::Refused(Closed::RetryInClear { reply })) = &outcome {
            self.warn(format!("{target}: {reply}; trying without TLS"));
            let clear = Settings { tls: TlsPolicy::None, ..(*route.client).clone() };
            outcome = open(target, route, Arc::new(clear)).await;
        }
        let error = match outcome {
            Ok(connection) => {
                self.reached(target, true);
                self.log_tls(&connection);
                return Ok(Held { connection, _room: room });
            }
            Err(error) => error,
        };
        Err(match error {
            OpenError::Unreachable(error) => {
                self.reached(target, false);
                NoHost::unreachable(target, &error, self)
            }
            OpenError::Refused(closed) => {
                // Who takes a connection and says nothing is as bad as who takes none.
                if let Closed::Faulty { cause: Cause::Broken(_), .. } = &closed {
                    self.reached(target, false);
                }
                NoHost::refused(target, &closed)
            }
        })
    }

    fn log_tls(&self, connection: &Connection) {
        let Some((trust, summary)) = connection.security() else { return };
        self.observer.session(&SessionEvent::TlsAgreed {
            peer: connection.relay().into(),
            inbound: false,
            trust: trust.as_str(),
            summary: summary.clone(),
        });
    }
}

async fn open(
    target: &Target,
    route: &LiveRoute,
    settings: Arc<Settings>,
) -> Result<Connection, OpenError> {
    Connection::open(target, settings, Arc::clone(&route.tls)).await
}
