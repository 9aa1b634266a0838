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
/// `seed` is randomness: it spreads load over hosts of equal preference. Ends within twice the
/// bound of one look-up of the resolver.
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

#[cfg(test)]
mod tests {
    use super::{
        super::{Exchange, Mx, table::TableResolver},
        *,
    };

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn table() -> TableResolver {
        let mx = |preference, host| Mx { preference, exchange: Exchange::Host(domain(host)) };
        TableResolver::new()
            .mx(domain("example.test"), mx(20, "b.test"))
            .mx(domain("example.test"), mx(10, "a.test"))
            .address(domain("a.test"), IpAddr::from([192, 0, 2, 1]))
            .address(domain("b.test"), IpAddr::from([192, 0, 2, 2]))
            .address(domain("example.test"), IpAddr::from([192, 0, 2, 3]))
    }

    async fn addresses(next_hop: NextHop) -> Vec<String> {
        let found =
            tokio::spawn(
                async move { next_hops(&table(), &next_hop, &Policy::default(), 0).await },
            );
        match found.await.unwrap() {
            NextHops::Hosts(hosts) => hosts.iter().map(|c| c.address.to_string()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_domain_is_reached_by_its_exchangers_and_a_host_directly() {
        let by_mx = NextHop::Exchangers(domain("example.test"));
        assert_eq!(addresses(by_mx).await, ["192.0.2.1", "192.0.2.2"]);
        let fixed = NextHop::fixed("example.test").unwrap();
        assert_eq!(addresses(fixed).await, ["192.0.2.3"]);
        let implicit = NextHop::Exchangers(domain("a.test"));
        assert_eq!(addresses(implicit).await, ["192.0.2.1"]);
    }

    #[tokio::test]
    async fn addresses_need_no_look_up() {
        let literal = NextHop::Exchangers(domain("[198.51.100.7]"));
        assert_eq!(addresses(literal).await, ["198.51.100.7"]);
        let written = NextHop::fixed("127.0.0.1").unwrap();
        assert_eq!(addresses(written).await, ["127.0.0.1"]);
    }
}
