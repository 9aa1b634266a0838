//! LMTP: one answer to the final dot for each accepted recipient (RFC 2033).

use super::{
    driver::{mail, plain_settings},
    lines::{LEFT, agreed_in_turn, content, packet},
    script::play,
};
use crate::client::{Dialect, Settings};

const PIPELINED: &str = "S: 220 store.example
     C: LHLO mail.example
     S: 250-store.example
     S: 250 PIPELINING
    ";

fn lmtp() -> Settings {
    Settings { dialect: Dialect::Lmtp, ..plain_settings() }
}

#[test]
fn a_store_that_does_not_know_lhlo_is_not_asked_in_another_way() {
    play(
        &lmtp(),
        &[mail(1, "a")],
        "S: 220 store.example LMTP
         C: LHLO mail.example
         S: 500 what?
         C: QUIT
         * closed by Hello: 500 what?",
    );
}

#[test]
fn k2_an_lmtp_store_answers_for_each_accepted_recipient() {
    play(
        &lmtp(),
        &[mail(1, "a b c"), mail(2, "d")],
        &format!(
            "{PIPELINED}{}
             S: 250 ok
             S: 250 ok
             S: 550 5.1.1 unknown
             S: 250 ok
             S: 354 go
             {}
             S: 250 2.0.0 stored
             S: 452 4.2.2 full
             * mail 1 <a@x.example> delivered: 250 2.0.0 stored
             * mail 1 <b@x.example> failed by Rcpt: 550 5.1.1 unknown
             * mail 1 <c@x.example> deferred by EndOfData: 452 4.2.2 full
             {}
             S: 250 ok
             S: 250 ok
             S: 354 go
             {}
             S: 250 2.0.0 stored
             * mail 2 <d@x.example> delivered: 250 2.0.0 stored
             {LEFT}",
            packet("a b c"),
            content(1),
            packet("d"),
            content(2),
        ),
    );
}

#[test]
fn k2_an_lmtp_store_lost_between_two_answers_leaves_only_the_second_uncertain() {
    let why = "421 4.4.2 lost connection with mx.example[192.0.2.1] while sending end of data -- message may be sent more than once";
    play(
        &lmtp(),
        &[mail(1, "a b")],
        &format!(
            "S: 220 store.example
             C: LHLO mail.example
             S: 250 store.example
             {}{}
             S: 250 2.0.0 stored
             ~~ close
             * mail 1 <a@x.example> delivered: 250 2.0.0 stored
             * mail 1 <b@x.example> uncertain: {why}
             * closed broken in EndOfData: {why}",
            agreed_in_turn("a b"),
            content(1),
        ),
    );
}

#[test]
fn an_lmtp_store_must_not_ask_for_a_content_that_nobody_gets() {
    let why = "451 4.5.0 protocol error: a reply that the command cannot have from mx.example[192.0.2.1] while sending DATA command";
    play(
        &lmtp(),
        &[mail(1, "a")],
        &format!(
            "{PIPELINED}{}
             S: 250 ok
             S: 550 5.1.1 unknown
             S: 354 go
             * mail 1 <a@x.example> deferred broken in Data: {why}
             * closed broken in Data: {why}",
            packet("a"),
        ),
    );
}
