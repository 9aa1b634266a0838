//! Lookup tables as Postfix writes them: `type:name`, a key in, a value out.
//!
//! A [`Table`] is what its source said when it was read. It is pure: the files are read by the
//! caller, and a question for another server (`socketmap:`, `tcp:`) is handed to the caller as an
//! [`Ask`]. Which keys are tried in which order is [`keys`]; what a value means (REJECT, an
//! address, a next hop) is decided by those who ask.

pub mod keys;
mod lookup;
mod rules;
mod spec;
mod table;
mod warning;

pub use lookup::{Ask, Found, LookupError, Place, Step};
pub use rules::{Engine, Matching, RulesError};
pub use spec::{RemoteMap, Spec, SpecError};
pub use table::{Loaded, Table, TableError};
pub use warning::Warning;
