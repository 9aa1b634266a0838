//! The header lines and body lines of a mail as Postfix's header and body checks see them
//! (header_checks(5), `mime_state`): which class a header belongs to, where a body segment begins.
//!
//! [`MimeReader`] is fed the content in pieces of any size and lends out one [`Piece`] after the
//! other. This is Postfix's reading, with its limits, and not the one a person's mail program has:
//! that is `decode`. Nothing is decoded or decided here.
//!
//! One difference is meant: a NUL is a byte like others. Postfix looks at what stands before it and
//! drops the rest of a header; here all is looked at, since all is passed on.

mod entity;
mod header;
mod limits;
mod reader;
mod records;
mod token;

pub use limits::{MimeLimits, MimeTrouble};
pub use reader::MimeReader;

/// Which checks see a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderClass {
    /// A header of the mail itself that is not about MIME: `header_checks`.
    Primary,
    /// A MIME header anywhere, or any header behind a boundary: `mime_header_checks`.
    Mime,
    /// A header of an attached mail that is not about MIME: `nested_header_checks`.
    Nested,
}

/// The next piece of a mail. The `raw` of all pieces, in order, is the content, byte for byte.
///
/// In order: headers and their rests, exactly one [`Piece::HeaderEnd`] (also in a mail that is all
/// header, or empty), then body lines, headers of parts and what ends those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A header with all its folded lines.
    Header {
        /// Which checks see it.
        class: HeaderClass,
        /// What the checks see: `Name: value`, lines joined by LF with the white space that begins
        /// them, without the last line end, cut where `header_size_limit` is reached. Never empty.
        text: &'a [u8],
        /// As it came, whole lines, unless a `HeaderRest` follows or the mail ends in it.
        raw: &'a [u8],
    },
    /// More of the header before, beyond what is looked at. It stays or goes with that header.
    HeaderRest(&'a [u8]),
    /// The end of the mail's own header, where one more header could still be put: the empty line,
    /// or nothing at all where a line that is no header, or the end of the mail, ends it.
    HeaderEnd(&'a [u8]),
    /// A line of a body, boundary lines and the like included: `body_checks`.
    Body {
        /// What the checks see: without the line end. Empty lines are not looked up.
        text: &'a [u8],
        /// As it came. Without a line end if the line is longer than `line_length_limit` and goes
        /// on, or if the mail ends in it.
        raw: &'a [u8],
        /// Where in its body segment the line stands, as `body_checks_size_limit` counts: the
        /// lengths of the lines before it, each plus one, the empty line in front included.
        offset: u64,
    },
    /// What no check sees: the empty line that ends the header of a part or of an attached mail.
    Unseen(&'a [u8]),
}

impl<'a> Piece<'a> {
    /// The bytes of the content that this piece stands for.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        match self {
            Self::Header { raw, .. } | Self::Body { raw, .. } => raw,
            Self::HeaderRest(raw) | Self::HeaderEnd(raw) | Self::Unseen(raw) => raw,
        }
    }
}

#[cfg(test)]
mod tests;
