//! Lookup tables as Postfix writes them: `type:name`, a key in, a value out.
//!
//! A [`Table`] is what its source said when it was read. It is pure: the files are read by the
//! caller, and a question for another server (`socketmap:`, `tcp:`) is handed to the caller as an
//! [`Ask`], with the words of their protocols in [`remote`]. Which keys are tried in which order
//! is [`keys`]; what a value means (REJECT, an address, a next hop) is decided by those who ask.
//!
//! Where a table answers otherwise than Postfix's:
//! - `hash:`, `btree:`, `lmdb:` and the like are read from the text that postmap(1) would read, as
//!   soon as it changes; the database that postmap made is not looked at.
//! - A key that stands twice keeps its first value in `texthash:` too, where Postfix's daemons
//!   refuse the table; it is a warning everywhere.
//! - An empty value is an error, from `inline:`, `static:` and other servers alike.
//! - The values of `randmap:` take turns: there is no chance in this crate.
//! - A key that is not UTF-8 is in no table of whole keys, but `static:` has its value for it.
//! - `proxy:` is the table itself; `environ:`, `internal:`, `unix:` and data bases are refused.

mod cidr;
mod keyed;
pub mod keys;
mod lines;
mod lookup;
mod nfkc;
pub mod remote;
mod rules;
mod spec;
mod steps;
mod table;
mod text;
mod warning;

pub use lookup::{Ask, Found, LookupError, Place, Step};
pub use rules::{Engine, Matching, RulesError};
pub use spec::{RemoteMap, Spec, SpecError};
pub use steps::PatternSteps;
pub use table::{Loaded, Table, TableError};
pub use warning::Warning;
