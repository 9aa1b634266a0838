//! Compound files, in which office programs before 2007 wrote, and some still do: documents of Hancom
//! Office (HWP 5), of Word and PowerPoint, and mails of Outlook.

mod hwp;
mod msg;
mod powerpoint;
mod storage;
mod word;

use storage::Storage;

use crate::harvest::Harvest;
use crate::{Origin, Reason};

/// Writes the text of a file.
pub(crate) fn read(bytes: &[u8], harvest: &mut Harvest<'_>) {
    harvest.set_origin(Origin::Attachment);
    let Some(storage) = Storage::open(bytes, harvest) else {
        harvest.mark(Reason::Damaged);
        return;
    };
    match () {
        () if storage.has("ENCRYPTEDPACKAGE") => harvest.mark(Reason::Encrypted),
        () if storage.has("FILEHEADER") => hwp::read(&storage, harvest),
        () if storage.has("WORDDOCUMENT") => word::read(&storage, harvest),
        () if storage.has("POWERPOINT DOCUMENT") => powerpoint::read(&storage, harvest),
        () if storage.has("__PROPERTIES_VERSION1.0") => msg::read(&storage, harvest),
        () => harvest.mark(Reason::Unsupported),
    }
}

/// UTF-16 with the low byte first.
fn utf16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|unit| match unit {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
}
