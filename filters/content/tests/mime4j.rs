//! The messages of Apache James mime4j, with the parts and bytes that it finds in them: all of them are
//! found here. Ours are more where a message is ambiguous.

#![expect(clippy::disallowed_methods, reason = "the messages are files")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use mailweir_content::decode::charset::Fallbacks;
use mailweir_content::decode::headers::HeaderDecoder;
use mailweir_content::decode::parts::{Ambiguity, Event, PartLimits, PartReader};
use mailweir_content::decode::text::{TextLimits, Texts};
use mailweir_test_servers::tools;

/// Parts of which mime4j gives other bytes, and why ours are right.
const DIFFERENT: [(&str, &str); 8] = [
    ("malformedHeader-noheader_decoded_1.txt", "a mail without a header is text, not nothing"),
    ("malformedHeaderStartsBody-noheader_decoded_1.txt", "ours has its second line too"),
    ("malformedHeaderStartsBody-nocrlfcrlf_decoded_1.txt", "ours has all lines"),
    ("missing-inner-boundary_decoded_1_2_1.txt", "no part, but the text of the multipart"),
    ("multipartnestedemptyparts_decoded_1_1.txt", "an attached mail, opened"),
    ("weird-boundary_decoded_1_1.txt", "blanks at the end of a line are no part of a boundary"),
    ("very-long-boundary_decoded_1_1.txt", "the same"),
    ("very-very-long-boundary_decoded_1_1.txt", "the same"),
];

#[test]
fn every_part_that_mime4j_decodes_is_found() {
    let messages = messages();
    if messages.is_empty() {
        return;
    }
    let mut missing = Vec::new();
    let mut found = 0;
    for message in &messages {
        let parts = parts(&fs::read(message).unwrap());
        for file in decoded(message) {
            let name = name(&file);
            let wanted = plain(&fs::read(&file).unwrap());
            // Behind the padding of base64 mime4j reads no more.
            let is_wanted = |part: &Vec<u8>| match wanted.as_slice() {
                b"" => plain(part).is_empty(),
                wanted => plain(part).starts_with(wanted),
            };
            if parts.iter().any(is_wanted) {
                found += 1;
            } else if !DIFFERENT.iter().any(|(different, _)| *different == name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "{found} found, missing: {missing:#?}");
    assert!(found > 100, "only {found} parts were compared");
}

/// Mails with files in their text (uuencode), which are parts here.
const WITH_FILES: [&str; 3] = ["sig-uu.msg", "uu-junk.msg", "uu-zeegee.msg"];

#[test]
fn every_mail_has_the_tree_that_mime4j_finds_and_a_larger_one_only_for_a_reason() {
    let (mut equal, mut larger) = (0, 0);
    for message in messages() {
        let theirs = fs::read(message.with_extension("xml")).unwrap();
        let theirs = tree_of_xml(&String::from_utf8_lossy(&theirs));
        let (ours, doubts) = tree(&fs::read(&message).unwrap());
        if theirs == ours {
            equal += 1;
            continue;
        }
        larger += 1;
        let name = name(&message);
        assert!(is_within(&theirs, &ours), "{name}: {theirs:?} is not in {ours:?}");
        let has_reason = !doubts.is_empty() || WITH_FILES.contains(&name.as_str());
        assert!(has_reason, "{name}: {theirs:?} and {ours:?}");
    }
    assert!(equal + larger == 0 || (equal, larger) == (57, 23), "{equal} equal, {larger} larger");
}

/// What stands where in a mail, how deep, and whether it has parts itself; and why programs may read it differently.
fn tree(content: &[u8]) -> (Vec<(usize, bool)>, BTreeSet<Ambiguity>) {
    let (mut tree, mut told) = (Vec::new(), BTreeSet::new());
    let mut reader = PartReader::new(PartLimits::default(), HeaderDecoder::default());
    let mut take = |event: Event<'_>| match event {
        Event::Start(part) => tree.push((part.depth, part.is_container)),
        Event::Ambiguous(ambiguity) => {
            told.insert(ambiguity);
        }
        Event::Header { .. } | Event::Data { .. } | Event::End(_) => {}
    };
    reader.feed(content, &mut take);
    reader.finish(&mut take);
    (tree, told)
}

/// The tree in the words of mime4j, in whose text there are no brackets: an entity is a body, a multipart of body parts, or a mail.
fn tree_of_xml(xml: &str) -> Vec<(usize, bool)> {
    let mut tree = Vec::new();
    // The mail itself is no part.
    let mut depth = 0_usize;
    for tag in
        xml.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag).skip(1)
    {
        match tag {
            "message" | "multipart" => {
                tree.push((depth, true));
                depth += 1;
            }
            "/message" | "/multipart" => depth = depth.saturating_sub(1),
            "body" => tree.push((depth, false)),
            _ => {}
        }
    }
    tree
}

/// Whether all of one stands in the other, in its order.
fn is_within(one: &[(usize, bool)], other: &[(usize, bool)]) -> bool {
    let mut rest = other.iter();
    one.iter().all(|part| rest.any(|it| it == part))
}

/// The decoded bytes of all parts; the whole in pieces gives the same text as at once.
fn parts(content: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut lines = Vec::new();
    let mut texts = Texts::new(TextLimits::default(), Fallbacks::default());
    let mut reader = PartReader::new(PartLimits::default(), HeaderDecoder::default());
    let mut take = |event: Event<'_>| {
        texts.event(&event, &mut |line: &str| lines.push(line.to_owned()));
        match event {
            Event::Start(_) => parts.push(Vec::new()),
            Event::Data { part, bytes } => parts[part.number()].extend_from_slice(bytes),
            Event::End(_) | Event::Header { .. } | Event::Ambiguous(_) => {}
        }
    };
    content.chunks(11).for_each(|piece| reader.feed(piece, &mut take));
    reader.finish(&mut take);
    parts
}

/// Line ends and blank ends differ with the encoding that mime4j's files went through.
fn plain(bytes: &[u8]) -> Vec<u8> {
    bytes.trim_ascii().iter().copied().filter(|&byte| byte != b'\r').collect()
}

fn decoded(message: &Path) -> Vec<PathBuf> {
    let stem = name(message).replace(".msg", "_decoded_");
    let mut files = message.parent().map(files).unwrap_or_default();
    files.retain(|file| {
        let name = name(file);
        name.starts_with(&stem) && (name.ends_with(".txt") || name.ends_with(".bin"))
    });
    files
}

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn messages() -> Vec<PathBuf> {
    let place = tools::test_data("mime4j/core/src/test/resources");
    let folders = place.map(|place| files(&place)).unwrap_or_default();
    let mut messages: Vec<PathBuf> = folders.iter().flat_map(|folder| files(folder)).collect();
    messages.retain(|file| file.extension().is_some_and(|extension| extension == "msg"));
    messages
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}
