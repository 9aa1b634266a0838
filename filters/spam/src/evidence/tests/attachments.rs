//! What attachments and structure show.

use mailweir_content::{
    attachment::{Finding as Seen, Kind, Limit},
    decode::{
        charset::Fallbacks,
        headers::HeaderDecoder,
        parts::{Event, Part, PartLimits, PartReader},
    },
};
use proptest::prelude::*;

use super::{super::*, symbols};
use crate::{
    reading::{Limits, read},
    symbols::Symbol,
};

/// The parts of a mail, as its reader gives them.
fn parts(mail: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut take = |event: Event<'_>| {
        if let Event::Start(part) = event {
            parts.push(part.clone())
        }
    };
    let mut reader = PartReader::new(PartLimits::default(), HeaderDecoder::default());
    reader.feed(mail.as_bytes(), &mut take);
    reader.finish(&mut take);
    parts
}

fn part(name: &str) -> Part {
    parts(&format!("Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\r\nx")).remove(0)
}

/// What an attachment of this name shows, with these bytes' types.
fn shown(name: &str, kinds: &[Kind]) -> Vec<Symbol> {
    let mut evidence = AttachmentEvidence::new(&part(name), b"");
    kinds.iter().for_each(|kind| evidence.seen(&Seen::Type { kind: *kind, path: &[] }));
    symbols(&evidence.findings())
}

fn shown_inside(seen: &Seen<'_>) -> Vec<Symbol> {
    let mut evidence = AttachmentEvidence::new(&part("a.zip"), b"");
    evidence.seen(&Seen::Type { kind: Kind::ZIP, path: &[] });
    evidence.seen(seen);
    symbols(&evidence.findings())
}

#[test]
fn programs_are_told_by_their_names_and_by_their_bytes() {
    use Symbol::{AttachmentDoubleExtension, AttachmentExecutable, AttachmentTypeMismatch};
    let table: &[(&str, &[Kind], &[Symbol])] = &[
        ("setup.exe", &[Kind::EXE], &[AttachmentExecutable]),
        ("setup.EXE. ", &[], &[AttachmentExecutable]),
        ("invoice.js", &[Kind::TEXT], &[AttachmentExecutable]),
        ("invoice.pdf.exe", &[Kind::EXE], &[AttachmentExecutable, AttachmentDoubleExtension]),
        ("invoice.pdf      .scr", &[], &[AttachmentExecutable, AttachmentDoubleExtension]),
        ("photo.jpg", &[Kind::EXE], &[AttachmentExecutable, AttachmentTypeMismatch]),
        ("noname", &[Kind::EXE], &[AttachmentExecutable]),
        ("fix.sh", &[Kind::SCRIPT], &[]),
        ("fix.patch", &[Kind::TEXT], &[]),
        ("data.tar.gz", &[Kind::GZIP], &[]),
        ("v1.2.pdf", &[Kind::PDF], &[]),
    ];
    for (name, kinds, expected) in table {
        assert_eq!(shown(name, kinds), *expected, "{name}");
    }
}

#[test]
fn files_that_are_something_else_than_their_names_say_are_told() {
    let is_told =
        |name: &str, kind: Kind| shown(name, &[kind]).contains(&Symbol::AttachmentTypeMismatch);
    for (name, kind) in [
        ("a.pdf", Kind::HTML),
        ("a.pdf", Kind::ZIP),
        ("a.png", Kind::PDF),
        ("a.docx", Kind::HTML),
        ("a.doc", Kind::EXE),
        ("a.zip", Kind::RAR),
        ("a.txt", Kind::EXE),
        ("a.jpg", Kind::SVG),
        ("a.mp3", Kind::ZIP),
    ] {
        assert!(is_told(name, kind), "{name} {kind:?}");
    }
    for (name, kind) in [
        ("a.pdf", Kind::PDF),
        ("a.pdf", Kind::BINARY),
        ("a.doc", Kind::RTF),
        ("a.doc", Kind::HTML),
        ("a.xls", Kind::TEXT),
        ("a.xls", Kind::XLSX),
        ("a.docx", Kind::ENCRYPTED),
        ("a.docx", Kind::OLE),
        ("a.zip", Kind::DOCX),
        ("a.txt", Kind::SCRIPT),
        ("a.txt", Kind::HTML),
        ("a.csv", Kind::TEXT),
        ("a.unknown", Kind::EXE),
    ] {
        assert!(!is_told(name, kind), "{name} {kind:?}");
    }
    // A PDF that also starts a program is a PDF.
    assert_eq!(shown("a.pdf", &[Kind::PDF, Kind::PDF_LAUNCH]), [Symbol::AttachmentActiveDocument]);
}

#[test]
fn what_lies_in_archives_is_told() {
    let path = ["a.exe".to_owned()];
    let table: [(Seen<'_>, &[Symbol]); 13] = [
        (Seen::Name { name: "folder/run.exe", path: &[] }, &[Symbol::ArchiveExecutable]),
        (
            Seen::Name { name: "a.pdf.js", path: &[] },
            &[Symbol::ArchiveExecutable, Symbol::AttachmentDoubleExtension],
        ),
        (Seen::Name { name: "folder.exe/readme", path: &[] }, &[]),
        (Seen::Type { kind: Kind::EXE, path: &path }, &[Symbol::ArchiveExecutable]),
        (Seen::Type { kind: Kind::ENCRYPTED, path: &path }, &[Symbol::ArchiveEncrypted]),
        (Seen::Type { kind: Kind::ENCRYPTED, path: &[] }, &[Symbol::ArchiveEncrypted]),
        (Seen::Type { kind: Kind::AMBIGUOUS, path: &[] }, &[Symbol::ArchiveAmbiguous]),
        (Seen::Limit { limit: Limit::Ratio, path: &[] }, &[Symbol::ArchiveBomb]),
        (Seen::Limit { limit: Limit::Overlap, path: &[] }, &[Symbol::ArchiveBomb]),
        (Seen::Limit { limit: Limit::Depth, path: &path }, &[Symbol::ArchiveBomb]),
        (Seen::Limit { limit: Limit::Inflated, path: &[] }, &[]),
        (Seen::Limit { limit: Limit::Members, path: &[] }, &[]),
        (Seen::Limit { limit: Limit::Method, path: &[] }, &[]),
    ];
    for (seen, expected) in table {
        assert_eq!(shown_inside(&seen), expected, "{seen:?}");
    }
}

#[test]
fn a_project_of_programmers_is_no_program() {
    let shown = |members: usize, name: &str| {
        let mut evidence = AttachmentEvidence::new(&part("a.zip"), b"");
        (0..members).for_each(|_| evidence.seen(&Seen::Name { name: "src/main.c", path: &[] }));
        evidence.seen(&Seen::Name { name, path: &[] });
        symbols(&evidence.findings())
    };
    assert_eq!(shown(20, "src/app.js"), []);
    assert_eq!(shown(1, "src/app.js"), [Symbol::ArchiveExecutable]);
    assert_eq!(shown(20, "setup.exe"), [Symbol::ArchiveExecutable]);
    assert_eq!(
        shown(20, "a.pdf.js"),
        [Symbol::ArchiveExecutable, Symbol::AttachmentDoubleExtension]
    );
}

#[test]
fn names_of_sites_are_no_programs() {
    assert_eq!(shown("www.example.com", &[Kind::TEXT]), []);
    let mail = "Content-Type: message/rfc822; name=\"Your order at example.com\"\r\n\r\nSubject: x\r\n\r\nx";
    assert_eq!(symbols(&AttachmentEvidence::new(&parts(mail)[0], b"").findings()), []);
    assert_eq!(shown("example.com", &[]), [Symbol::AttachmentExecutable]);
}

#[test]
fn documents_that_run_something_are_told() {
    assert_eq!(shown("a.docm", &[Kind::DOCM, Kind::VBA]), [Symbol::Macros]);
    assert_eq!(shown("a.doc", &[Kind::DOC, Kind::VBA]), [Symbol::Macros]);
    assert_eq!(shown("a.docx", &[Kind::OLE, Kind::ENCRYPTED]), [Symbol::DocumentEncrypted]);
    assert_eq!(shown("a.iso", &[Kind::ISO]), [Symbol::AttachmentDiskImage]);
    assert_eq!(shown("a.one", &[Kind::ONENOTE]), [Symbol::AttachmentActiveDocument]);
    assert_eq!(shown("a.html", &[Kind::HTML]), [Symbol::AttachmentHtml]);
    assert_eq!(shown("a.url", &[Kind::URL]), [Symbol::AttachmentActiveDocument]);
}

#[test]
fn names_that_turn_their_direction_are_told_in_every_encoding() {
    for header in [
        &b"Content-Disposition: attachment; filename=\"a\xe2\x80\xaegpj.exe\""[..],
        b"Content-Disposition: attachment; filename*=utf-8''a%E2%80%AEgpj.exe",
        b"Content-Type: x/y; name=\"=?utf-8?Q?a=E2=80=AEgpj.exe?=\"",
        b"Content-Type: x/y; name=\"=?UTF-8?B?YeKArmdwai5leGU=?=\"",
        b"Content-Type: x/y; name=\"=?UTF-8?b?eGHigK5ncGo=?=\"",
        b"name=\xe2\x81\xa7x",
    ] {
        assert!(turns_direction(header), "{}", String::from_utf8_lossy(header));
        let evidence = AttachmentEvidence::new(&part("a"), header);
        assert_eq!(symbols(&evidence.findings()), [Symbol::AttachmentNameBidi]);
    }
    for header in [
        &b"Content-Type: x/y; name=\"\xe2\x80\xa6.txt\""[..],
        b"name=\"=?UTF-8?B?7JWI64WV?=\"",
        b"=E2=80",
        b"%E2%8",
        b"?b?",
        b"",
    ] {
        assert!(!turns_direction(header), "{}", String::from_utf8_lossy(header));
    }
}

#[test]
fn e3_a_mail_that_programs_read_differently_is_told() {
    let read = |mail: &str| {
        let mut evidence = MimeEvidence::default();
        read(mail.as_bytes(), Limits::default(), Fallbacks::default(), &mut evidence);
        symbols(&evidence.findings())
    };
    let two = "Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--a--\r\n--b\r\n\r\ny\r\n--b--\r\n";
    assert!(read(two).contains(&Symbol::MimeAmbiguous));
    let open = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r\n";
    assert_eq!(read(open), [Symbol::MimeBroken]);
    assert_eq!(read("Content-Type: text/html\r\n\r\n<p>x"), [Symbol::HtmlAlone]);
    assert_eq!(read("Content-Type: text/plain\r\n\r\nx"), []);
    let both = "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\nx\r\n--a\r\nContent-Type: text/html\r\n\r\nx\r\n--a--\r\n";
    assert_eq!(read(both), []);
}

proptest! {
    #[test]
    fn no_name_panics(name in "[\\PC]{0,40}", header in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut part = part("a");
        part.names = vec![name.clone()];
        let mut evidence = AttachmentEvidence::new(&part, &header);
        evidence.seen(&Seen::Name { name: &name, path: &[] });
        let _ = evidence.findings();
    }
}
