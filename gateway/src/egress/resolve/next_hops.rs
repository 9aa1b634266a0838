//! From a destination to candidates: asks a [`Resolver`] what [`mx`] wants to know.
//!
//! One MX look-up and two look-ups per host, at most [`mx::MAX_HOSTS`] hosts: that is the budget
//! of a destination (`attacks.md` G4). The hosts are looked up at the same time, so that one dead
//! name server does not hold up the rest.

use std::net::IpAddr;

use futures_util::future::{join, join_all};
use mailweir_mail::Domain;

use super::{
    NextHops, Reach, Resolver,
    mx::{self, Exchangers, Host, Resolved},
};
use crate::egress::destination::NextHop;

/// What the administrator says about where mail may go.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Who we are, to see when mail would come back to us.
    pub ourselves: Ourselves,
    /// How far mail routed by MX may go.
    pub reach: Reach,
}

impl Policy {
    pub(super) fn is_our_name(&self, name: &Domain) -> bool {
        self.ourselves.names.contains(name)
    }

    pub(super) fn is_our_address(&self, address: IpAddr) -> bool {
        self.ourselves.addresses.iter().any(|own| own.to_canonical() == address.to_canonical())
    }
}

/// The names and addresses under which the world reaches this gateway (Postfix `myhostname`,
/// `inet_interfaces`, `proxy_interfaces`).
#[derive(Clone, Debug, Default)]
pub struct Ourselves {
    /// Host names: `server.hostname` and what else MX records may call us.
    pub names: Vec<Domain>,
    /// Addresses we listen on, and those of a NAT or proxy in front of us.
    pub addresses: Vec<IpAddr>,
}

/// Finds the addresses to try for a next hop, in order.
///
/// `seed` is randomness: it spreads load over hosts of equal preference. Ends within three times
/// the bound of the resolver's look-ups.
pub async fn next_hops(
    resolver: &dyn Resolver,
    next_hop: &NextHop,
    policy: &Policy,
    seed: u64,
) -> NextHops {
    match next_hop {
        NextHop::Address(address) => mx::written(*address),
        NextHop::Host(name) => {
            let host = Host { name: name.clone(), preference: 0 };
            mx::fixed(&look_up(resolver, host).await, seed)
        }
        NextHop::Exchangers(domain) => match domain.literal() {
            Some(address) => mx::literal(domain, address, policy),
            None => by_mx(resolver, domain, policy, seed).await,
        },
    }
}

async fn by_mx(resolver: &dyn Resolver, domain: &Domain, policy: &Policy, seed: u64) -> NextHops {
    let answer = resolver.mx(domain).await;
    let search = match mx::exchangers(domain, &answer, policy, seed) {
        Exchangers::Settled(next_hops) => return next_hops,
        Exchangers::LookUp(search) => search,
    };
    let resolved = join_all(search.hosts.into_iter().map(|host| look_up(resolver, host))).await;
    mx::candidates(domain, search.own_preference, &resolved, policy, seed)
}

async fn look_up(resolver: &dyn Resolver, host: Host) -> Resolved {
    let (a, aaaa) = join(resolver.a(&host.name), resolver.aaaa(&host.name)).await;
    Resolved { host, a, aaaa }
}
