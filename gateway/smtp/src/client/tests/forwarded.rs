//! XFORWARD: a content filter hears from which client a mail came.

use mailweir_mail::Forwarded;

use super::{
    driver::{Mail, mail, plain_settings},
    lines::{LEFT, agreed_in_turn, offering, packet, taken},
    script::play,
};

fn forwarded(serial: u32, helo: &str) -> Mail {
    let from = Forwarded {
        name: Some("mail.far.example".into()),
        address: Some("2001:db8::7".parse().unwrap()),
        port: Some(40123),
        helo: Some(helo.into()),
        protocol: Some("ESMTP".into()),
        ident: Some("4jWT59000pz7".into()),
        source: None,
    };
    Mail { forwarded: Some(from), ..mail(serial, "a") }
}

const ALL: &str = "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT";

const TOLD: &str = "C: XFORWARD NAME=mail.far.example ADDR=IPV6:2001:db8::7 PORT=40123 \
    PROTO=ESMTP HELO=odd+20helo+3D+2B IDENT=4jWT59000pz7 SOURCE=[UNAVAILABLE]\n";

#[test]
fn a_peer_that_asks_for_it_is_told_before_each_mail_and_may_refuse() {
    let one = |serial: u32, answer: &str| {
        let (packet, taken) = (packet("a"), taken(serial, "a"));
        format!("{TOLD}{packet}S: {answer}\nS: 250 ok\nS: 250 ok\nS: 354 go\n{taken}")
    };
    let (first, second) = (one(1, "250 ok"), one(2, "501 5.5.4 no"));
    play(
        &plain_settings(),
        &[forwarded(1, "odd helo=+"), forwarded(2, "odd helo=+")],
        &format!("{}{first}{second}{LEFT}", offering(&["PIPELINING", ALL])),
    );
}

#[test]
fn only_what_is_asked_for_is_told() {
    let (agreed, taken) = (agreed_in_turn("a"), taken(1, "a"));
    let mails = [forwarded(1, "x")];
    let told = "C: XFORWARD ADDR=IPV6:2001:db8::7\nS: 250 ok\n";
    let offer = offering(&["XFORWARD addr unknown"]);
    play(&plain_settings(), &mails, &format!("{offer}{told}{agreed}{taken}{LEFT}"));
    for offer in [offering(&["XFORWARD"]), offering(&[])] {
        play(&plain_settings(), &mails, &format!("{offer}{agreed}{taken}{LEFT}"));
    }
}

#[test]
fn what_is_too_long_for_a_command_goes_in_two_and_what_is_too_long_for_a_value_not_at_all() {
    let (agreed, taken) = (agreed_in_turn("a"), taken(1, "a"));
    let offer = offering(&["XFORWARD NAME ADDR HELO IDENT"]);
    let (long, longer) = ("x".repeat(250), "x".repeat(256));
    let mut mail = forwarded(1, &long);
    let from = mail.forwarded.get_or_insert_default();
    from.name = Some(long.as_str().into());
    let two = format!(
        "C: XFORWARD NAME={long} ADDR=IPV6:2001:db8::7\nS: 250 ok\n\
         C: XFORWARD HELO={long} IDENT=4jWT59000pz7\nS: 250 ok\n"
    );
    play(&plain_settings(), &[mail], &format!("{offer}{two}{agreed}{taken}{LEFT}"));
    let none = "C: XFORWARD NAME=mail.far.example ADDR=IPV6:2001:db8::7 HELO=[UNAVAILABLE] \
                IDENT=4jWT59000pz7\nS: 250 ok\n";
    for helo in [longer.as_str(), &"ü".repeat(50), ""] {
        let mails = [forwarded(1, helo)];
        play(&plain_settings(), &mails, &format!("{offer}{none}{agreed}{taken}{LEFT}"));
    }
}

#[test]
fn a_peer_that_leaves_there_has_heard_nothing_of_the_mail() {
    let offer = offering(&["PIPELINING", ALL]);
    let sent = format!("{TOLD}{}", packet("a"));
    let why = "421 4.4.2 lost connection with mx.example[192.0.2.1] while sending XFORWARD";
    play(
        &plain_settings(),
        &[forwarded(1, "odd helo=+")],
        &format!(
            "{offer}{sent}~~ close
             * mail 1 <a@x.example> deferred broken in Forward: {why}
             * closed broken in Forward: {why}"
        ),
    );
}
