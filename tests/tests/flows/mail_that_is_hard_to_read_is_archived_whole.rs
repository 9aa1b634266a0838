//! Broken, wrongly labelled, nested and exploding mail: each is in the archive byte for byte, is found by its
//! subject, and says of itself if more of it may be meant than is found. Rows E2, E4 and E5.

use std::io::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use mailweir::archiving::Sight;
use mailweir_archive::frame::Seq;
use mailweir_mail::QueueId;
use mailweir_search::index::Page;
use mailweir_tests::{
    gateway::{Archive, Gateway, mail_to},
    program, wait,
};

#[tokio::test]
async fn what_cannot_be_read_is_kept_as_it_came_and_found_by_its_subject() {
    if program::require().is_none() {
        return;
    }
    let (gateway, archive, _sink) = Gateway::archiving("").await;
    let mut unread = Vec::new();
    for (word, content, is_unread) in [
        ("sound", attached("sound", "memo.txt", b"all of it"), false),
        ("torn", torn(), true),
        ("locked", attached("locked", "old.zip", LOCKED), true),
        ("nested", nested(), true),
        ("exploding", attached("exploding", "zeros.txt.gz", &bomb()), true),
        ("mislabelled", mislabelled(), false),
        ("unclosed", unclosed(), false),
    ] {
        let id = gateway.accept(mail_to("user").content(&content)).await;
        expect_whole(&archive, id, &content).await;
        let seq = archive.number(id).unwrap();
        expect_found(&gateway, &format!("subject:{word}"), &[seq]).await;
        unread.extend(is_unread.then_some(seq));
    }
    unread.reverse();
    expect_found(&gateway, "has:unread", &unread).await;
    let found = async |query| search(&gateway, query).await.unwrap().len();
    assert_eq!(found("-has:unread").await, 3, "they can be read");
    // What can be read of them is found.
    for (query, count) in [
        ("text:\"all of it\"", 1),
        ("text:intact", 4),
        ("text:광고", 1),
        ("text:\"unclosed text\"", 1),
        ("file:old.zip", 1),
        // Also of the file that ends behind it.
        ("file:a.txt", 2),
    ] {
        assert_eq!(found(query).await, count, "{query}");
    }
    assert_eq!(archive.expect_sound(), 14);
}

/// It is in the archive and comes out of it as it was sent, with nothing but trace lines before it.
async fn expect_whole(archive: &Archive, id: QueueId, sent: &[u8]) {
    let stored = archive.expect_ended(id).await.content;
    let trace = stored.strip_suffix(sent).unwrap_or_else(|| panic!("{id} was changed"));
    assert!(trace.starts_with(b"Received: ") && trace.ends_with(b"\r\n"));
    let lines = trace.split_inclusive(|byte| *byte == b'\n').skip(1);
    assert!(lines.into_iter().all(|line| line.starts_with(b"\t")), "{}", trace.escape_ascii());
    assert!(archive.export(id) == stored, "{id} comes out as another one");
}

async fn search(gateway: &Gateway, query: &str) -> Option<Vec<Seq>> {
    let page = Page::default();
    let found = gateway.finder().search(query, Sight::WithBcc, page, |_, _| true).await;
    found.ok().map(|found| found.seqs)
}

/// Waits until a search finds these, and nothing else.
async fn expect_found(gateway: &Gateway, query: &str, seqs: &[Seq]) {
    let mut last = None;
    let found = wait::within_patience(async || {
        last = search(gateway, query).await;
        last.as_deref() == Some(seqs)
    });
    let is_found = found.await;
    assert!(is_found, "{query}: {last:?} and not {seqs:?}\n{}", gateway.log());
}

/// A mail with a file.
fn attached(subject: &str, name: &str, file: &[u8]) -> Vec<u8> {
    let encoded = BASE64_STANDARD.encode(file);
    let lines: Vec<&[u8]> = encoded.as_bytes().chunks(76).collect();
    let mut mail = format!(
        "Subject: {subject}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\n\r\nintact {subject} text\r\n\
         --b\r\nContent-Type: application/octet-stream\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    )
    .into_bytes();
    mail.extend(lines.join(&b"\r\n"[..]));
    mail.extend(b"\r\n--b--\r\n");
    mail
}

/// A zip file that ends in its middle, in lines that are no base64, and in a part without end.
fn torn() -> Vec<u8> {
    let whole = attached("torn", "half.zip", &LOCKED[..60]);
    let mut mail = whole[..whole.len() - 12].to_vec();
    mail.extend(b"=!?\x80\xff\r\n");
    mail
}

/// Mails in mails, much deeper than is looked.
fn nested() -> Vec<u8> {
    let mut mail = b"Subject: innermost\r\n\r\ninnermost\r\n".to_vec();
    for _ in 0..1_000 {
        mail = [b"Content-Type: message/rfc822\r\n\r\n", &mail[..]].concat();
    }
    [b"Subject: nested\r\n", &mail[..]].concat()
}

/// 64 MiB of zeros in 64 KB.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

/// Korean that says it was UTF-8: it is read in every charset that it may be in.
fn mislabelled() -> Vec<u8> {
    let head = b"Subject: mislabelled\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    [&head[..], b"\xb1\xa4\xb0\xed\r\n"].concat()
}

/// Fields that are none, and parts that do not end: all of it is text.
fn unclosed() -> Vec<u8> {
    b"Subject: unclosed\r\nContent-Type: multipart/mixed; boundary=\r\nContent-Type: multipart/mixed;\r\n\
      Content-Transfer-Encoding: 9bit\r\n: no name\r\n\r\n--\r\n--b\r\nunclosed text\r\n"
        .to_vec()
}

/// A zip file with one file, `a.txt`, that takes a password.
const LOCKED: &[u8] =
    b"PK\x03\x04\x0a\x00\x09\x00\x00\x00\x15\x93v]t\x9f\x08\x15\x19\x00\x00\x00\x0d\x00\x00\x00\
      \x05\x00\x00\x00a.txt\xc3}O[o\xb3,\xde=\x0cky?_\x8a\x8a?d4B\xa4\x9c\xe3\xb0HPK\x07\x08t\x9f\
      \x08\x15\x19\x00\x00\x00\x0d\x00\x00\x00PK\x01\x02\x1e\x03\x0a\x00\x09\x00\x00\x00\x15\x93v]\
      t\x9f\x08\x15\x19\x00\x00\x00\x0d\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
      \x00\xa4\x81\x00\x00\x00\x00a.txtPK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x003\x00\x00\x00L\
      \x00\x00\x00\x00\x00";
