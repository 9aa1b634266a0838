//! Mails and their parts.

use super::{build::attach, marks, text_of_files};
use crate::{Extracted, Limits, Mailbox, Origin, Reason, extract};

fn read(mail: &[u8]) -> Extracted {
    extract(mail, &Limits::default())
}

fn pieces(extracted: &Extracted) -> Vec<(Origin, String, &str)> {
    let pieces = extracted.text.iter();
    pieces.map(|piece| (piece.origin, piece.path.join("!"), piece.text.as_str())).collect()
}

#[test]
fn fields_of_a_mail_are_decoded() {
    let mail = "Subject: =?iso-2022-jp?B?GyRCOCtAUT1xGyhC?= =?utf-8?Q?_caf=C3=A9?=\r\n\
        From: =?euc-kr?B?sejIxg==?= <kim@example.kr>\r\n\
        To: \"Dupont, Élise\" <elise@example.fr>, b@example.fr\r\n\
        Cc: team: c@example.cn;\r\n\
        Bcc: hidden@example.com\r\n\
        Date: Fri, 20 Nov 2026 21:30:05 +0900\r\n\
        Message-ID: <1@example.kr>\r\n\r\nhello\r\n";
    let read = read(mail.as_bytes());
    assert_eq!(read.subject, "見積書 café");
    let mailbox =
        |name: &str, address: &str| Mailbox { name: name.into(), address: address.into() };
    assert_eq!(read.from, [mailbox("김훈", "kim@example.kr")]);
    let to = [mailbox("Dupont, Élise", "elise@example.fr"), mailbox("", "b@example.fr")];
    assert_eq!(read.to, to);
    assert_eq!(read.cc, [mailbox("", "c@example.cn")]);
    assert_eq!(
        read.date.map(|date| date.rfc3339()).as_deref(),
        Some("2026-11-20T12:30:05.000000Z")
    );
    assert_eq!(read.message_id.as_deref(), Some("<1@example.kr>"));
    assert_eq!(pieces(&read), [(Origin::Body, String::new(), "hello\n")]);
    assert!(!serde_json::to_string(&read).unwrap().contains("hidden"));
    assert_eq!(read.marks, []);
}

#[test]
fn a_subject_in_bytes_that_nobody_labelled_has_every_reading() {
    let read = read(b"Subject: \xb1\xa4\xb0\xed\r\n\r\n");
    assert!(read.subject.lines().any(|line| line == "광고"), "{}", read.subject);
    assert!(read.subject.lines().count() > 1);
}

#[test]
fn fields_are_in_the_charset_of_the_text_if_that_says_one() {
    let mail = b"Subject: \x8d\x4c\x8d\x90\r\nContent-Type: text/plain; charset=shift_jis\r\n\r\n\x8d\x4c\r\n";
    let read = read(mail);
    assert_eq!(read.subject.lines().next(), Some("広告"));
    assert_eq!(pieces(&read), [(Origin::Body, String::new(), "広\n")]);
}

#[test]
fn text_html_and_files_are_told_apart() {
    let mail = "Content-Type: multipart/mixed; boundary=o\r\n\r\nfor old programs\r\n\
        --o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n\
        --i\r\n\r\nplain\r\n\
        --i\r\nContent-Type: text/html\r\n\r\n<p>rich <b>te</b>xt</p><style>no</style>\r\n\
        --i--\r\n\
        --o\r\nContent-Type: text/plain; charset=euc-kr\r\nContent-Disposition: attachment;\r\n\
        \tfilename*=utf-8''%EB%A9%94%EB%AA%A8.txt\r\nContent-Transfer-Encoding: base64\r\n\r\nsPjB9g==\r\n\
        --o\r\nContent-Type: image/png; name=p.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
        --o--\r\n";
    let read = read(mail.as_bytes());
    let wanted = [
        (Origin::Body, String::new(), "plain\n"),
        (Origin::Html, String::new(), "rich text\n"),
        (Origin::Attachment, "메모.txt".to_owned(), "공지\n"),
    ];
    assert_eq!(pieces(&read), wanted);
    let files: Vec<_> = read
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.media_type.as_str(), file.kind.as_str(), file.size))
        .collect();
    assert_eq!(files, [("메모.txt", "text/plain", "txt", 4), ("p.png", "image/png", "png", 8)]);
    assert_eq!(read.marks, []);
}

#[test]
fn attached_mails_are_read_with_their_fields() {
    let inner = "Subject: =?utf-8?B?5oql5Lu3?=\r\nFrom: Li <li@example.cn>\r\nBcc: secret@example.cn\r\n\
        Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\n价格\r\n\
        --i\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n附件\r\n--i--\r\n";
    let mail = format!(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n\
        --o\r\nContent-Type: message/rfc822; name=fw.eml\r\n\r\n{inner}\r\n--o--\r\n"
    );
    let wanted = [
        (Origin::Mail, "fw.eml".to_owned(), "Subject: 报价\nFrom: Li <li@example.cn>\n价格\n"),
        (Origin::Attachment, "fw.eml!a.txt".to_owned(), "附件\n"),
    ];
    let as_part = read(mail.as_bytes());
    assert_eq!(pieces(&as_part), wanted);
    // The same as a file.
    let as_file = read(&attach(&[("fw.eml", inner.as_bytes())]));
    assert_eq!(pieces(&as_file), wanted);
    for read in [as_part, as_file] {
        let mut names: Vec<_> = read.files.iter().map(|file| (&*file.name, &*file.kind)).collect();
        names.sort_unstable();
        assert_eq!(names[0], ("a.txt", "txt"));
        assert_eq!(names[1].0, "fw.eml");
        assert_eq!(read.marks, []);
    }
}

#[test]
fn text_that_is_not_in_its_charset_is_there_in_every_reading() {
    let read = read(b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xb1\xa4\xb0\xed\r\n");
    assert!(read.text[0].text.contains("광고"));
    assert_eq!(marks(&read), [(String::new(), Reason::UnknownCharset)]);
}

#[test]
fn text_files_in_utf_16_are_read_by_their_mark() {
    let mut bytes = b"\xff\xfe".to_vec();
    bytes.extend("견적서\r\n二行目\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(super::text("memo.txt", &bytes), "견적서\n二行目\n");
}

#[test]
fn a_multipart_without_parts_is_text() {
    let read = read(b"Content-Type: multipart/mixed; boundary=x\r\n\r\nall that is left\r\n");
    assert_eq!(read.text[0].text, "all that is left\n");
}

#[test]
fn mails_nested_a_thousand_times_are_read_to_the_limit() {
    let mut mail = b"Subject: last\r\n\r\ninnermost\r\n".to_vec();
    for _ in 0..1000 {
        mail = [b"Content-Type: message/rfc822\r\n\r\n".as_slice(), &mail].concat();
    }
    let read = read(&mail);
    assert!(marks(&read).iter().any(|(_, reason)| *reason == Reason::TooDeep));
    // Encoded in each other, as files.
    let mut mail = b"Subject: last\r\n\r\ninnermost\r\n".to_vec();
    for _ in 0..12 {
        mail = attach(&[("m.eml", &mail)]);
    }
    let read = super::mails::read(&mail);
    let deepest = read.files.iter().map(|file| file.path.len()).max();
    assert_eq!(deepest, Some(Limits::default().depth));
    let wanted = (["m.eml"; 6].join("!"), Reason::TooDeep);
    assert_eq!(marks(&read), [wanted]);
}

#[test]
fn more_than_the_limits_is_cut_and_marked() {
    let mail = format!("Subject: s\r\n\r\n{}", "words and words\r\n".repeat(1000));
    let limits = Limits { text: 100, ..Limits::default() };
    let read = extract(mail.as_bytes(), &limits);
    assert!(read.text.iter().map(|piece| piece.text.len()).sum::<usize>() <= 100);
    assert!(read.text[0].text.starts_with("words and words\n"));
    assert_eq!(marks(&read), [(String::new(), Reason::TooLarge)]);

    let limits = Limits { mail: 40, ..Limits::default() };
    let read = extract(mail.as_bytes(), &limits);
    assert_eq!(read.text[0].text, "words and words\nwords and\n");
    assert_eq!(marks(&read), [(String::new(), Reason::TooLarge)]);

    let files: Vec<(String, &[u8])> = (0..50).map(|at| (format!("{at}.txt"), &b"x"[..])).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, *bytes)).collect();
    let limits = Limits { files: 10, ..Limits::default() };
    let read = extract(&attach(&files), &limits);
    assert_eq!(read.files.len(), 10);
    assert!(marks(&read).contains(&(String::new(), Reason::TooLarge)));

    let addresses = format!("To: {}\r\n\r\n", "a@b.example,\r\n c@d.example,\r\n ".repeat(2500));
    let limits = Limits { mailboxes: 100, ..Limits::default() };
    assert_eq!(extract(addresses.as_bytes(), &limits).to.len(), 100);
    let limits = Limits { names: 1000, ..Limits::default() };
    assert!(extract(addresses.as_bytes(), &limits).to.len() <= 100);

    let limits = Limits { work: 10, ..Limits::default() };
    let read = extract(mail.as_bytes(), &limits);
    assert!(read.work <= 10);
    assert_eq!(marks(&read), [(String::new(), Reason::TooLarge)]);
}

#[test]
fn what_was_found_travels_between_processes() {
    let read = read(&attach(&[("a.txt", "한글".as_bytes()), ("b.bin", b"\0\x01")]));
    let json = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<Extracted>(&json).unwrap(), read);
    assert_eq!(text_of_files(&read), "한글\n");
}
