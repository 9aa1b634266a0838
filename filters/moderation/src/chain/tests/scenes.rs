//! Rows T1 to T3 of the mission: mail that came through one's own mail servers, and mail that did not.

use super::*;

#[test]
fn a_chain_of_trusted_hosts_is_trusted() {
    let header = from("192.0.2.3") + &from("192.0.2.1") + "From: a@example.org\n\nbody\n";
    let walk = walked("192.0.2.4", &header, &WalkOptions::default());
    assert_eq!(walk.verdict(), Verdict::Trusted);
    let addresses: Vec<_> = walk.hops().iter().filter_map(|hop| hop.address).collect();
    assert_eq!(addresses, [ip("192.0.2.4"), ip("192.0.2.3"), ip("192.0.2.1")]);
}

#[test]
fn an_unknown_host_in_front_of_the_trusted_ones_is_not_trusted() {
    let header = from("192.0.2.3") + &from("192.0.2.1") + &from("203.0.113.9") + "\n";
    assert_eq!(verdict("192.0.2.4", &header), "untrusted at 3");
}

#[test]
fn an_unknown_host_between_the_trusted_ones_is_not_trusted() {
    let header = from("203.0.113.9") + &from("192.0.2.1") + "\n";
    assert_eq!(verdict("192.0.2.4", &header), "untrusted at 1");
    assert_eq!(verdict("203.0.113.9", &header), "untrusted at 0");
}

#[test]
fn forged_headers_below_an_untrusted_hop_are_not_even_read() {
    let forged = from("192.0.2.3") + &from("192.0.2.1");
    let header = from("192.0.2.3") + &from("203.0.113.9") + &forged + "\n";
    let walk = walked("192.0.2.4", &header, &WalkOptions::default());
    assert_eq!(walk.verdict(), Verdict::Untrusted { hop: 2, why: &Doubt::NotListed });
    assert_eq!((walk.hops().len(), walk.received()), (3, 4));
    // Brought by the stranger itself, they help no more.
    assert_eq!(verdict("203.0.113.9", &(forged + "\n")), "untrusted at 0");
}

#[test]
fn without_received_headers_the_peer_is_where_the_mail_began() {
    let walk = walked("192.0.2.1", "Subject: x\n\n", &WalkOptions::default());
    assert!(walk.is_trusted() && walk.began_at_peer());
    assert!(walk.why().contains("if that host removes Received headers"), "{}", walk.why());
    assert_eq!(verdict("203.0.113.9", "Subject: x\n\n"), "untrusted at 0");
}

#[test]
fn ipv6_hosts_are_trusted_by_what_their_address_means() {
    for address in ["IPv6:2001:db8:0:1::25", "2001:DB8:0:1:0:0:0:25", "ipv6:2001:db8:0:1::25"] {
        assert_eq!(verdict("2001:db8:0:1::1", &from(address)), "trusted", "{address}");
    }
    for address in ["IPv6:2001:db8:0:2::25", "2001:db8::1", "IPv6:2001:db8::g"] {
        assert_eq!(verdict("2001:db8:0:1::1", &from(address)), "untrusted at 1", "{address}");
    }
    assert_eq!(verdict("::ffff:192.0.2.1", &from("IPv6:::ffff:192.0.2.2")), "trusted");
    assert_eq!(verdict("::ffff:203.0.113.1", ""), "untrusted at 0");
}

#[test]
fn a_regular_expression_means_whole_addresses() {
    assert_eq!(verdict("192.0.2.4", &from("192.0.2.2")), "trusted");
    for address in ["192.0.2.5", "192.0.2.10", "192.0.2.41"] {
        assert_eq!(verdict("192.0.2.4", &from(address)), "untrusted at 1", "{address}");
    }
    let walk = walked("192.0.2.4", "", &WalkOptions::default());
    assert_eq!(walk.hops()[0].finding.to_string(), r"listed as ^192\.0\.2\.[1-4]$");
}

#[test]
fn hops_of_a_filter_on_the_same_host_are_listed_as_loopback() {
    let header = from("127.0.0.1") + &from("IPv6:::1") + &from("192.0.2.1") + "\n";
    assert_eq!(verdict("192.0.2.4", &header), "trusted");
    let header = from("127.0.0.1") + &from("203.0.113.9") + "\n";
    assert_eq!(verdict("192.0.2.4", &header), "untrusted at 2");
    assert_eq!(verdict("192.0.2.4", &from("127.0.0.2")), "untrusted at 1");
}

#[test]
fn somebody_who_logged_in_from_outside_is_trusted_only_if_that_is_accepted() {
    let roaming = "Received: from [10.1.1.7] (dsl.example.net [203.0.113.77])\n\
                   \t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n\
                   \t(Authenticated sender: alice)\n\
                   \tby smtp.example.org (Postfix) with ESMTPSA id 4FqPZz2\n\
                   \tfor <list@example.org>; Sat, 21 Nov 2026 10:00:00 +0900 (JST)\n";
    let accept = WalkOptions { authenticated_origin: Origin::Accept, ..WalkOptions::default() };
    let header = from("192.0.2.1") + roaming;
    assert_eq!(verdict("192.0.2.4", &header), "untrusted at 2");
    assert_eq!(verdict_with("192.0.2.4", &header, accept), "trusted");
    // Nothing below the log-in counts, and nothing above it is made good.
    let brought = header.clone() + &from("203.0.113.9");
    assert_eq!(verdict_with("192.0.2.4", &brought, accept), "trusted");
    let above = from("203.0.113.9") + roaming;
    assert_eq!(verdict_with("192.0.2.4", &above, accept), "untrusted at 1");
    assert_eq!(verdict_with("203.0.113.9", roaming, accept), "untrusted at 0");
}
