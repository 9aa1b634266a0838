//! How far the reading goes.

/// Bounds on the work for one mail, and on what comes of it.
///
/// Memory is bounded by `mail` and `held`: at any time no more than three times the first and
/// `depth` times the second is held, besides the mail itself and what was extracted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the mail that are looked at.
    pub mail: usize,
    /// Bytes of text that are extracted.
    pub text: usize,
    /// Bytes of names: of files, of where they lie, and of mailboxes.
    pub names: usize,
    /// How many files are named, those in archives included.
    pub files: usize,
    /// How many mailboxes of a field are kept.
    pub mailboxes: usize,
    /// How many files may lie in each other: 1 opens attachments, 2 what lies in an attached archive.
    pub depth: usize,
    /// Bytes that are unpacked, of all files together.
    pub unpacked: u64,
    /// Bytes of one file that was packed; its rest is not looked at.
    pub held: usize,
    /// Steps of work: about one for each byte that a reader of documents looks at. A processor of 2020 does
    /// some hundred in a microsecond, so that the default is worth five seconds.
    pub work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            mail: 64 << 20,
            text: 8 << 20,
            names: 1 << 20,
            files: 2_000,
            mailboxes: 5_000,
            depth: 5,
            unpacked: 256 << 20,
            held: 32 << 20,
            work: 1 << 29,
        }
    }
}
