//! Zip archives: what every reader would see.

use super::{
    archives::{Member, extra, gzip, local, program, tar, zip},
    assert_finds, assert_finds_no, findings, types,
};

#[test]
fn names_and_types_of_members_are_found_however_they_are_packed() {
    for method in [0, 8] {
        for has_descriptor in [false, true] {
            let member =
                |name, data: &[u8]| Member { method, has_descriptor, ..Member::stored(name, data) };
            let archive = zip(&[member("a/readme.txt", b"Read me."), member("b.exe", &program())]);
            assert_finds(
                &archive,
                &[
                    "type  application/zip",
                    "name a/readme.txt",
                    "type a/readme.txt text/plain",
                    "name b.exe",
                    "type b.exe application/x-dosexec",
                ],
            );
            assert_finds_no(&archive, "ambiguous");
            assert_finds_no(&archive, "limit");
        }
    }
}

#[test]
fn archives_in_archives_are_opened() {
    let inner = gzip(&tar(&[("c.exe", &program())]));
    for member in [Member::stored("b.tar.gz", &inner), Member::deflated("b.tar.gz", &inner)] {
        assert_finds(
            &zip(&[member]),
            &[
                "name b.tar.gz",
                "type b.tar.gz application/gzip",
                "name b.tar.gz!b.tar",
                "type b.tar.gz!b.tar application/x-tar",
                "name b.tar.gz!b.tar!c.exe",
                "type b.tar.gz!b.tar!c.exe application/x-dosexec",
            ],
        );
    }
}

#[test]
fn a_zip_in_a_zip_is_one_archive_within_another() {
    let inner = zip(&[Member::deflated("c.exe", &program()), Member::stored("d", b"d")]);
    for member in [Member::stored("b.zip", &inner), Member::deflated("b.zip", &inner)] {
        let archive = zip(&[member, Member::stored("e", b"e")]);
        let found = findings(&archive);
        assert_finds(&archive, &["name b.zip!c.exe", "type b.zip!c.exe application/x-dosexec"]);
        assert!(!found.contains(&"name c.exe".to_owned()), "{found:#?}");
        assert_finds_no(&archive, "ambiguous");
    }
}

#[test]
fn an_archive_behind_a_program_is_found() {
    for junk in [0, 1, 4000, 4090, 4094, 4095, 4096, 10_000] {
        let mut installer = program();
        installer.resize(256 + junk, 0);
        installer.extend(zip(&[Member::deflated("setup.js", b"alert()")]));
        assert_finds(&installer, &["name setup.js", "type setup.js text/plain"]);
        assert_eq!(types(&installer), ["application/x-dosexec", "application/zip"], "{junk}");
    }
}

#[test]
fn a_name_that_only_the_directory_has_is_found_and_the_difference_too() {
    let mut member = Member::deflated("readme.txt", &program());
    member.listed = Some(b"virus.exe".to_vec());
    let expected = ["name readme.txt", "name virus.exe", "type  application/x-ambiguous-archive"];
    assert_finds(&zip(&[member, Member::stored("other", b"")]), &expected);
}

#[test]
fn a_member_that_the_directory_leaves_out_is_found() {
    let mut archive = local(&Member::deflated("virus.exe", &program()));
    archive.extend(zip(&[Member::stored("readme.txt", b"Read me.")]));
    let expected = ["name virus.exe", "type virus.exe application/x-dosexec"];
    assert_finds(&archive, &expected);
    assert_finds(&archive, &["type  application/x-ambiguous-archive"]);
}

#[test]
fn members_that_a_false_size_hides_are_found() {
    let mut hiding = local(&Member::stored("readme.txt", b""));
    hiding[18..22].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    hiding.extend(zip(&[Member::deflated("virus.exe", &program())]));
    let found = findings(&hiding);
    assert!(found.iter().any(|found| found.ends_with("virus.exe")), "{found:#?}");
    assert!(found.iter().any(|found| found.ends_with("application/x-dosexec")), "{found:#?}");
}

#[test]
fn content_behind_a_false_size_of_nothing_is_looked_at() {
    let mut archive = zip(&[Member::stored("virus", &program())]);
    archive[18..26].fill(0);
    assert_finds(&archive, &["type virus application/x-dosexec"]);
}

#[test]
fn headers_inside_the_extra_field_of_another_are_found() {
    let hidden = local(&Member::deflated("virus.exe", &program()));
    let mut decoy = Member::stored("readme.txt", b"");
    decoy.extra = extra(0x4444, &hidden);
    assert_finds(&zip(&[decoy]), &["name virus.exe", "type virus.exe application/x-dosexec"]);
}

#[test]
fn an_archive_in_the_header_of_a_gzip_file_or_behind_one_is_found() {
    let hidden = zip(&[Member::deflated("virus.exe", &program())]);
    let mut inside = b"\x1f\x8b\x08\x04\0\0\0\0\0\x03".to_vec();
    inside.extend(u16::try_from(hidden.len()).unwrap().to_le_bytes());
    inside.extend(&hidden);
    inside.extend(&gzip(b"harmless")[10..]);
    let behind = [gzip(b"harmless"), hidden].concat();
    for file in [inside, behind] {
        let expected =
            ["type  application/gzip", "name virus.exe", "type virus.exe application/x-dosexec"];
        assert_finds(&file, &expected);
        assert_finds_no(&file, "ambiguous");
    }
}

#[test]
fn members_with_a_password_are_named_and_told() {
    let archive = zip(&[Member { flags: 1, method: 8, ..Member::stored("secret.exe", b"") }]);
    // What no inflater takes: a block of the type that does not exist.
    let archive = [&archive[..40], &[7; 100], &archive[40..]].concat();
    assert_finds(&archive, &["name secret.exe", "type  application/x-encrypted"]);
    assert_finds_no(&archive, "type secret.exe");
}

#[test]
fn a_password_that_only_the_header_speaks_of_hides_nothing() {
    for member in [Member::stored("virus", &program()), Member::deflated("virus", &program())] {
        let mut archive = zip(&[member]);
        archive[6] = 1;
        let expected =
            ["type virus application/x-dosexec", "type  application/x-ambiguous-archive"];
        assert_finds(&archive, &expected);
    }
}

#[test]
fn a_method_that_is_not_undone_is_told() {
    let member = Member { method: 14, ..Member::stored("a.exe", b"lzma") };
    assert_finds(&zip(&[member]), &["name a.exe", "limit  Method"]);
}

#[test]
fn the_sizes_of_zip64_are_believed() {
    let inner = zip(&[Member::stored("c.exe", &program())]);
    let mut member = Member::stored("b.zip", &inner);
    let size = (inner.len() as u64).to_le_bytes();
    member.extra = extra(1, &[size, size].concat());
    let mut archive = zip(&[member, Member::stored("d", b"d")]);
    archive[18..26].fill(0xff);
    assert_finds(&archive, &["name b.zip!c.exe", "name d"]);
    assert_finds_no(&archive, "name b.zip!d");
}

#[test]
fn documents_are_told_from_archives_by_what_they_hold() {
    let document = |names: &[&str]| {
        let members: Vec<Member> =
            names.iter().map(|name| Member::deflated(name, b"<a/>")).collect();
        types(&zip(&members))
    };
    let types_part = "[Content_Types].xml";
    let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(document(&[types_part, "word/document.xml"]), [word]);
    let excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    assert_eq!(document(&[types_part, "xl/workbook.xml"]), [excel]);
    let slides = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    assert_eq!(document(&["ppt/presentation.xml", types_part]), [slides]);
    let macros = "application/vnd.ms-word.document.macroEnabled.12";
    assert_eq!(document(&[types_part, "word/document.xml", "word/vbaProject.bin"]), [macros]);
    let macros = "application/vnd.ms-excel.sheet.macroEnabled.12";
    assert_eq!(document(&[types_part, "xl\\VBAPROJECT.BIN"]), [macros]);
    assert_eq!(document(&[types_part, "xl/macrosheets/sheet1.xml"]), [macros]);
    let macros = "application/vnd.ms-excel.sheet.binary.macroEnabled.12";
    assert_eq!(document(&[types_part, "xl/workbook.bin"]), [macros]);
    let macros = "application/vnd.ms-powerpoint.presentation.macroEnabled.12";
    assert_eq!(document(&[types_part, "ppt/slide.xml", "ppt/vbaProject.bin"]), [macros]);
    assert_eq!(document(&["META-INF/MANIFEST.MF", "A.class"]), ["application/java-archive"]);
    let apk = "application/vnd.android.package-archive";
    assert_eq!(document(&["META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex"]), [apk]);
    let odf = "application/vnd.oasis.opendocument";
    assert_eq!(document(&["mimetype", "META-INF/manifest.xml"]), [odf]);
    assert_eq!(document(&["mimetype", "META-INF/container.xml"]), ["application/epub+zip"]);
    assert_eq!(document(&["AppxManifest.xml", types_part]), ["application/appx"]);
    assert_eq!(document(&["word/document.xml"]), ["application/zip"]);
}

#[test]
fn letters_that_look_like_a_signature_are_no_archive() {
    let text = b"The signature of a zip file is PK\x03\x04, and that of its directory PK\x01\x02. "
        .repeat(9);
    assert_eq!(types(&text), ["application/octet-stream"]);
}

#[test]
fn a_header_with_nonsense_in_it_is_a_header_to_those_who_go_by_the_directory() {
    let mut archive = zip(&[Member::stored("a", b"a"), Member::deflated("virus", &program())]);
    let second = archive.windows(4).rposition(|bytes| bytes == b"PK\x03\x04").unwrap();
    archive[second + 4..second + 10].fill(0x44);
    let expected = ["name virus", "type virus application/x-dosexec", "limit  Method"];
    assert_finds(&archive, &expected);
    assert_finds(&archive, &["type  application/x-ambiguous-archive"]);
}

#[test]
fn a_member_that_swallows_the_archive_hides_neither_names_nor_itself() {
    let archive = zip(&[Member::deflated("virus.exe", &program())]);
    let length = u16::try_from(archive.len()).unwrap();
    for is_last_block in [0, 1] {
        let mut bytes = local(&Member { method: 8, ..Member::stored("readme.txt", b"") });
        // A block of deflate that is not packed: the archive stands there as it is.
        bytes.truncate(40);
        bytes.push(is_last_block);
        bytes.extend(length.to_le_bytes());
        bytes.extend((!length).to_le_bytes());
        bytes.extend(&archive);
        let expected =
            ["name virus.exe", "name readme.txt", "type  application/x-ambiguous-archive"];
        assert_finds(&bytes, &expected);
        assert_finds(&bytes, &["type readme.txt!virus.exe application/x-dosexec"]);
    }
}
