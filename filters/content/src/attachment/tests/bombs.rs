//! Archives made to exhaust those who look into them.

use super::{
    super::{Budget, Finding, Inspector, Limits},
    archives::{Member, deflate, gzip, local, program, zip},
    assert_finds, findings, findings_within, in_words,
};
use crate::decode::charset::Fallbacks;

fn count(all: &[String], begin: &str) -> usize {
    all.iter().filter(|words| words.starts_with(begin)).count()
}

#[test]
fn archives_are_opened_to_the_depth_that_is_allowed_and_named_one_deeper() {
    let mut archive = program();
    for depth in (0..50).rev() {
        archive = zip(&[Member::deflated(format!("{depth}"), &archive)]);
    }
    let expected = ["name 0", "name 0!1!2!3!4!5", "limit 0!1!2!3!4 Depth"];
    assert_finds(&archive, &expected);
    let all = findings(&archive);
    let depth = |words: &String| words.matches('!').count();
    assert_eq!(all.iter().map(depth).max(), Some(5), "{all:#?}");
    assert_eq!(count(&all, "limit"), 1);
}

#[test]
fn with_no_depth_at_all_names_are_listed() {
    let limits = Limits { max_depth: 0, ..Limits::default() };
    for member in [Member::stored("a.exe", &program()), Member::deflated("a.exe", &program())] {
        let all = findings_within(limits, &zip(&[member]));
        let expected = ["name a.exe", "limit  Depth", "name a.exe", "type  application/zip"];
        assert_eq!(all, expected);
    }
}

#[test]
fn an_archive_of_archives_of_archives_ends_at_the_bytes_that_are_allowed() {
    let zeros = vec![0; 1 << 20];
    let mut archive = zip(&[Member::deflated("zeros", &zeros)]);
    for _ in 0..3 {
        let members: Vec<Member> =
            (0..16).map(|at| Member::deflated(format!("{at}.zip"), &archive)).collect();
        archive = zip(&members);
    }
    assert!(archive.len() < 1 << 20);
    let limits = Limits { max_ratio: u32::MAX, ..Limits::default() };
    let all = findings_within(limits, &archive);
    assert!(all.iter().any(|words| words.ends_with(" Inflated")), "{all:#?}");
    // 64 members of a mebibyte fit into what is allowed.
    assert!(count(&all, "type") < 64 * 4, "{}", count(&all, "type"));
}

#[test]
fn a_member_that_grows_beyond_the_ratio_is_not_unpacked_further() {
    let zeros = vec![0; 8 << 20];
    for bomb in [zip(&[Member::deflated("a", &zeros)]), gzip(&zeros)] {
        let all = findings(&bomb);
        assert!(all.iter().any(|words| words.ends_with(" Ratio")), "{all:#?}");
        assert_eq!(count(&all, "limit"), 1);
    }
    let small = vec![0; 1 << 20];
    assert_eq!(count(&findings(&gzip(&small)), "limit"), 0);
}

#[test]
fn the_members_behind_a_bomb_are_still_looked_at() {
    let archive =
        zip(&[Member::deflated("a", &vec![0; 8 << 20]), Member::deflated("b", &program())]);
    assert_finds(&archive, &["limit  Ratio", "name b", "type b application/x-dosexec"]);
}

#[test]
fn names_are_listed_as_many_as_are_allowed() {
    let members: Vec<Member> =
        (0..100_000).map(|at| Member::stored(format!("{at}"), b"x")).collect();
    let all = findings(&zip(&members));
    let limits = Limits::default().max_members as usize;
    // Each name stands in front of its member, and in the directory.
    assert_eq!(count(&all, "name"), 2 * limits);
    assert_eq!(count(&all, "limit  Members"), 1);
    assert!(count(&all, "type") <= limits + 2);
}

/// All members share the packed bytes of the last one: each quotes the header of the next in a block
/// of its own, and goes on with its data (David Fifield, "A better zip bomb", 2019).
fn overlapping(count: usize, kernel: &[u8]) -> Vec<u8> {
    let mut members = local(&Member::deflated("0", kernel));
    let mut quoted = members.len() - deflate(kernel).len();
    for at in 1..count {
        let mut header = local(&Member::deflated(format!("{at}"), b""));
        header.truncate(header.len() - deflate(b"").len());
        let length = u16::try_from(quoted).unwrap();
        let block = [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes()].concat();
        quoted = header.len();
        members = [header, block, members].concat();
    }
    members
}

#[test]
fn members_that_share_their_data_are_unpacked_once() {
    let all = findings(&overlapping(500, &program()));
    let programs = all.iter().filter(|words| words.ends_with("x-dosexec"));
    assert!(programs.count() <= 6, "{all:#?}");
    for at in 0..500 {
        assert!(all.contains(&format!("name {at}")), "{at}");
    }
    assert_eq!(count(&all, "limit"), 0, "{all:#?}");
}

#[test]
fn headers_within_each_other_are_read_a_few_at_a_time() {
    let header = Member { extra: vec![0; 4000], ..Member::stored("a", b"") };
    let mut bytes = Vec::new();
    for _ in 0..1000 {
        bytes.extend(&local(&header)[..30]);
    }
    assert_finds(&bytes, &["limit  Overlap"]);
}

#[test]
fn stored_members_within_each_other_are_opened_a_few_at_a_time() {
    // Each header begins in the one before it, says a name of 2 KiB, and a size that covers much.
    let piece = b"PK\x03\x04\x14\0\0\0\0\0\x08\x40\x34\xc8\xe4\x32\xd0";
    let (mut budget, mut inspector) =
        (Budget::new(Limits::default(), Fallbacks::default()), Inspector::default());
    let (mut most, mut all) = (0, Vec::new());
    for _ in 0..20_000 {
        inspector.feed(piece, &mut budget, &mut |finding| all.push(in_words(&finding)));
        most = most.max(inspector.buffered());
    }
    assert!(most < 256 << 10, "{most}");
    assert!(all.iter().any(|words| words.ends_with(" Overlap")), "{} findings", all.len());
}

#[test]
fn what_one_attachment_used_is_gone_for_the_next() {
    let limits = Limits { max_members: 3, ..Limits::default() };
    let mut budget = Budget::new(limits, Fallbacks::default());
    let mut all = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let mut note = |finding: Finding<'_>| all.push(in_words(&finding));
        let mut inspector = Inspector::default();
        inspector.feed(&local(&Member::stored(name, b"x")), &mut budget, &mut note);
        inspector.finish(&mut budget, &mut note);
    }
    assert_eq!(count(&all, "name"), 3, "{all:#?}");
    assert_eq!(count(&all, "limit  Members"), 1);
}

#[test]
fn attachments_side_by_side_have_no_more_than_one_after_another() {
    let limits = Limits { max_inflated: 40_000, ..Limits::default() };
    let bomb = gzip(&[b'x'; 30_000]);
    let mut budget = Budget::new(limits, Fallbacks::default());
    let mut both = [Inspector::default(), Inspector::default()];
    let mut all = Vec::new();
    let mut note = |finding: Finding<'_>| all.push(in_words(&finding));
    for byte in bomb.chunks(1) {
        both.iter_mut().for_each(|one| one.feed(byte, &mut budget, &mut note));
    }
    both.into_iter().for_each(|one| one.finish(&mut budget, &mut note));
    assert_eq!(count(&all, "limit"), 1, "{all:#?}");
    assert!(all.iter().any(|words| words.ends_with("Inflated")), "{all:#?}");
}

#[test]
fn of_inflaters_there_are_as_many_for_a_mail_as_for_one_attachment() {
    // Squares modulo a prime: no packer makes them smaller.
    let byte = |at: u64| ((at * at % 1_000_003) >> 4).to_le_bytes()[0];
    let packed = gzip(&(0..100_000).map(byte).collect::<Vec<_>>());
    let mut budget = Budget::new(Limits::default(), Fallbacks::default());
    let mut many: Vec<_> = (0..20).map(|_| Inspector::default()).collect();
    let mut all = Vec::new();
    let mut note = |finding: Finding<'_>| all.push(in_words(&finding));
    many.iter_mut().for_each(|one| one.feed(&packed[..50_000], &mut budget, &mut note));
    let buffered: usize = many.iter().map(Inspector::buffered).sum();
    assert!(buffered < 1 << 20, "{buffered}");
    assert!(all.iter().any(|words| words.ends_with("Overlap")), "{all:#?}");
}

#[test]
fn more_gzip_members_than_are_allowed_are_not_begun() {
    let all = findings(&gzip(b"MZ").repeat(11_000));
    assert!(all.contains(&"limit  Members".to_owned()), "{all:#?}");
}

#[test]
fn many_gzip_members_are_one_content() {
    let all = findings(&gzip(b"MZ").repeat(9_000));
    assert_eq!(all, ["type  application/gzip", "type (content) text/plain"]);
}
