//! The verified name of a client: its address leads to a name, and the name back to the address
//! (Postfix `smtpd_peername_lookup`; the `client_name` of its logs and rules).

use std::{net::IpAddr, time::Duration};

use mailweir_filters::restrictions::HostName;
use mailweir_mail::Domain;
use tokio::time::timeout;

use crate::egress::resolve::{Answer, Reach, Resolver};

/// What name service says of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum ClientName {
    /// Name and address lead to each other.
    Verified(Domain),
    /// The address claims this name, and the name does not lead back.
    Unconfirmed(Domain),
    /// The address claims this name, and whether it leads back cannot be found out now.
    Unclear(Domain),
    /// There is none.
    #[default]
    Unknown,
    /// Whether there is one cannot be found out now.
    Unanswered,
}

impl ClientName {
    /// The name that the address leads to, verified or not (`reverse_client_hostname`).
    pub(super) fn reverse(&self) -> HostName<'_> {
        match self {
            Self::Verified(name) | Self::Unconfirmed(name) | Self::Unclear(name) => {
                HostName::Known(name.as_ascii())
            }
            Self::Unknown => HostName::Unknown,
            Self::Unanswered => HostName::Unclear,
        }
    }

    /// The name that leads back to the address.
    pub(super) fn verified(&self) -> HostName<'_> {
        match self {
            Self::Verified(name) => HostName::Known(name.as_ascii()),
            Self::Unconfirmed(_) | Self::Unknown => HostName::Unknown,
            Self::Unclear(_) | Self::Unanswered => HostName::Unclear,
        }
    }
}

/// Looks a client up. Addresses of private networks have no names that the world agrees on, and
/// are not asked for. Takes a bounded time: nobody's greeting waits longer for a dead name server.
pub(super) async fn look_up(resolver: &dyn Resolver, client: IpAddr) -> ClientName {
    if !Reach::Public.allows(client) {
        return ClientName::Unknown;
    }
    timeout(PATIENCE, verify(resolver, client)).await.unwrap_or(ClientName::Unanswered)
}

async fn verify(resolver: &dyn Resolver, client: IpAddr) -> ClientName {
    let name = match resolver.ptr(client).await {
        Answer::Found(names) => names.into_iter().next(),
        Answer::NoSuchDomain | Answer::NoRecords => None,
        Answer::Temporary(_) => return ClientName::Unanswered,
    };
    let Some(name) = name else { return ClientName::Unknown };
    let leads_back = match client {
        IpAddr::V4(address) => is_among(&address, resolver.a(&name).await),
        IpAddr::V6(address) => is_among(&address, resolver.aaaa(&name).await),
    };
    match leads_back {
        Some(true) => ClientName::Verified(name),
        Some(false) => ClientName::Unconfirmed(name),
        None => ClientName::Unclear(name),
    }
}

/// `None`: it cannot be told now.
fn is_among<T: PartialEq>(address: &T, answer: Answer<T>) -> Option<bool> {
    match answer {
        Answer::Found(addresses) => Some(addresses.contains(address)),
        Answer::NoSuchDomain | Answer::NoRecords => Some(false),
        Answer::Temporary(_) => None,
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::resolve::{Trouble, table::TableResolver};

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
    async fn trouble_is_told_apart_from_no_name() {
        let name = domain("mail.example.net");
        let table = TableResolver::new().ptr(CLIENT, name.clone());
        let table = table.trouble(name.clone(), Trouble::ServerFailure);
        let found = look_up(&table, CLIENT).await;
        assert_eq!(found.verified(), HostName::Unclear);
        assert_eq!(found.reverse(), HostName::Known("mail.example.net"));
        assert_eq!(ClientName::Unanswered.reverse(), HostName::Unclear);
        assert_eq!(ClientName::Unconfirmed(name).verified(), HostName::Unknown);
    }

    #[tokio::test]
    async fn private_addresses_are_not_asked_for() {
        let home = IpAddr::V4(std::net::Ipv4Addr::new(192, 168, 1, 1));
        let name = domain("printer.example");
        let table = TableResolver::new().ptr(home, name.clone()).address(name, home);
        assert_eq!(look_up(&table, home).await, ClientName::Unknown);
    }
}
