//! Stories of single mails. What Postfix itself makes of thousands is compared in `tests/`.

use proptest::prelude::*;

use super::{HeaderClass, MimeLimits, MimeReader, MimeTrouble, Piece};

/// All pieces of a mail that comes in pieces of `step` bytes, each shown as one line of text.
fn shown_in_steps(
    mail: &[u8],
    limits: &MimeLimits,
    step: usize,
) -> (Vec<String>, Vec<u8>, MimeTrouble) {
    let mut reader = MimeReader::new(limits.clone());
    let (mut shown, mut raw) = (Vec::new(), Vec::new());
    let mut note = |piece: Piece<'_>| {
        raw.extend_from_slice(piece.raw());
        shown.push(show(piece));
    };
    for mut input in mail.chunks(step.max(1)) {
        while let Some(piece) = reader.next(&mut input) {
            note(piece);
        }
        assert!(input.is_empty(), "what is starved has eaten all");
    }
    while let Some(piece) = reader.finish() {
        note(piece);
    }
    assert_eq!(reader.finish(), None, "the end stays the end");
    (shown, raw, reader.trouble())
}

fn show(piece: Piece<'_>) -> String {
    match piece {
        Piece::Header { class, text, .. } => format!("{class:?} {}", text.escape_ascii()),
        Piece::HeaderRest(raw) => format!("rest {}", raw.escape_ascii()),
        Piece::HeaderEnd(raw) => format!("end {}", raw.escape_ascii()),
        Piece::Body { text, offset, .. } => format!("{offset} {}", text.escape_ascii()),
        Piece::Unseen(raw) => format!("unseen {}", raw.escape_ascii()),
    }
}

fn shown_with(mail: &str, limits: &MimeLimits) -> Vec<String> {
    let mail = mail.replace('\n', "\r\n");
    let (shown, raw, _) = shown_in_steps(mail.as_bytes(), limits, usize::MAX);
    assert_eq!(raw, mail.as_bytes());
    let (by_bytes, ..) = shown_in_steps(mail.as_bytes(), limits, 1);
    assert_eq!(shown, by_bytes, "the same in pieces of one byte");
    shown
}

fn shown(mail: &str) -> Vec<String> {
    shown_with(mail, &MimeLimits::default())
}

fn trouble(mail: &str, limits: &MimeLimits) -> MimeTrouble {
    shown_in_steps(mail.as_bytes(), limits, usize::MAX).2
}

#[test]
fn headers_and_body_lines_are_told_apart() {
    let shown = shown("Subject: hello\nTo: you\n\nfirst\n\nthird\n");
    assert_eq!(
        shown,
        ["Primary Subject: hello", "Primary To: you", r"end \r\n", "1 first", "7 ", "8 third"]
    );
}

#[test]
fn folded_lines_are_one_text_joined_by_lf() {
    assert_eq!(shown("A: b\n\tc\n \n  d\n\n")[0], r"Primary A: b\n\tc\n \n  d");
}

#[test]
fn blanks_before_the_colon_vanish_from_the_text_but_not_from_the_mail() {
    let mut reader = MimeReader::new(MimeLimits::default());
    let mut input: &[u8] = b"Subject \t: x\r\n\r\n";
    let header = reader.next(&mut input);
    let (text, raw): (&[u8], &[u8]) = (b"Subject: x", b"Subject \t: x\r\n");
    assert_eq!(header, Some(Piece::Header { class: HeaderClass::Primary, text, raw }));
}

#[test]
fn the_first_line_that_is_no_header_ends_the_header() {
    for line in ["no colon", "two words: x", ": no name", "gr\u{fc}n: x", "a\u{7f}: x"] {
        let expected = ["Primary A: b", "end ", &format!("0 {}", line.as_bytes().escape_ascii())];
        let shown = shown(&format!("A: b\n{line}\nC: d\n"));
        assert_eq!(shown[..3], expected);
        assert!(shown[3].ends_with(" C: d") && !shown[3].starts_with("Primary"), "{line}");
    }
    assert_eq!(
        shown(" begins with a blank\nC: d\n"),
        ["end ", "0  begins with a blank", "21 C: d"]
    );
}

#[test]
fn the_mails_own_header_always_ends_once() {
    for mail in ["", "\n", "A: b\n", "A: b", "A: b\n\n", "body\n", "A: b\n\n\n\nC: d\n\n"] {
        let ends = shown(mail).iter().filter(|piece| piece.starts_with("end")).count();
        assert_eq!(ends, 1, "{mail:?}");
    }
}

#[test]
fn mime_headers_are_mime_headers_in_the_mails_own_header_too() {
    let shown =
        shown("content-TYPE: text/plain\nMIME-Version: 1.0\nContent-Length: 3\nContent-ID : x\n\n");
    assert!(
        shown[0].starts_with("Mime ")
            && shown[1].starts_with("Mime ")
            && shown[3].starts_with("Mime ")
    );
    assert!(shown[2].starts_with("Primary "), "Content-Length is none of them");
}

#[test]
fn headers_behind_a_boundary_are_mime_headers_whatever_their_name() {
    let shown = shown(
        "Content-Type: multipart/mixed; boundary=\"b\"\n\npreamble\n--b\nX-Any: 1\n\ntext\n--b--\nepilogue\n",
    );
    assert_eq!(
        shown[1..],
        [
            r"end \r\n",
            "1 preamble",
            "10 --b",
            "Mime X-Any: 1",
            r"unseen \r\n",
            "1 text",
            "0 --b--",
            "6 epilogue"
        ]
    );
}

#[test]
fn headers_of_an_attached_mail_are_nested_except_mime_ones() {
    let shown =
        shown("Content-Type: message/rfc822\n\nSubject: in\nContent-Type: text/html\n\nbody\n");
    assert_eq!(
        shown[2..],
        ["Nested Subject: in", "Mime Content-Type: text/html", r"unseen \r\n", "1 body"]
    );
}

#[test]
fn parts_of_a_digest_are_mails_unless_they_say_otherwise() {
    let start = "Content-Type: multipart/digest; boundary=b\n\n--b\n";
    assert_eq!(shown(&format!("{start}\nSubject: in\n\n"))[4], "Nested Subject: in");
    assert_eq!(
        shown(&format!("{start}Content-Type: text/plain\n\nSubject: in\n"))[5],
        "1 Subject: in"
    );
    // A type that Postfix does not know changes nothing.
    assert_eq!(
        shown(&format!("{start}Content-Type: image/png\n\nSubject: in\n\n"))[5],
        "Nested Subject: in"
    );
}

#[test]
fn the_boundary_of_an_outer_part_ends_inner_ones() {
    let shown = shown(
        "Content-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/mixed; boundary=in\n\n\
         --in\n\nx\n--out\nX-After: 1\n\n--in\nX-Not: a header\n",
    );
    assert!(shown.contains(&"Mime X-After: 1".to_owned()));
    assert_eq!(shown.last().map(String::as_str), Some("6 X-Not: a header"));
}

#[test]
fn comments_quotes_and_several_boundaries_are_read_as_postfix_reads_them() {
    for content_type in [
        "multipart/mixed; boundary=b",
        "multipart/mixed; boundary=\"b\"",
        "multipart/mixed; boundary=other; boundary=b",
        "(c (d)) MULTIPART / mixed; x=\"boundary=no;\"; Boundary = (e) \"\\b\"",
        "multipart;\n boundary\n =b",
    ] {
        let shown = shown(&format!("Content-Type: {content_type}\n\n--b tail\nX-In: 1\n"));
        assert_eq!(shown.last().map(String::as_str), Some("Mime X-In: 1"), "{content_type}");
    }
}

#[test]
fn without_mime_all_behind_the_header_is_body() {
    let limits = MimeLimits { mime: false, ..MimeLimits::default() };
    let shown = shown_with("Content-Type: multipart/mixed; boundary=b\n\n--b\nX-In: 1\n", &limits);
    assert_eq!(
        shown,
        ["Mime Content-Type: multipart/mixed; boundary=b", r"end \r\n", "1 --b", "5 X-In: 1"]
    );
}

#[test]
fn long_body_lines_come_in_pieces_of_the_line_length() {
    let limits = MimeLimits { line_length: 10, ..MimeLimits::default() };
    let shown = shown_with("\n12345678\n123456789\n1234567890\n1234567890abc\n", &limits);
    assert_eq!(
        shown[1..],
        ["1 12345678", "10 123456789", "20 1234567890", "31 ", "32 1234567890", "43 abc"]
    );
}

#[test]
fn the_rest_of_a_long_line_is_no_boundary() {
    let limits = MimeLimits { line_length: 20, ..MimeLimits::default() };
    let mail = "Content-Type:\n multipart/mixed;\n boundary=b\n\n12345678901234567890--b\nX-Not: a header\n";
    assert_eq!(shown_with(mail, &limits).last().map(String::as_str), Some("26 X-Not: a header"));
}

#[test]
fn a_header_takes_no_line_beyond_its_size() {
    let limits = MimeLimits { header_size: 8, ..MimeLimits::default() };
    let mail = "A: 1\n 22\n 33\n 44\nB: 5\n\n";
    assert_eq!(
        shown_with(mail, &limits),
        [r"Primary A: 1\n 22", r"rest  33\r\n", r"rest  44\r\n", "Primary B: 5", r"end \r\n"]
    );
    assert!(trouble(mail, &limits).header_cut);
    assert_eq!(trouble("A: 1\nB: 5\n\n", &limits), MimeTrouble::default());
}

#[test]
fn line_ends_of_many_cr_do_not_make_a_header_grow_without_bound() {
    let limits = MimeLimits::default();
    let folded = format!(" {}\n", "\r".repeat(2_000));
    let mail = format!("A: b\n{}\n", folded.repeat(1_000));
    let mut reader = MimeReader::new(limits.clone());
    let mut input = mail.as_bytes();
    let Some(Piece::Header { raw, .. }) = reader.next(&mut input) else {
        panic!("it begins with a header")
    };
    assert!(raw.len() < 2 * limits.header_size + 2 * limits.line_length, "{}", raw.len());
}

#[test]
fn a_line_from_a_mailbox_does_not_hide_the_headers_behind_it() {
    let mail = "From me Mon Jan  1\n>From me\nSubject: x\n\nFrom here\n";
    let expected = [
        "Primary X-Mailbox-Line: From me Mon Jan  1",
        "Primary X-Mailbox-Line: >From me",
        "Primary Subject: x",
    ];
    assert_eq!(shown(mail)[..3], expected);
    assert_eq!(shown(mail)[4], "1 From here");
    // As with smtpd, nothing folds onto such a line.
    assert_eq!(shown("From me\n Subject: x\n")[1..], ["end ", "0  Subject: x"]);
    let as_postmap = MimeLimits { mailbox_lines: false, ..MimeLimits::default() };
    assert_eq!(shown_with(mail, &as_postmap)[..2], ["end ", "0 From me Mon Jan  1"]);
}

#[test]
fn nothing_hides_behind_a_nul() {
    let shown = shown(
        "Subject: a\0b\nContent-Type: multipart/mixed; \0; boundary=b\n\nx\0y\n--b\nX-In: 1\n",
    );
    assert_eq!(shown[0], r"Primary Subject: a\x00b");
    assert_eq!(shown[3], r"1 x\x00y");
    assert_eq!(shown[5], "Mime X-In: 1");
}

#[test]
fn what_postfix_could_refuse_is_reported() {
    let limits = MimeLimits { nesting: 0, ..MimeLimits::default() };
    let boundaries = "Content-Type: multipart/mixed; boundary=a; boundary=b; boundary=c\n\n";
    assert!(trouble(boundaries, &limits).nesting);
    assert!(!trouble(boundaries, &MimeLimits::default()).nesting);
    let encoded = |kind: &str, encoding: &str| {
        let mail = format!("Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n");
        trouble(&mail, &MimeLimits::default()).encoding_domain
    };
    assert!(encoded("multipart/mixed", "base64") && encoded("message/rfc822", "quoted-printable"));
    assert!(encoded("message/partial", "8bit") && !encoded("message/rfc822", "8bit"));
    assert!(!encoded("text/plain", "base64") && !encoded("message/global", "base64"));
}

#[test]
fn body_lines_in_the_input_are_lent_from_it() {
    let mut reader = MimeReader::new(MimeLimits::default());
    let mail: &[u8] = b"\r\nfirst\r\nsecond\r\n";
    let mut input = mail;
    let mut lines = 0;
    while let Some(piece) = reader.next(&mut input) {
        let Piece::Body { raw, .. } = piece else { continue };
        assert!(mail.as_ptr_range().contains(&raw.as_ptr()), "{}", raw.escape_ascii());
        lines += 1;
    }
    assert_eq!(lines, 2);
}

/// Body lines with where they stand, and where they were taken together nobody says it; and all else.
fn read_taking(mail: &[u8], limits: &MimeLimits, takes: bool) -> Vec<(Vec<u8>, Option<u64>)> {
    let mut reader = MimeReader::new(limits.clone());
    let (mut input, mut read) = (mail, Vec::new());
    loop {
        if takes {
            let lines = reader.take_body(&mut input).split_inclusive(|&byte| byte == b'\n');
            read.extend(lines.map(|line| (line.to_vec(), None)));
        }
        let Some(piece) = reader.next(&mut input) else { break };
        let offset = if let Piece::Body { offset, .. } = piece { Some(offset) } else { None };
        read.push((piece.raw().to_vec(), offset));
    }
    while let Some(piece) = reader.finish() {
        read.push((piece.raw().to_vec(), None));
    }
    read
}

/// Lines that mean something, so that chance makes parts and not only bodies.
fn any_mail() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(KNOWN_LINES).prop_map(|line| line.as_bytes().to_vec());
    let any = prop::collection::vec(any::<u8>(), 0..12);
    prop::collection::vec(prop_oneof![3 => known, 1 => any], 0..30).prop_map(|lines| lines.concat())
}

fn any_limits() -> impl Strategy<Value = MimeLimits> {
    let few = (0_usize..60, 0_usize..60, 0_usize..3, 0_usize..3, any::<bool>(), any::<bool>());
    let few = few.prop_map(
        |(header_size, line_length, nesting, boundary_length, mime, mailbox_lines)| MimeLimits {
            header_size,
            line_length,
            nesting,
            boundary_length,
            mime,
            mailbox_lines,
        },
    );
    prop_oneof![Just(MimeLimits::default()), few]
}

proptest! {
    #[test]
    fn the_pieces_are_the_mail_however_it_is_split(
        mail in any_mail(), limits in any_limits(), step in 1_usize..50,
    ) {
        let (whole, raw, trouble) = shown_in_steps(&mail, &limits, usize::MAX);
        prop_assert_eq!(&raw, &mail);
        let (split, raw, trouble_in_split) = shown_in_steps(&mail, &limits, step);
        prop_assert_eq!(raw, mail);
        prop_assert_eq!(whole, split);
        prop_assert_eq!(trouble, trouble_in_split);
    }
}

proptest! {
    #[test]
    fn lines_of_a_body_are_the_same_one_by_one_and_together(mail in any_mail(), limits in any_limits()) {
        let single = read_taking(&mail, &limits, false);
        let together = read_taking(&mail, &limits, true);
        prop_assert_eq!(single.len(), together.len());
        for ((line, at), (same, same_at)) in single.iter().zip(&together) {
            prop_assert_eq!(line, same);
            prop_assert!(same_at.is_none_or(|same_at| *at == Some(same_at)));
        }
    }
}

const KNOWN_LINES: &[&str] = &[
    "Subject: x\r\n",
    "Subject : y\n",
    " folded\r\n",
    "\tfolded \r\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: multipart/digest; boundary=\"b \r\n \\b\"; boundary\r\n =(c)bb\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "From me\r\n",
    "\r\n",
    "\n",
    "\r",
    "--b\r\n",
    "--b--\r\n",
    "--",
    "A line of text that is longer than the short limits are\r\n",
];
