//! What mails are grouped by on their way out: the route, the next hop and its port.
//!
//! All recipients of one destination share connections, concurrency and back-off, as Postfix
//! groups them by transport and next hop. Which addresses a destination has is not known here;
//! see [`super::resolve`].

use std::{fmt, net::IpAddr};

use mailweir_mail::Domain;

/// A route and the next hop it leads to.
///
/// Two recipients with equal destinations may travel over one connection: same route (and so the
/// same TLS policy and the same credentials), same protocol, same next hop, same port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The configured route that was chosen.
    pub route: RouteId,
    /// What is spoken there.
    pub protocol: Protocol,
    /// Who is next.
    pub next_hop: NextHop,
    /// The TCP port.
    pub port: u16,
    /// Who is tried next, in this order, where that one takes no mail now (a transport may list
    /// several, Postfix since 3.5).
    pub then: Vec<Hop>,
}

/// One next hop of several.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Who it is.
    pub next_hop: NextHop,
    /// The TCP port.
    pub port: u16,
}

impl Destination {
    /// All next hops, in the order in which they are tried.
    pub fn hops(&self) -> impl Iterator<Item = (&NextHop, u16)> {
        let then = self.then.iter().map(|hop| (&hop.next_hop, hop.port));
        std::iter::once((&self.next_hop, self.port)).chain(then)
    }
}

impl fmt::Display for Destination {
    /// As transport(5) writes a next hop: `example.org` for a domain with MX look-up,
    /// `[mail.example.org]:587` and `[192.0.2.1]` without; the port if it is not the usual one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (next_hop, port)) in self.hops().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{next_hop}")?;
            if port != self.protocol.usual_port() {
                write!(f, ":{port}")?;
            }
        }
        Ok(())
    }
}

/// Which `[[route]]` of the configuration was chosen: its position in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub u32);

/// What is spoken with the next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// SMTP, with STARTTLS where the policy wants it (RFC 5321).
    Smtp,
    /// SMTP inside TLS from the first byte (RFC 8314).
    Smtps,
    /// LMTP: one reply per recipient after the content (RFC 2033).
    Lmtp,
}

impl Protocol {
    /// The port that is meant when none is written.
    #[must_use]
    pub const fn usual_port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Smtps => 465,
            Self::Lmtp => 24,
        }
    }
}

/// Who is next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NextHop {
    /// The mail exchangers of a domain; an address literal stands for itself.
    Exchangers(Domain),
    /// The host that the administrator wrote into the route. No MX look-up.
    Host(Domain),
    /// The address that the administrator wrote into the route.
    Address(IpAddr),
}

impl NextHop {
    /// Reads the host part of a route: a name, an address, or either in square brackets.
    ///
    /// # Errors
    /// Says what is wrong with the name.
    pub fn fixed(host: &str) -> Result<Self, mailweir_mail::AddressError> {
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Address(address));
        }
        if let Some(address) = Domain::parse(host).ok().and_then(|domain| domain.literal()) {
            return Ok(Self::Address(address));
        }
        Domain::parse(bare).map(Self::Host)
    }
}

impl fmt::Display for NextHop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exchangers(domain) => f.write_str(domain.as_ascii()),
            Self::Host(name) => write!(f, "[{}]", name.as_ascii()),
            Self::Address(address) => write!(f, "[{address}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn to(next_hop: NextHop, port: u16) -> Destination {
        let then = Vec::new();
        Destination { route: RouteId(0), protocol: Protocol::Smtp, next_hop, port, then }
    }

    fn exchangers(domain: &str) -> NextHop {
        NextHop::Exchangers(Domain::parse(domain).unwrap())
    }

    #[test]
    fn destinations_are_written_as_transport_tables_write_them() {
        let fixed = |host| NextHop::fixed(host).unwrap();
        for (destination, written) in [
            (to(exchangers("Example.ORG."), 25), "example.org"),
            (to(exchangers("bücher.example"), 2525), "xn--bcher-kva.example:2525"),
            (to(fixed("mail.example.org"), 587), "[mail.example.org]:587"),
            (to(fixed("[mail.example.org]"), 25), "[mail.example.org]"),
            (to(fixed("192.0.2.1"), 25), "[192.0.2.1]"),
            (to(fixed("2001:db8::1"), 24), "[2001:db8::1]:24"),
            (to(fixed("[2001:db8::1]"), 25), "[2001:db8::1]"),
            (to(fixed("[IPv6:2001:db8::1]"), 25), "[2001:db8::1]"),
        ] {
            assert_eq!(destination.to_string(), written);
        }
        let mut several = to(fixed("a.example"), 25);
        several.then.push(Hop { next_hop: exchangers("b.example"), port: 26 });
        assert_eq!(several.to_string(), "[a.example], b.example:26");
    }

    #[test]
    fn the_usual_port_depends_on_the_protocol() {
        let mut destination = to(NextHop::fixed("localhost").unwrap(), 24);
        assert_eq!(destination.to_string(), "[localhost]:24");
        destination.protocol = Protocol::Lmtp;
        assert_eq!(destination.to_string(), "[localhost]");
        destination.protocol = Protocol::Smtps;
        destination.port = 465;
        assert_eq!(destination.to_string(), "[localhost]");
    }

    #[test]
    fn mails_meet_in_one_group_only_if_route_next_hop_and_port_agree() {
        let group = to(exchangers("example.org"), 25);
        let other_route = Destination { route: RouteId(1), ..group.clone() };
        let other_protocol = Destination { protocol: Protocol::Lmtp, ..group.clone() };
        let all = HashSet::from([
            group.clone(),
            to(exchangers("EXAMPLE.org."), 25),
            to(exchangers("example.org"), 26),
            to(NextHop::fixed("example.org").unwrap(), 25),
            other_route,
            other_protocol,
        ]);
        assert_eq!(all.len(), 5);
        assert!(all.contains(&group));
    }

    #[test]
    fn nonsense_in_a_route_is_refused() {
        for bad in ["", "[]", "[mail.example.org", "a b", "-x.example", "mail..example"] {
            assert!(NextHop::fixed(bad).is_err(), "{bad}");
        }
    }
}
