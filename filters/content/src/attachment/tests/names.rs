//! How names are read.

use super::{
    super::{Budget, Finding, Inspector, Limits},
    archives::{Member, extra, gzip_named, zip},
    assert_finds, in_words,
};
use crate::decode::charset::{Charset, Fallbacks};

fn name_in_zip(name: &[u8], expected: &[&str]) {
    assert_finds(&zip(&[Member::stored(name, b"content")]), expected);
}

#[test]
fn a_name_in_utf_8_is_that_name() {
    name_in_zip("광고.exe".as_bytes(), &["name 광고.exe"]);
}

#[test]
fn a_name_in_another_charset_is_read_in_each_that_fits() {
    name_in_zip(b"\xb1\xa4\xb0\xed.exe", &["name 광고.exe", "name ▒ñ░φ.exe"]);
    name_in_zip(b"\x83\x65\x83\x58\x83\x67.exe", &["name テスト.exe"]);
    name_in_zip(b"\xb2\xe2\xca\xd4.exe", &["name 测试.exe"]);
    name_in_zip(b"Gr\x81n.exe", &["name Grün.exe"]);
}

#[test]
fn a_name_is_read_in_the_charsets_that_are_configured() {
    let archive = zip(&[Member::deflated(b"\xcf\xd0.zip", &gzip_named("x", b"content"))]);
    let names = |label: &str| {
        let fallbacks = Fallbacks::new(vec![Charset::for_label(label.as_bytes()).unwrap()]);
        let mut budget = Budget::new(Limits::default(), fallbacks);
        let (mut inspector, mut all) = (Inspector::default(), Vec::new());
        let mut note = |finding: Finding<'_>| all.push(in_words(&finding));
        inspector.feed(&archive, &mut budget, &mut note);
        inspector.finish(&mut budget, &mut note);
        all.retain(|words| words.starts_with("name "));
        all.truncate(3);
        all
    };
    assert_eq!(names("iso-8859-7"), ["name ΟΠ.zip", "name ╧╨.zip", "name ΟΠ.zip!x"]);
    assert_eq!(names("koi8-r"), ["name оп.zip", "name ╧╨.zip", "name оп.zip!x"]);
}

#[test]
fn the_name_in_unicode_beside_another_is_found() {
    let mut member = Member::stored("x.txt", b"content");
    let padding = extra(0x9999, &[7; 60_000]);
    member.extra = [padding, extra(0x7075, b"\x01\0\0\0\0virus.exe")].concat();
    assert_finds(&zip(&[member]), &["name x.txt", "name virus.exe"]);
    let mut member = Member::stored("x.txt", b"content");
    let path = |name: &[u8]| extra(0x7075, &[b"\x01\0\0\0\0", name].concat());
    member.extra = [path(b"virus.exe"), path(b"y.txt")].concat();
    assert_finds(&zip(&[member]), &["name virus.exe", "name y.txt"]);
}

#[test]
fn wide_letters_are_plain_ones() {
    name_in_zip("virus．ｅｘｅ".as_bytes(), &["name virus.exe"]);
}

#[test]
fn a_name_is_also_read_as_the_victim_unpacks_it() {
    name_in_zip(b"virus.exe\0.txt", &["name virus.exe\u{2400}.txt", "name virus.exe"]);
    name_in_zip(b"virus.exe. . ", &["name virus.exe. . ", "name virus.exe"]);
    name_in_zip(b"virus.exe\r\n", &["name virus.exe\u{240d}\u{240a}", "name virus.exe"]);
    name_in_zip(b"a/virus.exe::$DATA", &["name a/virus.exe::$DATA", "name a/virus.exe"]);
    name_in_zip(b"C:/virus.exe", &["name C:/virus.exe"]);
}

#[test]
fn a_path_that_leads_elsewhere_is_only_a_name() {
    name_in_zip(b"../../etc/cron.d/x", &["name ../../etc/cron.d/x"]);
}

#[test]
fn of_a_name_beyond_measure_the_end_is_kept() {
    let name = [vec![b'a'; 60_000], b".exe".to_vec()].concat();
    let kept = format!("name {}.exe", "a".repeat(1020));
    name_in_zip(&name, &[&kept, "limit  NameLength"]);
}

#[test]
fn the_name_in_a_gzip_header_is_found() {
    let expected = ["name virus.exe", "type virus.exe text/plain", "type  application/gzip"];
    assert_finds(&gzip_named("virus.exe", b"content"), &expected);
}
