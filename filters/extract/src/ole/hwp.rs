//! Documents of Hancom Office, HWP 5 (the format that Hancom published in 2010).

use super::storage::{Storage, long};
use super::utf16;
use crate::Reason;
use crate::harvest::Harvest;
use crate::unpack::{Form, inflate};

/// Writes the text of a document.
pub(super) fn read(storage: &Storage<'_>, harvest: &mut Harvest<'_>) {
    let header = storage.find("FILEHEADER", harvest);
    if !header.starts_with(b"HWP Document File") {
        harvest.mark(Reason::Unsupported);
        return;
    }
    let flags = long(&header, 36).unwrap_or(0);
    if flags & ENCRYPTED != 0 {
        harvest.mark(Reason::Encrypted);
        return;
    }
    // Documents that are only to be looked at are scrambled elsewhere; what is left is a preview.
    if flags & DISTRIBUTED != 0 {
        harvest.mark(Reason::Encrypted);
        let preview = storage.find("PRVTEXT", harvest);
        harvest.push(&utf16(&preview));
        harvest.end_line();
        return;
    }
    let mut sections: Vec<_> = storage
        .streams()
        .iter()
        .filter(|entry| entry.path.starts_with("BODYTEXT/SECTION"))
        .collect();
    sections.sort_by_key(|entry| (entry.path.len(), entry.path.clone()));
    for section in sections {
        let mut bytes = storage.read(section, harvest);
        if flags & PACKED != 0 {
            bytes = inflate(&bytes, Form::Bare, harvest);
        }
        read_section(&bytes, harvest);
        if !harvest.has_room() {
            return;
        }
    }
}

/// Records one behind another: ten bits of tag, ten of level, twelve of size.
fn read_section(bytes: &[u8], harvest: &mut Harvest<'_>) {
    let mut rest = bytes;
    while let Some(head) = long(rest, 0) {
        let short = usize::try_from(head >> 20).unwrap_or(0);
        let (size, from) = match short {
            0xfff => (long(rest, 4).and_then(|size| usize::try_from(size).ok()).unwrap_or(0), 8),
            _ => (short, 4),
        };
        let behind = rest.get(from..).unwrap_or_default();
        let record = behind.get(..size).unwrap_or(behind);
        if !harvest.work(record.len() + from) || !harvest.has_room() {
            return;
        }
        if head & 0x3ff == PARAGRAPH {
            read_paragraph(record, harvest);
        }
        rest = behind.get(size..).unwrap_or_default();
    }
}

/// Text in which characters below the blank stand for other things: some alone, some with seven units
/// more that say which thing.
fn read_paragraph(record: &[u8], harvest: &mut Harvest<'_>) {
    let mut rest = record;
    while let Some(&[low, high]) = rest.first_chunk() {
        let unit = u16::from_le_bytes([low, high]);
        let length = match unit {
            0 | 10 | 13 | 24..=31 => 2,
            1..=23 => 16,
            _ => {
                let is_text = |unit: &[u8]| matches!(unit, [low, high] if *high > 0 || *low >= 32);
                2 * rest.chunks_exact(2).take_while(|unit| is_text(unit)).count()
            }
        };
        match unit {
            10 => harvest.end_line(),
            9 | 30 | 31 => harvest.push(" "),
            24 => harvest.push("-"),
            32.. => harvest.push(&utf16(rest.get(..length).unwrap_or(rest))),
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    harvest.end_line();
}

const PACKED: u32 = 1;
const ENCRYPTED: u32 = 2;
const DISTRIBUTED: u32 = 4;
/// `HWPTAG_PARA_TEXT`.
const PARAGRAPH: u32 = 67;
