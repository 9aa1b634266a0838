//! Putting our own mails together: foreign text on one line, header fields, transfer encodings.
//!
//! For all that we write ourselves, reports and notices. Nothing here changes a mail that others
//! wrote. Whatever goes in, no line break and no control character comes out of a field
//! (`attacks.md` E8).

mod encoded_words;
mod field;
mod text;
mod transfer;

pub use encoded_words::{decode as decode_unstructured, encode as encoded_words};
pub use field::{mailbox, unstructured};
pub use text::{is_harmful, one_line};
pub use transfer::{TransferEncoding, quoted_printable};
