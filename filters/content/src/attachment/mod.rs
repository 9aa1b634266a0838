//! What an attachment really is: its types by what it holds, whatever its name and declared type
//! say, and the names and types of what lies inside it when it is an archive.
//!
//! The decoded bytes of a part go past once, in pieces of any size. Nothing is written, nothing is
//! run, and no name is ever a path of ours. Archives are read by hand and not with the crates for
//! them: those need the whole archive and take one reading of it, that of the central directory,
//! where the program that opens the mail may take another. Here every header anywhere in the
//! stream counts, so that what is found is the union of what the readers of the world see.
//!
//! What is refused is decided by `attachment_name_checks` and `attachment_type_checks`.

mod budget;
mod edges;
mod gzip;
mod inflate;
mod kind;
mod magic;
mod names;
mod ole;
mod pdf;
mod stream;
mod tar;
mod text;
mod zip;

#[cfg(test)]
mod tests;

pub use budget::Budget;
use budget::View;
pub use kind::Kind;
use stream::Stream;

/// Looks into one attachment.
///
/// Its bytes are handed to `feed` in pieces, then `finish` ends it. What is found does not depend on
/// how it was cut into pieces. The limits hold for all attachments of a mail, which share a
/// [`Budget`]; of inspectors that are at work side by side, who comes first has it first.
///
/// ```
/// use mailweir_content::attachment::{Budget, Finding, Inspector, Limits};
/// use mailweir_content::decode::charset::Fallbacks;
///
/// let mut budget = Budget::new(Limits::default(), Fallbacks::default());
/// let mut inspector = Inspector::default();
/// let mut types = Vec::new();
/// let mut note = |finding: Finding<'_>| types.extend(finding.mime_type());
/// inspector.feed(b"%PDF-", &mut budget, &mut note);
/// inspector.feed(b"1.7", &mut budget, &mut note);
/// inspector.finish(&mut budget, &mut note);
/// assert_eq!(types, ["application/pdf"]);
/// ```
#[derive(Debug)]
pub struct Inspector {
    /// The limits that were said, one bit each.
    said: u8,
    path: Vec<String>,
    /// Bytes that wait for a whole block. All work is done in blocks of one size: that is why the
    /// division of the input cannot matter.
    block: Vec<u8>,
    stream: Stream,
}

impl Inspector {
    /// More decoded bytes of the attachment. `budget` is that of its mail.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        budget: &mut Budget,
        found: &mut impl FnMut(Finding<'_>),
    ) {
        while !bytes.is_empty() {
            if let (true, Some((block, later))) =
                (self.block.is_empty(), bytes.split_at_checked(BLOCK))
            {
                self.inspect(block, budget, found);
                bytes = later;
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            if self.block.len() == BLOCK {
                self.inspect_block(budget, found);
            }
        }
    }

    /// The attachment has ended.
    pub fn finish(mut self, budget: &mut Budget, found: &mut impl FnMut(Finding<'_>)) {
        self.inspect_block(budget, found);
        self.stream.finish(&mut View::new(budget, &mut self.said, &mut self.path, found));
    }

    /// How many bytes the inspector holds for what it has begun to read, windows of compression
    /// included. With the default limits it stays below 1 MiB, whatever comes.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.block.capacity()
            + self.stream.buffered()
            + self.path.iter().map(String::len).sum::<usize>()
    }

    fn inspect_block(&mut self, budget: &mut Budget, found: &mut impl FnMut(Finding<'_>)) {
        let mut block = std::mem::take(&mut self.block);
        self.inspect(&block, budget, found);
        block.clear();
        self.block = block;
    }

    fn inspect(&mut self, block: &[u8], budget: &mut Budget, found: &mut impl FnMut(Finding<'_>)) {
        self.stream.feed(block, &mut View::new(budget, &mut self.said, &mut self.path, found));
    }
}

impl Default for Inspector {
    fn default() -> Self {
        let block = Vec::with_capacity(BLOCK);
        Self { said: 0, path: Vec::new(), block, stream: Stream::new(0) }
    }
}

/// Something a rule may match. Findings may repeat, since archives say most things twice.
///
/// `path` is where it is: the names of the archives (and their members) from the outside to the
/// inside, without the attachment's own name. In `a.zip` that holds `b.tar.gz` that holds `c.exe`,
/// the name `c.exe` has the path `["b.tar.gz", "b.tar"]`, and its type `["b.tar.gz", "b.tar", "c.exe"]`.
/// What gzip unpacks to is `(content)` in a path if neither its header nor the packed file tells a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding<'a> {
    /// The name of a member of an archive, or where a link points to. A name that can be read in
    /// more than one way is given once for each: charsets, control characters made visible
    /// (U+2400), cut at NUL, without the dots and spaces that Windows drops at the end.
    Name {
        /// The name with its folders, NFKC. Of one beyond 1024 bytes the end.
        name: &'a str,
        /// The archive it stands in.
        path: &'a [String],
    },
    /// What a stream of bytes is. There may be several types: an installer is also a zip archive.
    Type {
        /// Its type.
        kind: Kind,
        /// The thing itself; empty for the attachment.
        path: &'a [String],
    },
    /// A limit was reached, and something was not looked into. Each limit once per attachment.
    Limit {
        /// Which one.
        limit: Limit,
        /// Where.
        path: &'a [String],
    },
}

impl Finding<'_> {
    /// The MIME type that `attachment_type_checks` look up: of a type or a limit.
    #[must_use]
    pub fn mime_type(&self) -> Option<&'static str> {
        match self {
            Finding::Name { .. } => None,
            Finding::Type { kind, .. } => Some(kind.mime_type()),
            Finding::Limit { limit, .. } => Some(limit.mime_type()),
        }
    }
}

/// How far inspectors go, for one mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many archives inside each other are opened, at most 16. With 0 none is; the names in an
    /// archive are listed even then.
    pub max_depth: u8,
    /// How many names of members are listed.
    pub max_members: u32,
    /// How many bytes are unpacked.
    pub max_inflated: u64,
    /// How many times its packed size a member may have, once it is larger than 1 MiB.
    pub max_ratio: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_depth: 5, max_members: 10_000, max_inflated: 64 << 20, max_ratio: 250 }
    }
}

/// Why something was not looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Archives inside archives beyond `max_depth`.
    Depth,
    /// More names than `max_members`.
    Members,
    /// More than `max_inflated` bytes.
    Inflated,
    /// More than `max_ratio` times its packed size.
    Ratio,
    /// More members across each other than an honest archive has.
    Overlap,
    /// A name beyond 1024 bytes.
    NameLength,
    /// A way of compression that is not undone here.
    Method,
}

impl Limit {
    /// The type under which a rule of `attachment_type_checks` finds this limit.
    #[must_use]
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Depth => "application/x-too-deep",
            Self::Members => "application/x-too-many-members",
            Self::Inflated => "application/x-too-large",
            Self::Ratio => "application/x-compression-bomb",
            Self::Overlap => "application/x-overlapping-members",
            Self::NameLength => "application/x-name-too-long",
            Self::Method => "application/x-unreadable-compression",
        }
    }
}

/// A unit of work. Not seen from outside.
const BLOCK: usize = 4096;
