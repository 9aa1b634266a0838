//! Rows D5, D10, D11 and G1: what the name service says of a domain decides about its mail.

use mailweir_tests::{
    dns::FakeDns,
    gateway::{Gateway, Setup, TRUSTED, mail},
};

#[tokio::test]
async fn d11_a_domain_that_takes_no_mail_is_believed() {
    expect(
        "null.test MX 0 .",
        "null.test",
        "dsn=5.1.10, status=bounced (Domain null.test does not accept mail (nullMX))",
    )
    .await;
}

#[tokio::test]
async fn g1_a_name_server_that_fails_only_puts_mail_off() {
    for fault in ["SERVFAIL", "REFUSED", "FORMERR"] {
        let zone = format!("broken.test {fault}");
        expect(&zone, "broken.test", "dsn=4.4.3, status=deferred (Host or domain name not found. ")
            .await;
    }
}

#[tokio::test]
async fn g1_a_domain_that_does_not_exist_is_bounced() {
    expect(
        "other.test EXISTS",
        "nowhere.test",
        "dsn=5.4.4, status=bounced (Host or domain name not found. ",
    )
    .await;
}

#[tokio::test]
async fn d5_a_domain_that_names_us_makes_no_loop() {
    let zone = "loop.test MX 10 gate.example\ngate.example A 192.0.2.1";
    expect(zone, "loop.test", "dsn=5.4.6, status=bounced (*loops back to myself").await;
}

#[tokio::test]
async fn d10_nobody_makes_us_talk_to_ourselves_or_into_our_network() {
    for address in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"] {
        let zone = format!("trap.test MX 10 mx.trap.test\nmx.trap.test A {address}");
        expect(&zone, "trap.test", "dsn=5.4.4, status=bounced (*that mail may go to: [").await;
    }
}

/// What becomes of a mail to a domain.
async fn expect(zone: &str, domain: &str, outcome: &str) {
    let dns = FakeDns::start(zone).await;
    let mx = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]");
    let servers = format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address());
    let setup = Setup::default().listener("mx", &mx).section("dns", &servers);
    let gateway = Gateway::start(&setup).await;
    let mut peer = gateway.connect_from(TRUSTED, "mx").await;
    peer.greet().await;
    // From nobody, so that no report is on its way too.
    let mail = mail().from("").to(&format!("user@{domain}"));
    let id = peer.send(&mail).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=<user@{domain}>, relay=none*{outcome}")).await;
}
