//! Rows B4 (in part) and B3: STARTTLS towards the next hop as the route wants it, and log-ins at a
//! smart host.

use mailweir_tests::{
    gateway::{Gateway, Setup, USER, USER_PASSWORD, mail},
    sink::{Point, Script, Sink},
};

#[tokio::test]
async fn tls_is_used_where_the_next_hop_offers_it() {
    for tls in ["opportunistic", "required"] {
        let sink = Sink::start(Script::smtp()).await;
        let next = Gateway::start(&next_hop(&sink, "tls = \"optional\"")).await;
        let gateway = Gateway::start(&Setup::to(&smtp(&next), &format!("tls = {tls:?}"))).await;
        let id = gateway.submit(mail()).await.expect_accepted();
        let header = sink.expect_one().await.text();
        assert!(header.contains("by next.example (Mailweir) with ESMTPS id "), "{header}");
        assert!(header.contains(&format!("by gate.example (Mailweir) with ESMTP id {id}")));
        let log = gateway.log();
        log.expect("Untrusted TLS connection established to *: TLSv1.3 with cipher").await;
    }
}

#[tokio::test]
async fn tls_from_the_first_byte_is_spoken_to_smtps() {
    let sink = Sink::start(Script::smtp()).await;
    let next = Gateway::start(&next_hop(&sink, "tls = \"implicit\"")).await;
    let to = format!("smtps://{}", next.address("next"));
    let gateway = Gateway::start(&Setup::to(&to, "")).await;
    let _ = gateway.submit(mail()).await.expect_accepted();
    assert!(sink.expect_one().await.text().contains("with ESMTPS id "));
}

#[tokio::test]
async fn b4_where_tls_is_required_nothing_is_sent_without_it() {
    let sink = Sink::start(Script::smtp()).await;
    let to = format!("smtp://{}", sink.address());
    let gateway = Gateway::start(&Setup::to(&to, "tls = \"required\"")).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=*dsn=4.7.*status=deferred (")).await;
    sink.expect_ended(1).await;
    assert!(!sink.commands(0).iter().any(|command| command.starts_with("MAIL")));
}

#[tokio::test]
async fn b9_where_the_name_is_verified_a_self_signed_certificate_is_not_enough() {
    let sink = Sink::start(Script::smtp()).await;
    let next = Gateway::start(&next_hop(&sink, "tls = \"optional\"")).await;
    let gateway = Gateway::start(&Setup::to(&smtp(&next), "tls = \"verify\"")).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=*dsn=4.7.*status=deferred (")).await;
    next.expect_no_sessions().await;
    assert!(next.queue().list().await.is_empty());
    sink.expect_nothing();
}

#[tokio::test]
async fn a_smart_host_is_logged_in_to_inside_tls() {
    let sink = Sink::start(Script::smtp()).await;
    let lines = "mode = \"submission\"\ntls = \"required\"";
    let setup = Setup::before(&sink).called("next.example").listener("next", lines);
    let next = Gateway::start(&setup).await;
    let gateway = Gateway::start(&with_login(&smtp(&next), "tls = \"required\"")).await;
    let _ = gateway.submit(mail().to("user@local.example")).await.expect_accepted();
    assert!(sink.expect_one().await.text().contains("with ESMTPSA id "));
    next.log().expect("sasl_username=alice").await;
}

#[tokio::test]
async fn a_password_is_sent_in_clear_only_where_it_was_allowed() {
    for (mechanism, expected) in [("PLAIN", "AUTH PLAIN"), ("LOGIN", "AUTH LOGIN")] {
        let offer = format!("AUTH {mechanism}");
        let sink = Sink::start(Script::smtp().offering(&[&offer])).await;
        let to = format!("smtp://{}", sink.address());
        let gateway = Gateway::start(&with_login(&to, "allow_clear_auth = true")).await;
        let _ = gateway.submit(mail()).await.expect_accepted();
        sink.expect_one().await;
        sink.expect_command(expected).await;

        let gateway = Gateway::start(&with_login(&to, "")).await;
        let id = gateway.submit(mail()).await.expect_accepted();
        gateway.log().expect(&format!("{id}: to=*status=deferred (")).await;
        sink.expect_ended(2).await;
        assert!(!sink.commands(1).iter().any(|command| command.starts_with("AUTH")));
    }
}

#[tokio::test]
async fn mail_waits_while_the_smart_host_refuses_our_password() {
    let script = Script::smtp().offering(&["AUTH PLAIN"]);
    let sink = Sink::start(script.replying(Point::Auth, "535 5.7.8 Wrong")).await;
    let to = format!("smtp://{}", sink.address());
    let gateway = Gateway::start(&with_login(&to, "allow_clear_auth = true")).await;
    let id = gateway.submit(mail()).await.expect_accepted();
    gateway.log().expect(&format!("{id}: to=*status=deferred (*535 5.7.8 Wrong")).await;
    gateway.log().expect_none(USER_PASSWORD);
}

fn next_hop(sink: &Sink, tls: &str) -> Setup {
    let lines = format!("mode = \"mx\"\n{tls}");
    Setup::before(sink).called("next.example").listener("next", &lines)
}

fn smtp(gateway: &Gateway) -> String {
    format!("smtp://{}", gateway.address("next"))
}

fn with_login(next_hop: &str, lines: &str) -> Setup {
    let login = format!("username = {USER:?}\npassword_file = \"password\"\n{lines}");
    Setup::to(next_hop, &login).file("password", USER_PASSWORD)
}
