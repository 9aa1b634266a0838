//! Fuzz bodies of the archive: whatever a disk, a manifest or a mailbox has, nothing panics, nothing is passed over
//! silently, and nothing is proven that was not there.

use std::{
    io::{Cursor, Read as _},
    ops::Range,
};

use mailweir_archive::{
    export::manifest::{self, compare},
    frame::{Brand, Head, Kind, Mark, Packing, Seal, SegmentHead, Seq},
    hash::{Chain, Hash},
    import::{
        Wire,
        mbox::{Mbox, Part as Found},
    },
    roots::Root,
    scan::{Item, Look, Part, Payload, Scan},
};
use mailweir_mail::{QueueId, Timestamp};

use crate::fuzz_choices::Choices;

/// `data` as a segment; and a sound segment that is damaged as `data` says. A record that no damage has touched is
/// read as it was written.
///
/// # Panics
/// If one is not, if any byte is in no part or in two, or if skipping payloads finds other parts.
pub fn archive_segment(data: &[u8]) {
    scan(data);
    let (mut segment, records) = sound_segment();
    let damage = damage(&mut segment, data);
    let parts = scan(&segment);
    for (head, place) in records {
        let is_touched = |range: &Range<usize>| range.start < place.end && place.start < range.end;
        if damage.iter().any(is_touched) {
            continue;
        }
        let item = Item::Record { head, payload: Payload::Sound };
        let part = Part { at: place.start as u64, item };
        assert!(parts.contains(&part), "record {} is lost by {damage:?}", head.seq);
    }
}

/// The parts of a segment.
fn scan(segment: &[u8]) -> Vec<Part> {
    let parts = look(segment, Look::Everywhere);
    let skipped = look(segment, Look::AtHeads);
    assert_eq!(parts.iter().map(without_payload).collect::<Vec<_>>(), skipped);
    let mut at = segment.len().min(SegmentHead::LEN) as u64;
    for part in &parts {
        assert_eq!(part.at, at, "bytes are in no part, or in two");
        at = at.saturating_add(length(&part.item)).min(segment.len() as u64);
        assert!(at > part.at, "a part without bytes");
    }
    assert_eq!(at, segment.len() as u64);
    parts
}

fn look(segment: &[u8], look: Look) -> Vec<Part> {
    let (_head, mut scan) = Scan::of(Cursor::new(segment), look).expect("memory that is read");
    let mut parts = Vec::new();
    while let Some(part) = scan.next_part().expect("memory that is read") {
        parts.push(part);
    }
    parts
}

fn without_payload(part: &Part) -> Part {
    let item = match &part.item {
        Item::Record { head, payload: Payload::Sound | Payload::Zeros | Payload::Changed } => {
            Item::Record { head: *head, payload: Payload::Skipped }
        }
        other => other.clone(),
    };
    Part { at: part.at, item }
}

fn length(item: &Item) -> u64 {
    match item {
        Item::Record { head, .. } => (Head::LEN as u64).saturating_add(head.stored),
        Item::Mark(_) => Mark::LEN as u64,
        Item::Seal(_) => Seal::LEN as u64,
        Item::Damage { bytes, .. } => *bytes,
    }
}

/// Flips some bits, or cuts off the end. Gives what was touched. Nothing is put in the place of what was there: the
/// corpus has parts of other archives, and where head and end are gone the first sound part says which brand counts.
fn damage(segment: &mut Vec<u8>, data: &[u8]) -> Vec<Range<usize>> {
    let mut choices = Choices::new(data);
    let mut touched = Vec::new();
    let whole = segment.len();
    while !choices.is_empty() && touched.len() < MOST_DAMAGE {
        let is_cut = choices.below(8) == 7;
        let at = usize::from(u16::from_be_bytes([choices.byte(), choices.byte()]));
        let at = at % segment.len().max(1);
        if is_cut {
            segment.truncate(at);
            touched.push(at..whole);
            break;
        }
        let bytes = choices.bytes(200);
        let end = segment.len().min(at + bytes.len());
        segment[at..end].iter_mut().zip(bytes).for_each(|(byte, flip)| *byte ^= flip);
        touched.push(at..end);
    }
    touched
}

/// A segment of two groups, and where its records are. Their payloads are full of what looks like the beginning of
/// a part.
fn sound_segment() -> (Vec<u8>, Vec<(Head, Range<usize>)>) {
    let (number, first, chain, root_before) = (1, 1, Chain::START, Hash::ZERO);
    let head = SegmentHead { brand: BRAND, number, first, chain, root_before, at: START };
    let (mut segment, mut records) = (head.encode().to_vec(), Vec::new());
    let mut chain = chain;
    for (seq, size) in (1..).zip([0, 1, 40, 600, 300]) {
        let payload = b"MRMMMSM".repeat(100)[..size].to_vec();
        let head = head_of(seq, &payload);
        let at = segment.len();
        segment.extend_from_slice(&head.encode());
        segment.extend_from_slice(&payload);
        records.push((head, at..segment.len()));
        chain = chain.then(head.leaf());
        if seq != 1 && seq != 3 {
            segment.extend_from_slice(&Mark { next: seq + 1, chain }.encode(BRAND));
        }
    }
    let seal = Seal { records: records.len() as u64, root: Hash::ZERO, chain, at: START };
    segment.extend_from_slice(&seal.encode(BRAND));
    (segment, records)
}

fn head_of(seq: Seq, payload: &[u8]) -> Head {
    Head {
        brand: BRAND,
        kind: Kind::Capture,
        packing: Packing::Zstd,
        seq,
        about: seq,
        id: QueueId::new(START, 1).to_key(),
        at: START,
        summary: 0,
        unpacked: payload.len() as u64,
        stored: payload.len() as u64,
        payload: Hash::of(payload),
        commitment: Hash::ZERO,
    }
}

/// `data` as a manifest, compared with the root of the archive that the manifests of the corpus are of; and then as a
/// file that it names.
///
/// # Panics
/// If it proves a mail that was not there, or without any root anything at all.
pub fn archive_manifest(data: &[u8]) {
    if let Ok(checked) = manifest::verify(data, &[]) {
        assert!(checked.proven.is_empty(), "{:?} without a root", checked.proven);
    }
    let root: Root = ROOT.parse().expect("a root");
    let Ok(checked) = manifest::verify(data, &[root]) else { return };
    let contents = || checked.files.values().flatten();
    for seq in &checked.proven {
        let content = contents().find(|content| content.seq == *seq).expect("its content");
        let hash = content.sha256.to_string();
        assert!(PROVEN.contains(&(*seq, &hash)), "record {seq} with {hash}");
    }
    for named in checked.files.values() {
        let unlike = compare(data, named).expect("memory that is read");
        assert!(unlike.len() <= named.len());
    }
}

/// `data` as a mailbox: no byte is in two mails, only empty lines are in none, and what comes of a mail has lines that
/// end with CRLF.
///
/// # Panics
/// If that is not so.
pub fn mailbox(data: &[u8]) {
    let mut mbox = Mbox::new(Cursor::new(data)).expect("memory that is read");
    let mut end = 0;
    while let Some(part) = mbox.next_part().expect("memory that is read") {
        let (at, next) = match part {
            Found::Mail(mail) => {
                let next = mail.at + mail.bytes;
                expect_lines(&data[index(mail.at)..index(next)], mail.unquotes);
                (mail.line, next)
            }
            Found::Other { at, bytes, .. } => (at, at + bytes),
        };
        assert!(end <= at && at < next && next <= data.len() as u64, "{end} {at} {next}");
        assert!(is_empty_lines(&data[index(end)..index(at)]), "{end} {at}");
        end = next;
    }
    assert!(is_empty_lines(&data[index(end)..]), "{end}");
    assert_eq!(mbox.position(), data.len() as u64);
}

fn expect_lines(mail: &[u8], unquotes: bool) {
    let mut content = Vec::new();
    Wire::new(mail, unquotes).read_to_end(&mut content).expect("memory that is read");
    assert!(content.ends_with(b"\r\n"), "{}", content.escape_ascii());
    let mut lines = content.split_inclusive(|byte| *byte == b'\n');
    assert!(lines.all(|line| line.ends_with(b"\r\n")), "{}", content.escape_ascii());
}

fn is_empty_lines(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| b"\r\n".contains(byte))
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("a place in memory")
}

const MOST_DAMAGE: usize = 8;

/// No other file has it: a mail cannot bring a part of this segment.
const BRAND: Brand = Brand::from_bytes(*b"\xf3fuzzed!");

const START: Timestamp = Timestamp::from_secs(1_795_210_205);

/// Of the archive that the corpus of manifests was taken out of.
const ROOT: &str = "1 1 3 2b02c695e9bd3680da9035e31006ff3fc0281d8b141b9eb893252e1c1a625a3e \
    a9441bbbb6223711d243656169711f29430213fc20247e87a182779aa988cc00 1795372495092701 \
    2026-11-22T18:34:55.092701Z";

/// The records that it has, and the hashes of what was in them.
const PROVEN: [(Seq, &str); 3] = [
    (1, "352659fbd05170ca2c9cbc0777aa7861da307ba8a722a3a4010591403cabb2c4"),
    (2, "8deed45c3ea9e522fd0567842a78c3e63a72834c7c5312ae200417e3fc6ddb2d"),
    (3, "c371a279f6c53dc6018acd37ac89396ef6467a1f6593a1dfaf705f1f91206453"),
];
