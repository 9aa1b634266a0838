//! How many mails of a network or a domain were handed in within an hour.

use std::{net::IpAddr, num::NonZeroU32, time::Instant};

use mailweir_auth::{Allowances, Quota, Quotas};
use mailweir_mail::Network;

/// So many mails of somebody in an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    whose: Whose,
    most: NonZeroU32,
}

/// Whose mails are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whose {
    Network(Network),
    /// Those that the domain vouches for, or all others.
    Domain {
        name: Box<str>,
        is_vouched_for: bool,
    },
}

/// A rate that a mail would exceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// Whose.
    pub(crate) whose: Box<str>,
    /// How many there may be in an hour.
    pub(crate) most: NonZeroU32,
}

/// What was counted within the last hour.
#[derive(Debug)]
pub(super) struct Rates(Allowances);

impl Rate {
    /// Of the network of a client.
    pub(crate) fn of_network(client: IpAddr, most: NonZeroU32) -> Self {
        Self { whose: Whose::Network(network(client)), most }
    }

    /// Of the domain of a sender.
    pub(crate) fn of_domain(name: &str, vouched_for: bool, most: NonZeroU32) -> Self {
        let name = name.to_ascii_lowercase().into();
        Self { whose: Whose::Domain { name, is_vouched_for: vouched_for }, most }
    }

    /// What it is counted under. A domain has neither blank nor slash.
    fn key(&self) -> String {
        match &self.whose {
            Whose::Network(network) => network.to_string(),
            Whose::Domain { name, is_vouched_for: true } => format!("{name} itself"),
            Whose::Domain { name, is_vouched_for: false } => name.to_string(),
        }
    }

    fn quotas(&self) -> Quotas {
        let messages_per_hour = Quota { soft: None, hard: Some(self.most) };
        Quotas { messages_per_hour, ..Quotas::default() }
    }

    fn excess(&self) -> Excess {
        let whose = match &self.whose {
            Whose::Network(network) => network.to_string().into(),
            Whose::Domain { name, .. } => name.clone(),
        };
        Excess { whose, most: self.most }
    }
}

impl Rates {
    pub(super) fn new(now: Instant) -> Self {
        Self(Allowances::new(now))
    }

    pub(super) fn check(&self, rates: &[Rate], now: Instant) -> Result<(), Excess> {
        for rate in rates {
            let checked = self.0.check(&rate.key(), &rate.quotas(), 0, now);
            checked.map_err(|_| rate.excess())?;
        }
        Ok(())
    }

    pub(super) fn count(&mut self, rates: &[Rate], now: Instant) -> Result<(), Excess> {
        self.check(rates, now)?;
        for rate in rates {
            let counted = self.0.spend(&rate.key(), &rate.quotas(), 0, now);
            counted.map_err(|_| rate.excess())?;
        }
        Ok(())
    }
}

/// The network that a client is in, as greylists have it: what one customer of a provider has at most, or a few.
pub(super) fn network(client: IpAddr) -> Network {
    let client = client.to_canonical();
    let prefix = if client.is_ipv4() { 24 } else { 64 };
    // Both are shorter than the address.
    Network::around(client, prefix).unwrap_or_else(|_| Network::host(client))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

    fn client(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_has_so_many_mails_of_a_network_and_no_more() {
        let start = Instant::now();
        let mut rates = Rates::new(start);
        let of = |text| [Rate::of_network(client(text), TWO)];
        assert!(rates.count(&of("192.0.2.1"), start).is_ok());
        assert!(rates.count(&of("192.0.2.200"), start).is_ok());
        let excess = Excess { whose: "192.0.2.0/24".into(), most: TWO };
        assert_eq!(rates.check(&of("192.0.2.7"), start), Err(excess.clone()));
        assert_eq!(rates.count(&of("192.0.2.7"), start), Err(excess));
        assert!(rates.count(&of("192.0.3.1"), start).is_ok());
        assert!(rates.count(&of("2001:db8::1"), start).is_ok());
        let later = start + Duration::from_secs(3_700);
        assert!(rates.count(&of("192.0.2.7"), later).is_ok());
    }

    #[test]
    fn what_a_forger_sends_is_not_counted_as_the_domain_s_own() {
        let start = Instant::now();
        let mut rates = Rates::new(start);
        let forged = [Rate::of_domain("A.test", false, TWO)];
        let own = [Rate::of_domain("a.TEST", true, TWO)];
        for _ in 0..2 {
            assert!(rates.count(&forged, start).is_ok());
        }
        assert_eq!(rates.count(&forged, start).unwrap_err().whose, "a.test".into());
        assert!(rates.count(&own, start).is_ok());
    }

    #[test]
    fn a_mail_that_one_rate_forbids_counts_for_none() {
        let start = Instant::now();
        let mut rates = Rates::new(start);
        let domain = |name| Rate::of_domain(name, true, TWO);
        let network = Rate::of_network(client("192.0.2.1"), TWO);
        for _ in 0..2 {
            assert!(rates.count(&[domain("a.test")], start).is_ok());
        }
        for _ in 0..9 {
            assert!(rates.count(&[network.clone(), domain("a.test")], start).is_err());
        }
        assert!(rates.count(&[network, domain("b.test")], start).is_ok());
    }
}
