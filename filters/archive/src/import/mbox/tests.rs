use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::import::Wire;

/// The mails of a mailbox, with what is none as `!why`.
fn mails(mailbox: &str) -> Vec<String> {
    parts(mailbox.as_bytes()).into_iter().map(|(text, _)| text).collect()
}

fn parts(mailbox: &[u8]) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    let mut mbox = Mbox::new(Cursor::new(mailbox)).unwrap();
    while let Some(part) = mbox.next_part().unwrap() {
        found.push(match part {
            Part::Other { at, why, .. } => (format!("!{why}"), at),
            Part::Mail(mail) => {
                let from = usize::try_from(mail.at).unwrap();
                let to = from + usize::try_from(mail.bytes).unwrap();
                let mut content = String::new();
                let mut wire = Wire::new(&mailbox[from..to], mail.unquotes);
                wire.read_to_string(&mut content).unwrap_or_default();
                (content.replace("\r\n", "\n"), mail.line)
            }
        });
    }
    assert_eq!(mbox.position(), mailbox.len() as u64);
    found
}

/// A line that begins a mail.
const A: &str = "From ann@own.example Fri Nov 20 21:30:05 2026\n";
const B: &str = "From MAILER-DAEMON Sat Nov 21 21:30:05 2026\n";

#[test]
fn mails_are_divided_and_their_lines_unmarked() {
    let mailbox =
        format!("{A}Subject: 1\n\n>From here\n>>From there\nend\n\n{B}Subject: 2\n\nbody\n");
    assert_eq!(
        parts(mailbox.as_bytes()),
        [
            ("Subject: 1\n\nFrom here\n>From there\nend\n".to_owned(), 0),
            ("Subject: 2\n\nbody\n".to_owned(), mailbox.find(B).unwrap() as u64),
        ]
    );
    let crlf = mailbox.replace('\n', "\r\n");
    assert_eq!(mails(&crlf), mails(&mailbox));
}

#[test]
fn one_empty_line_divides_mails_and_all_others_are_theirs() {
    let mailbox = format!("{A}A: b\n\n{A}A: b\n\n\n{A}A: b\n\n\n\n{A}A: b\n{A}A: b");
    assert_eq!(mails(&mailbox), ["A: b\n", "A: b\n\n", "A: b\n\n\n", "A: b\n", "A: b\n"]);
}

#[test]
fn a_line_without_a_date_begins_a_mail_only_where_the_first_has_none_either() {
    let sentence = "From now on all is well.\n";
    let mailbox = format!("{A}A: b\n\n{sentence}\n{sentence}\n{A}A: c\n\n");
    assert_eq!(mails(&mailbox), [format!("A: b\n\n{sentence}\n{sentence}"), "A: c\n".to_owned()]);
    let mailbox = "From ann\nA: b\n\nx\nFrom y\n\nFrom bob\nA: c\n\n";
    assert_eq!(mails(mailbox), ["A: b\n\nx\nFrom y\n", "A: c\n"]);
}

#[test]
fn a_length_that_is_right_is_believed_and_nothing_is_unmarked() {
    let body = format!("Dear all,\n\n{A}is how it begins.\n>From is how it is marked.\n");
    let head = format!("A: b\nContent-Length: {}\n\n", body.len());
    let mailbox = format!("{A}{head}{body}\n{B}{head}{body}");
    assert_eq!(mails(&mailbox), [format!("{head}{body}"), format!("{head}{body}")]);
}

#[test]
fn a_length_that_is_wrong_is_not_believed() {
    // Some writers count the end of the last line, or the empty line behind it, and some do not.
    let body = "one\n>From two\n";
    let right = body.len();
    for length in [0, 1, right - 2, right + 2, right + 70, usize::MAX] {
        let head = format!("A: b\nContent-Length: {length}\n\n");
        let mailbox = format!("{A}{head}{body}\n{B}A: c\n\n");
        let expected = [format!("{head}one\nFrom two\n"), "A: c\n".to_owned()];
        assert_eq!(mails(&mailbox), expected, "{length}");
    }
    for length in ["-1", "+3", "99999999999999999999999", "x", ""] {
        let mailbox = format!("{A}Content-Length: {length}\n\n{body}\n{B}A: c\n\n");
        assert_eq!(mails(&mailbox).len(), 2, "{length}");
    }
}

#[test]
fn a_length_hides_no_mail_that_has_a_header() {
    let next = format!("{B}From: boss@own.example\nSubject: the other\n\nsecret\n\n");
    let body = "one\n\n";
    let head = format!("A: b\nContent-Length: {}\n\n", body.len() + next.len());
    let mailbox = format!("{A}{head}{body}{next}{A}A: c\n\n");
    let found = mails(&mailbox);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[1].contains("the other"));
}

#[test]
fn what_is_no_mail_is_named_with_its_place_and_the_rest_is_read() {
    let mailbox = format!("garbage\n\n{A}A: b\n\n{A}{A}A: c\n\n{A}");
    let garbage = ("!no mail begins there".to_owned(), 0);
    let empty = "!there is a line that begins a mail, and no mail";
    let at = |number: usize| mailbox.match_indices(A).nth(number).unwrap().0 as u64;
    let expected = [
        garbage,
        ("A: b\n".to_owned(), at(0)),
        (empty.to_owned(), at(1)),
        ("A: c\n".to_owned(), at(2)),
        (empty.to_owned(), at(3)),
    ];
    assert_eq!(parts(mailbox.as_bytes()), expected);
    assert_eq!(mails("no mailbox\nat all\n"), ["!no mail begins there"]);
    assert_eq!(mails(""), [""; 0]);
    assert_eq!(mails("\n\n"), [""; 0]);
}

#[test]
fn of_a_line_without_end_only_the_beginning_is_kept() {
    let long = "x".repeat(3_000_000);
    let mailbox = format!("{A}A: b\n\n{long}\nFrom {long}\n\n{A}A: c\n\n{long}");
    let mut mbox = Mbox::new(Cursor::new(mailbox.as_bytes())).unwrap();
    let mut bytes = Vec::new();
    while let Some(Part::Mail(mail)) = mbox.next_part().unwrap() {
        bytes.push(mail.bytes);
        assert!(mbox.file.line.capacity() <= 4 * MOST_OF_LINE);
    }
    let long = long.len() as u64;
    assert_eq!(bytes, [2 * long + 13, long + 6]);
}

proptest! {
    #[test]
    fn no_bytes_do_harm_and_none_are_in_two_mails(
        pieces in prop::collection::vec(prop_oneof![
            Just(A.as_bytes().to_vec()),
            Just(b"From x\n".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"A: b\n".to_vec()),
            Just(b">From \n".to_vec()),
            (0usize..200).prop_map(|n| format!("Content-Length: {n}\n").into_bytes()),
            prop::collection::vec(any::<u8>(), 0..20),
        ], 0..30),
    ) {
        let mailbox = pieces.concat();
        let mut mbox = Mbox::new(Cursor::new(&mailbox)).unwrap();
        let mut end = 0;
        while let Some(part) = mbox.next_part().unwrap() {
            let (at, next) = match part {
                Part::Mail(mail) => (mail.line, mail.at + mail.bytes),
                Part::Other { at, bytes, .. } => (at, at + bytes),
            };
            prop_assert!(end <= at && at < next && next <= mailbox.len() as u64, "{end} {at} {next}");
            // What is passed over between mails is empty lines.
            let from = usize::try_from(end).unwrap();
            let between = &mailbox[from..usize::try_from(at).unwrap()];
            prop_assert!(between.iter().all(|byte| b"\r\n".contains(byte)), "{between:?}");
            end = next;
        }
        prop_assert!(mailbox[usize::try_from(end).unwrap()..].iter().all(|byte| b"\r\n".contains(byte)));
    }
}
