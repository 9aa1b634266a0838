//! Clients that have waited for a greeting, for some days.
//!
//! They are kept in two generations, so that the oldest can be forgotten without looking at each.

use std::{
    collections::HashSet,
    net::IpAddr,
    time::{Duration, Instant},
};

use mailweir_mail::Network;

use super::rates::network;

/// Clients that have waited lately, and the networks of those that have an IPv6 address.
#[derive(Debug, Default)]
pub(super) struct Greeted {
    young: HashSet<Network>,
    old: HashSet<Network>,
    /// When the young generation began.
    since: Option<Instant>,
}

impl Greeted {
    /// Whether a client has waited within the last days.
    pub(super) fn has(&self, client: IpAddr, now: Instant) -> bool {
        let Some(since) = self.since else { return false };
        let age = now.saturating_duration_since(since);
        let client = key(client);
        age < GENERATION && self.old.contains(&client)
            || age < GENERATION * 2 && self.young.contains(&client)
    }

    /// A client has waited.
    pub(super) fn note(&mut self, client: IpAddr, now: Instant) {
        let age = self.since.map(|since| now.saturating_duration_since(since));
        match age {
            Some(age) if age < GENERATION && self.young.len() < MOST => {}
            Some(age) if age < GENERATION * 2 => {
                self.old = std::mem::take(&mut self.young);
                self.since = Some(now);
            }
            Some(_) | None => *self = Self { since: Some(now), ..Self::default() },
        }
        self.young.insert(key(client));
    }
}

/// An IPv4 address alone; of IPv6, whoever has one address has all of its network.
fn key(client: IpAddr) -> Network {
    match client.to_canonical() {
        address @ IpAddr::V4(_) => Network::host(address),
        address @ IpAddr::V6(_) => network(address),
    }
}

/// A client is remembered for at least this long, and for at most twice as long.
const GENERATION: Duration = Duration::from_secs(4 * 86_400);

/// Of each generation: some 5 megabytes in all if both are full. If there are more, the older are forgotten earlier.
const MOST: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_has_waited_is_known_for_some_days() {
        let (start, mut greeted) = (Instant::now(), Greeted::default());
        assert!(!greeted.has(client("192.0.2.1"), start));
        greeted.note(client("192.0.2.1"), start);
        let days = |days: u64| start + Duration::from_secs(days * 86_400);
        assert!(greeted.has(client("192.0.2.1"), days(7)));
        assert!(greeted.has(client("::ffff:192.0.2.1"), days(7)));
        assert!(!greeted.has(client("192.0.2.2"), days(0)));
        assert!(!greeted.has(client("192.0.2.1"), days(8)));
        // Others that come meanwhile make it no younger.
        greeted.note(client("192.0.2.2"), days(5));
        assert!(greeted.has(client("192.0.2.1"), days(6)));
        assert!(!greeted.has(client("192.0.2.1"), days(9)));
        assert!(greeted.has(client("192.0.2.2"), days(12)));
        greeted.note(client("192.0.2.3"), days(14));
        assert!(!greeted.has(client("192.0.2.2"), days(14)));
    }

    #[test]
    fn of_ipv6_a_network_is_one_client() {
        let (now, mut greeted) = (Instant::now(), Greeted::default());
        greeted.note(client("2001:db8::1"), now);
        assert!(greeted.has(client("2001:db8::ffff:1"), now));
        assert!(!greeted.has(client("2001:db8:0:1::1"), now));
    }

    #[test]
    fn there_are_never_more_than_fit() {
        let (now, mut greeted) = (Instant::now(), Greeted::default());
        for number in 0..120_000_u32 {
            greeted.note(IpAddr::V4(number.into()), now);
        }
        assert!(greeted.young.len() <= MOST && greeted.old.len() <= MOST);
        assert!(greeted.has(IpAddr::V4(119_999.into()), now));
        assert!(!greeted.has(IpAddr::V4(1.into()), now));
    }
}
