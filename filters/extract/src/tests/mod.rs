mod archives;
mod bombs;
mod build;
mod compound;
mod mails;
mod office;
mod pdf;
mod pdf_file;
mod random;

use crate::{Extracted, Limits, Origin, Reason, extract};
use build::attach;

/// What is extracted of a file that is attached to a mail.
fn of_file(name: &str, bytes: &[u8]) -> Extracted {
    extract(&attach(&[(name, bytes)]), &Limits::default())
}

/// All text of files, lines joined.
fn text_of_files(extracted: &Extracted) -> String {
    let pieces = extracted.text.iter().filter(|piece| piece.origin == Origin::Attachment);
    pieces.map(|piece| piece.text.as_str()).collect()
}

/// The text of a file that has nothing wrong with it.
fn text(name: &str, bytes: &[u8]) -> String {
    let extracted = of_file(name, bytes);
    assert_eq!(extracted.marks, [], "{name}");
    text_of_files(&extracted)
}

/// The reasons that were marked, with the paths joined.
fn marks(extracted: &Extracted) -> Vec<(String, Reason)> {
    extracted.marks.iter().map(|mark| (mark.path.join("!"), mark.reason)).collect()
}
