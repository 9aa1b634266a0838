//! The archive: every mail as it was accepted and what became of it, so that anybody can prove later
//! that nothing was changed, left out or cut off.
//!
//! Records ([`frame`]) are appended to segments in groups, one sync for each ([`archive`]). Every record is
//! chained to all before it ([`hash`]), and a segment is sealed by the root of the tree over its records
//! ([`merkle`]); the roots are listed ([`roots`]). [`verify`] reads all of that without the program that wrote
//! it. Payloads may be encrypted, each with a key of its own ([`keys`]), and erased ([`erase`]). `FORMAT.md` has the
//! bytes.
//!
//! Mails come in from files ([`import`]) and go out as files, with the proof that they were here ([`export`]), or
//! are sent again ([`restore`]).
//!
//! It knows no queue and no network. What records say is for others to write and to read.

pub mod archive;
pub mod catalogue;
mod cipher;
pub mod commit;
mod disk;
pub mod entry;
pub mod erase;
pub mod export;
pub mod frame;
pub mod hash;
mod header;
pub mod holds;
pub mod import;
pub mod keys;
pub mod merkle;
pub mod payload;
mod read;
pub mod records;
mod recover;
pub mod restore;
pub mod retention;
pub mod roots;
#[cfg(test)]
mod sample;
pub mod scan;
pub mod span;
#[cfg(test)]
mod tests;
mod torn;
pub mod verify;
pub mod whole;
mod write;

pub use archive::{About, Archive, Draft, OpenError, Options, Place, Places, WriteError, Written};
pub use keys::{Encryption, MasterKeys};
pub use read::{ReadError, Reader, Record};
pub use recover::Left;
