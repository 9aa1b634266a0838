//! The verified name of a client: its address leads to a name, and the name back to the address
//! (Postfix `smtpd_peername_lookup`; the `client_name` of its logs and rules).

use std::{net::IpAddr, time::Duration};

use mailweir_mail::Domain;
use tokio::time::timeout;

use crate::egress::resolve::{Reach, Resolver};

/// What name service says of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientName {
    /// Name and address lead to each other.
    Verified(Domain),
    /// The address claims this name, and the name does not lead back.
    Unconfirmed(Domain),
    /// There is none, or it cannot be found out now.
    Unknown,
}

/// Looks a client up. Addresses of private networks have no names that the world agrees on, and
/// are not asked for. Takes a bounded time: nobody's greeting waits longer for a dead name server.
pub(super) async fn look_up(resolver: &dyn Resolver, client: IpAddr) -> ClientName {
    if !Reach::Public.allows(client) {
        return ClientName::Unknown;
    }
    timeout(PATIENCE, verify(resolver, client)).await.unwrap_or(ClientName::Unknown)
}

async fn verify(resolver: &dyn Resolver, client: IpAddr) -> ClientName {
    let answer = resolver.ptr(client).await;
    let Some(name) = answer.records().first().cloned() else { return ClientName::Unknown };
    let leads_back = match client {
        IpAddr::V4(address) => resolver.a(&name).await.records().contains(&address),
        IpAddr::V6(address) => resolver.aaaa(&name).await.records().contains(&address),
    };
    if leads_back { ClientName::Verified(name) } else { ClientName::Unconfirmed(name) }
}

const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::resolve::table::TableResolver;

    const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(8, 8, 4, 4));

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_name_that_leads_back_is_verified() {
        let name = domain("mail.example.net");
        let table = TableResolver::new().ptr(CLIENT, name.clone()).address(name.clone(), CLIENT);
        assert_eq!(look_up(&table, CLIENT).await, ClientName::Verified(name));
    }

    #[tokio::test]
    async fn a_name_that_belongs_to_somebody_else_is_only_a_claim() {
        let name = domain("mail.bank.example");
        let other = IpAddr::V4(std::net::Ipv4Addr::new(8, 8, 8, 8));
        let table = TableResolver::new().ptr(CLIENT, name.clone()).address(name.clone(), other);
        assert_eq!(look_up(&table, CLIENT).await, ClientName::Unconfirmed(name));
    }

    #[tokio::test]
    async fn without_a_record_there_is_no_name() {
        assert_eq!(look_up(&TableResolver::new(), CLIENT).await, ClientName::Unknown);
    }

    #[tokio::test]
    async fn private_addresses_are_not_asked_for() {
        let home = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 1));
        let name = domain("printer.example");
        let table = TableResolver::new().ptr(home, name.clone()).address(name, home);
        assert_eq!(look_up(&table, home).await, ClientName::Unknown);
    }
}
