//! Documents of Word 97 to 2003 (MS-DOC).

use mailweir_content::decode::charset::Charset;

use super::storage::{Storage, long};
use super::utf16;
use crate::Reason;
use crate::harvest::Harvest;

/// Writes the text of a document.
pub(super) fn read(storage: &Storage<'_>, harvest: &mut Harvest<'_>) {
    let document = storage.find("WORDDOCUMENT", harvest);
    let flags = long(&document, 8).unwrap_or(0) >> 16;
    if flags & ENCRYPTED != 0 {
        harvest.mark(Reason::Encrypted);
        return;
    }
    let table = if flags & SECOND_TABLE != 0 { "1TABLE" } else { "0TABLE" };
    let table = storage.find(table, harvest);
    let at = |place| long(&document, place).and_then(|number| usize::try_from(number).ok());
    let pieces = at(PIECES).zip(at(PIECES + 4)).and_then(|(from, length)| {
        let from = table.get(from..)?;
        Some(from.get(..length).unwrap_or(from))
    });
    let Some(pieces) = pieces.and_then(piece_table) else {
        harvest.mark(Reason::Damaged);
        return;
    };
    let mut writer = Writer { fields: 0 };
    for piece in read_pieces(pieces) {
        let text = piece.text(&document);
        if !harvest.work(text.len() + PIECE) || !harvest.has_room() {
            return;
        }
        writer.write(&text, harvest);
    }
    harvest.end_line();
}

/// A run of characters (2.8.35).
struct Piece {
    characters: usize,
    at: usize,
    /// One byte each, in the charset of Western Europe.
    is_narrow: bool,
}

impl Piece {
    fn text(&self, document: &[u8]) -> String {
        let from = document.get(self.at..).unwrap_or_default();
        let length =
            if self.is_narrow { self.characters } else { self.characters.saturating_mul(2) };
        let bytes = from.get(..length).unwrap_or(from);
        match Charset::for_label(b"windows-1252") {
            Some(charset) if self.is_narrow => charset.decode(bytes),
            _ => utf16(bytes),
        }
    }
}

/// The table of pieces in what may stand in front of it (2.9.38).
fn piece_table(mut clx: &[u8]) -> Option<&[u8]> {
    loop {
        match clx.split_first()? {
            (1, rest) => {
                let length = usize::from(u16::from_le_bytes(*rest.first_chunk()?));
                clx = rest.get(2 + length..)?;
            }
            (2, rest) => {
                let length = usize::try_from(long(rest, 0)?).ok()?;
                let table = rest.get(4..)?;
                return Some(table.get(..length).unwrap_or(table));
            }
            _ => return None,
        }
    }
}

/// The places of n + 1 characters, then n descriptions of eight bytes.
fn read_pieces(table: &[u8]) -> impl Iterator<Item = Piece> {
    let count = table.len().saturating_sub(4) / PIECE;
    (0..count).filter_map(move |number| {
        let (first, end) = (long(table, number * 4)?, long(table, number * 4 + 4)?);
        let place = long(table, (count + 1) * 4 + number * 8 + 2)?;
        let is_narrow = place & NARROW != 0;
        let place = usize::try_from(place & !NARROW).ok()?;
        let at = if is_narrow { place / 2 } else { place };
        let characters = usize::try_from(end.checked_sub(first)?).ok()?;
        Some(Piece { characters, at, is_narrow })
    })
}

struct Writer {
    /// Fields whose instructions are open: they are no text.
    fields: u32,
}

impl Writer {
    fn write(&mut self, text: &str, harvest: &mut Harvest<'_>) {
        for part in text.split_inclusive(|character: char| character < ' ') {
            let (plain, last) = match part.chars().next_back() {
                Some(last) if last < ' ' => (part.get(..part.len() - 1).unwrap_or_default(), last),
                _ => (part, ' '),
            };
            if self.fields == 0 {
                harvest.push(plain);
            }
            match last {
                '\u{13}' => self.fields += 1,
                '\u{14}' | '\u{15}' => self.fields = self.fields.saturating_sub(1),
                '\r' | '\u{7}' | '\u{b}' | '\u{c}' => harvest.end_line(),
                '\t' => harvest.push(" "),
                '\u{1e}' => harvest.push("-"),
                _ => {}
            }
        }
    }
}

const ENCRYPTED: u32 = 0x0100;
const SECOND_TABLE: u32 = 0x0200;
/// Where the place and length of the table of pieces are.
const PIECES: usize = 0x01a2;
const PIECE: usize = 12;
const NARROW: u32 = 1 << 30;
