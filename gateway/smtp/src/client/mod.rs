//! The sending side of the conversation: SMTP to a next hop, or LMTP to a mail store.
//!
//! [`Client`] is one connection. A driver gives it bytes and the time, and does what its
//! [`Step`]s say; sockets, TLS, name look-ups and retries are the driver's. A [`Client`] takes one
//! [`Outgoing`] mail after the other and gives exactly one [`Attempt`] per recipient, or says that
//! it did not try. The commands of a mail are pipelined if the peer allows it. SMTP and LMTP differ
//! in [`settings::Dialect`] only. What the content looks like on the wire is the business of
//! [`content::Encoder`]. [`AtOnce`] is the short form for a server of our own.

mod at_once;
mod capabilities;
mod commands;
mod connection;
pub mod content;
mod fit;
pub mod outcome;
mod outgoing;
mod phase;
pub mod reply;
mod session;
pub mod settings;
mod setup;
mod step;
mod transaction;

#[cfg(test)]
pub(crate) mod tests;

pub use at_once::AtOnce;
pub use connection::Client;
pub use content::Encoder;
pub use outcome::{Attempt, Cause, Closed, Reports};
pub use outgoing::{ContentText, Outgoing};
pub use phase::Phase;
pub use reply::{ReplyError, ReplyParser};
pub use settings::{Credentials, Dialect, Settings, Timeouts, TlsPolicy};
pub use step::{Loss, Step};
