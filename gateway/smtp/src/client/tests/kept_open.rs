//! A connection that carries more than one mail: what one mail leaves to the next.

use super::{
    driver::{Driver, Halt, mail, plain_settings},
    lines::{LEFT, LOCKSTEP, PIPELINED, agreed, content, packet, taken},
    script::{play, play_in_lines, play_staying},
};

#[test]
fn a_refused_content_does_not_harm_the_next_mail() {
    play(
        &plain_settings(),
        &[mail(1, "a"), mail(2, "b")],
        &format!(
            "{PIPELINED}{}{}
             S: 550 5.7.1 spam
             * mail 1 <a@x.example> failed by EndOfData: 550 5.7.1 spam
             {}{}{LEFT}",
            agreed("a"),
            content(1),
            agreed("b"),
            taken(2, "b"),
        ),
    );
}

#[test]
fn after_a_421_for_the_content_no_mail_is_begun() {
    play(
        &plain_settings(),
        &[mail(1, "a"), mail(2, "b")],
        &format!(
            "{PIPELINED}{}{}
             S: 421 4.3.2 shutting down
             * mail 1 <a@x.example> deferred by EndOfData: 421 4.3.2 shutting down
             * closed by EndOfData: 421 4.3.2 shutting down",
            agreed("a"),
            content(1),
        ),
    );
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
            &plain_settings(),
            &[mail(1, "a"), mail(2, "b")],
            &format!(
                "{PIPELINED}{}{}{}
                 {event}
                 * mail 2 returned
                 * {end}",
                agreed("a"),
                taken(1, "a"),
                packet("b"),
            ),
        );
    }
}

#[test]
fn an_aborted_transaction_is_reset_with_the_next_group() {
    play(
        &plain_settings(),
        &[mail(1, "a"), mail(2, "b")],
        &format!(
            "{PIPELINED}{}
             S: 250 ok
             S: 450 4.2.1 busy
             S: 554 no valid recipients
             * mail 1 <a@x.example> deferred by Rcpt: 450 4.2.1 busy
             C: RSET
             {}
             S: 250 reset
             S: 250 ok
             S: 250 ok
             S: 354 go
             {}{LEFT}",
            packet("a"),
            packet("b"),
            taken(2, "b"),
        ),
    );
}

#[test]
fn a_refused_reset_gives_the_mail_back() {
    play(
        &plain_settings(),
        &[mail(1, "a"), mail(2, "b")],
        &format!(
            "{LOCKSTEP}
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
        &[mail(1, "a"), mail(2, "b")],
        &format!(
            "{PIPELINED}{}
             S: 553 5.1.8 no such sender
             S: 503 5.5.1 MAIL first
             S: 503 5.5.1 MAIL first
             * mail 1 <a@x.example> failed by Mail: 553 5.1.8 no such sender
             {}{}{LEFT}",
            packet("a"),
            agreed("b"),
            taken(2, "b"),
        ),
    );
}

#[test]
fn data_refused_on_a_fresh_connection_fails_the_mail() {
    play(
        &plain_settings(),
        &[mail(1, "a")],
        &format!(
            "{PIPELINED}{}
             S: 250 ok
             S: 250 ok
             S: 554 5.7.1 not you
             * mail 1 <a@x.example> failed by Data: 554 5.7.1 not you
             {LEFT}",
            packet("a"),
        ),
    );
}

#[test]
fn a_mail_that_does_not_fit_leaves_the_connection_as_it_was() {
    let mut large = mail(1, "a");
    large.size = Some(1_001);
    play(
        &plain_settings(),
        &[large, mail(2, "b")],
        &format!(
            "S: 220 mx.example
             C: EHLO mail.example
             S: 250-mx.example
             S: 250 SIZE 1000
             * mail 1 <a@x.example> failed locally: 552 5.3.4 message size 1001 exceeds size limit 1000 of server mx.example[192.0.2.1]
             C: MAIL FROM:<sender@from.example> SIZE=8
             S: 250 ok
             C: RCPT TO:<b@x.example>
             S: 250 ok
             C: DATA
             S: 554 5.7.1 not you
             * mail 2 <b@x.example> failed by Data: 554 5.7.1 not you
             {LEFT}"
        ),
    );
}

#[test]
fn k1_a_second_answer_to_the_dot_in_the_same_packet_ends_the_connection() {
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a"), mail(2, "b")], true);
    driver.lead_to_content();
    driver.send_content(usize::MAX);
    driver.run();
    driver.wire.clear();
    driver.client.receive(b"250 queued\r\n250 queued\r\n");
    assert_eq!(driver.run(), Halt::Closed);
    assert!(driver.wire.is_empty(), "the second mail is not begun");
    assert_eq!(
        driver.told,
        [
            "mail 1 <a@x.example> delivered: 250 queued",
            "closed broken in Idle: 451 4.5.0 protocol error: a reply without a command from mx.example[192.0.2.1] while waiting for the next mail",
        ]
    );
}

#[test]
fn k1_a_success_said_twice_is_not_taken_for_another_mail() {
    let nonsense = "451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while sending DATA command";
    play(
        &plain_settings(),
        &[mail(1, "a"), mail(2, "b c")],
        &format!(
            "{PIPELINED}{}{}{}
             S: 250 queued
             S: 250 ok
             S: 550 5.1.1 b is unknown
             S: 250 c is welcome
             S: 354 go
             * mail 2 <b@x.example> deferred broken in Data: {nonsense}
             * mail 2 <c@x.example> deferred broken in Data: {nonsense}
             * closed broken in Data: {nonsense}",
            agreed("a"),
            taken(1, "a"),
            packet("b c"),
        ),
    );
}

/// What follows a `250` that came late and passes for the answer to MAIL.
#[test]
fn k1_a_late_second_answer_to_the_dot_fails_nobody_of_the_next_mail() {
    let unexpected = "451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while sending RCPT TO";
    let lost = "421 4.4.2 lost connection with mx.example[192.0.2.1] while sending DATA command";
    for (answers, outcome) in [
        (
            "S: 250 ok, sender
             S: 250 ok, a
             S: 550 no such user, b",
            "* mail 2 returned
             C: QUIT
             * closed by Data: 550 no such user, b"
                .to_owned(),
        ),
        (
            "S: 450 not now, sender
             S: 503 no sender, a",
            format!(
                "* mail 2 <a@x.example> deferred broken in Rcpt: {unexpected}
                 * mail 2 <b@x.example> deferred broken in Rcpt: {unexpected}
                 * closed broken in Rcpt: {unexpected}"
            ),
        ),
        (
            "S: 250 ok, sender
             S: 550 no such user, a
             ~~ close",
            format!(
                "* mail 2 <a@x.example> deferred broken in Data: {lost}
                 * mail 2 <b@x.example> deferred broken in Data: {lost}
                 * closed broken in Data: {lost}"
            ),
        ),
    ] {
        play(
            &plain_settings(),
            &[mail(1, "a"), mail(2, "a b")],
            &format!(
                "{PIPELINED}{}{}{}
                 S: 250 queued again
                 {answers}
                 {outcome}",
                agreed("a"),
                taken(1, "a"),
                packet("a b"),
            ),
        );
    }
}

#[test]
fn k1_half_a_reply_between_mails_is_the_start_of_no_answer() {
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a")], false);
    driver.lead_to_content();
    driver.send_content(usize::MAX);
    driver.run();
    driver.client.receive(b"250 queued\r\n250 qu");
    assert_eq!(driver.run(), Halt::Ready);
    let next = mail(2, "b").outgoing();
    assert_eq!(driver.client.begin(next.clone()), Err(next));
    assert_eq!(driver.run(), Halt::Closed);
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
            "{PIPELINED}
             S: {line}
             * {end}"
        );
        play_in_lines(Driver::new(plain_settings(), Vec::new(), false), &text);
    }
    play_staying(&plain_settings(), &[], PIPELINED);
}

#[test]
fn a_mail_is_begun_and_the_peer_left_only_when_no_mail_is_in_hand() {
    let mut driver = Driver::new(plain_settings(), vec![mail(1, "a")], true);
    for reply in ["220 mx", "250 mx", "250 ok", "250 ok", "354 go"] {
        driver.run();
        assert_is_busy(&mut driver);
        driver.hear(&[reply]);
    }
    assert_eq!(driver.run(), Halt::Content);
    assert_is_busy(&mut driver);
    driver.send_content(usize::MAX);
    assert_is_busy(&mut driver);
    driver.client.receive(b"250 queued\r\n");
    let next = mail(2, "b").outgoing();
    assert_eq!(driver.client.begin(next.clone()), Err(next), "word of the first is not fetched");
    assert_eq!(driver.run(), Halt::Closed);
    assert_eq!(driver.told, ["mail 1 <a@x.example> delivered: 250 queued", "quit"]);
}

/// A call that comes too soon does nothing, and does not put the deadline off.
fn assert_is_busy(driver: &mut Driver) {
    let deadline = driver.client.deadline();
    let next = mail(2, "b").outgoing();
    assert_eq!(driver.client.begin(next.clone()), Err(next));
    driver.client.quit();
    assert_eq!(driver.client.deadline(), deadline);
}
