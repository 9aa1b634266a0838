//! Slides of PowerPoint 97 to 2003 (MS-PPT).

use mailweir_content::decode::charset::Charset;

use super::storage::{Storage, long};
use super::utf16;
use crate::harvest::Harvest;

/// Writes the text of all slides. Records hold records; those that do are entered and not remembered,
/// since their ends mean nothing for the text.
pub(super) fn read(storage: &Storage<'_>, harvest: &mut Harvest<'_>) {
    let document = storage.find("POWERPOINT DOCUMENT", harvest);
    let latin = Charset::for_label(b"windows-1252").unwrap_or(Charset::UTF_8);
    let mut rest = document.as_slice();
    while let (Some(kind), Some(size)) = (long(rest, 0), long(rest, 4)) {
        let is_container = kind & 0xf == 0xf;
        let behind = rest.get(8..).unwrap_or_default();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let record = behind.get(..size).unwrap_or(behind);
        if !harvest.work(8 + if is_container { 0 } else { record.len() }) || !harvest.has_room() {
            return;
        }
        let text = match kind >> 16 {
            WIDE_TEXT => utf16(record),
            NARROW_TEXT => latin.decode(record),
            _ => String::new(),
        };
        harvest.push(&text.replace(['\r', '\u{b}'], "\n"));
        harvest.end_line();
        rest = if is_container { behind } else { behind.get(size..).unwrap_or_default() };
    }
}

/// `RT_TextCharsAtom`, `RT_TextBytesAtom`.
const WIDE_TEXT: u32 = 0x0fa0;
const NARROW_TEXT: u32 = 0x0fa8;
