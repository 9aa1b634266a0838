//! The way of a probe is that of a mail.

use super::{
    Deferred, Deliverable, Undeliverable,
    rig::{Peer, Rig, route},
};

/// Has a probe made with these lines in `[rewriting]`, in front of a route to the peer.
async fn probed(peer: &Peer, lines: &str, recipient: &str) -> super::super::Probed {
    let lines = lines.replace("PEER", &format!("[127.0.0.1]:{}", peer.address.port()));
    let config = format!("{}[rewriting]\n{lines}\n", route(peer.address, ""));
    Rig::with(&config).probe(recipient).await
}

#[tokio::test]
async fn where_a_mail_would_end_a_probe_ends() {
    let peer = Peer::start(&[("", "421 nobody is to ask here")]).await;
    for (lines, status, text) in [
        (
            "transport_maps = [\"inline:{b.example=discard:}\"]",
            Deliverable,
            "250 2.0.0 discarded by route",
        ),
        (
            "transport_maps = [\"inline:{ {b.example = error:5.1.2 not here} }\"]",
            Undeliverable,
            "not here",
        ),
        (
            "transport_maps = [\"inline:{ {b.example = retry:4.2.0 not yet} }\"]",
            Deferred,
            "not yet",
        ),
        (
            "transport_maps = [\"inline:{b.example=virtual:}\"]",
            Deferred,
            "mail transport virtual: cannot be used: there are no local deliveries and no programs \
             here; name a host and a port",
        ),
        (
            "relocated_maps = [\"inline:{ann@b.example=ann@new.example}\"]",
            Undeliverable,
            "User has moved to ann@new.example",
        ),
        (
            "virtual_alias_domains = [\"b.example\"]",
            Undeliverable,
            "User unknown in virtual alias table",
        ),
        ("transport_maps = [\"fail:a\"]", Deferred, "address resolver failure"),
        ("virtual_alias_maps = [\"fail:a\"]", Deferred, "address resolver failure"),
        ("smtp_generic_maps = [\"fail:a\"]", Deferred, "address resolver failure"),
    ] {
        let probed = probed(&peer, lines, "ann@b.example").await;
        assert_eq!((probed.status, &*probed.text), (status, text), "{lines}");
    }
    assert!(peer.heard().is_empty());
}

#[tokio::test]
async fn a_domain_that_takes_no_mail_is_undeliverable_and_one_that_cannot_be_found_now_deferred() {
    let rig = Rig::with("");
    for (recipient, status, text) in [
        ("a@null.example", Undeliverable, "Domain null.example does not accept mail (nullMX)"),
        (
            "a@none.example",
            Undeliverable,
            "Host or domain name not found. Name service error for name=none.example type=MX: Host \
             not found",
        ),
        (
            "a@trouble.example",
            Deferred,
            "Host or domain name not found. Name service error for name=trouble.example type=MX: \
             Host not found, try again: the name server failed (SERVFAIL)",
        ),
        (
            "a@inside.example",
            Undeliverable,
            "no mail exchanger for inside.example has an address that mail may go to: [127.0.0.1]",
        ),
    ] {
        let probed = rig.probe(recipient).await;
        assert_eq!((probed.status, &*probed.text), (status, text), "{recipient}");
    }
    let discarding = Rig::with("[[route]]\nfor = [\"*\"]\nto = \"discard\"\n");
    assert_eq!(discarding.probe("a@none.example").await.status, Deliverable);
}

#[tokio::test]
async fn an_alias_is_as_deliverable_as_the_best_of_its_addresses() {
    let peer = Peer::start(&[
        ("RCPT TO:<good", "250 2.1.5 Ok"),
        ("RCPT TO:<later", "450 4.2.0 later"),
        ("RCPT TO:<bad", "550 5.1.1 never"),
    ])
    .await;
    for (addresses, status, asked) in [
        ("bad@b.example, good@b.example, later@b.example", Deliverable, 2),
        ("bad@b.example, later@b.example", Deferred, 2),
        ("later@b.example, bad@b.example", Deferred, 2),
        ("bad@b.example, bad2@b.example", Undeliverable, 2),
    ] {
        let before = peer.heard().iter().filter(|line| line.starts_with("RCPT")).count();
        let lines =
            format!("virtual_alias_maps = [\"inline:{{ {{all@b.example = {addresses}}} }}\"]");
        let probed = probed(&peer, &lines, "all@b.example").await;
        assert_eq!(probed.status, status, "{addresses}");
        let after = peer.heard().iter().filter(|line| line.starts_with("RCPT")).count();
        assert_eq!(after - before, asked, "{addresses}");
    }
}

#[tokio::test]
async fn the_log_has_a_line_for_each_address_of_an_alias() {
    let peer = Peer::start(&[("RCPT TO:<bad", "550 5.1.1 never")]).await;
    let aliases = "[rewriting]\nvirtual_alias_maps = [\"inline:{ {all@b.example = bad@b.example, \
                   good@b.example} }\"]\n";
    let rig = Rig::with(&format!("{}{aliases}", route(peer.address, "")));
    assert_eq!(rig.probe("all@b.example").await.status, Deliverable);
    let lines = rig.lines();
    assert!(lines[0].starts_with("bad@b.example>, orig_to=<all@b.example>, relay="), "{lines:?}");
    assert!(lines[0].contains("status=undeliverable (host "), "{lines:?}");
    assert!(lines[1].contains("status=deliverable (250 "), "{lines:?}");
}

#[tokio::test]
async fn addresses_are_rewritten_as_those_of_a_mail() {
    let peer = Peer::start(&[]).await;
    let lines = "canonical_maps = [\"inline:{old@b.example=new@b.example}\"]\n\
                 smtp_generic_maps = [\"inline:{@gate.example=@public.example, \
                 new@b.example=box@store.example}\"]\n\
                 recipient_bcc_maps = [\"static:spy@b.example\"]\nalways_bcc = \"spy@b.example\"";
    assert_eq!(probed(&peer, lines, "old@b.example").await.status, Deliverable);
    let asked = ["MAIL FROM:<probe@public.example>", "RCPT TO:<box@store.example>"];
    assert_eq!(peer.heard()[1..3], asked);
    assert!(!peer.heard().iter().any(|line| line.contains("spy")));
}

#[tokio::test]
async fn a_null_sender_and_the_relay_of_a_sender_count_too() {
    let [usual, relay] = [Peer::start(&[]).await, Peer::start(&[]).await];
    let maps = format!(
        "[rewriting]\nsender_dependent_relayhost_maps = [\"inline:{{@gate.example=[127.0.0.1]:{}}}\"]\n",
        relay.address.port()
    );
    let rig = Rig::with(&format!("{}{maps}", route(usual.address, "")));
    assert_eq!(rig.probe("a@b.example").await.status, Deliverable);
    assert_eq!((relay.heard().len() >= 3, usual.heard().len()), (true, 0));
    assert_eq!(rig.probe_as("", "a@b.example").await.status, Deliverable);
    assert_eq!(usual.heard()[1], "MAIL FROM:<>");
}

#[tokio::test]
async fn a_mail_store_is_asked_by_lmtp() {
    let store = Peer::start(&[("RCPT", "550 5.1.1 unknown")]).await;
    let lines = "transport_maps = [\"inline:{ {b.example = lmtp:inet:127.0.0.1:PORT} }\"]";
    let lines = lines.replace("PORT", &store.address.port().to_string());
    assert_eq!(probed(&store, &lines, "a@b.example").await.status, Undeliverable);
    assert_eq!(store.heard()[0], "LHLO gate.example");
}

#[tokio::test]
async fn k3_a_host_that_is_down_or_defers_is_followed_by_the_next() {
    let down = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let busy = Peer::start(&[("RCPT", "450 4.3.2 busy")]).await;
    let last = Peer::start(&[("RCPT", "550 5.1.1 unknown")]).await;
    let hops = |hops: &[std::net::SocketAddr]| {
        let hops: Vec<_> = hops.iter().map(|hop| format!("[127.0.0.1]:{}", hop.port())).collect();
        format!("transport_maps = [\"inline:{{ {{b.example = smtp:{}}} }}\"]", hops.join(" "))
    };
    let lines = hops(&[down, busy.address, last.address]);
    assert_eq!(probed(&last, &lines, "a@b.example").await.status, Undeliverable);
    assert_eq!(busy.heard()[2], "RCPT TO:<a@b.example>");
    let lines = hops(&[busy.address, down]);
    let probed = probed(&last, &lines, "a@b.example").await;
    let text = format!("connect to 127.0.0.1[127.0.0.1]:{}: Connection refused", down.port());
    assert_eq!((probed.status, &*probed.text), (Deferred, &*text));
}
