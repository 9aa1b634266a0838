//! Rules at work: what the tables of an administrator do to a mail, or to who brings it.
//!
//! [`restrictions`] rule on client, greeting, sender and recipient; [`checks`] look at the headers
//! and lines of a mail and edit, hold, divert or refuse it; [`rewriting`] changes addresses;
//! [`verification`] remembers which addresses take mail; [`archiving`] says which mail is kept. None of them knows a session, a queue or a
//! socket: facts, content and envelopes come in by call, and the maps of other servers are asked
//! through [`RemoteMaps`].

pub mod archiving;
pub mod arguments;
pub mod checks;
pub mod course;
mod lookup;
pub mod removal;
pub mod restrictions;
pub mod rewriting;
pub mod stages;
pub mod verification;

pub use lookup::{ForOneMail, RemoteAnswer, RemoteMaps, look_up, look_up_any, look_up_first};
