//! What a `transport:next hop` of a rule means for deliveries: hosts to connect to, or an end.
//!
//! Pure. How it is read stands in [`Delivery`].

use mailweir_filters::rewriting::{self, Delivery, NextHost};
use mailweir_mail::{Domain, Reply, Transport};

use super::{
    destination::{Hop, NextHop, Protocol},
    replies,
};

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
        first: Hop,
        /// Who is tried next, one after the other.
        then: Vec<Hop>,
    },
    /// No further.
    End(End),
}

/// What becomes of mail that goes no further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Dropped as if delivered.
    Discarded(Reply),
    /// Dropped, and nobody hears of it.
    Unread(Reply),
    /// Returned to its sender.
    Failed(Reply),
    /// Kept for later.
    Deferred(Reply),
}

/// What `transport` means for a recipient at `domain`.
pub(super) fn interpret(transport: &Transport, domain: &Domain) -> Way {
    let delivery = match Delivery::of(transport, domain) {
        Ok(delivery) => delivery,
        Err(error) => return Way::End(End::Deferred(replies::unusable(transport, &error))),
    };
    match delivery {
        Delivery::Usual => Way::Route,
        Delivery::Smtp(hops) => to(Protocol::Smtp, hops),
        Delivery::Smtps(hops) => to(Protocol::Smtps, hops),
        Delivery::Lmtp(hops) => to(Protocol::Lmtp, hops),
        Delivery::Discard(_) => Way::End(End::Discarded(replies::discarded())),
        Delivery::Error(status, text) => Way::End(End::Failed(replies::failed(status, text))),
        Delivery::Retry(status, text) => Way::End(End::Deferred(replies::later(status, text))),
    }
}

fn to(protocol: Protocol, hops: Vec<rewriting::NextHop>) -> Way {
    let mut hops = hops.into_iter().map(|hop| Hop {
        next_hop: match hop.host {
            NextHost::Exchangers(domain) => NextHop::Exchangers(domain),
            NextHost::Name(name) => NextHop::Host(name),
            NextHost::Address(address) => NextHop::Address(address),
        },
        port: hop.port.unwrap_or(protocol.usual_port()),
    });
    match hops.next() {
        Some(first) => Way::Hop { protocol, first, then: hops.collect() },
        None => Way::Route,
    }
}

#[cfg(test)]
mod tests {
    use mailweir_mail::Enhanced;

    use super::*;

    fn way(text: &str) -> Way {
        let domain = Domain::parse("b.example").unwrap();
        interpret(&Transport::parse(text).unwrap(), &domain)
    }

    fn hop(next_hop: &str, port: u16) -> Hop {
        let next_hop = match next_hop.strip_prefix("mx ") {
            Some(domain) => NextHop::Exchangers(Domain::parse(domain).unwrap()),
            None => NextHop::fixed(next_hop).unwrap(),
        };
        Hop { next_hop, port }
    }

    fn to(protocol: Protocol, next_hop: &str, port: u16) -> Way {
        Way::Hop { protocol, first: hop(next_hop, port), then: Vec::new() }
    }

    #[test]
    fn next_hops_are_read_as_transport_tables_write_them() {
        use Protocol::{Lmtp, Smtp, Smtps};
        for (text, expected) in [
            (":", Way::Route),
            ("smtp:", to(Smtp, "mx b.example", 25)),
            ("scan:", to(Smtp, "mx b.example", 25)),
            ("smtp:192.0.2.1", to(Smtp, "192.0.2.1", 25)),
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
    fn several_next_hops_are_tried_in_their_order() {
        let expected = Way::Hop {
            protocol: Protocol::Smtp,
            first: hop("[a.example]", 26),
            then: vec![hop("mx b.example", 25), hop("192.0.2.1", 25)],
        };
        assert_eq!(way("smtp:[a.example]:26, b.example [192.0.2.1]"), expected);
    }

    #[test]
    fn what_ends_here_says_why() {
        assert_eq!(way("discard:silently"), Way::End(End::Discarded(replies::discarded())));
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
        for (text, words) in [
            ("virtual:", "there are no local deliveries and no programs here"),
            ("dovecot:", "there are no local deliveries and no programs here"),
            ("lmtp:unix:/run/lmtp", "sockets of this machine are not supported"),
            ("smtp:[x]:0", "a port is a number from 1 to 65535"),
            ("smtp:[a.example], b..example", "\"b..example\" is no name of a host"),
        ] {
            let Way::End(End::Deferred(reply)) = way(text) else { panic!("{text}") };
            assert_eq!(reply.enhanced_or_general(), Enhanced(4, 3, 5), "{text}");
            assert!(reply.text.contains(words), "{text}: {}", reply.text);
        }
    }
}
