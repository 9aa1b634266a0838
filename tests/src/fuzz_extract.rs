//! Body of the fuzz target `extract`: whatever a document is made of, reading it ends within its limits,
//! and no reader fails.

use mailweir_extract::{Limits, Reason, extract};

/// Reads `data` as a document; the first byte says under which name, or that it is a whole mail.
///
/// # Panics
/// If more is extracted or done than the limits allow, or a reader panicked.
pub fn extract_document(data: &[u8]) {
    let Some((&kind, data)) = data.split_first() else { return };
    let limits = Limits {
        mail: 1 << 20,
        text: 20_000,
        names: 10_000,
        files: 30,
        mailboxes: 30,
        depth: 4,
        unpacked: 1 << 20,
        held: 1 << 18,
        work: 2_000_000,
    };
    let name = NAMES.get(usize::from(kind) % (NAMES.len() + 1));
    let mail = name.map_or_else(|| data.to_vec(), |name| attach(name, data));
    let extracted = extract(&mail, &limits);
    let text: usize = extracted.text.iter().map(|piece| piece.text.len()).sum();
    assert!(text <= limits.text, "{text} bytes of text");
    assert!(extracted.work <= limits.work, "{} steps", extracted.work);
    assert!(extracted.files.len() <= limits.files, "{} files", extracted.files.len());
    let failed = extracted.marks.iter().find(|mark| mark.reason == Reason::Failed);
    assert!(failed.is_none(), "{failed:?}");
}

/// A mail that is one file, its bytes as they are.
fn attach(name: &str, data: &[u8]) -> Vec<u8> {
    let head = format!(
        "Content-Type: application/octet-stream; name=\"{name}\"\r\n\
        Content-Transfer-Encoding: binary\r\n\r\n"
    );
    [head.as_bytes(), data].concat()
}

const NAMES: [&str; 7] = ["a.pdf", "a.docx", "a.xlsx", "a.odt", "a.zip", "a.html", "a.eml"];
