//! What a mail says: its header lines and MIME parts as they stand (`mime`), and as a person reads
//! them (`decode`).
//!
//! Pure and bounded: content goes past in pieces of any size, nothing grows with the mail, and no
//! input panics. What is done about what a mail says is decided elsewhere (`mailweir-filters`).

pub mod decode;
pub mod mime;
