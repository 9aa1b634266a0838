//! Rules at work: what the tables of an administrator do to a mail.
//!
//! [`checks`] looks at the headers and lines of a mail and edits, holds, diverts or refuses it;
//! [`rewriting`] changes addresses. Neither knows a session, a queue or a socket: content and
//! envelopes come in and go out, and the maps of other servers are asked through [`RemoteMaps`].

pub mod arguments;
pub mod checks;
mod lookup;
pub mod rewriting;

pub use lookup::{RemoteAnswer, RemoteMaps, look_up, look_up_any, look_up_first};
