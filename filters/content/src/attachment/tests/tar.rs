//! Tar archives.

use super::{
    archives::{Member, gzip, program, tar, tar_member, zip},
    assert_finds, assert_finds_no,
};

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1024]].concat()
}

fn record(key: &str, value: &str) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let length =
        (1..9).map(|digits| rest + digits).find(|all| all.to_string().len() + rest == *all);
    format!("{} {key}={value}\n", length.unwrap()).into_bytes()
}

#[test]
fn names_and_types_of_members_are_found() {
    let archive = tar(&[("a/readme.txt", b"Read me."), ("empty", b""), ("b.exe", &program())]);
    let expected = [
        "type  application/x-tar",
        "name a/readme.txt",
        "type a/readme.txt text/plain",
        "name empty",
        "name b.exe",
        "type b.exe application/x-dosexec",
    ];
    assert_finds(&archive, &expected);
    assert_finds_no(&archive, "ambiguous");
}

#[test]
fn numbers_end_where_they_do_for_lenient_programs() {
    let mut member = tar_member(b'0', b"b.exe", b"", &program());
    // The checksum takes its own field for blanks: what stands behind its digits is free.
    member[154..156].copy_from_slice(b" 7");
    let mut other = member.clone();
    other[148..156].rotate_right(2);
    other[148..150].copy_from_slice(b"\0 ");
    for member in [member, other] {
        assert_finds(&archive(&[member]), &["name b.exe", "type b.exe application/x-dosexec"]);
    }
}

#[test]
fn a_packed_tar_is_opened() {
    let packed = gzip(&tar(&[("b.zip", &zip(&[Member::deflated("c.exe", &program())]))]));
    assert_finds(&packed, &["type  application/gzip"]);
    let found = super::findings(&packed);
    assert!(
        found.iter().any(|found| found.ends_with("b.zip!c.exe application/x-dosexec")),
        "{found:#?}"
    );
}

#[test]
fn both_names_of_a_member_are_found() {
    let long = format!("{}/virus.exe", "d".repeat(200));
    let gnu = tar_member(b'L', b"././@LongLink", b"", format!("{long}\0").as_bytes());
    let pax = tar_member(
        b'x',
        b"PaxHeaders/x",
        b"",
        &[record("mtime", "1.5"), record("path", &long)].concat(),
    );
    for said in [gnu, pax] {
        let bytes = archive(&[said, tar_member(b'0', b"short.txt", b"", &program())]);
        let name = format!("name {long}");
        let kind = format!("type {long} application/x-dosexec");
        assert_finds(&bytes, &[&name, "name short.txt", &kind]);
    }
}

#[test]
fn where_links_point_to_is_found() {
    let member = tar_member(b'2', b"link", b"../../etc/passwd", b"");
    let said = tar_member(b'K', b"././@LongLink", b"", b"/etc/shadow\0");
    let expected = ["name link", "name ../../etc/passwd", "name /etc/shadow"];
    assert_finds(&archive(&[said, member]), &expected);
}

#[test]
fn the_prefix_of_ustar_belongs_to_the_name() {
    let mut member = tar_member(b'0', b"virus.exe", b"", b"");
    member[345..348].copy_from_slice(b"dir");
    member[148..156].copy_from_slice(b"        ");
    let sum: u32 = member.iter().copied().map(u32::from).sum();
    member[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_finds(&archive(&[member]), &["name dir/virus.exe"]);
}

#[test]
fn members_behind_the_end_are_found() {
    let hidden = tar_member(b'0', b"virus.exe", b"", &program());
    let bytes = [tar(&[("a", b"a")]), b"junk".repeat(128), hidden].concat();
    assert_finds(&bytes, &["name virus.exe", "type virus.exe application/x-dosexec"]);
}

#[test]
fn two_sizes_of_one_member_are_told() {
    let said = tar_member(b'x', b"PaxHeaders/x", b"", &record("size", "600"));
    let bytes = archive(&[said, tar_member(b'0', b"a", b"", &[b'a'; 100])]);
    assert_finds(&bytes, &["type  application/x-ambiguous-archive"]);
    let link = tar_member(b'2', b"a", b"b", &tar_member(b'0', b"virus.exe", b"", &program()));
    let expected = ["name virus.exe", "type  application/x-ambiguous-archive"];
    assert_finds(&archive(&[link]), &expected);
}

#[test]
fn a_zip_archive_behind_a_tar_archive_is_found() {
    let bytes = [tar(&[("a", b"a")]), zip(&[Member::stored("virus.exe", &program())])].concat();
    assert_finds(&bytes, &["name a", "name virus.exe", "type  application/zip"]);
}
