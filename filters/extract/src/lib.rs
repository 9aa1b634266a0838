//! What of a mail can be searched: its decoded header fields, the text of all its parts, the names
//! of its attachments, and the text in them (HTML, attached mail, plain text, Word, Excel,
//! PowerPoint, OpenDocument, HWPX, HWP, RTF, PDF, and what zip archives hold of these).
//!
//! Pure, and total: whatever the bytes are, [`extract`] comes to an end within [`Limits`], does not
//! panic, and says what it could not read and why ([`Mark`]). How mail is read is decided in
//! `mailweir-content`; what is a document is read here, by small readers that look for text and
//! nothing else. Nothing of this is a basis for refusing mail: a document is read in the one way
//! that office programs read it, and not in all that are thinkable.
//!
//! ```
//! use mailweir_extract::{Limits, Origin, extract};
//!
//! let mail = b"Subject: =?utf-8?B?6KaL56mN5pu4?=\r\nFrom: Sato <sato@example.jp>\r\n\r\nTotal: 1,200\r\n";
//! let extracted = extract(mail, &Limits::default());
//! assert_eq!(extracted.subject, "見積書");
//! assert_eq!(extracted.from[0].address, "sato@example.jp");
//! assert_eq!(extracted.text[0].origin, Origin::Body);
//! assert_eq!(extracted.text[0].text, "Total: 1,200\n");
//! assert!(extracted.marks.is_empty());
//! ```

mod extracted;
mod file;
mod harvest;
mod limits;
mod mail;
mod office;
mod ole;
mod pdf;
mod rtf;
mod unpack;
mod xml;
mod zip;

#[cfg(test)]
mod tests;

pub use extracted::{Extracted, File, Mailbox, Mark, Origin, Piece, Reason};
pub use limits::Limits;

use harvest::Harvest;

/// Reads all that can be searched of a mail.
///
/// `mail` is its content as it came, with CRLF or LF line ends. What limits, damage or passwords keep
/// from being read is marked; everything else is there all the same.
#[must_use]
pub fn extract(mail: &[u8], limits: &Limits) -> Extracted {
    let mut harvest = Harvest::new(limits);
    harvest.guard(|harvest| mail::read_outer(mail, harvest));
    harvest.into_extracted()
}
