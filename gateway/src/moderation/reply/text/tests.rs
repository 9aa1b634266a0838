//! Answers as mail programs write them.

use mailweir_moderation::reply::{Answer, read};
use proptest::prelude::*;

use super::*;

fn text(mail: &[u8], cut: usize) -> ReplyText {
    let mut wire = Vec::new();
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        wire.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        wire.extend_from_slice(b"\r\n");
    }
    let mut reader = ReplyReader::default();
    wire.chunks(cut).for_each(|piece| reader.feed(piece));
    reader.finish()
}

fn answer(mail: &[u8]) -> Answer {
    let answers = [1, 7, 4_096].map(|cut| read(text(mail, cut).lines()));
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
    answers.into_iter().next().unwrap()
}

#[test]
fn answers_of_mail_programs_are_read_without_what_they_quote() {
    for (mail, expected) in [
        (
            &include_bytes!("mails/gmail.eml")[..],
            Answer::Approve { comment: "Prices were checked – thanks!".into() },
        ),
        (
            include_bytes!("mails/outlook_html.eml"),
            Answer::Reject { reason: "the price list is missing".into() },
        ),
        (
            include_bytes!("mails/outlook_korean.eml"),
            Answer::Approve { comment: "수고하세요".into() },
        ),
        (
            include_bytes!("mails/iphone_japanese.eml"),
            Answer::Return { reason: "宛先が違います".into() },
        ),
        (
            include_bytes!("mails/thunderbird_french.eml"),
            Answer::Return { reason: "le numéro de carte est à enlever, merci.".into() },
        ),
        // Of an attached mail nothing counts, nor of a file; an empty text gives way to the HTML.
        (include_bytes!("mails/attached_notice.eml"), Answer::Reject { reason: "".into() }),
        (b"\napprove\n", Answer::Approve { comment: "".into() }),
        (b"Content-Type: image/png\n\napprove\n", Answer::Unclear),
        (b"Subject: approve\n\n", Answer::Unclear),
        (b"", Answer::Unclear),
    ] {
        assert_eq!(answer(mail), expected, "{}", String::from_utf8_lossy(mail));
    }
}

#[test]
fn a_report_is_known_by_its_type() {
    assert!(text(include_bytes!("mails/absence.eml"), 99).is_report());
    assert!(!text(include_bytes!("mails/gmail.eml"), 99).is_report());
}

#[test]
fn a_long_answer_is_read_in_bounded_room() {
    let long = format!("\nreject: no\n{}", "more words\n".repeat(1_000_000));
    let text = text(long.as_bytes(), 65_536);
    assert_eq!(text.lines().count(), MOST_LINES);
    assert!(matches!(read(text.lines()), Answer::Reject { .. }));
}

proptest! {
    #[test]
    fn no_bytes_are_trouble(mail: Vec<u8>) {
        let mut reader = ReplyReader::default();
        reader.feed(&mail);
        let _ = read(reader.finish().lines());
    }
}
