//! Rows D1 to D5, promise 4: no form of address makes us send for a stranger, and mail that goes in
//! circles is stopped.

use mailweir_tests::{
    gateway::{Gateway, Setup, TRUSTED, USER, USER_PASSWORD, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn d1_no_form_of_address_is_relayed_for_a_stranger() {
    let sink = Sink::start(Script::smtp()).await;
    let limits = "hard_error_limit = 100";
    let gateway = Gateway::start(&Setup::before(&sink).section("limits", limits)).await;
    let mut stranger = gateway.connect().await;
    stranger.greet().await;
    stranger.ask("MAIL FROM:<x@client.example>", "250 *").await;
    for form in FORMS {
        stranger.ask(&format!("RCPT TO:{form}"), "5*").await;
    }
    stranger.ask("DATA", "554 5.5.1 *").await;
    stranger.leave().await;
    assert!(gateway.queue().list().await.is_empty());
    sink.expect_nothing();
}

#[tokio::test]
async fn trusted_networks_and_people_who_log_in_may_relay() {
    let sink = Sink::start(Script::smtp()).await;
    let mx = format!("mode = \"mx\"\nnetworks = [\"{TRUSTED}\"]\nauth_in_clear = true");
    let gateway = Gateway::start(&Setup::before(&sink).listener("mx", &mx)).await;
    let outward = mail().to("u@other.example");
    gateway.submit(outward.clone()).await.expect_refused("554 5.7.1 <u@other.example>: Relay *");
    let mut trusted = gateway.connect_from(TRUSTED, "mx").await;
    trusted.greet().await;
    let _ = trusted.send(&outward).await.expect_accepted();
    sink.expect_one().await;
    let mut alice = gateway.connect().await;
    alice.greet().await;
    alice.log_in(USER, USER_PASSWORD, "235 *").await;
    let _ = alice.send(&outward).await.expect_accepted();
    let arrived = sink.expect(2).await;
    assert!(arrived[1].text().contains("with ESMTPA id "), "{}", arrived[1].text());
}

#[tokio::test]
async fn d5_a_mail_with_too_many_received_headers_goes_in_circles() {
    let sink = Sink::start(Script::smtp()).await;
    let limits = "hopcount_limit = 5";
    let gateway = Gateway::start(&Setup::before(&sink).section("limits", limits)).await;
    let hops = |count| (0..count).fold(mail(), |mail, _| mail.header("Received: from a by b"));
    gateway.submit(hops(6)).await.expect_refused("554 5.4.6 Error: too many hops");
    let _ = gateway.submit(hops(5)).await.expect_accepted();
    sink.expect_one().await;
}

const FORMS: [&str; 16] = [
    "<u@other.example>",
    "<>",
    "<u%other.example@local.example>",
    "<\"u@other.example\">",
    "<\"u%other.example\">",
    "<u@other.example@local.example>",
    "<\"u@other.example\"@local.example>",
    "<@local.example:u@other.example>",
    "<other.example!u>",
    "<other.example!u@local.example>",
    "<\"other.example!u\"@local.example>",
    "<u@[127.0.0.1]>",
    "<u@[192.0.2.9]>",
    "<u%other.example@[127.0.0.1]>",
    "<u@other.example!local.example>",
    "u@other.example",
];
