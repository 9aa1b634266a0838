//! Canonical maps and masquerading, in the envelope and in the header: only the bytes of addresses
//! change (promise 5), and only in mail of those whose headers are ours to rewrite.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn canonical_addresses_stand_in_envelope_and_header_and_all_else_is_as_it_came() {
    let (gateway, sink) = gateway("mode = \"mx\"", CANONICAL).await;
    let written = mail().from("jdoe@client.example").to("asmith@local.example");
    let _ = gateway.submit(written.content(CONTENT)).await.expect_accepted();
    let arrived = sink.expect_one().await;
    assert_eq!(arrived.sender(), "john.doe@client.example");
    assert_eq!(arrived.recipients(), ["anna.smith@local.example"]);
    let content = String::from_utf8(arrived.content()).unwrap();
    let expected = CONTENT
        .replacen("jdoe@client.example>\r\nSubject", "john.doe@client.example>\r\nSubject", 1)
        .replacen("(her) asmith@", "(her) anna.smith@", 1);
    assert!(content.ends_with(&expected), "{content}");
}

#[tokio::test]
async fn headers_of_remote_mail_stay_unless_the_client_is_named() {
    for (clients, is_rewritten) in [
        ("[]", false),
        ("[\"permit_inet_interfaces\"]", false),
        ("[\"permit_sasl_authenticated\"]", false),
        ("[\"permit_mynetworks\"]", true),
        ("[\"static:all\"]", true),
    ] {
        let lines = format!("{CANONICAL}\nlocal_header_rewrite_clients = {clients}");
        let mx = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]");
        let (gateway, sink) = gateway(&mx, &lines).await;
        let mut trusted = gateway.connect_from(TRUSTED, "in").await;
        trusted.greet().await;
        let written = mail().from("jdoe@client.example").content(CONTENT);
        let _ = trusted.send(&written).await.expect_accepted();
        let arrived = sink.expect_one().await;
        assert_eq!(arrived.sender(), "john.doe@client.example", "{clients}");
        let rewritten = arrived.text().contains("(her) anna.smith@local.example");
        assert_eq!(rewritten, is_rewritten, "{clients}");
    }
}

#[tokio::test]
async fn headers_of_those_who_log_in_may_be_rewritten() {
    let lines =
        format!("{CANONICAL}\nlocal_header_rewrite_clients = [\"permit_sasl_authenticated\"]");
    let (gateway, sink) = gateway("mode = \"submission\"\nauth_in_clear = true", &lines).await;
    let mut alice = gateway.connect().await;
    alice.greet().await;
    alice.log_in(USER, USER_PASSWORD, "235 *").await;
    let _ = alice.send(&mail().content(CONTENT)).await.expect_accepted();
    assert!(sink.expect_one().await.text().contains("(her) anna.smith@local.example"));
}

#[tokio::test]
async fn masquerading_hides_hosts_of_senders_but_for_exceptions() {
    let lines = "masquerade_domains = [\"client.example\"]\nmasquerade_exceptions = [\"root\"]";
    let (gateway, sink) = gateway("mode = \"mx\"", lines).await;
    for user in ["joe", "root"] {
        let from = format!("{user}@pc.client.example");
        let header = format!("From: {from}");
        let _ = gateway.submit(mail().from(&from).header(&header)).await.expect_accepted();
    }
    let arrived = sink.expect(2).await;
    assert_eq!(arrived[0].sender(), "joe@client.example");
    assert!(arrived[0].text().contains("From: joe@client.example\r\n"));
    assert_eq!(arrived[1].sender(), "root@pc.client.example");
    assert!(arrived[1].text().contains("From: root@pc.client.example\r\n"));
}

#[tokio::test]
async fn mail_that_comes_back_from_a_filter_is_not_rewritten_again() {
    for mode in ["filter", "lmtp"] {
        let lines = format!("mode = {mode:?}\nnetworks = [\"127.0.0.1\"]");
        let rules = format!("{CANONICAL}\nalways_bcc = \"all@local.example\"");
        let (gateway, sink) = gateway(&lines, &rules).await;
        let mut peer = gateway.connect().await;
        peer.hear("220 *").await;
        let hello = if mode == "lmtp" { "LHLO" } else { "EHLO" };
        peer.ask(&format!("{hello} client.example"), "250 *").await;
        let written = mail().from("jdoe@client.example").to("asmith@local.example");
        let _ = peer.send(&written.content(CONTENT)).await.expect_accepted();
        let arrived = sink.expect_one().await;
        assert_eq!(arrived.sender(), "jdoe@client.example");
        assert_eq!(arrived.recipients(), ["asmith@local.example"]);
        assert!(arrived.content().ends_with(CONTENT.as_bytes()));
    }
}

#[tokio::test]
async fn headers_that_checks_edit_are_rewritten_as_well() {
    let sink = Sink::start(Script::smtp()).await;
    let checks = "header_checks = [\"static:REPLACE Cc: asmith@local.example\"]";
    let setup = Setup::before(&sink)
        .section("rewriting", CANONICAL)
        .section("checks", checks)
        .section("checks", "mime_header_checks = []");
    let gateway = Gateway::start(&setup).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    let text = sink.expect_one().await.text();
    assert!(text.contains("Cc: anna.smith@local.example\r\n"), "{text}");
}

async fn gateway(listener: &str, rewriting: &str) -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink).listener("in", listener).section("rewriting", rewriting);
    (Gateway::start(&setup).await, sink)
}

const CANONICAL: &str = "canonical_maps = [\"inline:{jdoe@client.example=john.doe@client.example, \
                         asmith@local.example=anna.smith@local.example}\"]";

const CONTENT: &str = "X-Note: jdoe@client.example\r\nFrom : \"Doe, J.\"\t<jdoe@client.example>\r\n\
                       Subject: asmith@local.example\r\nTo: x@y.test,\r\n \
                       (her) asmith@local.example\r\n\r\nTo: asmith@local.example\r\n";
