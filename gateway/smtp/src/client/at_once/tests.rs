//! Replies of every kind at every split, then what our own server says to it.

use std::{sync::Arc, time::Instant};

use mailweir_mail::{Address, Client, Envelope, QueueId, Recipient, ReversePath, Timestamp};

use super::*;
use crate::{
    client::{ContentText, capabilities::SizeOffer},
    replies::Refusal,
    server::{Answer, Peer, Question, Rights, Session, Settings, Step},
};

const REPLIES: [&str; 5] = [
    "220 gate.example ESMTP\r\n",
    "250-gate.example\r\n250 CHUNKING\r\n",
    "250 2.1.0 Ok\r\n",
    "250 2.1.5 Ok\r\n",
    "250 2.0.0 Ok: queued\r\n",
];

/// What becomes of the recipient if the replies are good but the one in place `nth`, for every split of the bytes.
#[track_caller]
fn with(nth: usize, reply: &str) -> Attempt {
    let mut replies = REPLIES;
    replies[nth] = reply;
    let text = replies.concat() + "221 2.0.0 Bye\r\n";
    let outcomes = (0..text.len()).map(|at| {
        let (early, late) = text.as_bytes().split_at(at);
        let mut hearing = AtOnce::new("gate.example");
        hearing.receive(early).or_else(|| hearing.receive(late)).unwrap()
    });
    let outcomes: Vec<Attempt> = outcomes.collect();
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "{outcomes:?}");
    outcomes[0].clone()
}

fn mail(recipients: usize, size: u64) -> Outgoing {
    let to = Recipient::new(Address::parse("b@local.example").unwrap());
    let envelope =
        Envelope { recipients: vec![to; recipients], ..Envelope::from_sender(ReversePath::Null) };
    Outgoing::to_all(Arc::new(envelope), size, ContentText::EightBit)
}

#[test]
fn a_mail_that_is_taken_is_delivered() {
    let Attempt::Delivered { reply, reports } = with(4, REPLIES[4]) else { panic!() };
    assert_eq!((reply.code, &*reply.text, reports), (250, "Ok: queued", Reports::PassedOn));
}

#[test]
fn the_first_refusal_is_the_outcome() {
    use Phase::{EndOfData, Greeting, Hello, Mail, Rcpt};
    for (nth, phase) in [Greeting, Hello, Mail, Rcpt, EndOfData].into_iter().enumerate() {
        let Attempt::Deferred { reply, cause } = with(nth, "451 4.3.0 later\r\n") else {
            panic!("{phase:?}")
        };
        assert_eq!((reply.code, cause), (451, Cause::Replied(phase)));
        let never = with(nth, "550 5.7.1 never\r\n");
        let is_final = !matches!(phase, Greeting | Hello);
        assert_eq!(matches!(never, Attempt::Failed { .. }), is_final, "{never:?}");
        assert_eq!(never.reply().code, 550);
    }
    assert_eq!(with(3, "552 5.2.2 full\r\n").reply().code, 452);
}

#[test]
fn a_server_that_makes_no_sense_may_have_the_mail() {
    for nth in 0..REPLIES.len() {
        for reply in ["354 go on\r\n", "what?\r\n", "250-a\r\n251 b\r\n"] {
            let outcome = with(nth, reply);
            assert!(matches!(outcome, Attempt::Uncertain { .. }), "{outcome:?}");
        }
    }
}

#[test]
fn who_has_not_heard_the_end_may_have_the_mail() {
    let mut hearing = AtOnce::new("gate.example");
    assert_eq!(hearing.receive(REPLIES[..4].concat().as_bytes()), None);
    assert_eq!(hearing.receive(b"250 2.0.0 Ok"), None);
    for outcome in [hearing.lost(Loss::Closed), hearing.timed_out()] {
        assert!(matches!(outcome, Attempt::Uncertain { .. }), "{outcome:?}");
    }
}

#[test]
fn only_a_small_mail_to_one_is_said_at_once() {
    assert!(AtOnce::suits(&mail(1, MAX_AT_ONCE)));
    assert!(!AtOnce::suits(&mail(1, MAX_AT_ONCE + 1)));
    assert!(!AtOnce::suits(&mail(2, 1)));
    assert!(!AtOnce::suits(&mail(0, 1)));
    let probe = Outgoing::probe(Arc::new(Envelope::from_sender(ReversePath::Null)), 0);
    assert!(!AtOnce::suits(&probe));
}

#[test]
fn a_content_is_counted_and_stands_as_it_is() {
    let said = AtOnce::say(&Domain::parse("gate.example").unwrap(), &mail(1, 9), b".\r\nQUIT\r\n");
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains(" SIZE=9 BODY=8BITMIME\r\n"), "{said}");
    assert!(said.ends_with("\r\nBDAT 9 LAST\r\n.\r\nQUIT\r\nQUIT\r\n"), "{said}");
}

/// What a server of ours says to this, if it reads so many bytes at first and refuses what is asked here; and what it takes.
fn served(said: &[u8], first: usize, refused: &str) -> (Vec<u8>, Option<Vec<u8>>) {
    let settings =
        Settings { may_talk_ahead: true, ..Settings::new(Domain::parse("gate.example").unwrap()) };
    let peer = Peer {
        client: Client::unnamed(([127, 0, 0, 1], 0).into()),
        local: ([127, 0, 0, 1], 10_026).into(),
        rights: Rights::NONE,
    };
    let now = beginning();
    let mut session = Session::new(Arc::new(settings), peer, now);
    let (mut heard, mut content, mut taken) = (Vec::new(), Vec::new(), None);
    let (early, late) = said.split_at(first);
    for mut input in [early, late] {
        loop {
            let question = match session.next(&mut input, now) {
                Step::Read => break,
                Step::Close | Step::StartTls => return (heard, taken),
                Step::Write(bytes) => {
                    heard.extend_from_slice(bytes);
                    continue;
                }
                Step::Content(piece) => {
                    content.extend_from_slice(piece);
                    continue;
                }
                Step::Abandoned(_) => continue,
                Step::Ask(question) => question,
            };
            let asked = format!("{question:?}");
            session.answer(match question {
                _ if asked.starts_with(refused) => Answer::Refuse(Refusal::ShuttingDown),
                Question::EndOfData => {
                    taken = Some(std::mem::take(&mut content));
                    Answer::Accepted(QueueId::new(Timestamp::from_secs(1), 1))
                }
                _ => Answer::Proceed,
            });
        }
    }
    (heard, taken)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test begins at some moment; later ones are reckoned from it"
)]
fn beginning() -> Instant {
    Instant::now()
}

#[test]
fn our_server_takes_what_is_said_at_once_whole_or_not_at_all() {
    let content = b"Subject: x\n\n.\r\nRCPT TO:<eve@local.example>\r\nend";
    let said = AtOnce::say(&Domain::parse("gate.example").unwrap(), &mail(1, 50), content);
    let expected = b"Subject: x\r\n\r\n.\r\nRCPT TO:<eve@local.example>\r\nend\r\n";
    for refused in ["nothing", "Connect", "Hello", "Sender", "Recipient", "Content", "EndOfData"] {
        for first in 0..=said.len() {
            let (heard, taken) = served(&said, first, refused);
            let outcome = AtOnce::new("gate.example").receive(&heard).unwrap();
            let is_good = refused == "nothing";
            assert_eq!(taken.as_deref(), is_good.then_some(&expected[..]), "{refused} {first}");
            assert_eq!(matches!(outcome, Attempt::Delivered { .. }), is_good, "{outcome:?}");
            assert!(is_good || matches!(outcome, Attempt::Deferred { .. }), "{outcome:?}");
        }
    }
}

#[test]
fn our_server_offers_what_is_taken_for_granted() {
    let (heard, _) = served(b"EHLO a\r\n", 0, "nothing");
    let mut replies = ReplyParser::default();
    let mut rest = &*heard;
    replies.read(&mut rest).unwrap().unwrap();
    let offered = Capabilities::from_reply(&replies.read(&mut rest).unwrap().unwrap());
    let asked_for = |of: &Capabilities| {
        let Capabilities { eight_bit_mime, smtputf8, dsn, chunking, .. } = *of;
        let takes_sizes = of.size != SizeOffer::None;
        [eight_bit_mime, smtputf8, dsn, chunking, takes_sizes]
    };
    assert_eq!(asked_for(&offered), asked_for(&Capabilities::OURS));
}
