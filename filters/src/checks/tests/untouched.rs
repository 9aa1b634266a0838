//! What no rule edits comes out as it came, byte for byte, however it went in.

use mailweir_content::mime::{MimeLimits, MimeReader, Piece};
use proptest::prelude::*;

use super::*;

/// A mail that is mostly lines, headers and boundaries, with anything in between.
fn mails() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just(&b"Subject: x"[..]),
        Just(&b"Content-Type: multipart/mixed; boundary=b"[..]),
        Just(&b"Content-Type: message/rfc822"[..]),
        Just(&b" folded"[..]),
        Just(&b"--b"[..]),
        Just(&b"--b--"[..]),
        Just(&b""[..]),
        Just(&b"EDIT me: please"[..]),
        Just(&b"\xb1\xa4\xb0\xed\0"[..]),
    ];
    let end = prop_oneof![8 => Just(&b"\r\n"[..]), 1 => Just(&b"\n"[..]), 1 => Just(&b"\r"[..])];
    let lines = prop::collection::vec((line, end), 0..30)
        .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end].concat()).collect());
    prop_oneof![4 => lines, 1 => prop::collection::vec(any::<u8>(), 0..400)]
}

/// `mail` in pieces of these lengths, over and over.
fn pieces<'m>(mail: &'m [u8], lengths: &'m [usize]) -> impl Iterator<Item = &'m [u8]> {
    let mut rest = mail;
    lengths.iter().cycle().map_while(move |&length| {
        let (piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The mail with the empty line that its header may lack.
fn with_ended_header(mail: &[u8]) -> Vec<u8> {
    let (mut reader, mut input, mut whole) =
        (MimeReader::new(MimeLimits::default()), mail, Vec::new());
    let mut lacks_empty_line = false;
    let mut add = |piece: Piece<'_>| {
        match piece {
            Piece::HeaderEnd(raw) => lacks_empty_line = raw.is_empty(),
            Piece::Body { .. } if std::mem::take(&mut lacks_empty_line) => {
                whole.extend_from_slice(b"\r\n");
            }
            _ => {}
        }
        whole.extend_from_slice(piece.raw());
    };
    while let Some(piece) = reader.next(&mut input) {
        add(piece);
    }
    while let Some(piece) = reader.finish() {
        add(piece);
    }
    whole
}

#[test]
fn no_reader_finds_headers_that_no_check_has_seen() {
    for (mail, expected) in [
        (" x\r\nSubject: evil\r\n\r\nb\r\n", "\r\n x\r\nSubject: evil\r\n\r\nb\r\n"),
        ("A: b\r\ngarbage\r\nSubject: evil\r\n", "A: b\r\n\r\ngarbage\r\nSubject: evil\r\n"),
        ("A: b\r\n", "A: b\r\n"),
        ("A: b\r\n\r\nc\r\n", "A: b\r\n\r\nc\r\n"),
    ] {
        assert_eq!(check("/^Subject: evil/ REJECT", "", mail).content, expected);
    }
}

proptest! {
    #[test]
    fn without_a_match_the_mail_comes_out_as_it_came(
        mail in mails(),
        lengths in prop::collection::vec(1_usize..60, 1..8),
    ) {
        let never = "/this is nowhere/ REJECT";
        let (out, outcome) = run(Arc::new(rules(never, never)), pieces(&mail, &lengths));
        prop_assert_eq!(out, with_ended_header(&mail));
        prop_assert_eq!(outcome.fate, Fate::Accept);
    }

    #[test]
    fn an_edit_does_not_depend_on_how_the_mail_is_split(
        mail in mails(),
        lengths in prop::collection::vec(1_usize..60, 1..8),
        action in prop_oneof![
            Just("IGNORE"), Just("PREPEND X: y"), Just("REPLACE X: y"), Just("REJECT"),
            Just("HOLD"), Just("PASS"),
        ],
    ) {
        let table = format!("/EDIT/ {action}\n/folded/ WARN");
        let rules = Arc::new(rules(&table, &table));
        let (whole, one) = run(Arc::clone(&rules), [&mail[..]]);
        let (split, other) = run(rules, pieces(&mail, &lengths));
        prop_assert_eq!(one.fate.clone(), other.fate);
        prop_assert_eq!(
            one.decisions.iter().collect::<Vec<_>>(),
            other.decisions.iter().collect::<Vec<_>>()
        );
        if !matches!(one.fate, Fate::Reject(_)) {
            prop_assert_eq!(whole, split);
        }
    }

    #[test]
    fn an_edit_touches_its_line_alone(
        before in "([A-Za-z-]{1,9}: [ -~]{0,20}\r\n){0,4}",
        after in "([A-Za-z-]{1,9}: [ -~]{0,20}\r\n){0,4}",
        body in "([ -~]{0,20}\r\n){0,4}",
    ) {
        let mail = |line: &str| format!("{before}{line}{after}\r\n{body}");
        let edited = |action: &str| {
            let result = check(&format!("/^=EDIT=: me/ {action}"), "", &mail("=EDIT=: me\r\n\t.\r\n"));
            result.content
        };
        prop_assert_eq!(edited("IGNORE"), mail(""));
        prop_assert_eq!(edited("REPLACE X: y"), mail("X: y\r\n"));
        prop_assert_eq!(edited("PREPEND X: y"), mail("X: y\r\n=EDIT=: me\r\n\t.\r\n"));
    }
}

/// Counts what it is given.
#[derive(Default)]
struct Slices {
    bytes: Vec<u8>,
    number: usize,
}

impl Output for Slices {
    async fn write(&mut self, bytes: &[u8]) {
        self.number += 1;
        self.bytes.extend_from_slice(bytes);
    }
}

#[test]
fn what_is_untouched_goes_on_in_one_slice() {
    let mail = format!("Subject: x\r\n\r\n{}", "a line\r\n".repeat(1000));
    let mut checks = ContentChecks::new(Arc::new(rules("/^X:/ OK", "/none/ OK"))).unwrap();
    let mut out = Slices::default();
    now(checks.feed(mail.as_bytes(), &mut out, &Nobody));
    let in_one = out.number;
    now(checks.finish(&mut out, &Nobody));
    assert_eq!(out.bytes, mail.as_bytes());
    assert!(in_one <= 3, "{in_one} slices");
}

#[test]
fn the_checks_of_a_mail_may_move_between_threads() {
    fn may_move(_: impl Send) {}
    let mut checks = ContentChecks::new(Arc::new(rules("/x/ OK", ""))).unwrap();
    let mut out = Vec::new();
    may_move(checks.feed(b"x", &mut out, &Nobody));
    may_move(checks.finish(&mut out, &Nobody));
}
