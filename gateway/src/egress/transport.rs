//! What a `transport:next hop` of a rule means: a host to connect to, or an end.
//!
//! Pure. Names are those of Postfix's master.cf: `smtp`, `relay`, `lmtp`, `discard`, `error`,
//! `retry`. A name that is none of these is one that an administrator gave to an SMTP client, such
//! as `scan` or `smtp-amavis`: it is that if a host stands behind it.

use std::net::{IpAddr, Ipv4Addr};

use mailweir_mail::{Domain, Enhanced, Reply, Transport};

use super::destination::{NextHop, Protocol};

/// Where a recipient's mail goes by a transport.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Where its route leads.
    Route,
    /// To this host.
    Hop {
        /// What is spoken there.
        protocol: Protocol,
        /// Who it is.
        next_hop: NextHop,
        /// The TCP port.
        port: u16,
    },
    /// No further.
    End(End),
}

/// What becomes of mail that goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Dropped as if delivered.
    Discarded(Reply),
    /// Returned to its sender.
    Failed(Reply),
    /// Kept for later.
    Deferred(Reply),
}

/// What `transport` means for a recipient at `domain` (transport(5); FILTER in header_checks(5)).
pub(super) fn interpret(transport: &Transport, domain: &Domain) -> Way {
    let next_hop = transport.next_hop().trim();
    let hop = match transport.name() {
        "" if next_hop.is_empty() => return Way::Route,
        "discard" => return Way::End(End::Discarded(discarded())),
        "error" => return Way::End(End::Failed(said(550, Enhanced(5, 0, 0), or_else(next_hop)))),
        "retry" => return Way::End(End::Deferred(said(450, Enhanced(4, 0, 0), or_else(next_hop)))),
        "smtp" | "relay" if next_hop.is_empty() => Some(exchangers(domain.clone())),
        "smtps" => hop(Protocol::Smtps, next_hop),
        "lmtp" => hop(Protocol::Lmtp, next_hop.strip_prefix("inet:").unwrap_or(next_hop)),
        _ => hop(Protocol::Smtp, next_hop),
    };
    hop.unwrap_or_else(|| {
        let text = format!("mail transport {transport} is unknown here; name a host and a port");
        Way::End(End::Deferred(Reply::with_text(451, Enhanced(4, 3, 5), text)))
    })
}

pub(super) fn discarded() -> Reply {
    Reply::new(250, Enhanced(2, 0, 0), "discarded by route")
}

const fn exchangers(domain: Domain) -> Way {
    let protocol = Protocol::Smtp;
    Way::Hop { protocol, next_hop: NextHop::Exchangers(domain), port: protocol.usual_port() }
}

/// `[host]`, `host`, either with `:port`. Only what has no brackets is looked up by MX; this
/// machine is not looked up at all.
fn hop(protocol: Protocol, text: &str) -> Option<Way> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.contains(']') => {
            (host, port.parse().ok().filter(|&port| port != 0)?)
        }
        _ => (text, protocol.usual_port()),
    };
    let next_hop = if host.eq_ignore_ascii_case("localhost") {
        NextHop::Address(IpAddr::V4(Ipv4Addr::LOCALHOST))
    } else if host.starts_with('[') || protocol == Protocol::Lmtp {
        NextHop::fixed(host).ok()?
    } else if let Ok(address) = host.parse() {
        NextHop::Address(address)
    } else {
        NextHop::Exchangers(Domain::parse(host).ok()?)
    };
    Some(Way::Hop { protocol, next_hop, port })
}

/// What `error:` says that says nothing (`transport.c`).
const fn or_else(text: &str) -> &str {
    if text.is_empty() { "Address is undeliverable" } else { text }
}

/// The text of `error:` and `retry:`, which may begin with an enhanced status code of that class.
fn said(code: u16, general: Enhanced, text: &str) -> Reply {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first.parse::<Enhanced>() {
        Ok(enhanced) if enhanced.0 == general.0 => {
            Reply::with_text(code, enhanced, rest.to_owned())
        }
        _ => Reply::with_text(code, general, text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(text: &str) -> Way {
        let domain = Domain::parse("b.example").unwrap();
        interpret(&Transport::parse(text).unwrap(), &domain)
    }

    fn to(protocol: Protocol, next_hop: &str, port: u16) -> Way {
        let next_hop = match next_hop.strip_prefix("mx ") {
            Some(domain) => NextHop::Exchangers(Domain::parse(domain).unwrap()),
            None => NextHop::fixed(next_hop).unwrap(),
        };
        Way::Hop { protocol, next_hop, port }
    }

    #[test]
    fn next_hops_are_read_as_transport_tables_write_them() {
        use Protocol::{Lmtp, Smtp, Smtps};
        for (text, expected) in [
            (":", Way::Route),
            ("smtp:", to(Smtp, "mx b.example", 25)),
            ("relay:[relay.example]", to(Smtp, "[relay.example]", 25)),
            ("smtp:[192.0.2.1]:10025", to(Smtp, "192.0.2.1", 10025)),
            ("smtp:[2001:db8::1]:10025", to(Smtp, "2001:db8::1", 10025)),
            ("smtp:[2001:db8::1]", to(Smtp, "2001:db8::1", 25)),
            ("smtp:other.example:587", to(Smtp, "mx other.example", 587)),
            (":[relay.example]", to(Smtp, "[relay.example]", 25)),
            ("smtps:[relay.example]", to(Smtps, "[relay.example]", 465)),
            ("lmtp:inet:store.example:24", to(Lmtp, "store.example", 24)),
            ("lmtp:[store.example]", to(Lmtp, "[store.example]", 24)),
            ("scan:localhost:10025", to(Smtp, "127.0.0.1", 10025)),
            ("smtp-amavis:[127.0.0.1]:10024", to(Smtp, "127.0.0.1", 10024)),
        ] {
            assert_eq!(way(text), expected, "{text}");
        }
    }

    #[test]
    fn what_ends_here_says_why() {
        assert_eq!(way("discard:silently"), Way::End(End::Discarded(discarded())));
        for (text, code, enhanced, words) in [
            ("error:5.1.1 no such user", 550, Enhanced(5, 1, 1), "no such user"),
            ("error:we do not serve them", 550, Enhanced(5, 0, 0), "we do not serve them"),
            ("error:4.0.0 odd", 550, Enhanced(5, 0, 0), "4.0.0 odd"),
            ("error:", 550, Enhanced(5, 0, 0), "Address is undeliverable"),
        ] {
            let reply = Reply::with_text(code, enhanced, words.to_owned());
            assert_eq!(way(text), Way::End(End::Failed(reply)), "{text}");
        }
        let later = Reply::with_text(450, Enhanced(4, 2, 0), "come back".to_owned());
        assert_eq!(way("retry:4.2.0 come back"), Way::End(End::Deferred(later)));
    }

    #[test]
    fn what_cannot_be_used_waits_and_says_so() {
        for text in ["virtual:", "dovecot:", "lmtp:unix:/run/lmtp", "smtp:a b", "smtp:[x]:0"] {
            let Way::End(End::Deferred(reply)) = way(text) else { panic!("{text}") };
            assert_eq!(reply.enhanced_or_general(), Enhanced(4, 3, 5), "{text}");
        }
    }
}
