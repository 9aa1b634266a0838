//! mailweir-search: finding mail in the archive.
//!
//! * [`words`]: what of a text can be found. Pure.
//! * [`query`]: what a person types, and what it asks for. Pure.
//! * [`index`]: the index on disk, who may find what in it.
//!
//! Never here: the archive's segments, the parsing of mail, the queue. A mail is known by its number
//! in the archive; what of it changes later (state, outcome, erased) is asked of the caller.

pub mod index;
pub mod query;
pub mod words;
