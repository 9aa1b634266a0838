use mailweir_mail::{Enhanced, Login, TlsSummary};
use proptest::prelude::*;

use super::*;

fn text(text: &str) -> Box<[u8]> {
    text.as_bytes().into()
}

fn texts(all: &[&str]) -> Vec<Box<[u8]>> {
    all.iter().map(|one| text(one)).collect()
}

fn header(name: &str, value: &str) -> Heard {
    Heard::Header { name: text(name), value: text(value) }
}

fn say(pieces: &[&str]) -> Turn {
    Turn::Say(pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect())
}

const OK: &[u8] = b"250 2.0.0 Ok\r\n";

/// An interpreter that has heard all this, and heard of each that it is fine.
fn after(all: Vec<Heard>) -> Interpreter {
    let mut interpreter = Interpreter::default();
    for heard in all {
        if let Turn::Say(_) | Turn::End(_) = interpreter.hear(heard, Some("mx.example")) {
            assert_eq!(interpreter.reply(OK), Answer::Continue);
        }
    }
    interpreter
}

fn begun() -> Vec<Heard> {
    vec![Heard::Mail(texts(&["<a@x>"])), Heard::Rcpt(texts(&["<b@y>"]))]
}

#[test]
fn a_mail_is_told_in_the_words_of_a_client() {
    let mut interpreter = Interpreter::default();
    let peer = Peer {
        name: text("client.example"),
        address: PeerAddress::Ip(([192, 0, 2, 1], 4711).into()),
    };
    for (heard, turn) in [
        (
            Heard::Connect(peer),
            Turn::Meet(Guest {
                address: Some(([192, 0, 2, 1], 4711).into()),
                name: Some("client.example".into()),
            }),
        ),
        (Heard::Helo(text("client")), say(&["EHLO client\r\n"])),
        (
            Heard::Mail(texts(&["<a@x>", "size=9", "RET=HDRS", "BODY=8bitmime", "SIZE=1"])),
            say(&["MAIL FROM:<a@x> size=9 BODY=8bitmime\r\n"]),
        ),
        (Heard::Rcpt(texts(&["<b@y>", "NOTIFY=NEVER"])), say(&["RCPT TO:<b@y>\r\n"])),
        (Heard::Rcpt(texts(&["<root>"])), say(&["RCPT TO:<root@mx.example>\r\n"])),
        (Heard::Unknown(text("XYZZY")), Turn::Answer(Answer::Continue)),
        (Heard::Data, say(&["BDAT 0\r\n"])),
        (header("Subject", " one\n two"), Turn::Answer(Answer::Continue)),
        (header("X", ""), Turn::Answer(Answer::Continue)),
        (Heard::EndOfHeader, say(&["BDAT 26\r\n", "Subject: one\r\n two\r\nX:\r\n\r\n"])),
        (Heard::Body(text("a\r\n.\r\nQUIT\r\n")), say(&["BDAT 12\r\n", "a\r\n.\r\nQUIT\r\n"])),
        (Heard::EndOfBody, Turn::End(vec![b"BDAT 0 LAST\r\n".to_vec()])),
        (Heard::Abort, Turn::Answer(Answer::Continue)),
        (Heard::Quit { another: true }, Turn::Leave),
    ] {
        assert_eq!(interpreter.hear(heard, Some("mx.example")), turn);
        assert_eq!(interpreter.reply(OK), Answer::Continue);
    }
    assert!(!interpreter.has_mail());
}

#[test]
fn a_mail_server_may_leave_steps_out() {
    let mut interpreter = after(begun());
    let turn = interpreter.hear(Heard::Body(text("x\r\n")), None);
    assert_eq!(turn, say(&["BDAT 2\r\n", "\r\n", "BDAT 3\r\n", "x\r\n"]));
    let mut interpreter = after(begun());
    let _ = interpreter.hear(header("A", " 1"), None);
    let pieces = ["BDAT 8\r\n", "A: 1\r\n\r\n", "BDAT 0 LAST\r\n"];
    let pieces = pieces.map(|piece| piece.as_bytes().to_vec()).into();
    assert_eq!(interpreter.hear(Heard::EndOfBody, None), Turn::End(pieces));
    assert_eq!(interpreter.header(), b"A: 1\r\n");
}

#[test]
fn what_was_begun_is_given_up_before_something_else_begins() {
    let mut interpreter = after(begun());
    assert!(interpreter.has_mail());
    let next = interpreter.hear(Heard::Mail(texts(&["<>"])), None);
    assert_eq!(next, say(&["RSET\r\n", "MAIL FROM:<>\r\n"]));
    // A sender that was refused has begun nothing.
    let answer = interpreter.reply(b"250 2.0.0 Ok\r\n550 5.7.1 no\r\n");
    assert_eq!(answer, Answer::Refuse(Reply::new(550, Enhanced(5, 7, 1), "no")));
    assert_eq!(interpreter.hear(Heard::Abort, None), Turn::Answer(Answer::Continue));
    let mut interpreter = after(begun());
    assert_eq!(interpreter.hear(Heard::Abort, None), say(&["RSET\r\n"]));
}

#[test]
fn what_is_replied_is_the_answer() {
    for (replied, answer) in [
        ("250 2.1.0 Ok\r\n", Answer::Continue),
        ("250-us\r\n250-SIZE 9\r\n250 LIMITS\r\n", Answer::Continue),
        ("354 go\r\n", Answer::Continue),
        ("450 later\r\n", Answer::Refuse(Reply::plain(450, "later"))),
        (
            "250-a\r\n250 b\r\n554-5.7.1 one\r\n554 5.7.1 two 100%\r\n250 c\r\n",
            Answer::Refuse(Reply::new(554, Enhanced(5, 7, 1), "one\ntwo 100%")),
        ),
        ("521 5.7.1 gone\r\n", Answer::Close(Reply::new(521, Enhanced(5, 7, 1), "gone"))),
        ("550\r\n", Answer::Refuse(Reply::plain(550, ""))),
        ("", Answer::Close(CLOSED)),
        ("what?\r\n", Answer::Refuse(crate::milter::replies::LATER)),
        ("250-cut\r\n", Answer::Refuse(crate::milter::replies::LATER)),
    ] {
        assert_eq!(Interpreter::default().reply(replied.as_bytes()), answer, "{replied:?}");
    }
}

#[test]
fn content_that_is_refused_stays_refused_until_the_next_mail() {
    let no = Answer::Refuse(Reply::new(552, Enhanced(5, 3, 4), "too large"));
    let mut interpreter = after(begun());
    let _ = interpreter.hear(Heard::Body(text("x")), None);
    assert_eq!(interpreter.reply(b"250 Ok\r\n552 5.3.4 too large\r\n"), no);
    for heard in [Heard::Body(text("y")), Heard::EndOfBody] {
        assert_eq!(interpreter.hear(heard, None), Turn::Answer(no.clone()));
    }
    let next = interpreter.hear(Heard::Mail(texts(&["<a@x>"])), None);
    assert_eq!(next, say(&["MAIL FROM:<a@x>\r\n"]));
}

#[test]
fn nothing_in_a_text_is_a_command() {
    let mut interpreter = Interpreter::default();
    assert_eq!(
        interpreter.hear(Heard::Helo(text("a\r\nMAIL FROM:<a@x>\0")), None),
        say(&["EHLO a??MAIL FROM:<a@x>?\r\n"])
    );
    for path in ["<a@x>\r\nDATA\r\n", "<a\n@x>", "<a@x\0>", "<a@x>\u{85}"] {
        let turn = interpreter.hear(Heard::Mail(texts(&[path])), None);
        assert!(matches!(turn, Turn::Answer(Answer::Refuse(reply)) if reply.code == 501));
        let turn = interpreter.hear(Heard::Rcpt(texts(&[path])), None);
        assert!(matches!(turn, Turn::Answer(Answer::Refuse(reply)) if reply.code == 501));
    }
    let turn = interpreter.hear(Heard::Mail(texts(&["<a@x>", "SIZE=1\r\nQUIT", "BODY=\n"])), None);
    assert_eq!(turn, say(&["MAIL FROM:<a@x>\r\n"]));
    let turn = interpreter.hear(Heard::Mail(texts(&["<root>"])), Some("x>\r\nDATA"));
    assert_eq!(turn, say(&["MAIL FROM:<root>\r\n"]));
    let turn = interpreter.hear(Heard::Rcpt(vec![[0xff][..].into()]), None);
    assert!(matches!(turn, Turn::Answer(Answer::Refuse(_))));
}

#[test]
fn a_field_stays_one_field() {
    let mut interpreter = after(begun());
    let _ = interpreter.hear(header("A", " 1\r\nB: 2\n\nbody\r"), None);
    assert_eq!(interpreter.header(), b"A: 1\r\n\tB: 2\r\n\tbody \r\n");
    let no = Turn::Answer(Answer::Refuse(NO_FIELD));
    assert_eq!(interpreter.hear(header("B\r\nC", " 1"), None), no);
    assert_eq!(interpreter.hear(Heard::EndOfBody, None), no);
    let mut interpreter = after(begun());
    let long = "x".repeat(MOST_HEADER);
    let no = Turn::Answer(Answer::Refuse(LONG_HEADER));
    assert_eq!(interpreter.hear(header("A", &long), None), no);
    assert_eq!(interpreter.hear(Heard::EndOfHeader, None), no);
}

#[test]
fn names_are_those_that_the_mail_server_has_verified() {
    for (name, known) in [
        ("client.example", Some("client.example")),
        ("unknown", None),
        ("[192.0.2.1]", None),
        ("", None),
        ("a b", None),
        ("a\r\nb", None),
    ] {
        let guest = Guest::of(&Peer { name: text(name), address: PeerAddress::Unknown });
        assert_eq!((guest.address, guest.name.as_deref()), (None, known));
    }
}

#[test]
fn macros_tell_who_logged_in_and_how_it_is_encrypted() {
    let known = |name: &str| match name {
        "auth_authen" => Some("ann\r\n"),
        "auth_type" => Some("PLAIN"),
        "tls_version" => Some("TLSv1.3"),
        "cipher_bits" => Some("256"),
        _ => None,
    };
    let ann = Login { user: "ann??".into(), mechanism: "PLAIN".into() };
    assert_eq!((login(known), login(|_| None), login(|_| Some(""))), (Some(ann), None, None));
    let summary = TlsSummary { version: "TLSv1.3".into(), cipher: "".into(), bits: 256 };
    assert_eq!((tls(known), tls(|_| None)), (Some(summary), None));
    assert_eq!((queue_id(known), queue_id(|_| Some("4c1"))), (None, Some("4c1".into())));
}

fn any_text() -> impl Strategy<Value = Box<[u8]>> {
    prop_oneof![
        "<?[a-z@\r\n>\" ]{0,12}".prop_map(|text| text.into_bytes().into()),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Into::into),
    ]
}

fn any_heard() -> impl Strategy<Value = Heard> {
    let texts = || proptest::collection::vec(any_text(), 0..4);
    prop_oneof![
        any_text().prop_map(Heard::Helo),
        texts().prop_map(Heard::Mail),
        texts().prop_map(Heard::Rcpt),
        Just(Heard::Data),
        (any_text(), any_text()).prop_map(|(name, value)| Heard::Header { name, value }),
        Just(Heard::EndOfHeader),
        any_text().prop_map(Heard::Body),
        Just(Heard::EndOfBody),
        Just(Heard::Abort),
        any_text().prop_map(Heard::Unknown),
        any::<bool>().prop_map(|another| Heard::Quit { another }),
    ]
}

proptest! {
    #[test]
    fn whatever_is_heard_each_piece_is_one_command_or_counted_content(
        all in proptest::collection::vec((any_heard(), any::<bool>()), 0..20),
    ) {
        let mut interpreter = Interpreter::default();
        for (heard, fine) in all {
            let (Turn::Say(pieces) | Turn::End(pieces)) = interpreter.hear(heard, Some("x\r\ny"))
            else {
                continue;
            };
            check(&pieces)?;
            interpreter.reply(if fine { OK } else { b"550 5.7.1 no\r\n" });
            let fields = interpreter.header().split_inclusive(|byte| *byte == b'\n');
            prop_assert!(fields.clone().all(|line| line.len() > 2 && line.ends_with(b"\r\n")));
        }
    }
}

fn check(pieces: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let mut pieces = pieces.iter();
    while let Some(command) = pieces.next() {
        let line = command.strip_suffix(b"\r\n").unwrap();
        prop_assert!(!line.iter().any(|byte| byte.is_ascii_control()), "{command:?}");
        let counted = line.strip_prefix(b"BDAT ").filter(|count| !count.ends_with(b"LAST"));
        let Some(count) = counted.filter(|count| count != b"0") else { continue };
        let count: usize = std::str::from_utf8(count).unwrap().parse().unwrap();
        prop_assert_eq!(pieces.next().unwrap().len(), count);
    }
    Ok(())
}
