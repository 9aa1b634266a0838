//! How mail is written down.

/// The newest record format that this version reads, and the one that it writes.
pub const FORMAT: u8 = 1;
