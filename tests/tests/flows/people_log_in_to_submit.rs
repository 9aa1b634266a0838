//! Rows C1, C2 and C4: submission needs a log-in, inside TLS, and guessing is slowed down.

use mailweir_tests::{
    gateway::{AUDITOR, Gateway, Peer, Setup, USER, USER_OFFICE, USER_PASSWORD, USER_TV, mail},
    sink::{Script, Sink},
};

#[tokio::test]
async fn a_user_submits_over_starttls() {
    let (gateway, sink) = submission().await;
    let mut alice = gateway.connect().await;
    alice.greet().await;
    alice.ask("MAIL FROM:<alice@local.example>", "530 5.7.0 *").await;
    alice.start_tls().await;
    alice.ask("MAIL FROM:<alice@local.example>", "530 5.7.0 Authentication required").await;
    alice.log_in(USER, USER_PASSWORD, "235 2.7.0 *").await;
    let id = alice.send(&mail().to("friend@other.example")).await.expect_accepted();
    alice.leave().await;
    let header = sink.expect_one().await.text();
    assert!(header.contains("with ESMTPSA id ") && !header.contains("alice"), "{header}");
    gateway.log().expect(&format!("{id}: client=*sasl_method=PLAIN, sasl_username=alice")).await;
}

#[tokio::test]
async fn c1_a_wrong_password_and_an_unknown_name_are_told_the_same() {
    let (gateway, _sink) = submission().await;
    let mut guesser = in_tls(&gateway).await;
    for (user, password) in [(USER, "guess"), ("nobody", "guess")] {
        guesser.log_in(user, password, "535 5.7.8 Error: authentication failed").await;
    }
    guesser.ask("MAIL FROM:<>", "530 *").await;
    let warning = "warning: unknown[127.0.0.1]: SASL PLAIN authentication failed: ";
    gateway.log().expect_times(2, warning).await;
    gateway.log().expect_none("guess");
}

#[tokio::test]
async fn a_device_submits_with_an_app_password_and_the_log_names_it() {
    let (gateway, sink) = submission().await;
    let mut tv = in_tls(&gateway).await;
    tv.log_in(USER, &USER_TV.replace('-', ""), "235 2.7.0 *").await;
    let id = tv.send(&mail().to("friend@other.example")).await.expect_accepted();
    tv.leave().await;
    sink.expect_one().await;
    gateway.log().expect(&format!("{id}: client=*sasl_method=PLAIN, sasl_username=alice")).await;
    gateway.log().expect("unknown[127.0.0.1]: sasl_username=alice, app password tv").await;
    gateway.log().expect_none(&USER_TV[..9]);
}

#[tokio::test]
async fn who_has_roles_and_is_no_sender_hands_in_nothing() {
    let (gateway, _sink) = submission().await;
    let mut auditor = in_tls(&gateway).await;
    auditor.log_in(AUDITOR, USER_PASSWORD, "535 5.7.8 Error: authentication failed").await;
    auditor.ask("MAIL FROM:<>", "530 *").await;
    gateway
        .log()
        .expect("SASL PLAIN authentication failed: the user has roles, and not sender")
        .await;
}

#[tokio::test]
async fn c1_an_app_password_from_another_network_hears_what_a_wrong_one_hears() {
    let (gateway, _sink) = submission().await;
    let mut guesser = in_tls(&gateway).await;
    guesser.log_in(USER, USER_OFFICE, "535 5.7.8 Error: authentication failed").await;
    let reason = "SASL PLAIN authentication failed: an app password that is not for this network";
    gateway.log().expect(reason).await;
}

#[tokio::test]
async fn c2_who_guesses_too_often_is_not_listened_to_even_with_the_right_password() {
    let (gateway, _sink) = submission().await;
    for _ in 0..7 {
        let mut guesser = in_tls(&gateway).await;
        for _ in 0..3 {
            guesser.log_in(USER, "guess", "535 *").await;
        }
        guesser.leave().await;
    }
    let mut guesser = in_tls(&gateway).await;
    guesser.log_in(USER, USER_PASSWORD, "454 4.7.0 *").await;
}

#[tokio::test]
async fn c4_passwords_are_not_asked_for_in_clear() {
    let (gateway, _sink) = submission().await;
    let mut alice = gateway.connect().await;
    alice.hear("220 *").await;
    let offer = alice.ask("EHLO client.example", "250 *").await;
    assert!(offer.contains("STARTTLS") && !offer.contains("AUTH"), "{offer}");
    alice.log_in(USER, USER_PASSWORD, "5*").await;
}

async fn submission() -> (Gateway, Sink) {
    let sink = Sink::start(Script::smtp()).await;
    let lines = "mode = \"submission\"\ntls = \"required\"";
    let gateway = Gateway::start(&Setup::before(&sink).listener("submission", lines)).await;
    (gateway, sink)
}

async fn in_tls(gateway: &Gateway) -> Peer {
    let mut peer = gateway.connect().await;
    peer.greet().await;
    peer.start_tls().await;
    peer
}
