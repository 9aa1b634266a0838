//! Did a mail pass through trusted hosts only? The Received headers, read from the top down.
//!
//! Hop 0 is the peer. Each Received header is believed only because the host that wrote it is
//! trusted: the one of the hop above. It tells the next hop, by the address that its writer saw, and
//! never by the names in it, which the client chose. The first host that is not trusted ends the walk;
//! what stands below may be forged and is not read. Whatever cannot be read for certain is not
//! trusted.
//!
//! A further header below can end a chain early and never mend it, but for [`InnerHops::SameHost`]. So
//! where it is not clear whether a header is one, it is.
//!
//! Nothing is decided about a mail here: a [`Walk`] is evidence, which a policy may ask for.

mod headers;
mod hosts;
mod received;
mod report;
mod source;
mod token;
mod walk;

pub use headers::{HeaderHash, ReceivedHeaders, ReceivedReader};
pub use hosts::{EntryError, EntryFault, EntryWarning, TrustedEntry, TrustedHosts};
pub use received::{LocalForm, Received, ReceivedError, Source};
pub use walk::{
    Doubt, Finding, Ground, Hop, InnerHops, Origin, OwnReceived, Verdict, Walk, WalkOptions, walk,
};

#[cfg(test)]
mod tests;
