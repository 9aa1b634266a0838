//! Files made to exhaust those who look into them.

use super::{build::*, marks, of_file, text_of_files};
use crate::{Extracted, Limits, Origin, Reason, extract};

fn reasons(extracted: &Extracted) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = extracted.marks.iter().map(|mark| mark.reason).collect();
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

#[test]
fn a_file_that_unpacks_to_far_more_than_it_is_is_cut() {
    let zeros = vec![b'0'; 64 << 20];
    for (name, bomb) in
        [("a.zip", zip(&[Member::deflated("a.txt", &zeros)])), ("a.txt.gz", gzip(&zeros))]
    {
        let read = of_file(name, &bomb);
        assert_eq!(reasons(&read), [Reason::TooLarge], "{name}");
        assert!(read.work < 200 << 20, "{name}: {}", read.work);
        let text: usize = read.text.iter().map(|piece| piece.text.len()).sum();
        assert!(text <= Limits::default().text, "{name}: {text}");
    }
}

#[test]
fn an_archive_of_archives_of_archives_ends_with_what_may_be_unpacked() {
    let mut archive = zip(&[Member::deflated("zeros.txt", &vec![b'0'; 1 << 20])]);
    for _ in 0..4 {
        let members: Vec<Member> =
            (0..16).map(|at| Member::deflated(format!("{at}.zip"), &archive)).collect();
        archive = zip(&members);
    }
    let limits = Limits { unpacked: 8 << 20, ..Limits::default() };
    let read = extract(&attach(&[("a.zip", &archive)]), &limits);
    assert!(reasons(&read).contains(&Reason::TooLarge));
    assert!(read.work < 64 << 20, "{}", read.work);
}

#[test]
fn archives_in_archives_are_opened_to_the_depth() {
    let mut archive = zip(&[Member::deflated("deep.txt", b"deep")]);
    for at in 0..1000 {
        archive = zip(&[Member::stored(format!("{}.zip", at % 10), &archive)]);
    }
    let read = of_file("a.zip", &archive);
    assert_eq!(reasons(&read), [Reason::TooDeep]);
    assert_eq!(read.files.len(), Limits::default().depth + 1);
}

#[test]
fn an_archive_of_60_000_files_is_named_to_the_limit() {
    let members: Vec<Member> =
        (0..60_000).map(|at| Member::stored(format!("{at}.txt"), b"x")).collect();
    let read = of_file("a.zip", &zip(&members));
    assert_eq!(read.files.len(), Limits::default().files);
    assert_eq!(reasons(&read), [Reason::TooLarge]);
}

#[test]
fn members_that_share_their_data_are_unpacked_once() {
    // One member, which the directory lists 5,000 times.
    let archive = zip(&[Member::deflated("a.txt", &vec![b'x'; 1 << 20])]);
    let at = memchr::memmem::find(&archive, b"PK\x01\x02").unwrap();
    let end = memchr::memmem::find(&archive, b"PK\x05\x06").unwrap();
    let entry = archive[at..end].to_vec();
    let directory = entry.repeat(5000);
    let mut bomb = [&archive[..at], &directory, &archive[end..]].concat();
    let record = at + directory.len();
    bomb[record + 12..record + 16]
        .copy_from_slice(&u32::try_from(directory.len()).unwrap().to_le_bytes());
    let read = of_file("a.zip", &bomb);
    assert_eq!(read.files.len(), 2);
    assert!(read.work < 8 << 20, "{}", read.work);
}

#[test]
fn a_document_with_800_000_attributes_or_700_000_levels_costs_its_bytes() {
    let attributes: String = (0..800_000).map(|at| format!(" a{at}=\"\"")).collect();
    let cells: String = format!("<c{attributes} t=\"s\"><v>1</v></c><c><v>42</v></c>");
    let levels = format!("{}<w:t>deep</w:t>", "<w:p><w:r>".repeat(350_000));
    for (name, bytes, wanted) in [
        ("a.docx", docx(&format!("<w:p{attributes}><w:t>text</w:t></w:p>")), "text"),
        ("a.docx", docx(&levels), "deep"),
        ("a.xlsx", xlsx("", &cells), "42"),
    ] {
        let read = of_file(name, &bytes);
        assert!(text_of_files(&read).contains(wanted), "{name}: {:?}", marks(&read));
        assert!(read.work < 64 << 20, "{name}: {}", read.work);
    }
}

#[test]
fn entities_in_entities_are_not_expanded() {
    let mut dtd = "<!DOCTYPE w [<!ENTITY a0 \"lol\">".to_owned();
    for at in 1..30 {
        dtd.push_str(&format!("<!ENTITY a{at} \"&a{0};&a{0};&a{0};&a{0};\">", at - 1));
    }
    let bytes = document(&[
        ("[Content_Types].xml", "<Types/>"),
        ("word/document.xml", &format!("{dtd}]><w:p><w:t>&a29;!</w:t></w:p>")),
    ]);
    assert_eq!(text_of_files(&of_file("a.docx", &bytes)), "&a29;!\n");
}

#[test]
fn what_stands_aside_of_a_line_without_end_is_bounded() {
    let note = "<text:note><text:p>aside</text:p></text:note>".repeat(200_000);
    let bytes = odf("text", &format!("<text:p>begin{note}"));
    let limits = Limits { text: 10_000, ..Limits::default() };
    let read = extract(&attach(&[("a.odt", &bytes)]), &limits);
    let text: usize = read.text.iter().map(|piece| piece.text.len()).sum();
    assert!(text <= 10_000);
    assert!(read.text.iter().any(|piece| piece.text.starts_with("begin\naside\n")));
}

#[test]
fn all_files_of_a_mail_share_one_purse() {
    let archive = zip(&[Member::deflated("a.txt", &vec![b'x'; 1 << 20])]);
    let files: Vec<(String, &[u8])> =
        (0..50).map(|at| (format!("{at}.zip"), archive.as_slice())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (&**name, *bytes)).collect();
    let limits = Limits { unpacked: 4 << 20, ..Limits::default() };
    let read = extract(&attach(&files), &limits);
    let full = read.text.iter().filter(|piece| piece.text.len() > 1 << 20);
    assert_eq!(full.count(), 4);
    assert_eq!(reasons(&read), [Reason::TooLarge]);
}

#[test]
fn a_reader_that_fails_ends_the_file_and_not_the_mail() {
    let limits = Limits::default();
    let mut harvest = crate::harvest::Harvest::new(&limits);
    harvest.set_origin(Origin::Body);
    harvest.push_line("before");
    harvest.inside("a.bin", |harvest| {
        harvest.push("found");
        harvest.enter("deeper");
        panic!("a fault");
    });
    harvest.push_line("behind");
    let found = harvest.into_extracted();
    assert_eq!(marks(&found), [("a.bin".to_owned(), Reason::Failed)]);
    let lines: Vec<(&str, usize)> =
        found.text.iter().map(|piece| (piece.text.as_str(), piece.path.len())).collect();
    assert_eq!(lines, [("before\n", 0), ("found\n", 1), ("behind\n", 0)]);
}
