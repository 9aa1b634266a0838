//! What goes in one packet, and whose reply is whose (RFC 2920).

use super::{
    driver::{Driver, mail, plain_settings},
    lines::{LEFT, LOCKSTEP, PIPELINED, agreed, agreed_in_turn, packet, taken},
    script::{play, play_once},
};

#[test]
fn the_commands_of_a_mail_go_in_one_packet() {
    play(
        &plain_settings(),
        &[mail(1, "a b")],
        &format!(
            "{PIPELINED}
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
        &[mail(1, "a"), mail(2, "b c")],
        &format!(
            "{LOCKSTEP}
             C: MAIL FROM:<sender@from.example>
             S: 250 ok
             C: RCPT TO:<a@x.example>
             S: 250 ok
             C: DATA
             S: 354 go
             {}{}{}{LEFT}",
            taken(1, "a"),
            agreed_in_turn("b c"),
            taken(2, "b c"),
        ),
    );
}

#[test]
fn a_mail_that_nobody_gets_ends_with_a_lone_dot_if_data_was_accepted() {
    for answer in ["554 no valid recipients", "250 queued, oddly"] {
        play(
            &plain_settings(),
            &[mail(1, "a"), mail(2, "b")],
            &format!(
                "{PIPELINED}{}
                 S: 250 ok
                 S: 550 5.1.1 unknown
                 S: 354 go
                 C: .
                 S: {answer}
                 * mail 1 <a@x.example> failed by Rcpt: 550 5.1.1 unknown
                 {}{}{LEFT}",
                packet("a"),
                agreed("b"),
                taken(2, "b"),
            ),
        );
    }
}

#[test]
fn a_refusal_stands_when_the_peer_leaves_at_a_lone_dot() {
    for (event, end) in [
        ("S: 421 4.3.2 bye", "closed by EndOfData: 421 4.3.2 bye"),
        (
            "~~ close",
            "closed broken in EndOfData: 421 4.4.2 lost connection with mx.example[192.0.2.1] while sending end of data -- message may be sent more than once",
        ),
    ] {
        play(
            &plain_settings(),
            &[mail(1, "a")],
            &format!(
                "{PIPELINED}{}
                 S: 250 ok
                 S: 550 5.1.1 unknown
                 S: 354 go
                 C: .
                 {event}
                 * mail 1 <a@x.example> failed by Rcpt: 550 5.1.1 unknown
                 * {end}",
                packet("a"),
            ),
        );
    }
}

#[test]
fn many_recipients_go_in_groups() {
    let words: Vec<String> = (0..150).map(|n| format!("r{n}")).collect();
    let everybody = words.join(" ");
    let rcpt = |word: &String| format!("C: RCPT TO:<{word}@x.example>\n");
    let first: String = words[..99].iter().map(rcpt).collect();
    let second: String = words[99..].iter().map(rcpt).collect();
    let text = format!(
        "{PIPELINED}
         C: MAIL FROM:<sender@from.example>
         {first}{}{second} C: DATA
         {} S: 354 go
         {}",
        "S: 250 ok\n".repeat(100),
        "S: 250 ok\n".repeat(51),
        taken(1, &everybody),
    );
    play_once(Driver::new(plain_settings(), vec![mail(1, &everybody)], false), &text);
}
