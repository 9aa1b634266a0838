//! By which names the admin listener may be called (`attacks.md` G5).
//!
//! A web page of an attacker can make a browser ask us under the attacker's own name, which it has
//! pointed at our address (DNS rebinding). Such a request carries that name in `Host`: only names
//! known to be ours are answered. IP addresses are always answered, since no name can rebind them
//! and health probes use them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The names that are ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    names: Vec<Box<str>>,
}

impl AllowedHosts {
    /// The loopback names and IP addresses, and the host of `[admin] public_url`, such as
    /// `https://gate.example.org/`.
    #[must_use]
    pub fn new(public_url: Option<&str>) -> Self {
        let host = |url: &str| {
            let (_, rest) = url.split_once("://")?;
            let authority = rest.split(['/', '?', '#']).next()?;
            host_of(authority).map(|host| host.to_ascii_lowercase().into())
        };
        Self { names: public_url.and_then(host).into_iter().collect() }
    }

    /// Whether `authority` is that of `[admin] public_url`. The port does not matter.
    pub(crate) fn is_public(&self, authority: &str) -> bool {
        let host = host_of(authority);
        host.is_some_and(|host| self.names.iter().any(|name| host.eq_ignore_ascii_case(name)))
    }

    /// Whether `authority`, the value of a `Host` header, names us. The port does not matter.
    #[must_use]
    pub fn allow(&self, authority: &str) -> bool {
        let Some(host) = host_of(authority) else { return false };
        host.parse::<Ipv4Addr>().is_ok()
            || in_brackets(host).is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok())
            || host.eq_ignore_ascii_case("localhost")
            || self.is_public(authority)
    }
}

/// The host without port and trailing dot.
fn host_of(authority: &str) -> Option<&str> {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            port.bytes().all(|byte| byte.is_ascii_digit()).then_some(host)?
        }
        _ => authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty() && !host.contains('@')).then_some(host)
}

fn in_brackets(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_addresses_and_the_public_name_are_ours() {
        let hosts = AllowedHosts::new(Some("https://Gate.example.org:8443/admin?x"));
        for ours in [
            "localhost",
            "LOCALHOST:8025",
            "localhost.",
            "127.0.0.1:8025",
            "192.0.2.1",
            "[::1]",
            "[::1]:8025",
            "gate.example.org",
            "GATE.example.org.:8443",
        ] {
            assert!(hosts.allow(ours), "{ours}");
        }
    }

    #[test]
    fn any_other_name_is_not() {
        let hosts = AllowedHosts::new(Some("https://gate.example.org"));
        for foreign in [
            "",
            "attacker.example",
            "localhost.attacker.example",
            "gate.example.org.attacker.example",
            "127.0.0.1.attacker.example",
            "localhost@attacker.example",
            "localhost:80:attacker",
            "[::1",
            "::1",
            ":8025",
        ] {
            assert!(!hosts.allow(foreign), "{foreign}");
        }
        assert!(!AllowedHosts::new(None).allow("gate.example.org"));
        assert_eq!(AllowedHosts::new(Some("nonsense")), AllowedHosts::default());
    }
}
