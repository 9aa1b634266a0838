//! Mails of Outlook (MS-OXMSG).

use super::storage::Storage;
use super::utf16;
use crate::file::{self, Blob};
use crate::harvest::Harvest;
use crate::mail::fallbacks;
use crate::{File, Origin};

/// Writes the fields and the text of a mail, and reads what is attached to it.
pub(super) fn read(storage: &Storage<'_>, harvest: &mut Harvest<'_>) {
    harvest.set_origin(Origin::Mail);
    for (name, id) in FIELDS {
        let text = text(storage, "", id, harvest);
        if !text.is_empty() {
            harvest.push(&format!("{name}{text}"));
            harvest.end_line();
        }
    }
    let html = storage.find("__SUBSTG1.0_10130102", harvest);
    if !html.is_empty() {
        file::text(true, &Blob::new(&html), harvest);
    }
    let folders: Vec<&str> = storage
        .streams()
        .iter()
        .filter_map(|entry| entry.path.strip_suffix("__SUBSTG1.0_37010102"))
        .filter(|folder| folder.starts_with("__ATTACH"))
        .collect();
    for folder in folders {
        if !harvest.has_room() {
            return;
        }
        let long = text(storage, folder, "3707", harvest);
        let name = if long.is_empty() { text(storage, folder, "3704", harvest) } else { long };
        let data = storage.find(&format!("{folder}__SUBSTG1.0_37010102"), harvest);
        let size = u64::try_from(data.len()).unwrap_or(u64::MAX);
        file::read(File { name, size, ..File::default() }, &Blob::new(&data), harvest);
    }
}

/// A property that is text: in UTF-16, or in the charset of who wrote it.
fn text(storage: &Storage<'_>, folder: &str, id: &str, harvest: &mut Harvest<'_>) -> String {
    let wide = storage.find(&format!("{folder}__SUBSTG1.0_{id}001F"), harvest);
    if !wide.is_empty() {
        return utf16(&wide);
    }
    let narrow = storage.find(&format!("{folder}__SUBSTG1.0_{id}001E"), harvest);
    fallbacks().best(&narrow, None)
}

/// What is written in front, and the number of the property.
const FIELDS: [(&str, &str); 6] = [
    ("Subject: ", "0037"),
    ("From: ", "0C1A"),
    ("From: ", "0C1F"),
    ("To: ", "0E04"),
    ("Cc: ", "0E03"),
    ("", "1000"),
];
