//! STARTTLS: policies, refusals, and answers that were slipped in before (`attacks.md` B2).

use super::{
    driver::{Driver, Halt, mail, plain_settings},
    lines::{LEFT, agreed_in_turn, taken},
    script::play,
};
use crate::client::{Credentials, Settings, TlsPolicy};

/// What a peer says until it is asked for TLS.
const TO_STARTTLS: [&str; 2] = ["220 mx.example", "250-mx.example\r\n250 STARTTLS"];

fn with_tls(tls: TlsPolicy) -> Settings {
    Settings { tls, ..plain_settings() }
}

#[test]
fn after_tls_the_offer_is_asked_for_anew() {
    play(
        &with_tls(TlsPolicy::Opportunistic),
        &[mail(1, "a")],
        &format!(
            "S: 220 mx.example
             C: EHLO mail.example
             S: 250-mx.example
             S: 250-PIPELINING
             S: 250-SIZE 1
             S: 250-AUTH PLAIN
             S: 250 STARTTLS
             C: STARTTLS
             S: 220 go on
             ~~ tls
             C: EHLO mail.example
             S: 250-mx.example
             S: 250 STARTTLS
             {}{}{LEFT}",
            agreed_in_turn("a"),
            taken(1, "a"),
        ),
    );
}

#[test]
fn b2_an_answer_slipped_in_before_tls_ends_the_connection() {
    for policy in [TlsPolicy::Opportunistic, TlsPolicy::Required] {
        let mut driver = Driver::new(with_tls(policy), vec![mail(1, "a")], false);
        driver.hear(&TO_STARTTLS);
        driver.hear(&["220 go on\r\n250-evil.example\r\n250 AUTH PLAIN"]);
        assert_eq!(driver.run(), Halt::Closed);
        assert!(driver.told[0].starts_with("closed broken in StartTls: 451 4.5.0"));
    }
}

#[test]
fn b2_bytes_in_clear_during_the_handshake_end_the_connection() {
    let mut driver = Driver::new(with_tls(TlsPolicy::Required), Vec::new(), false);
    driver.hear(&TO_STARTTLS);
    driver.hear(&["220 go on"]);
    assert_eq!(driver.run(), Halt::Tls);
    driver.client.receive(b"250 evil.example\r\n");
    assert_eq!(driver.run(), Halt::Closed);
}

#[test]
fn b2_half_a_reply_before_tls_does_not_begin_the_first_one_under_tls() {
    let mut driver = Driver::new(with_tls(TlsPolicy::Required), Vec::new(), false);
    driver.hear(&TO_STARTTLS);
    driver.run();
    driver.client.receive(b"220 go on\r\n250-evil");
    assert_eq!(driver.run(), Halt::Closed);
}

#[test]
fn tls_that_is_refused_is_done_without_if_it_is_a_choice() {
    play(
        &with_tls(TlsPolicy::Opportunistic),
        &[],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250 STARTTLS
         C: STARTTLS
         S: 454 4.7.0 not now
         C: QUIT
         * quit",
    );
}

#[test]
fn tls_that_is_required_and_refused_ends_the_connection() {
    play(
        &with_tls(TlsPolicy::Required),
        &[mail(1, "a")],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250 STARTTLS
         C: STARTTLS
         S: 454 4.7.0 not now
         C: QUIT
         * closed by StartTls: 454 4.7.0 not now",
    );
}

#[test]
fn b4_without_tls_that_is_required_no_mail_is_sent() {
    for answer in ["250-mx.example", "502 what?\n C: HELO mail.example"] {
        play(
            &with_tls(TlsPolicy::Required),
            &[mail(1, "a")],
            &format!(
                "S: 220 mx.example
                 C: EHLO mail.example
                 S: {answer}
                 S: 250 PIPELINING
                 C: QUIT
                 * closed locally: 454 4.7.4 TLS is required, but was not offered by host mx.example[192.0.2.1]"
            ),
        );
    }
}

#[test]
fn a_failed_handshake_asks_for_a_connection_in_clear_only_where_that_is_allowed() {
    for (policy, end) in [
        (TlsPolicy::Opportunistic, "retry in clear"),
        (TlsPolicy::Required, "closed broken in StartTls"),
    ] {
        play(
            &with_tls(policy),
            &[mail(1, "a")],
            &format!(
                "S: 220 mx.example
                 C: EHLO mail.example
                 S: 250-mx.example
                 S: 250 STARTTLS
                 C: STARTTLS
                 S: 220 go on
                 ~~ no tls
                 * {end}: 454 4.7.5 Cannot start TLS: handshake failure with mx.example[192.0.2.1]: bad certificate"
            ),
        );
    }
}

#[test]
fn a_silent_handshake_times_out() {
    let mut driver = Driver::new(with_tls(TlsPolicy::Required), Vec::new(), false);
    driver.hear(&TO_STARTTLS);
    driver.hear(&["220 go on"]);
    assert_eq!(driver.run(), Halt::Tls);
    driver.wait_in_vain();
    assert_eq!(driver.run(), Halt::Closed);
    assert!(driver.told[0].contains("timed out while performing the TLS handshake"));
}

#[test]
fn starttls_is_not_asked_for_on_a_connection_that_began_with_tls() {
    let credentials =
        Credentials { user: "relay".into(), password: "sesame".into(), allow_clear: false };
    let settings = Settings { credentials: Some(credentials), ..with_tls(TlsPolicy::Implicit) };
    play(
        &settings,
        &[],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250-STARTTLS
         S: 250 AUTH PLAIN
         C: AUTH PLAIN AHJlbGF5AHNlc2FtZQ==
         S: 235 welcome
         C: QUIT
         * quit",
    );
}
