//! One outcome per recipient, and which parameters a peer gets.

use std::sync::Arc;

use mailweir_mail::{Address, EnvelopeId, Notify, OriginalRecipient, Return, ReversePath};

use super::{
    driver::{mail, plain_settings},
    lines::{LEFT, LOCKSTEP, PIPELINED, agreed, content, offering, packet, taken},
    script::play,
};
use crate::client::{ContentText, Outgoing};

#[test]
fn k2_mixed_answers_to_rcpt_settle_each_recipient_once() {
    let lines = [
        ("C: MAIL FROM:<sender@from.example>", "S: 250 ok"),
        ("C: RCPT TO:<a@x.example>", "S: 250 ok"),
        ("C: RCPT TO:<b@x.example>", "S: 450 4.2.0 greylisted"),
        ("C: RCPT TO:<c@x.example>", "S: 550 5.1.1 unknown"),
        ("C: RCPT TO:<d@x.example>", "S: 251 will forward"),
        ("C: DATA", "S: 354 go"),
    ];
    let at_once = lines.iter().map(|line| line.0).chain(lines.iter().map(|line| line.1));
    let in_turn = lines.iter().flat_map(|line| [line.0, line.1]);
    let conversations: [(&str, Vec<&str>); 2] =
        [(PIPELINED, at_once.collect()), (LOCKSTEP, in_turn.collect())];
    for (set_up, conversation) in conversations {
        play(
            &plain_settings(),
            &[mail(1, "a b c d")],
            &format!(
                "{set_up}{}
                 {}
                 S: 250 2.0.0 queued
                 * mail 1 <a@x.example> delivered: 250 2.0.0 queued
                 * mail 1 <b@x.example> deferred by Rcpt: 450 4.2.0 greylisted
                 * mail 1 <c@x.example> failed by Rcpt: 550 5.1.1 unknown
                 * mail 1 <d@x.example> delivered: 250 2.0.0 queued
                 {LEFT}",
                conversation.join("\n"),
                content(1),
            ),
        );
    }
}

#[test]
fn a_refused_data_settles_only_who_was_accepted() {
    play(
        &plain_settings(),
        &[mail(1, "a b")],
        &format!(
            "{PIPELINED}{}
             S: 250 ok
             S: 550 5.1.1 unknown
             S: 250 ok
             S: 451 4.3.0 not now
             * mail 1 <a@x.example> failed by Rcpt: 550 5.1.1 unknown
             * mail 1 <b@x.example> deferred by Data: 451 4.3.0 not now
             {LEFT}",
            packet("a b"),
        ),
    );
}

#[test]
fn too_many_recipients_are_postponed_to_a_further_transaction() {
    play(
        &plain_settings(),
        &[mail(1, "a b c d e")],
        &format!(
            "{PIPELINED}{}
             S: 250 ok
             S: 250 ok
             S: 452 4.5.3 too many recipients
             S: 552 too many recipients
             S: 552 5.2.2 over quota
             S: 452 4.3.1 disk full
             S: 354 go
             {}
             * mail 1 <b@x.example> postponed: 452 4.5.3 too many recipients
             * mail 1 <c@x.example> postponed: 452 too many recipients
             * mail 1 <d@x.example> deferred by Rcpt: 452 4.2.2 over quota
             * mail 1 <e@x.example> deferred by Rcpt: 452 4.3.1 disk full
             {LEFT}",
            packet("a b c d e"),
            taken(1, "a"),
        ),
    );
}

#[test]
fn a_peer_that_takes_not_even_one_recipient_gets_no_further_transaction() {
    play(
        &plain_settings(),
        &[mail(1, "a")],
        &format!(
            "{PIPELINED}{}
             S: 250 ok
             S: 452 4.5.3 too many recipients
             S: 503 no recipients
             * mail 1 <a@x.example> deferred by Rcpt: 452 4.5.3 too many recipients
             {LEFT}",
            packet("a"),
        ),
    );
}

#[test]
fn the_limit_of_recipients_that_a_peer_announces_is_kept() {
    play(
        &plain_settings(),
        &[mail(1, "a b c")],
        &format!(
            "{}{}{}
             * mail 1 <c@x.example> postponed: 452 4.5.3 the server takes no more recipients per transaction
             {LEFT}",
            offering(&["PIPELINING", "LIMITS RCPTMAX=2"]),
            agreed("a b"),
            taken(1, "a b"),
        ),
    );
}

#[test]
fn a_mail_larger_than_the_announced_limit_is_not_sent() {
    let mut large = mail(1, "a");
    large.size = Some(1_001);
    play(
        &plain_settings(),
        &[large],
        &format!(
            "{}
             * mail 1 <a@x.example> failed locally: 552 5.3.4 message size 1001 exceeds size limit 1000 of server mx.example[192.0.2.1]
             {LEFT}",
            offering(&["PIPELINING", "SIZE 1000"]),
        ),
    );
}

#[test]
fn e10_eight_bit_content_is_not_sent_to_a_peer_that_does_not_take_it() {
    let mut eight_bit = mail(1, "a");
    eight_bit.text = ContentText::EightBit;
    play(
        &plain_settings(),
        &[eight_bit],
        &format!(
            "{PIPELINED}
             * mail 1 <a@x.example> failed locally: 554 5.6.1 conversion required: 8BITMIME was not offered by host mx.example[192.0.2.1]
             {LEFT}",
        ),
    );
}

#[test]
fn e10_internationalised_mail_is_not_sent_to_a_peer_that_does_not_take_it() {
    let refusal =
        "553 5.6.7 SMTPUTF8 is required, but was not offered by host mx.example[192.0.2.1]";
    let mut by_header = mail(1, "a");
    by_header.text = ContentText::Utf8Header;
    let mut by_sender = mail(1, "a");
    by_sender.envelope.sender = ReversePath::Mailbox(Address::parse("ü@from.example").unwrap());
    for mail in [by_header, by_sender] {
        play(
            &plain_settings(),
            &[mail],
            &format!(
                "{}
                 * mail 1 <a@x.example> failed locally: {refusal}
                 {LEFT}",
                offering(&["PIPELINING", "8BITMIME"]),
            ),
        );
    }
}

#[test]
fn e10_one_internationalised_recipient_does_not_keep_the_mail_from_the_others() {
    play(
        &plain_settings(),
        &[mail(1, "ü b")],
        &format!(
            "{PIPELINED}
             * mail 1 <ü@x.example> failed locally: 553 5.6.7 SMTPUTF8 is required, but was not offered by host mx.example[192.0.2.1]
             {}{}{LEFT}",
            agreed("b"),
            taken(1, "b"),
        ),
    );
}

#[test]
fn parameters_are_used_if_they_are_offered_and_needed() {
    let mut full = mail(1, "ü b");
    full.text = ContentText::Utf8Header;
    full.envelope.ret = Some(Return::Headers);
    full.envelope.envid = EnvelopeId::new("a+b=c d");
    full.envelope.recipients[0].orcpt = OriginalRecipient::new("utf-8;ü+@x.example");
    full.envelope.recipients[0].notify = Notify::On { success: true, failure: true, delay: false };
    full.envelope.recipients[1].orcpt = OriginalRecipient::new("rfc822;B=b@x.example");
    full.envelope.recipients[1].notify = Notify::Never;
    play(
        &plain_settings(),
        &[full],
        &format!(
            "{}
             C: MAIL FROM:<sender@from.example> SIZE=8 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb+3Dc+20d
             C: RCPT TO:<ü@x.example> NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;\\x{{FC}}+2B@x.example
             C: RCPT TO:<b@x.example> NOTIFY=NEVER ORCPT=rfc822;B+3Db@x.example
             C: DATA
             S: 250 ok
             S: 250 ok
             S: 250 ok
             S: 354 go
             {}
             S: 250 queued
             * mail 1 <ü@x.example> delivered with dsn: 250 queued
             * mail 1 <b@x.example> delivered with dsn: 250 queued
             {LEFT}",
            offering(&["PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN"]),
            content(1),
        ),
    );
}

#[test]
fn parameters_that_are_not_needed_or_not_offered_are_left_out() {
    let mut simple = mail(1, "b");
    simple.envelope.sender = ReversePath::Null;
    simple.envelope.ret = Some(Return::Full);
    simple.envelope.envid = EnvelopeId::new("x");
    simple.envelope.recipients[0].orcpt = OriginalRecipient::new("rfc822;b@x.example");
    for (offer, size) in [(&["8BITMIME", "SMTPUTF8"][..], ""), (&["SIZE 9"], " SIZE=8")] {
        play(
            &plain_settings(),
            &[simple.clone()],
            &format!(
                "{}
                 C: MAIL FROM:<>{size}
                 S: 250 ok
                 C: RCPT TO:<b@x.example>
                 S: 250 ok
                 C: DATA
                 S: 354 go
                 {}{LEFT}",
                offering(offer),
                taken(1, "b"),
            ),
        );
    }
}

#[test]
fn a_mail_for_some_recipients_of_its_envelope_names_only_those() {
    let envelope = Arc::new(mail(1, "a b c").envelope);
    let some = Outgoing::new(envelope, [2, 0, 7], 8, ContentText::SevenBit);
    assert_eq!(some.indices(), [2, 0]);
    let names: Vec<&str> = some.recipients().map(|to| to.address.as_str()).collect();
    assert_eq!(names, ["c@x.example", "a@x.example"]);
}
