//! The hosts that one delivery has still to try: those of its next hop, and of the next hops that a
//! transport lists after it. The limits on tries count for each of them, as in Postfix.

use std::{collections::VecDeque, net::SocketAddr};

use super::{connection::Target, failover::Failover};

/// The hosts that are still to be tried.
#[derive(Default)]
pub(super) struct Hosts {
    of_hops: VecDeque<(u16, Failover)>,
}

impl Hosts {
    /// Adds those of the next hop that comes after all there are, and its port.
    pub(super) fn push(&mut self, port: u16, failover: Failover) {
        self.of_hops.push_back((port, failover));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.of_hops.is_empty()
    }

    /// Whom to connect to; `None` if the delivery has to be put off.
    pub(super) fn next(&mut self) -> Option<Target> {
        while let Some((port, failover)) = self.of_hops.front_mut() {
            if let Some(candidate) = failover.next_candidate() {
                let address = SocketAddr::new(candidate.address, *port);
                return Some(Target { name: candidate.name, address });
            }
            self.of_hops.pop_front();
        }
        None
    }

    /// The mail was offered to the last of them.
    pub(super) fn offered(&mut self) {
        if let Some((_, failover)) = self.of_hops.front_mut() {
            failover.offered();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            failover::{Failures, Limits},
            resolve::Candidate,
        },
        *,
    };
    use crate::clock;

    fn failover(sessions: usize, addresses: [u8; 3]) -> Failover {
        let candidate = |last| Candidate {
            name: format!("h{last}").into(),
            address: [192, 0, 2, last].into(),
            preference: 0,
        };
        let candidates = addresses.map(candidate).to_vec();
        let limits = Limits { addresses: 3, sessions };
        Failover::new(candidates, 25, &Failures::default(), clock::monotonic(), limits)
    }

    #[test]
    fn the_next_hop_has_its_turn_when_the_sessions_of_the_one_before_are_used_up() {
        let mut hosts = Hosts::default();
        hosts.push(25, failover(2, [1, 2, 3]));
        hosts.push(26, failover(1, [4, 5, 6]));
        let mut tried = Vec::new();
        while let Some(target) = hosts.next() {
            tried.push(target.address.to_string());
            hosts.offered();
        }
        assert_eq!(tried, ["192.0.2.1:25", "192.0.2.2:25", "192.0.2.4:26"]);
    }
}
