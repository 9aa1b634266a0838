//! Rules at work: what the tables of an administrator do to a mail.
//!
//! [`checks`] looks at the headers and lines of a mail and edits, holds, diverts or refuses it. It
//! knows no session, queue or socket: content comes in pieces and goes out in pieces, and the maps
//! of other servers are asked through [`RemoteMaps`].

pub mod arguments;
pub mod checks;
mod lookup;

pub use lookup::{RemoteAnswer, RemoteMaps, look_up, look_up_any, look_up_first};
