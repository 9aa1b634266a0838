//! EXTERNAL: a client that shows a certificate needs no password, and nothing but the log-in gives
//! it rights.

use mailweir_tests::{
    certificates::{Authority, Certificate},
    gateway::{Gateway, Peer, Setup, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_user_submits_by_a_certificate() {
    let (authority, sink) = (Authority::new(), Sink::start(Script::smtp()).await);
    let gateway = Gateway::start(&submission(&sink, &authority)).await;
    let (mut alice, offer) = shown(&gateway, &authority, &authority.client(&[USER])).await;
    assert!(offer.contains("AUTH EXTERNAL SCRAM-SHA-256-PLUS"), "{offer}");
    alice.ask("AUTH EXTERNAL =", "235 2.7.0 *").await;
    let id = alice.send(&mail().to("friend@other.example")).await.expect_accepted();
    alice.leave().await;
    let header = sink.expect_one().await.text();
    assert!(header.contains("with ESMTPSA id "), "{header}");
    gateway.log().expect("Trusted TLS connection established from unknown[127.0.0.1]: ").await;
    let line = format!("{id}: client=*sasl_method=EXTERNAL, sasl_username=alice");
    gateway.log().expect(&line).await;
}

#[tokio::test]
async fn d1_a_certificate_alone_lets_nobody_relay() {
    let (authority, sink) = (Authority::new(), Sink::start(Script::smtp()).await);
    let asks = asks_for(&authority);
    let setup = submission(&sink, &authority).listener("mx", &format!("mode = \"mx\"\n{asks}"));
    let gateway = Gateway::start(&setup).await;
    let alice = authority.client(&[USER]);
    let (mut submitter, _) = shown(&gateway, &authority, &alice).await;
    submitter.ask("MAIL FROM:<alice@local.example>", "530 5.7.0 Authentication required").await;
    let mut relay = gateway.connect_to("mx").await;
    relay.greet().await;
    relay.start_tls_showing(alice.client_tls(&authority.file())).await;
    let outward = mail().to("friend@other.example");
    relay.send(&outward).await.expect_refused("554 5.7.1 *");
    relay.ask("RSET", "250 *").await;
    relay.ask("AUTH EXTERNAL =", "235 *").await;
    let _id = relay.send(&outward).await.expect_accepted();
}

#[tokio::test]
async fn c6_nobody_takes_another_name_than_those_of_the_certificate() {
    let (authority, sink) = (Authority::new(), Sink::start(Script::smtp()).await);
    let gateway = Gateway::start(&submission(&sink, &authority)).await;
    let both = authority.client(&["nobody@local.example", USER]);
    let (mut client, _) = shown(&gateway, &authority, &both).await;
    // "=" is for the first name, which has no account; "bob" is not in the certificate.
    for response in ["=", "Ym9i"] {
        client.ask(&format!("AUTH EXTERNAL {response}"), "535 5.7.8 *").await;
    }
    client.ask("AUTH EXTERNAL YWxpY2U=", "235 *").await;
    gateway.log().expect("SASL EXTERNAL authentication failed: unknown user").await;
}

#[tokio::test]
async fn a_stranger_is_served_and_not_offered_it() {
    let (authority, sink) = (Authority::new(), Sink::start(Script::smtp()).await);
    let gateway = Gateway::start(&submission(&sink, &authority)).await;
    let elsewhere = Authority::new();
    let stranger = elsewhere.client(&[USER]);
    let (mut alice, offer) = shown(&gateway, &authority, &stranger).await;
    assert!(offer.contains("PLAIN") && !offer.contains("EXTERNAL"), "{offer}");
    alice.ask("AUTH EXTERNAL =", "504 5.5.4 *").await;
    alice.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    gateway.log().expect("Untrusted TLS connection established from").await;
}

#[tokio::test]
async fn with_the_back_end_certificate_no_list_of_users_is_needed() {
    let (authority, sink) = (Authority::new(), Sink::start(Script::smtp()).await);
    let setup = submission(&sink, &authority).backend("certificate");
    let gateway = Gateway::start(&setup).await;
    let printer = authority.client(&["printer@local.example"]);
    let (mut printer, offer) = shown(&gateway, &authority, &printer).await;
    assert!(offer.contains("250-AUTH EXTERNAL\n"), "{offer}");
    printer.ask("AUTH EXTERNAL", "334 *").await;
    printer.ask("", "235 2.7.0 *").await;
    let id = printer.send(&mail().to("friend@other.example")).await.expect_accepted();
    let line = format!("{id}: client=*sasl_method=EXTERNAL, sasl_username=printer@local.example");
    gateway.log().expect(&line).await;
}

#[tokio::test]
async fn a_reload_takes_other_authorities() {
    let (old, new) = (Authority::new(), Authority::new());
    let sink = Sink::start(Script::smtp()).await;
    let mut gateway = Gateway::start(&submission(&sink, &old)).await;
    let certificate = old.client(&[USER]);
    gateway.reload(&submission(&sink, &new)).await.expect("a good configuration");
    let (_, offer) = shown(&gateway, &new, &certificate).await;
    assert!(!offer.contains("EXTERNAL"), "{offer}");
    let (mut alice, _) = shown(&gateway, &new, &new.client(&[USER])).await;
    alice.ask("AUTH EXTERNAL =", "235 *").await;
}

#[tokio::test]
async fn d1_a_fingerprint_lets_its_client_relay_and_nobody_else() {
    let (authority, sink) = (Authority::new(), Sink::start(Script::smtp()).await);
    // No authority of ours need vouch for it.
    let elsewhere = Authority::new();
    let (laptop, other) = (elsewhere.client(&[USER]), authority.client(&[USER]));
    let known = format!("relay_clientcerts = [\"inline:{{ {{{} = x}} }}\"]", laptop.fingerprint());
    let gateway = relaying(&sink, &authority, "permit_tls_clientcerts", &known).await;
    let outward = mail().to("friend@other.example");
    let mut plain = gateway.connect().await;
    plain.greet().await;
    plain.send(&outward).await.expect_refused("554 5.7.1 *");
    let (mut other, _) = shown(&gateway, &authority, &other).await;
    other.send(&outward).await.expect_refused("554 5.7.1 *");
    let (mut laptop, _) = shown(&gateway, &authority, &laptop).await;
    let _id = laptop.send(&outward).await.expect_accepted();
}

#[tokio::test]
async fn d1_only_trusted_certificates_may_relay_where_all_of_them_may() {
    let (authority, sink) = (Authority::new(), Sink::start(Script::smtp()).await);
    let gateway = relaying(&sink, &authority, "permit_tls_all_clientcerts", "").await;
    let outward = mail().to("friend@other.example");
    let (mut stranger, _) = shown(&gateway, &authority, &Authority::new().client(&[USER])).await;
    stranger.send(&outward).await.expect_refused("554 5.7.1 *");
    let (mut friend, _) = shown(&gateway, &authority, &authority.client(&[USER])).await;
    let _id = friend.send(&outward).await.expect_accepted();
}

/// A gateway whose relay list permits by this restriction.
async fn relaying(sink: &Sink, authority: &Authority, permit: &str, lines: &str) -> Gateway {
    let asks = asks_for(authority);
    let list = format!("relay_restrictions = [{permit:?}, \"reject_unauth_destination\"]");
    let tls = authority.tls_section("gate.example");
    let setup = Setup::before(sink)
        .listener("relay", &format!("mode = \"mx\"\n{asks}\n{list}"))
        .section("restrictions", lines)
        .section("tls", &tls);
    Gateway::start(&setup).await
}

fn submission(sink: &Sink, authority: &Authority) -> Setup {
    let lines = format!("mode = \"submission\"\ntls = \"required\"\n{}", asks_for(authority));
    let tls = authority.tls_section("gate.example");
    Setup::before(sink).listener("submission", &lines).section("tls", &tls)
}

fn asks_for(authority: &Authority) -> String {
    format!("client_ca_file = {:?}", authority.file())
}

/// A client at the first listener that has shown this certificate, and what it was offered. It
/// believes `authority` about the gateway.
async fn shown(
    gateway: &Gateway,
    authority: &Authority,
    certificate: &Certificate,
) -> (Peer, String) {
    let mut peer = gateway.connect().await;
    peer.greet().await;
    let offer = peer.start_tls_showing(certificate.client_tls(&authority.file())).await;
    (peer, offer)
}
