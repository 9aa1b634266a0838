//! Packets: what they look like on the wire, in both directions.

mod bits;
mod command;
mod fields;
mod options;
mod packets;
mod reply;
mod response;
#[cfg(test)]
mod tests;

pub use bits::{Actions, Steps};
pub use command::{Command, Peer, PeerAddress};
pub use options::Options;
pub use packets::Packets;
pub use response::Response;

/// Bytes of body in one packet at most (`MILTER_CHUNK_SIZE`).
pub const CHUNK: usize = 65_535;
