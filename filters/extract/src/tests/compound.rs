//! Compound files: documents of office programs before 2007, of Hancom Office, and mails of Outlook.

use super::{
    build::{attach, deflate, docx},
    marks, of_file, text, text_of_files,
};
use crate::{Limits, Origin, Reason, extract};

const NONE: u32 = u32::MAX;
const SECTOR: usize = 512;
/// Sectors of the table, which is enough for half a megabyte.
const TABLE: usize = 8;

/// A compound file with these streams, each in at most one folder.
pub(super) fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file =
        Sectors { bytes: vec![0; (TABLE + 1) * SECTOR], table: vec![0xffff_fffd; TABLE] };
    let mut small = Vec::new();
    let mut small_table: Vec<u32> = Vec::new();
    let mut entries = vec![Entry { name: "Root Entry".into(), kind: 5, ..Entry::default() }];
    let mut last_of: Vec<(String, usize)> = Vec::new();
    for (path, bytes) in streams {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut place = |folder: &str, entry: Entry, entries: &mut Vec<Entry>| {
            let parent = entries.iter().position(|known| known.kind != 2 && known.name == folder);
            let parent = parent.filter(|_| !folder.is_empty()).unwrap_or(0);
            let number = entries.len();
            entries.push(entry);
            let key = folder.to_owned();
            match last_of.iter_mut().find(|(known, _)| *known == key) {
                Some((_, last)) => {
                    entries[*last].right = number as u32;
                    *last = number;
                }
                None => {
                    entries[parent].child = number as u32;
                    last_of.push((key, number));
                }
            }
        };
        if !folder.is_empty() && !entries.iter().any(|known| known.name == folder) {
            place("", Entry { name: folder.into(), kind: 1, ..Entry::default() }, &mut entries);
        }
        let start = if bytes.len() < 4096 {
            let start = small_table.len() as u32;
            for at in 0..bytes.len().div_ceil(64) {
                small_table.push(start + at as u32 + 1);
            }
            if let Some(last) = small_table.last_mut() {
                *last = 0xffff_fffe;
            }
            small.extend(*bytes);
            small.resize(small.len().next_multiple_of(64), 0);
            start
        } else {
            file.add(bytes)
        };
        let entry =
            Entry { name: name.into(), kind: 2, start, size: bytes.len(), ..Entry::default() };
        place(folder, entry, &mut entries);
    }
    entries[0].start = file.add(&small);
    entries[0].size = small.len();
    let small_table: Vec<u8> = small_table.into_iter().flat_map(u32::to_le_bytes).collect();
    let small_table = file.add(&small_table);
    let directory: Vec<u8> = entries.iter().flat_map(Entry::bytes).collect();
    let directory = file.add(&directory);
    file.end(directory, small_table)
}

struct Sectors {
    bytes: Vec<u8>,
    table: Vec<u32>,
}

impl Sectors {
    fn add(&mut self, bytes: &[u8]) -> u32 {
        if bytes.is_empty() {
            return 0xffff_fffe;
        }
        let start = self.table.len();
        for at in 0..bytes.len().div_ceil(SECTOR) {
            self.table.push((start + at + 1) as u32);
        }
        *self.table.last_mut().unwrap() = 0xffff_fffe;
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(SECTOR), 0);
        start as u32
    }

    fn end(mut self, directory: u32, small_table: u32) -> Vec<u8> {
        let table: Vec<u8> = self.table.iter().flat_map(|next| next.to_le_bytes()).collect();
        self.bytes[SECTOR..SECTOR + table.len()].copy_from_slice(&table);
        let mut put =
            |at: usize, bytes: &[u8]| self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        put(24, &[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
        put(44, &(TABLE as u32).to_le_bytes());
        put(48, &directory.to_le_bytes());
        put(56, &4096_u32.to_le_bytes());
        put(60, &small_table.to_le_bytes());
        put(68, &0xffff_fffe_u32.to_le_bytes());
        for at in 0..109 {
            let place = if at < TABLE { at as u32 } else { NONE };
            put(76 + 4 * at, &place.to_le_bytes());
        }
        self.bytes
    }
}

struct Entry {
    name: String,
    kind: u8,
    right: u32,
    child: u32,
    start: u32,
    size: usize,
}

impl Default for Entry {
    fn default() -> Self {
        Self { name: String::new(), kind: 0, right: NONE, child: NONE, start: 0, size: 0 }
    }
}

impl Entry {
    fn bytes(&self) -> [u8; 128] {
        let mut bytes = [0; 128];
        let name: Vec<u8> = self.name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        bytes[..name.len()].copy_from_slice(&name);
        bytes[64] = (name.len() + 2) as u8;
        bytes[66] = self.kind;
        bytes[67] = 1;
        for (at, number) in [
            (68, NONE),
            (72, self.right),
            (76, self.child),
            (116, self.start),
            (120, self.size as u32),
        ] {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A document of Hancom Office with these paragraphs.
pub(super) fn hwp(paragraphs: &[&str]) -> Vec<u8> {
    let mut section = Vec::new();
    for paragraph in paragraphs {
        let mut text = wide(paragraph);
        // A picture stands in front of the end.
        text.extend([11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 11, 0]);
        text.extend(wide("\r"));
        section.extend((66_u32 | 4 << 20).to_le_bytes());
        section.extend([0; 4]);
        section.extend((67_u32 | 1 << 10 | (text.len() as u32) << 20).to_le_bytes());
        section.extend(text);
    }
    let mut header = b"HWP Document File".to_vec();
    header.resize(36, 0);
    header.extend([1, 0, 0, 0]);
    header.resize(256, 0);
    compound(&[("FileHeader", &header), ("BodyText/Section0", &deflate(&section))])
}

/// A document of Word 97 with a piece of each sort.
pub(super) fn doc(narrow: &[u8], text: &str) -> Vec<u8> {
    let mut document = vec![0; 2048];
    document[..2].copy_from_slice(&[0xec, 0xa5]);
    document[0x0b] = 2;
    let (first, second) = (document.len(), document.len() + narrow.len());
    document.extend(narrow);
    document.extend(wide(text));
    document.resize(document.len().max(4200), 0);
    let characters = text.encode_utf16().count();
    let mut pieces = Vec::new();
    for place in [0, narrow.len(), narrow.len() + characters] {
        pieces.extend((place as u32).to_le_bytes());
    }
    for place in [(first * 2) as u32 | 1 << 30, second as u32] {
        pieces.extend([0, 0]);
        pieces.extend(place.to_le_bytes());
        pieces.extend([0, 0]);
    }
    let mut table = vec![1, 2, 0, 9, 9, 2];
    table.extend((pieces.len() as u32).to_le_bytes());
    table.extend(pieces);
    document[0x1a2..0x1a6].copy_from_slice(&0_u32.to_le_bytes());
    document[0x1a6..0x1aa].copy_from_slice(&(table.len() as u32).to_le_bytes());
    compound(&[("WordDocument", &document), ("1Table", &table)])
}

pub(super) fn ppt(text: &str) -> Vec<u8> {
    let record = |kind: u16, is_container: bool, bytes: &[u8]| {
        let mut record = vec![if is_container { 0xf } else { 0 }, 0];
        record.extend(kind.to_le_bytes());
        record.extend((bytes.len() as u32).to_le_bytes());
        record.extend(bytes);
        record
    };
    let texts =
        [record(0x0fa0, false, &wide(text)), record(0x0fa8, false, b"caf\xe9\rnoir")].concat();
    let slide = record(
        0x03ee,
        true,
        &[record(0x03f0, false, b"\0\0\0"), record(0xf00d, true, &texts)].concat(),
    );
    compound(&[("PowerPoint Document", &slide)])
}

pub(super) fn msg(subject: &str, body: &str, file: &[u8]) -> Vec<u8> {
    compound(&[
        ("__properties_version1.0", &[0; 32]),
        ("__substg1.0_0037001F", &wide(subject)),
        ("__substg1.0_0C1A001E", b"\xb1\xe8\xc8\xc6"),
        ("__substg1.0_1000001F", &wide(body)),
        ("__attach_version1.0_#00000000/__substg1.0_3707001F", &wide("첨부.docx")),
        ("__attach_version1.0_#00000000/__substg1.0_37010102", file),
    ])
}

#[test]
fn documents_of_hancom_office_are_read() {
    let long = "가나다라".repeat(500);
    let read = text("a.hwp", &hwp(&["제1조 (목적)", "갑과 을\u{a}둘째 줄", &long[..900]]));
    assert_eq!(read, format!("제1조 (목적)\n갑과 을\n둘째 줄\n{}\n", &long[..900]));
}

#[test]
fn documents_of_word_are_read_piece_by_piece() {
    let read =
        text("a.doc", &doc(b"caf\xe9 \x13 PAGE \x142\x15\r", "見積書\u{7}合同\u{7}견적서\r"));
    assert_eq!(read, "café 2\n見積書\n合同\n견적서\n");
}

#[test]
fn slides_of_powerpoint_are_read() {
    assert_eq!(text("a.ppt", &ppt("슬라이드\u{b}둘")), "슬라이드\n둘\ncafé\nnoir\n");
}

#[test]
fn mails_of_outlook_are_read_with_their_files() {
    let file = docx("<w:p><w:t>붙임</w:t></w:p>");
    let read = of_file("a.msg", &msg("제목", "첫 줄\r\n둘째 줄", &file));
    assert_eq!(marks(&read), []);
    let pieces: Vec<_> =
        read.text.iter().map(|piece| (piece.origin, piece.path.join("!"), &*piece.text)).collect();
    let wanted = [
        (Origin::Mail, "a.msg".to_owned(), "Subject: 제목\nFrom: 김훈\n첫 줄\n둘째 줄\n"),
        (Origin::Attachment, "a.msg!첨부.docx".to_owned(), "붙임\n"),
    ];
    assert_eq!(pieces, wanted);
}

#[test]
fn chains_that_go_in_circles_come_to_an_end() {
    // Every sector is followed by the same one: that of the table, of the directory, of a stream.
    for next in 0_u32..20 {
        let mut bytes = hwp(&["text"]);
        for at in 0..TABLE * SECTOR / 4 {
            bytes[SECTOR + at * 4..SECTOR + at * 4 + 4].copy_from_slice(&next.to_le_bytes());
        }
        let read = extract(&attach(&[("a.hwp", &bytes)]), &Limits::default());
        assert!(read.work < 4_000_000, "{next}: {}", read.work);
        assert!(text_of_files(&read).len() < 100, "{next}");
    }
}

#[test]
fn documents_with_a_password_are_marked() {
    let encrypted = compound(&[("EncryptedPackage", b"xxxx"), ("EncryptionInfo", b"xxxx")]);
    assert_eq!(marks(&of_file("a.docx", &encrypted)), [("a.docx".to_owned(), Reason::Encrypted)]);
    let mut header = b"HWP Document File".to_vec();
    header.resize(36, 0);
    header.extend([3, 0, 0, 0]);
    let hwp = compound(&[("FileHeader", &header), ("BodyText/Section0", b"xxxx")]);
    let read = of_file("a.hwp", &hwp);
    assert_eq!(marks(&read), [("a.hwp".to_owned(), Reason::Encrypted)]);
    assert_eq!(text_of_files(&read), "");
}
