//! How many sessions there may be: in all, and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Counts the sessions of the whole gateway.
#[derive(Debug)]
pub struct Permits {
    /// Postfix `default_process_limit`, with sessions for processes.
    most: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_client: HashMap<IpAddr, usize>,
}

impl Permits {
    /// Permits for `most` sessions in all.
    #[must_use]
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// Counts a session in; `per_client` is how many its address may have (Postfix
    /// `smtpd_client_connection_count_limit`), 0 for any number. It is counted out when the permit
    /// is dropped, also if it says that there are too many.
    #[must_use]
    pub fn admit(self: &Arc<Self>, client: IpAddr, per_client: usize) -> Permit {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total += 1;
        let of_client = open.by_client.entry(client).or_default();
        *of_client += 1;
        let crowd = if per_client > 0 && *of_client > per_client {
            Crowd::FromOneClient
        } else if open.total > self.most {
            Crowd::InAll
        } else {
            Crowd::None
        };
        Permit { permits: Arc::clone(self), client, crowd }
    }

    /// How many sessions are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

/// A counted session.
#[derive(Debug)]
pub struct Permit {
    permits: Arc<Permits>,
    client: IpAddr,
    crowd: Crowd,
}

impl Permit {
    /// Whether this session is one too many.
    #[must_use]
    pub const fn crowd(&self) -> Crowd {
        self.crowd
    }

    /// Whether at most half of all sessions are open, this one among them.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.permits.open() <= self.permits.most / 2
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.permits.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total = open.total.saturating_sub(1);
        if let Some(count) = open.by_client.get_mut(&self.client) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_client.remove(&self.client);
            }
        }
    }
}

/// Of what there are too many, if of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// All is well.
    None,
    /// Sessions from this client.
    FromOneClient,
    /// Sessions in all.
    InAll,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_client_over_its_limit_is_told_and_others_are_not() {
        let permits = Permits::new(10);
        let first = permits.admit(ONE, 1);
        assert_eq!(permits.admit(ONE, 1).crowd(), Crowd::FromOneClient);
        assert_eq!(permits.admit(TWO, 1).crowd(), Crowd::None);
        assert_eq!(permits.admit(ONE, 0).crowd(), Crowd::None, "trusted networks are exempt");
        drop(first);
        assert_eq!(permits.admit(ONE, 1).crowd(), Crowd::None);
    }

    #[test]
    fn it_is_calm_until_half_of_all_sessions_are_open() {
        let permits = Permits::new(4);
        let (first, second) = (permits.admit(ONE, 0), permits.admit(ONE, 0));
        assert!(first.is_calm());
        let third = permits.admit(TWO, 0);
        assert!(!third.is_calm() && !first.is_calm());
        drop(second);
        assert!(third.is_calm());
    }

    #[test]
    fn the_total_is_bounded_and_counted_down() {
        let permits = Permits::new(1);
        let first = permits.admit(ONE, 1);
        assert_eq!(permits.admit(TWO, 1).crowd(), Crowd::InAll);
        drop(first);
        assert_eq!(permits.open(), 0);
        assert!(permits.open.lock().unwrap().by_client.is_empty());
    }
}
