//! What goes in one packet, and whose reply is whose.

use super::{
    driver::{lockstep, mail, plain_settings},
    script::{play, play_staying},
};
use crate::client::{Dialect, Pipelining, Settings};

const SET_UP: &str = "S: 220 mx.example
     C: EHLO mail.example
     S: 250-mx.example
     S: 250 PIPELINING
    ";

fn up_to_the_envelope() -> Settings {
    Settings { pipelining: Pipelining::Envelope, ..plain_settings() }
}

#[test]
fn the_commands_of_a_mail_go_in_one_packet() {
    play(
        &up_to_the_envelope(),
        &[mail(1, &["a@x.example", "b@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: RCPT TO:<b@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 1
             C: .
             S: 250 queued
             * mail 1 <a@x.example> delivered: 250 queued
             * mail 1 <b@x.example> delivered: 250 queued
             C: QUIT
             * quit"
        ),
    );
}

#[test]
fn a_peer_that_does_not_offer_pipelining_gets_one_command_at_a_time() {
    play(
        &plain_settings(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
        "S: 220 mx.example
         C: EHLO mail.example
         S: 250 mx.example
         C: MAIL FROM:<sender@from.example>
         S: 250 ok
         C: RCPT TO:<a@x.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: mail 1
         C: .
         S: 250 queued
         * mail 1 <a@x.example> delivered: 250 queued
         C: MAIL FROM:<sender@from.example>
         S: 250 ok
         C: RCPT TO:<b@x.example>
         S: 250 ok
         C: DATA
         S: 354 go
         C: mail 2
         C: .
         S: 250 queued
         * mail 2 <b@x.example> delivered: 250 queued
         C: QUIT
         * quit",
    );
}

#[test]
fn the_next_mail_follows_the_content_in_the_same_packet() {
    play(
        &plain_settings(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"]), mail(3, &["c@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 1
             C: .
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<b@x.example>
             C: DATA
             S: 250 first
             S: 250 ok
             S: 250 ok
             S: 354 go
             * mail 1 <a@x.example> delivered: 250 first
             C: mail 2
             C: .
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<c@x.example>
             C: DATA
             S: 250 second
             S: 250 ok
             S: 250 ok
             S: 354 go
             * mail 2 <b@x.example> delivered: 250 second
             C: mail 3
             C: .
             S: 250 third
             * mail 3 <c@x.example> delivered: 250 third
             C: QUIT
             * quit"
        ),
    );
}

#[test]
fn a_refused_content_does_not_harm_the_mail_behind_it() {
    play(
        &plain_settings(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 1
             C: .
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<b@x.example>
             C: DATA
             S: 550 5.7.1 spam
             * mail 1 <a@x.example> failed by EndOfData: 550 5.7.1 spam
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 2
             C: .
             S: 250 second
             * mail 2 <b@x.example> delivered: 250 second
             C: QUIT
             * quit"
        ),
    );
}

#[test]
fn a_421_for_the_content_gives_the_mail_behind_it_back() {
    play(
        &plain_settings(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"]), mail(3, &["c@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 1
             C: .
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<b@x.example>
             C: DATA
             S: 421 4.3.2 shutting down
             * mail 1 <a@x.example> deferred by EndOfData: 421 4.3.2 shutting down
             * mail 2 returned
             * mail 3 returned
             * closed by EndOfData: 421 4.3.2 shutting down"
        ),
    );
}

#[test]
fn k1_a_peer_lost_behind_the_dot_leaves_one_uncertain_mail_and_one_untouched() {
    for (event, what) in [
        ("close", "lost connection with mx.example[192.0.2.1]"),
        ("silence", "conversation with mx.example[192.0.2.1] timed out"),
    ] {
        let why = format!(
            "421 4.4.2 {what} while sending end of data -- message may be sent more than once"
        );
        play(
            &plain_settings(),
            &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
            &format!(
                "{SET_UP}
                 C: MAIL FROM:<sender@from.example>
                 C: RCPT TO:<a@x.example>
                 C: DATA
                 S: 250 ok
                 S: 250 ok
                 S: 354 go
                 C: mail 1
                 C: .
                 C: MAIL FROM:<sender@from.example>
                 C: RCPT TO:<b@x.example>
                 C: DATA
                 ~~ {event}
                 * mail 1 <a@x.example> uncertain: {why}
                 * mail 2 returned
                 * closed broken in EndOfData: {why}"
            ),
        );
    }
}

#[test]
fn a_kept_open_connection_that_the_peer_closes_gives_the_next_mail_back() {
    for (event, end) in [
        ("S: 421 4.4.2 idle too long", "closed by Mail: 421 4.4.2 idle too long"),
        (
            "~~ close",
            "closed broken in Mail: 421 4.4.2 lost connection with mx.example[192.0.2.1] while sending MAIL FROM",
        ),
    ] {
        play(
            &up_to_the_envelope(),
            &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
            &format!(
                "{SET_UP}
                 C: MAIL FROM:<sender@from.example>
                 C: RCPT TO:<a@x.example>
                 C: DATA
                 S: 250 ok
                 S: 250 ok
                 S: 354 go
                 C: mail 1
                 C: .
                 S: 250 queued
                 * mail 1 <a@x.example> delivered: 250 queued
                 C: MAIL FROM:<sender@from.example>
                 C: RCPT TO:<b@x.example>
                 C: DATA
                 {event}
                 * mail 2 returned
                 * {end}"
            ),
        );
    }
}

#[test]
fn a_mail_that_nobody_gets_ends_with_a_lone_dot_if_data_was_accepted() {
    for answer in ["554 no valid recipients", "250 queued, oddly"] {
        play(
            &up_to_the_envelope(),
            &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
            &format!(
                "{SET_UP}
                 C: MAIL FROM:<sender@from.example>
                 C: RCPT TO:<a@x.example>
                 C: DATA
                 S: 250 ok
                 S: 550 5.1.1 unknown
                 S: 354 go
                 C: .
                 S: {answer}
                 * mail 1 <a@x.example> failed by Rcpt: 550 5.1.1 unknown
                 C: MAIL FROM:<sender@from.example>
                 C: RCPT TO:<b@x.example>
                 C: DATA
                 S: 250 ok
                 S: 250 ok
                 S: 354 go
                 C: mail 2
                 C: .
                 S: 250 queued
                 * mail 2 <b@x.example> delivered: 250 queued
                 C: QUIT
                 * quit"
            ),
        );
    }
}

#[test]
fn an_aborted_transaction_is_reset_with_the_next_group() {
    play(
        &plain_settings(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 450 4.2.1 busy
             S: 554 no valid recipients
             * mail 1 <a@x.example> deferred by Rcpt: 450 4.2.1 busy
             C: RSET
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<b@x.example>
             C: DATA
             S: 250 reset
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 2
             C: .
             S: 250 queued
             * mail 2 <b@x.example> delivered: 250 queued
             C: QUIT
             * quit"
        ),
    );
}

#[test]
fn a_refused_reset_gives_the_mail_back() {
    play(
        &lockstep(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             S: 250 ok
             C: RCPT TO:<a@x.example>
             S: 550 5.1.1 unknown
             * mail 1 <a@x.example> failed by Rcpt: 550 5.1.1 unknown
             C: RSET
             S: 500 what?
             * mail 2 returned
             C: QUIT
             * closed by Rset: 500 what?"
        ),
    );
}

#[test]
fn a_refused_sender_needs_no_reset() {
    play(
        &plain_settings(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 553 5.1.8 no such sender
             S: 503 5.5.1 MAIL first
             S: 503 5.5.1 MAIL first
             * mail 1 <a@x.example> failed by Mail: 553 5.1.8 no such sender
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<b@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 2
             C: .
             S: 250 queued
             * mail 2 <b@x.example> delivered: 250 queued
             C: QUIT
             * quit"
        ),
    );
}

#[test]
fn many_recipients_go_in_groups() {
    let names: Vec<String> = (0..150).map(|n| format!("r{n}@x.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rcpt = |name: &&str| format!("C: RCPT TO:<{name}>\n");
    let first: String = names[..99].iter().map(rcpt).collect();
    let second: String = names[99..].iter().map(rcpt).collect();
    let told: String =
        names.iter().map(|n| format!("* mail 1 <{n}> delivered: 250 queued\n")).collect();
    let text = format!(
        "{SET_UP}
         C: MAIL FROM:<sender@from.example>
         {first}{}{second} C: DATA
         {} S: 354 go
         C: mail 1
         C: .
         S: 250 queued
         {told}",
        "S: 250 ok\n".repeat(100),
        "S: 250 ok\n".repeat(51),
    );
    let driver = super::driver::Driver::new(plain_settings(), vec![mail(1, &names)], false);
    super::script::play_once(driver, &text);
}

#[test]
fn quit_follows_the_last_content_in_the_same_packet() {
    let mut driver =
        super::driver::Driver::new(plain_settings(), vec![mail(1, &["a@x.example"])], false);
    driver.run();
    driver.client.receive(b"220 mx.example\r\n");
    driver.run();
    driver.client.receive(b"250-mx.example\r\n250 PIPELINING\r\n");
    driver.run();
    driver.client.quit();
    driver.wire.clear();
    driver.client.receive(b"250 ok\r\n250 ok\r\n354 go\r\n");
    driver.run();
    driver.send_content(usize::MAX);
    driver.run();
    assert_eq!(driver.wire, b"mail 1\r\n.\r\nQUIT\r\n");
    assert!(!driver.client.has_room());
    driver.client.receive(b"250 queued\r\n");
    driver.run();
    assert_eq!(driver.told, ["mail 1 <a@x.example> delivered: 250 queued", "quit"]);
}

#[test]
fn k2_an_lmtp_store_answers_for_each_accepted_recipient() {
    let lmtp = Settings { dialect: Dialect::Lmtp, ..plain_settings() };
    play(
        &lmtp,
        &[mail(1, &["a@x.example", "b@x.example", "c@x.example"]), mail(2, &["d@x.example"])],
        "S: 220 store.example
         C: LHLO mail.example
         S: 250-store.example
         S: 250 PIPELINING
         C: MAIL FROM:<sender@from.example>
         C: RCPT TO:<a@x.example>
         C: RCPT TO:<b@x.example>
         C: RCPT TO:<c@x.example>
         C: DATA
         S: 250 ok
         S: 250 ok
         S: 550 5.1.1 unknown
         S: 250 ok
         S: 354 go
         C: mail 1
         C: .
         C: MAIL FROM:<sender@from.example>
         C: RCPT TO:<d@x.example>
         C: DATA
         S: 250 2.0.0 stored
         S: 452 4.2.2 full
         S: 250 ok
         S: 250 ok
         S: 354 go
         * mail 1 <a@x.example> delivered: 250 2.0.0 stored
         * mail 1 <b@x.example> failed by Rcpt: 550 5.1.1 unknown
         * mail 1 <c@x.example> deferred by EndOfData: 452 4.2.2 full
         C: mail 2
         C: .
         S: 250 2.0.0 stored
         * mail 2 <d@x.example> delivered: 250 2.0.0 stored
         C: QUIT
         * quit",
    );
}

#[test]
fn k2_an_lmtp_store_lost_between_two_answers_leaves_only_the_second_uncertain() {
    let lmtp = Settings { dialect: Dialect::Lmtp, ..plain_settings() };
    let why = "421 4.4.2 lost connection with mx.example[192.0.2.1] while sending end of data -- message may be sent more than once";
    play(
        &lmtp,
        &[mail(1, &["a@x.example", "b@x.example"])],
        &format!(
            "S: 220 store.example
             C: LHLO mail.example
             S: 250 store.example
             C: MAIL FROM:<sender@from.example>
             S: 250 ok
             C: RCPT TO:<a@x.example>
             S: 250 ok
             C: RCPT TO:<b@x.example>
             S: 250 ok
             C: DATA
             S: 354 go
             C: mail 1
             C: .
             S: 250 2.0.0 stored
             ~~ close
             * mail 1 <a@x.example> delivered: 250 2.0.0 stored
             * mail 1 <b@x.example> uncertain: {why}
             * closed broken in EndOfData: {why}"
        ),
    );
}

#[test]
fn an_lmtp_store_must_not_ask_for_a_content_that_nobody_gets() {
    let lmtp = Settings { dialect: Dialect::Lmtp, ..plain_settings() };
    let why = "451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while sending DATA command";
    play(
        &lmtp,
        &[mail(1, &["a@x.example"])],
        &format!(
            "S: 220 store.example
             C: LHLO mail.example
             S: 250-store.example
             S: 250 PIPELINING
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 550 5.1.1 unknown
             S: 354 go
             * mail 1 <a@x.example> deferred broken in Data: {why}
             * closed broken in Data: {why}"
        ),
    );
}

#[test]
fn k1_a_success_said_twice_is_not_taken_for_another_mail() {
    let nonsense = "451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while sending DATA command";
    play(
        &plain_settings(),
        &[mail(1, &["a@x.example"]), mail(2, &["b@x.example", "c@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 1
             C: .
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<b@x.example>
             C: RCPT TO:<c@x.example>
             C: DATA
             S: 250 queued
             S: 250 queued
             S: 250 ok
             S: 550 5.1.1 b is unknown
             S: 250 c is welcome
             S: 354 go
             * mail 1 <a@x.example> delivered: 250 queued
             * mail 2 <b@x.example> deferred broken in Data: {nonsense}
             * mail 2 <c@x.example> deferred broken in Data: {nonsense}
             * closed broken in Data: {nonsense}"
        ),
    );
}

#[test]
fn a_peer_that_talks_between_mails_is_left() {
    for (line, end) in [
        ("421 4.4.2 idle too long", "closed by Idle: 421 4.4.2 idle too long"),
        (
            "250 queued",
            "closed broken in Idle: 451 4.5.0 protocol error: a reply without a command from mx.example[192.0.2.1] while waiting for the next mail",
        ),
    ] {
        let text = format!(
            "{SET_UP}
             S: {line}
             * {end}"
        );
        let driver = super::driver::Driver::new(plain_settings(), Vec::new(), false);
        super::script::play_in_lines(driver, &text);
    }
    play_staying(&plain_settings(), &[], SET_UP);
}

#[test]
fn k1_a_late_second_answer_to_the_dot_fails_nobody_of_the_next_mail() {
    play_staying(
        &up_to_the_envelope(),
        &[mail(1, &["a@x.example"]), mail(2, &["a@x.example", "b@x.example", "c@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 354 go
             C: mail 1
             C: .
             S: 250 queued
             * mail 1 <a@x.example> delivered: 250 queued
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: RCPT TO:<b@x.example>
             C: RCPT TO:<c@x.example>
             C: DATA
             S: 250 queued again
             S: 250 ok, sender
             S: 250 ok, a
             S: 450 not now, b
             S: 550 no such user, c
             * mail 2 <a@x.example> deferred by Data: 550 no such user, c
             * mail 2 <b@x.example> deferred by Data: 550 no such user, c
             * mail 2 <c@x.example> deferred by Data: 550 no such user, c
             S: 354 go
             * closed broken in Idle: 451 4.5.0 protocol error: a reply without a command from mx.example[192.0.2.1] while waiting for the next mail"
        ),
    );
}

#[test]
fn data_refused_on_a_fresh_connection_fails_the_mail() {
    play(
        &up_to_the_envelope(),
        &[mail(1, &["a@x.example"])],
        &format!(
            "{SET_UP}
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<a@x.example>
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 554 5.7.1 not you
             * mail 1 <a@x.example> failed by Data: 554 5.7.1 not you
             C: QUIT
             * quit"
        ),
    );
}
