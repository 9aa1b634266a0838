//! Zip and gzip archives.

use super::{build::*, marks, of_file, text, text_of_files};
use crate::Reason;

#[test]
fn files_in_archives_are_named_and_read() {
    let inner = zip(&[Member::deflated("c.txt", "깊은 곳".as_bytes())]);
    let archive = zip(&[
        Member::stored("a/", b""),
        Member::deflated("a/b.txt", "価格表".as_bytes()),
        Member::stored("inner.zip", &inner),
        Member::deflated("page.html", b"<p>un prix</p>"),
        Member::deflated("doc.docx", &docx("<w:p><w:r><w:t>合同</w:t></w:r></w:p>")),
        Member::deflated("p.png", b"\x89PNG\r\n\x1a\n"),
    ]);
    let read = of_file("all.zip", &archive);
    assert_eq!(marks(&read), []);
    assert_eq!(text_of_files(&read), "価格表\n깊은 곳\nun prix\n合同\n");
    let files: Vec<_> =
        read.files.iter().map(|file| (file.path.join("!"), &*file.name, &*file.kind)).collect();
    let all = || "all.zip".to_owned();
    let wanted = [
        (String::new(), "all.zip", "zip"),
        (all(), "a/b.txt", "txt"),
        (all(), "inner.zip", "zip"),
        ("all.zip!inner.zip".to_owned(), "c.txt", "txt"),
        (all(), "page.html", "html"),
        (all(), "doc.docx", "docx"),
        (all(), "p.png", "png"),
    ];
    assert_eq!(files, wanted);
    assert_eq!(read.text[1].path, ["all.zip", "inner.zip", "c.txt"]);
}

#[test]
fn names_in_any_charset_are_read() {
    let archive = zip(&[
        Member::stored(b"\xb0\xdf\xc0\xfb.txt", b"a"),
        Member { flags: 1 << 11, ..Member::stored("见积.txt", b"b") },
        Member::stored("dir\\c.txt", b"c"),
    ]);
    let read = of_file("x.zip", &archive);
    let names: Vec<&str> = read.files.iter().skip(1).map(|file| &*file.name).collect();
    assert_eq!(names, ["견적.txt", "见积.txt", "dir/c.txt"]);
}

#[test]
fn what_takes_a_password_is_named_and_marked() {
    let archive = zip(&[
        Member { flags: 1, ..Member::stored("secret.txt", b"xxxx") },
        Member::stored("open.txt", b"open"),
        Member { method: 14, ..Member::stored("lzma.txt", b"zzzz") },
    ]);
    let read = of_file("x.zip", &archive);
    assert_eq!(text_of_files(&read), "open\n");
    let marks = marks(&read);
    assert!(marks.contains(&("x.zip!secret.txt".to_owned(), Reason::Encrypted)), "{marks:?}");
    assert!(marks.contains(&("x.zip!lzma.txt".to_owned(), Reason::Unsupported)), "{marks:?}");
    assert_eq!(read.files.len(), 4);
}

#[test]
fn an_archive_without_its_end_is_read_by_its_headers() {
    let mut archive =
        zip(&[Member::deflated("a.txt", b"first"), Member::stored("b.txt", b"second")]);
    let directory = memchr::memmem::find(&archive, b"PK\x01\x02").unwrap();
    archive.truncate(directory);
    let read = of_file("x.zip", &archive);
    assert_eq!(text_of_files(&read), "first\nsecond\n");
    assert_eq!(marks(&read), [("x.zip".to_owned(), Reason::Damaged)]);
}

#[test]
fn an_archive_behind_a_program_is_read() {
    let archive = zip(&[Member::deflated("a.txt", b"inside")]);
    let mut program = vec![0; 256];
    program[..2].copy_from_slice(b"MZ");
    program[0x3c] = 0x80;
    program[0x80..0x84].copy_from_slice(b"PE\0\0");
    program.extend(archive);
    let read = of_file("setup.exe", &program);
    assert_eq!(read.files[0].kind, "exe");
    assert_eq!(text_of_files(&read), "inside\n");
}

#[test]
fn lying_sizes_are_cut_to_what_is_there() {
    for claimed in [0, 3, u32::MAX - 1, u32::MAX] {
        let lie = Member { claimed: Some(claimed), ..Member::deflated("a.txt", b"some text") };
        let read = of_file("x.zip", &zip(&[lie, Member::stored("b.txt", b"behind")]));
        assert!(text_of_files(&read).contains("behind"), "{claimed}");
        assert!(!marks(&read).is_empty(), "{claimed}");
    }
}

#[test]
fn gzip_files_are_read_under_the_name_of_what_they_hold() {
    let read = of_file("log.txt.gz", &gzip("기록".as_bytes()));
    assert_eq!(text_of_files(&read), "기록\n");
    assert_eq!(read.files[1].name, "log.txt");
    assert_eq!(text("d.docx.gz", &gzip(&docx("<w:p><w:t>in</w:t></w:p>"))), "in\n");
}
