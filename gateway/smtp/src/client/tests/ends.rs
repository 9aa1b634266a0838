//! Where a conversation ends early, and what that means to recipients.

use mailweir_mail::Reply;

use super::{
    driver::{Driver, Halt, mail, plain_settings},
    lines::{LEFT, LOCKSTEP, agreed_in_turn, content},
    script::play,
};

/// Each entry: what is said before, the phase, and what we were doing.
const COMMANDS: [(&str, &str, &str); 3] = [
    ("C: MAIL FROM:<sender@from.example>", "Mail", "sending MAIL FROM"),
    ("S: 250 ok\nC: RCPT TO:<a@x.example>", "Rcpt", "sending RCPT TO"),
    ("S: 250 ok\nC: DATA", "Data", "sending DATA command"),
];

#[test]
fn k1_a_peer_lost_before_the_dot_defers_the_mail() {
    let mut said = LOCKSTEP.to_owned();
    for (more, phase, doing) in COMMANDS {
        said = format!("{said}\n{more}");
        for (event, what) in [
            ("close", "lost connection with mx.example[192.0.2.1] while"),
            ("silence", "conversation with mx.example[192.0.2.1] timed out while"),
        ] {
            play(
                &plain_settings(),
                &[mail(1, "a")],
                &format!(
                    "{said}
                     ~~ {event}
                     * mail 1 <a@x.example> deferred broken in {phase}: 421 4.4.2 {what} {doing}
                     * closed broken in {phase}: 421 4.4.2 {what} {doing}"
                ),
            );
        }
    }
}

#[test]
fn a_421_to_any_command_defers_the_mail_and_ends_the_connection() {
    let mut said = LOCKSTEP.to_owned();
    for (more, phase, _) in COMMANDS {
        said = format!("{said}\n{more}");
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "{said}
                 S: 421 4.3.2 bye
                 * mail 1 <a@x.example> deferred by {phase}: 421 4.3.2 bye
                 * closed by {phase}: 421 4.3.2 bye"
            ),
        );
    }
}

#[test]
fn a_reply_that_a_command_cannot_have_defers_the_mail() {
    let mut said = LOCKSTEP.to_owned();
    for (more, phase, doing) in COMMANDS {
        said = format!("{said}\n{more}");
        let odd = if phase == "Data" { "250 what?" } else { "354 what?" };
        let why = format!(
            "451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while {doing}"
        );
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "{said}
                 S: {odd}
                 * mail 1 <a@x.example> deferred broken in {phase}: {why}
                 * closed broken in {phase}: {why}"
            ),
        );
    }
}

#[test]
fn a_refusal_for_one_recipient_stands_when_the_connection_is_lost_later() {
    let why = "421 4.4.2 lost connection with mx.example[192.0.2.1] while sending DATA command";
    play(
        &plain_settings(),
        &[mail(1, "a b")],
        &format!(
            "{LOCKSTEP}
             C: MAIL FROM:<sender@from.example>
             S: 250 ok
             C: RCPT TO:<a@x.example>
             S: 550 5.1.1 unknown
             C: RCPT TO:<b@x.example>
             S: 250 ok
             C: DATA
             ~~ close
             * mail 1 <a@x.example> failed by Rcpt: 550 5.1.1 unknown
             * mail 1 <b@x.example> deferred broken in Data: {why}
             * closed broken in Data: {why}"
        ),
    );
}

#[test]
fn k1_each_answer_to_the_dot_counts_once() {
    for (answer, outcome) in [
        ("250 2.0.0 queued", "delivered"),
        ("451 4.3.0 try again", "deferred by EndOfData"),
        ("554 5.6.0 no", "failed by EndOfData"),
    ] {
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "{}{}
                 S: {answer}
                 * mail 1 <a@x.example> {outcome}: {answer}
                 {LEFT}",
                up_to_content(),
                content(1),
            ),
        );
    }
}

#[test]
fn k1_a_peer_lost_behind_the_dot_leaves_the_mail_uncertain() {
    for (event, what) in [
        ("close", "lost connection with mx.example[192.0.2.1]"),
        ("silence", "conversation with mx.example[192.0.2.1] timed out"),
    ] {
        let why = format!(
            "421 4.4.2 {what} while sending end of data -- message may be sent more than once"
        );
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "{}{}
                 ~~ {event}
                 * mail 1 <a@x.example> uncertain: {why}
                 * closed broken in EndOfData: {why}",
                up_to_content(),
                content(1),
            ),
        );
    }
}

#[test]
fn k1_an_answer_to_the_dot_that_makes_no_sense_leaves_the_mail_uncertain() {
    for (line, what) in [
        ("354 more", "a reply that the command cannot have"),
        ("ok then", "a line that is no reply"),
    ] {
        let why = format!(
            "451 4.5.0 protocol error: {what} from mx.example[192.0.2.1] while sending end of data -- message may be sent more than once"
        );
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "{}{}
                 S: {line}
                 * mail 1 <a@x.example> uncertain: {why}
                 * closed broken in EndOfData: {why}",
                up_to_content(),
                content(1),
            ),
        );
    }
}

#[test]
fn a_peer_lost_while_content_is_sent_defers_the_mail() {
    for (event, what) in [
        ("close", "lost connection with mx.example[192.0.2.1]"),
        ("silence", "conversation with mx.example[192.0.2.1] timed out"),
    ] {
        let why = format!("421 4.4.2 {what} while sending message body");
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "{}
                 ~~ {event}
                 * mail 1 <a@x.example> deferred broken in Content: {why}
                 * closed broken in Content: {why}",
                up_to_content(),
            ),
        );
    }
}

#[test]
fn a_refusal_before_the_dot_counts_and_ends_the_connection() {
    let why = "451 4.5.0 protocol error: a reply without a command from mx.example[192.0.2.1] while sending message body";
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a")], false);
    driver.lead_to_content();
    for byte in b"452 4.3.1 disk full\r\n" {
        assert_eq!(driver.run(), Halt::Content);
        driver.client.receive(&[*byte]);
    }
    assert_eq!(driver.run(), Halt::Closed, "neither the content nor the dot is asked for");
    assert_eq!(
        driver.told,
        [
            "mail 1 <a@x.example> deferred by Content: 452 4.3.1 disk full".to_owned(),
            format!("closed broken in Content: {why}"),
        ]
    );
}

#[test]
fn k1_a_success_before_the_dot_is_not_believed() {
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a")], false);
    driver.lead_to_content();
    driver.client.receive(b"250 2.0.0 queued\r\n");
    assert_eq!(driver.run(), Halt::Closed);
    assert!(driver.told[0].starts_with("mail 1 <a@x.example> deferred broken in Content: 451"));
}

#[test]
fn a_flood_while_content_is_sent_ends_the_connection() {
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a")], false);
    driver.lead_to_content();
    for _ in 0..100 {
        driver.client.receive(&[b'x'; 1_000]);
    }
    assert_eq!(driver.run(), Halt::Closed);
    assert!(driver.told[0].starts_with("mail 1 <a@x.example> deferred broken in Content: 451"));
}

#[test]
fn content_that_we_cannot_read_to_its_end_is_never_ended_with_a_dot() {
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a"), mail(2, "b")], false);
    driver.lead_to_content();
    driver.wire.clear();
    driver.client.content_failed(Reply::plain(451, "disk error"));
    assert_eq!(driver.run(), Halt::Closed);
    assert!(driver.wire.is_empty());
    assert_eq!(driver.told[0], "mail 1 <a@x.example> deferred locally: 451 disk error");
}

#[test]
fn who_sends_to_all_or_to_nobody_knows_before_the_content() {
    for (answer, is_for_all, second) in [
        ("250 ok", true, "deferred locally: 450 not all"),
        ("550 5.1.1 no", false, "failed by Rcpt: 550 5.1.1 no"),
        ("450 4.2.0 no", false, "deferred by Rcpt: 450 4.2.0 no"),
    ] {
        let mut driver = Driver::new(plain_settings(), vec![mail(1, "a b")], false);
        assert!(!driver.client.is_for_all());
        driver.hear(&["220 mx", "250 mx", "250 ok", "250 ok", answer, "354 go"]);
        assert_eq!(driver.run(), Halt::Content);
        assert_eq!(driver.client.is_for_all(), is_for_all, "{answer}");
        driver.wire.clear();
        driver.client.content_failed(Reply::plain(450, "not all"));
        assert_eq!(driver.run(), Halt::Closed);
        assert!(driver.wire.is_empty(), "{answer}");
        assert_eq!(driver.told[0], "mail 1 <a@x.example> deferred locally: 450 not all");
        assert_eq!(driver.told[1], format!("mail 1 <b@x.example> {second}"));
    }
}

#[test]
fn progress_keeps_the_deadline_of_content_away() {
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a")], false);
    driver.lead_to_content();
    let limit = plain_settings().timeouts.data_xfer;
    assert_eq!(driver.client.deadline(), Some(driver.now + limit));
    driver.now += limit / 2;
    driver.client.content_progress(driver.now);
    assert_eq!(driver.client.deadline(), Some(driver.now + limit));
}

fn up_to_content() -> String {
    format!("{LOCKSTEP}{}", agreed_in_turn("a"))
}
