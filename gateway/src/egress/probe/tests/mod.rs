//! Probes against next hops that follow a script, on loopback.

mod at_postfix;
mod rig;
mod time;
mod ways;

use self::rig::{Peer, Rig, route};
use super::ProbeStatus::{Deferred, Deliverable, Undeliverable};

#[tokio::test]
async fn a_next_hop_is_asked_and_gets_no_mail() {
    let peer = Peer::start(&[]).await;
    let rig = Rig::to(peer.address);
    let probed = rig.probe("ann@b.example").await;
    assert_eq!((probed.status, &*probed.text), (Deliverable, "250 2.1.5 Ok"));
    rig.egress.tasks.close();
    rig.egress.tasks.wait().await;
    let asked = ["MAIL FROM:<probe@gate.example>", "RCPT TO:<ann@b.example>"];
    let heard = peer.heard();
    assert_eq!(heard[0], "EHLO gate.example");
    assert_eq!(heard[1..3], asked);
    assert!(heard[3..].iter().all(|line| line == "QUIT"), "{heard:?}");
    assert_eq!(rig.egress.connections(), 0);
    let line = format!(
        "ann@b.example>, relay=127.0.0.1[{}]:{}, dsn=2.1.5, status=deliverable (250 2.1.5 Ok)",
        peer.address.ip(),
        peer.address.port()
    );
    assert_eq!(rig.lines(), [line]);
}

#[tokio::test]
async fn what_the_next_hop_says_is_kept_as_verify_keeps_it() {
    const SAID: &str = "host 127.0.0.1[127.0.0.1] said:";
    const REFUSED: &str = "host 127.0.0.1[127.0.0.1] refused to talk to me:";
    for (answers, status, dsn, text) in [
        (
            &[("RCPT", "550 5.1.1 no such user")],
            Undeliverable,
            "5.1.1",
            format!("{SAID} 550 5.1.1 no such user (in reply to RCPT TO command)"),
        ),
        (
            &[("RCPT", "550-5.1.1 no such user\r\n550 5.1.1 at all")],
            Undeliverable,
            "5.1.1",
            format!("{SAID} 550 5.1.1 no such user at all (in reply to RCPT TO command)"),
        ),
        (
            &[("RCPT", "450 4.2.0 greylisted")],
            Deferred,
            "4.2.0",
            format!("{SAID} 450 4.2.0 greylisted (in reply to RCPT TO command)"),
        ),
        (
            &[("MAIL", "553 5.1.8 who?")],
            Undeliverable,
            "5.1.8",
            format!("{SAID} 553 5.1.8 who? (in reply to MAIL FROM command)"),
        ),
        (
            &[("RCPT", "421 4.3.2 shutting down")],
            Deferred,
            "4.3.2",
            format!("{SAID} 421 4.3.2 shutting down (in reply to RCPT TO command)"),
        ),
        (&[("CONNECT", "554 no")], Deferred, "4.0.0", format!("{REFUSED} 554 no")),
    ] {
        let peer = Peer::start(answers).await;
        let rig = Rig::to(peer.address);
        let probed = rig.probe("ann@b.example").await;
        assert_eq!((probed.status, &*probed.text), (status, &*text), "{answers:?}");
        let line = &rig.lines()[0];
        let end = format!("dsn={dsn}, status=undeliverable ({text})");
        assert!(line.ends_with(&end), "{line}");
    }
}

#[tokio::test]
async fn tls_and_a_log_in_are_not_done_without_where_the_route_wants_them() {
    let peer = Peer::start(&[]).await;
    for (wanted, words) in [
        ("tls = \"required\"", "TLS is required, but was not offered by host "),
        (
            "username = \"gate\"\npassword_file = \"/password\"",
            "the credentials for this destination ",
        ),
    ] {
        let rig = Rig::with(&route(peer.address, wanted));
        let probed = rig.probe("ann@b.example").await;
        assert_eq!(probed.status, Deferred);
        assert!(probed.text.starts_with(words), "{}", probed.text);
    }
    assert!(!peer.heard().iter().any(|line| line.starts_with("MAIL")), "{:?}", peer.heard());
}

#[tokio::test]
async fn a_log_in_comes_before_the_question() {
    const WITH_AUTH: &[(&str, &str)] =
        &[("EHLO", "250-mx.example\r\n250 AUTH PLAIN"), ("AUTH", "235 2.7.0 welcome")];
    const FORGETFUL: &[(&str, &str)] =
        &[("EHLO", "250-mx.example\r\n250 AUTH PLAIN"), ("AUTH", "535 5.7.8 who?")];
    let login = "tls = \"none\"\nusername = \"gate\"\npassword_file = \"/password\"\nallow_clear_auth = true";
    let peer = Peer::start(WITH_AUTH).await;
    let probed = Rig::with(&route(peer.address, login)).probe("ann@b.example").await;
    assert_eq!(probed.status, Deliverable);
    assert!(peer.heard()[1].starts_with("AUTH PLAIN "), "{:?}", peer.heard());
    let peer = Peer::start(FORGETFUL).await;
    let probed = Rig::with(&route(peer.address, login)).probe("ann@b.example").await;
    let words = "SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.8 who?";
    assert_eq!((probed.status, &*probed.text), (Deferred, words));
}
