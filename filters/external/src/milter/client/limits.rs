//! How much a filter may say.

/// How much a filter may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a packet.
    pub packet: usize,
    /// Changes of header and envelope of one mail.
    pub edits: usize,
    /// Bytes of one header field.
    pub field: usize,
    /// Bytes of all changes of header and envelope of one mail.
    pub edited: usize,
    /// Bytes of a new body.
    pub body: usize,
    /// PROGRESS in a row.
    pub progress: u32,
}

impl Limits {
    /// `body`: bytes of a new body, which should not be larger than a mail may be.
    #[must_use]
    pub const fn new(body: usize) -> Self {
        Self {
            packet: 1024 * 1024,
            edits: 1_000,
            field: 64 * 1024,
            edited: 1024 * 1024,
            body,
            progress: 1_000,
        }
    }
}
