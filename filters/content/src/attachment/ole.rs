//! OLE2 compound files (MS-CFB): which program's file it is, and whether it has VBA macros.
//!
//! The names in the directory tell. The directory may lie in any sectors, so every 128 bytes are
//! looked at as if they were an entry of it; the table of sectors is not followed.

use super::{budget::View, kind::Kind};

/// Looks for the entries of the directory.
#[derive(Debug, Default)]
pub(super) struct Ole {
    entry: Vec<u8>,
    kind: Option<Kind>,
    has_macros: bool,
    is_encrypted: bool,
}

impl Ole {
    pub(super) fn is_begun_by(head: &[u8]) -> bool {
        head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    }

    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(ENTRY - self.entry.len()));
            self.entry.extend_from_slice(now);
            bytes = later;
            if self.entry.len() == ENTRY {
                self.look();
                self.entry.clear();
            }
        }
    }

    pub(super) fn finish(&self, view: &mut View<'_>) {
        view.is(self.kind.unwrap_or(Kind::OLE));
        if self.has_macros {
            view.is(Kind::VBA);
        }
        if self.is_encrypted {
            view.is(Kind::ENCRYPTED);
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.entry.capacity()
    }

    /// MS-CFB 2.6.1: name in UTF-16, its length with the NUL, type, colour, ..., class.
    fn look(&mut self) {
        let Some(name) = name_of(&self.entry) else { return };
        let is_root = self.entry[66] == 5;
        match name.as_str() {
            _ if is_root && CLASSES_OF_MSI.iter().any(|class| self.entry[80..96] == *class) => {
                self.kind = Some(Kind::MSI);
            }
            "WORDDOCUMENT" => self.kind = self.kind.or(Some(Kind::DOC)),
            "WORKBOOK" | "BOOK" => self.kind = self.kind.or(Some(Kind::XLS)),
            "POWERPOINT DOCUMENT" => self.kind = self.kind.or(Some(Kind::PPT)),
            "VISIODOCUMENT" => self.kind = self.kind.or(Some(Kind::VSD)),
            "_VBA_PROJECT" | "_VBA_PROJECT_CUR" | "MACROS" | "VBA" => self.has_macros = true,
            "ENCRYPTEDPACKAGE" | "ENCRYPTIONINFO" => self.is_encrypted = true,
            name if name.starts_with("__SUBSTG1.0_") => self.kind = self.kind.or(Some(Kind::MSG)),
            _ => {}
        }
    }
}

/// The name of an entry in capital letters, as names are compared; `None` for what is no entry.
fn name_of(entry: &[u8]) -> Option<String> {
    let length = usize::from(u16::from_le_bytes([*entry.get(64)?, *entry.get(65)?]));
    let is_entry = (4..=64).contains(&length)
        && length % 2 == 0
        && matches!(entry.get(66), Some(1 | 2 | 5))
        && matches!(entry.get(67), Some(0 | 1));
    let (name, end) = entry.get(..length)?.split_last_chunk::<2>()?;
    if !is_entry || *end != [0, 0] {
        return None;
    }
    let units = name.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let name: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect();
    Some(name.to_uppercase())
}

const ENTRY: usize = 128;

/// {000C1084-0000-0000-C000-000000000046} and 1082, 1086 of Windows Installer: package, transform, patch.
const CLASSES_OF_MSI: [[u8; 16]; 3] = [class_of_msi(0x84), class_of_msi(0x82), class_of_msi(0x86)];

const fn class_of_msi(last: u8) -> [u8; 16] {
    [last, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46]
}
