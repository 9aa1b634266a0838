//! Greeting, EHLO, HELO and AUTH.

use super::{
    driver::{Driver, Halt, mail, plain_settings},
    lines::{LEFT, agreed_in_turn, taken},
    script::{play, play_staying},
};
use crate::client::{Closed, Credentials, Phase, Settings, Step, settings::Timeouts};

fn with_login(allow_clear: bool) -> Settings {
    let credentials = Credentials { user: "relay".into(), password: "sesame".into(), allow_clear };
    Settings { credentials: Some(credentials), ..plain_settings() }
}

#[test]
fn a_connection_without_mail_is_set_up_and_left() {
    play(
        &plain_settings(),
        &[],
        "S: 220-mx.example ESMTP
         S: 220 second line
         C: EHLO mail.example
         S: 250-mx.example hello
         S: 250 PIPELINING
         C: QUIT
         * quit",
    );
}

#[test]
fn a_peer_that_does_not_know_ehlo_is_asked_with_helo() {
    play(
        &plain_settings(),
        &[mail(1, "a")],
        &format!(
            "S: 220 mx.example
             C: EHLO mail.example
             S: 502 what?
             C: HELO mail.example
             S: 250-mx.example
             S: 250 PIPELINING
             {}{}{LEFT}",
            agreed_in_turn("a"),
            taken(1, "a"),
        ),
    );
}

#[test]
fn an_unwelcoming_greeting_ends_the_connection() {
    for greeting in ["421 4.3.2 too busy", "450 later", "554 5.7.1 go away", "354 odd"] {
        let quit = if greeting.starts_with("421") { "" } else { "C: QUIT" };
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "S: {greeting}
                 {quit}
                 * closed by Greeting: {greeting}"
            ),
        );
    }
}

#[test]
fn a_temporary_refusal_of_ehlo_is_no_reason_for_helo() {
    for refusal in ["421 4.3.2 too busy", "450 later"] {
        let quit = if refusal.starts_with("421") { "" } else { "C: QUIT" };
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "S: 220 mx.example
                 C: EHLO mail.example
                 S: {refusal}
                 {quit}
                 * closed by Hello: {refusal}"
            ),
        );
    }
}

#[test]
fn a_peer_that_says_nothing_or_leaves_is_left() {
    for (event, what) in [
        ("close", "lost connection with mx.example[192.0.2.1] while"),
        ("silence", "conversation with mx.example[192.0.2.1] timed out while"),
    ] {
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "~~ {event}
                 * closed broken in Greeting: 421 4.4.2 {what} receiving the initial server greeting"
            ),
        );
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "S: 220 mx.example
                 C: EHLO mail.example
                 ~~ {event}
                 * closed broken in Hello: 421 4.4.2 {what} performing the EHLO handshake"
            ),
        );
    }
}

#[test]
fn a_peer_that_does_not_speak_smtp_is_left() {
    play(
        &plain_settings(),
        &[mail(1, "a")],
        "S: HTTP/1.1 400 Bad Request
         * closed broken in Greeting: 451 4.5.0 protocol error: a line that is no reply from mx.example[192.0.2.1] while receiving the initial server greeting",
    );
}

#[test]
fn a_hostile_offer_is_read_as_far_as_it_makes_sense() {
    play_staying(
        &plain_settings(),
        &[],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-
         S: 250-SIZE -18446744073709551616
         S: 250-AUTH=
         S: 250-LIMITS RCPTMAX=0 =
         S: 250-\u{0}\u{1b}[2J
         S: 250",
    );
}

#[test]
fn plain_is_preferred_for_the_log_in() {
    play(
        &with_login(true),
        &[],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250 AUTH LOGIN PLAIN
         C: AUTH PLAIN AHJlbGF5AHNlc2FtZQ==
         S: 235 2.7.0 welcome
         C: QUIT
         * quit",
    );
}

#[test]
fn a_peer_that_ignores_the_initial_response_gets_it_again() {
    play(
        &with_login(true),
        &[],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250 AUTH PLAIN
         C: AUTH PLAIN AHJlbGF5AHNlc2FtZQ==
         S: 334
         C: AHJlbGF5AHNlc2FtZQ==
         S: 235 welcome
         C: QUIT
         * quit",
    );
}

#[test]
fn login_is_used_where_nothing_better_is_offered() {
    play(
        &with_login(true),
        &[],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250 AUTH=LOGIN
         C: AUTH LOGIN
         S: 334 VXNlcm5hbWU6
         C: cmVsYXk=
         S: 334 UGFzc3dvcmQ6
         C: c2VzYW1l
         S: 235 welcome
         C: QUIT
         * quit",
    );
}

#[test]
fn a_refused_log_in_ends_the_connection() {
    play(
        &with_login(true),
        &[mail(1, "a")],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250 AUTH PLAIN
         C: AUTH PLAIN AHJlbGF5AHNlc2FtZQ==
         S: 535 5.7.8 wrong
         C: QUIT
         * closed by Auth: 535 5.7.8 wrong",
    );
}

#[test]
fn credentials_do_not_go_out_in_clear() {
    play(
        &with_login(false),
        &[mail(1, "a")],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250-mx.example
         S: 250 AUTH PLAIN
         C: QUIT
         * closed locally: 454 4.7.0 the credentials for this destination will not be sent without TLS to host mx.example[192.0.2.1]",
    );
}

#[test]
fn without_a_usable_mechanism_no_mail_is_sent() {
    for offer in ["AUTH GSSAPI", "PIPELINING"] {
        play(
            &with_login(true),
            &[mail(1, "a")],
            &format!(
                "S: 220 mx.example
                 C: EHLO mail.example
                 S: 250-mx.example
                 S: 250 {offer}
                 C: QUIT
                 * closed locally: 454 4.7.0 the credentials for this destination cannot be used with host mx.example[192.0.2.1]"
            ),
        );
    }
}

#[test]
fn an_exchange_that_makes_no_sense_is_broken_off() {
    let broken = "* closed broken in Auth: 451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while performing SASL authentication";
    play(
        &with_login(true),
        &[],
        &format!(
            "S: 220 mx.example
             C: EHLO mail.example
             S: 250-mx.example
             S: 250 AUTH LOGIN
             C: AUTH LOGIN
             S: 235 so soon?
             {broken}"
        ),
    );
    play(
        &with_login(true),
        &[],
        &format!(
            "S: 220 mx.example
             C: EHLO mail.example
             S: 250-mx.example
             S: 250 AUTH PLAIN
             C: AUTH PLAIN AHJlbGF5AHNlc2FtZQ==
             S: 334
             C: AHJlbGF5AHNlc2FtZQ==
             S: 334 more
             {broken}"
        ),
    );
}

#[test]
fn a_drop_of_bytes_does_not_keep_a_slow_peer_alive() {
    let timeouts = Timeouts::default();
    let mut driver = Driver::new(plain_settings(), Vec::new(), false);
    driver.run();
    let deadline = driver.now + timeouts.helo;
    driver.now += timeouts.helo / 2;
    driver.client.receive(b"22");
    assert_eq!(driver.run(), Halt::Read);
    assert_eq!(driver.client.deadline(), Some(deadline));
    driver.client.receive(b"0 mx\r\n");
    driver.run();
    assert_eq!(driver.client.deadline(), Some(driver.now + timeouts.helo));
}

#[test]
fn nothing_happens_after_the_end() {
    let mut driver = Driver::new(plain_settings(), Vec::new(), false);
    driver.run();
    driver.lose();
    driver.run();
    driver.client.receive(b"220 late\r\n");
    driver.lose();
    driver.client.content_sent();
    driver.client.quit();
    driver.start_tls();
    let outgoing = mail(1, "a").outgoing();
    assert_eq!(driver.client.begin(outgoing.clone()), Err(outgoing));
    let now = driver.now;
    let Step::Close(Closed::Faulty { cause, .. }) = driver.client.next(now) else { panic!() };
    assert_eq!(*cause, crate::client::Cause::Broken(Phase::Greeting));
}
