//! What is said to the server of a `socketmap:` or `tcp:` table, and what it answers
//! (socketmap_table(5), tcp_table(5)).
//!
//! Bytes in, bytes out: connecting, waiting (Postfix waits 100 seconds) and asking once more on a
//! new connection are the caller's. A connection may be used for many questions, one after the
//! other.

mod socketmap;
mod tcp;
#[cfg(test)]
mod tests;

use crate::RemoteMap;

/// What the server says about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The value.
    Found(Vec<u8>),
    /// There is no such key.
    NotFound,
    /// It cannot tell; why, in printable words.
    Failed(Box<str>),
}

/// What the server sends is no reply. The connection is of no use any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// Longer than the protocol allows: [`SOCKETMAP_LIMIT`], [`TCP_LIMIT`].
    #[error("the reply is too long")]
    TooLong,
    /// Not what the protocol says.
    #[error("the reply is malformed")]
    Malformed,
}

/// The bytes that ask for a key.
#[must_use]
pub fn request(map: &RemoteMap, key: &[u8]) -> Vec<u8> {
    match map {
        RemoteMap::Tcp { .. } => tcp::request(key),
        RemoteMap::SocketmapInet { map, .. } | RemoteMap::SocketmapUnix { map, .. } => {
            socketmap::request(map, key)
        }
    }
}

/// Reads a reply from what has come so far: the reply and its length in bytes, or `None` if more
/// must come.
///
/// # Errors
/// Says that this will never be a reply; no more than the limit and a few bytes are ever needed
/// to say so.
pub fn reply(map: &RemoteMap, input: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
    match map {
        RemoteMap::Tcp { .. } => tcp::reply(input),
        RemoteMap::SocketmapInet { .. } | RemoteMap::SocketmapUnix { .. } => {
            socketmap::reply(input)
        }
    }
}

/// The longest reply of a socketmap server, in bytes, without its length and comma.
pub const SOCKETMAP_LIMIT: usize = 100_000;

/// The longest reply of a tcp table's server, in bytes, with its newline.
pub const TCP_LIMIT: usize = 4_096;

/// How much of a server's reason is kept, in bytes.
const REASON_LIMIT: usize = 200;

/// Why the server cannot tell: its kind of error, and its words if there are any.
fn failed(kind: &str, words: &[u8]) -> Reply {
    let words = crate::text::trim(words);
    let words = crate::text::printable(&words[..words.len().min(REASON_LIMIT)]);
    let colon = if words.is_empty() { "" } else { ": " };
    Reply::Failed(format!("the server reports a {kind} error{colon}{words}").into())
}
