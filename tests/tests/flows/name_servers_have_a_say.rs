//! Rows G1 and G4: block lists and the domains of senders, as DNS says or does not say.

use std::fmt::Write as _;

use mailweir_tests::{
    dns::FakeDns,
    gateway::{Gateway, Setup, TRUSTED, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_client_on_a_block_list_is_refused_in_the_words_of_the_list() {
    let zone = "1.0.0.127.bl.test A 127.0.0.2\n1.0.0.127.bl.test TXT open relay";
    let (gateway, dns) = with(BLOCK_LIST, zone).await;
    let said = "554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using bl.test; open \
                relay";
    gateway.submit(mail()).await.expect_refused(said);
    assert_eq!(dns.queries("1.0.0.127.bl.test", "A"), 1);
}

#[tokio::test]
async fn a_client_on_no_list_is_welcome() {
    let (gateway, dns) = with(BLOCK_LIST, "bl.test EXISTS").await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    assert_eq!(dns.queries("1.0.0.127.bl.test", "A"), 1);
}

#[tokio::test]
async fn only_the_answers_that_were_named_count() {
    let lists = "client = [\"reject_rbl_client bl.test=127.0.0.[4..9]\"]";
    let (gateway, _dns) = with(lists, "1.0.0.127.bl.test A 127.0.0.2").await;
    let _ = gateway.submit(mail()).await.expect_accepted();
}

#[tokio::test]
async fn a_list_that_answers_with_an_error_code_refuses_nobody() {
    let (gateway, _dns) = with(BLOCK_LIST, "1.0.0.127.bl.test A 127.255.255.254").await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect("the list answers with the error code 127.255.255.254").await;
}

#[tokio::test]
async fn g1_a_list_that_fails_refuses_nobody() {
    for fault in ["SERVFAIL", "TIMEOUT"] {
        let (gateway, _dns) = with(BLOCK_LIST, &format!("1.0.0.127.bl.test {fault}")).await;
        let _ = gateway.submit(mail()).await.expect_accepted();
        gateway.log().expect("1.0.0.127.bl.test: RBL lookup error").await;
    }
}

#[tokio::test]
async fn a_sender_whose_domain_does_not_exist_hears_that_it_may_try_again() {
    let lists = "sender = [\"reject_unknown_sender_domain\"]";
    let zone = "there.test MX 10 mx.there.test\nhost.test A 192.0.2.1\nnull.test MX 0 .";
    let (gateway, _dns) = with(lists, zone).await;
    for (sender, said) in [
        ("a@nowhere.test", "450 4.1.8 <a@nowhere.test>: Sender address rejected: Domain not found"),
        (
            "a@null.test",
            "550 5.7.27 <a@null.test>: Sender address rejected: Domain null.test does not accept \
             mail (nullMX)",
        ),
    ] {
        gateway.submit(mail().from(sender)).await.expect_refused(said);
    }
    for sender in ["a@there.test", "a@host.test", ""] {
        let _ = gateway.submit(mail().from(sender)).await.expect_accepted();
    }
}

#[tokio::test]
async fn g1_what_dns_cannot_tell_now_is_never_refused_for_good() {
    let lists = "unknown_address_reject_code = 550\nsender = [\"reject_unknown_sender_domain\"]\n\
                 recipient = [\"check_recipient_access inline:{bad@local.example=REJECT}\"]";
    let (gateway, _dns) = with(lists, "broken.test SERVFAIL").await;
    let broken = mail().from("a@broken.test");
    let waits = "450 4.1.8 <a@broken.test>: Sender address rejected: Domain not found";
    gateway.submit(broken.clone()).await.expect_refused(waits);
    // What is wrong anyway is not worth waiting for.
    let refused = "554 5.7.1 <bad@local.example>: Recipient address rejected: Access denied";
    gateway.submit(broken.to("bad@local.example")).await.expect_refused(refused);
    let nowhere = mail().from("a@nowhere.test");
    gateway.submit(nowhere).await.expect_refused("550 5.1.8 <a@nowhere.test>: *");
}

#[tokio::test]
async fn the_servers_of_a_domain_can_be_looked_up_too() {
    let lists = "sender = [\"check_sender_mx_access cidr:{ {192.0.2.0/24 REJECT that host} }\"]";
    let zone = "spam.test MX 10 mx.spam.test\nmx.spam.test A 192.0.2.7\nok.test A 203.0.113.9";
    let (gateway, _dns) = with(lists, zone).await;
    let said = "554 5.7.1 <a@spam.test>: Sender address rejected: that host";
    gateway.submit(mail().from("a@spam.test")).await.expect_refused(said);
    let _ = gateway.submit(mail().from("a@ok.test")).await.expect_accepted();
}

#[tokio::test]
async fn a_client_without_a_name_is_told_from_one_whose_name_is_unclear() {
    let lists = "unknown_client_reject_code = 550\nclient = [\"reject_unknown_client_hostname\"]";
    let zone = "4.4.8.8.in-addr.arpa PTR mail.test\nmail.test A 8.8.4.4\n\
                5.4.8.8.in-addr.arpa SERVFAIL\n\
                7.4.8.8.in-addr.arpa PTR mail.test";
    let (gateway, _dns) = with(lists, zone).await;
    for (client, said) in [
        ("8.8.4.4", "250 2.1.5 Ok"),
        ("8.8.4.5", "450 4.7.25 Client host rejected: cannot find your hostname, [8.8.4.5]"),
        ("8.8.4.6", "550 5.7.25 Client host rejected: cannot find your hostname, [8.8.4.6]"),
        ("8.8.4.7", "550 5.7.25 Client host rejected: cannot find your hostname, [8.8.4.7]"),
    ] {
        let mut peer = gateway.connect_from(TRUSTED, "mx").await;
        peer.greet().await;
        peer.ask(&format!("XCLIENT ADDR={client}"), "220 *").await;
        peer.ask("EHLO client.example", "250 *").await;
        peer.ask("MAIL FROM:<a@client.example>", "250 *").await;
        peer.ask("RCPT TO:<b@local.example>", said).await;
    }
}

#[tokio::test]
async fn nothing_is_asked_that_no_list_needs() {
    let lists = "helo = [\"reject_non_fqdn_helo_hostname\"]";
    let (gateway, dns) = with(lists, "").await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    assert_eq!(dns.all_queries(), 0);
}

#[tokio::test]
async fn g4_one_session_asks_so_much_and_no_more() {
    let mut zone = String::new();
    for domain in 0..3 {
        for server in 0..100 {
            let _ = writeln!(zone, "d{domain}.test MX 10 mx{server}.d{domain}.test");
        }
    }
    let lists = "sender = [\"check_sender_mx_access inline:{x.test=REJECT}\"]\n\
                 client = [\"reject_rbl_client bl.test\"]";
    let (gateway, dns) = with(lists, &zone).await;
    let mut peer = gateway.connect().await;
    peer.greet().await;
    for domain in 0..3 {
        peer.ask(&format!("MAIL FROM:<a@d{domain}.test>"), "250 *").await;
        peer.ask("RCPT TO:<b@local.example>", "451 4.3.0 Temporary lookup failure").await;
        peer.ask("RSET", "250 *").await;
    }
    // The resolver may ask once more to see why there was no answer.
    assert!((200..210).contains(&dns.all_queries()), "{}", dns.all_queries());
    gateway.log().expect("makes us ask others too much").await;
    // Others have questions of their own.
    let _ = gateway.submit(mail().from("a@quiet.test")).await.expect_accepted();
}

/// A gateway with these lines of `[restrictions]`, and the name server it asks.
async fn with(lists: &str, zone: &str) -> (Gateway, FakeDns) {
    let dns = FakeDns::start(zone).await;
    let servers = format!("servers = [\"{}\"]\ntimeout = \"1s\"", dns.address());
    let sink = Sink::start(Script::smtp()).await;
    let setup = Setup::before(&sink)
        .listener("mx", &format!("mode = \"mx\"\nxclient_hosts = [\"{TRUSTED}\"]"))
        .section("dns", &servers)
        .section("restrictions", lists);
    (Gateway::start(&setup).await, dns)
}

const BLOCK_LIST: &str = "client = [\"reject_rbl_client bl.test\"]";
