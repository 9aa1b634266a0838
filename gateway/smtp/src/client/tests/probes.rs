//! Whether a recipient would be taken: a transaction that ends with the answer to RCPT.

use mailweir_mail::{Address, Envelope, ReversePath};

use super::{
    driver::{Driver, Mail, mail, plain_settings, probe},
    lines::{LEFT, LOCKSTEP, PIPELINED, agreed, content, offering, taken},
    script::{play, play_once},
};
use crate::client::{Dialect, Settings};

/// MAIL and RCPT of a probe in one packet.
const ASKED: &str = "C: MAIL FROM:<sender@from.example>
     C: RCPT TO:<a@x.example>
    ";

#[test]
fn a_probe_asks_in_one_packet_and_leaves_without_data() {
    for (answer, told) in [
        ("250 2.1.5 Ok", "accepted"),
        ("251 2.1.5 will forward", "accepted"),
        ("450 4.2.0 greylisted", "deferred by Rcpt"),
        ("550 5.1.1 unknown", "failed by Rcpt"),
        ("554 no", "failed by Rcpt"),
    ] {
        play(
            &plain_settings(),
            &[probe(1, "a")],
            &format!(
                "{PIPELINED}{ASKED}
                 S: 250 ok
                 S: {answer}
                 * mail 1 <a@x.example> {told}: {answer}
                 {LEFT}"
            ),
        );
    }
}

#[test]
fn a_probe_asks_one_by_one_where_nothing_is_pipelined() {
    for (answer, told) in [("250 2.1.5 Ok", "accepted"), ("550 5.1.1 unknown", "failed by Rcpt")] {
        play(
            &plain_settings(),
            &[probe(1, "a")],
            &format!(
                "{LOCKSTEP}
                 C: MAIL FROM:<sender@from.example>
                 S: 250 ok
                 C: RCPT TO:<a@x.example>
                 S: {answer}
                 * mail 1 <a@x.example> {told}: {answer}
                 {LEFT}"
            ),
        );
    }
}

#[test]
fn a_refused_sender_is_the_answer_for_the_recipient() {
    for (answer, told) in
        [("451 4.1.8 later", "deferred by Mail"), ("550 5.1.8 never", "failed by Mail")]
    {
        let told = format!("* mail 1 <a@x.example> {told}: {answer}\n{LEFT}");
        let mails = [probe(1, "a")];
        for after_that in ["503 5.5.1 bad sequence", "250 2.1.5 Ok"] {
            let script = format!("{PIPELINED}{ASKED}S: {answer}\nS: {after_that}\n{told}");
            play(&plain_settings(), &mails, &script);
        }
        let in_turn = format!("C: MAIL FROM:<sender@from.example>\nS: {answer}\n{told}");
        play(&plain_settings(), &mails, &format!("{LOCKSTEP}{in_turn}"));
    }
}

#[test]
fn a_probe_has_no_size_and_the_parameters_that_its_addresses_need() {
    let sender =
        |mail: Mail, sender| Mail { envelope: Envelope { sender, ..mail.envelope }, ..mail };
    let german = Address::parse("prüfung@from.example").unwrap();
    for (asked, line) in [
        (sender(probe(1, "a"), ReversePath::Null), "MAIL FROM:<>"),
        (sender(probe(1, "a"), german.into()), "MAIL FROM:<prüfung@from.example> SMTPUTF8"),
    ] {
        play(
            &plain_settings(),
            &[asked],
            &format!(
                "{}C: {line}
                 C: RCPT TO:<a@x.example>
                 S: 250 ok
                 S: 250 ok
                 * mail 1 <a@x.example> accepted: 250 ok
                 {LEFT}",
                offering(&["PIPELINING", "SIZE 1000", "8BITMIME", "DSN", "SMTPUTF8"]),
            ),
        );
    }
}

#[test]
fn a_recipient_that_the_peer_cannot_read_is_not_asked_about() {
    let script = format!(
        "{PIPELINED}* mail 1 <jürgen@x.example> failed locally: 553 5.6.7 SMTPUTF8 is required, \
         but was not offered by host mx.example[192.0.2.1]\n{LEFT}"
    );
    play(&plain_settings(), &[probe(1, "jürgen")], &script);
}

#[test]
fn a_peer_that_leaves_or_is_silent_defers() {
    let lost = "421 4.4.2 lost connection with mx.example[192.0.2.1] while";
    let late = "421 4.4.2 conversation with mx.example[192.0.2.1] timed out while";
    for (events, phase, why) in [
        ("~~ close", "Mail", format!("{lost} sending MAIL FROM")),
        ("~~ silence", "Mail", format!("{late} sending MAIL FROM")),
        ("S: 250 ok\n~~ close", "Rcpt", format!("{lost} sending RCPT TO")),
        ("S: 250 ok\n~~ silence", "Rcpt", format!("{late} sending RCPT TO")),
    ] {
        let told = format!(
            "* mail 1 <a@x.example> deferred broken in {phase}: {why}
             * closed broken in {phase}: {why}"
        );
        let mails = [probe(1, "a")];
        play(&plain_settings(), &mails, &format!("{PIPELINED}{ASKED}{events}\n{told}"));
    }
}

#[test]
fn a_peer_that_shuts_down_or_talks_nonsense_defers() {
    let nonsense = "protocol error: a reply that the command cannot have from \
                    mx.example[192.0.2.1] while sending";
    for (answers, cause, why) in [
        ("S: 421 4.3.2 bye", "by Mail", "421 4.3.2 bye".to_owned()),
        ("S: 250 ok\nS: 421 4.3.2 bye", "by Rcpt", "421 4.3.2 bye".to_owned()),
        ("S: 354 go", "broken in Mail", format!("451 4.5.0 {nonsense} MAIL FROM")),
        ("S: 250 ok\nS: 354 go", "broken in Rcpt", format!("451 4.5.0 {nonsense} RCPT TO")),
    ] {
        let told =
            format!("* mail 1 <a@x.example> deferred {cause}: {why}\n* closed {cause}: {why}");
        let mails = [probe(1, "a")];
        play(&plain_settings(), &mails, &format!("{PIPELINED}{ASKED}{answers}\n{told}"));
    }
}

#[test]
fn a_connection_that_is_kept_is_reset_before_it_carries_a_mail() {
    play(
        &plain_settings(),
        &[probe(1, "a"), probe(2, "b"), mail(3, "c")],
        &format!(
            "{PIPELINED}{ASKED}
             S: 250 ok
             S: 250 2.1.5 Ok
             * mail 1 <a@x.example> accepted: 250 2.1.5 Ok
             C: RSET
             C: MAIL FROM:<sender@from.example>
             C: RCPT TO:<b@x.example>
             S: 250 reset
             S: 550 5.1.8 no
             S: 503 5.5.1 no
             * mail 2 <b@x.example> failed by Mail: 550 5.1.8 no
             {}{}{LEFT}",
            agreed("c"),
            taken(3, "c"),
        ),
    );
}

#[test]
fn k1_a_late_reply_to_a_mail_is_no_answer_to_a_probe_behind_it() {
    // What the peer said too much of the mail before passes for the answer to MAIL; the answer to
    // MAIL for that to RCPT. What comes behind shows it, and ends the connection.
    let script = format!(
        "{PIPELINED}{}{}S: 250 queued
         * mail 1 <a@x.example> delivered: 250 queued
         C: MAIL FROM:<sender@from.example>
         C: RCPT TO:<b@x.example>
         S: 250 late
         S: 503 5.5.1 nested MAIL
         * mail 2 <b@x.example> deferred broken in Rcpt: 451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while sending RCPT TO
         * closed broken in Rcpt: 451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while sending RCPT TO",
        agreed("a"),
        content(1),
    );
    play_once(Driver::new(plain_settings(), vec![mail(1, "a"), probe(2, "b")], true), &script);
}

#[test]
fn a_mail_store_is_asked_as_a_relay_is() {
    let settings = Settings { dialect: Dialect::Lmtp, ..plain_settings() };
    let script = format!(
        "S: 220 store.example
         C: LHLO mail.example
         S: 250-store.example
         S: 250 PIPELINING
         {ASKED}
         S: 250 2.1.0 Ok
         S: 550 5.1.1 unknown
         * mail 1 <a@x.example> failed by Rcpt: 550 5.1.1 unknown
         {LEFT}"
    );
    play(&settings, &[probe(1, "a")], &script);
}
