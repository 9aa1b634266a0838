//! What a mail says: its header lines and MIME parts as they stand (`mime`), as a person reads
//! them (`decode`), and what its attachments are (`attachment`).
//!
//! Pure and bounded: content goes past in pieces of any size, nothing grows with the mail, and no
//! input panics. What is done about what a mail says is decided elsewhere (`mailweir-filters`).

pub mod attachment;
mod bytes;
pub mod decode;
pub mod mime;
