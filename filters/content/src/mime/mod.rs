//! The header lines and body lines of a mail as Postfix's header and body checks see them
//! (header_checks(5), `mime_state`): which class a header belongs to, where a body segment begins.
//!
//! This is Postfix's reading, with its limits, and not the one a person's mail program has: that
//! is `decode`.

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A header with all its folded lines.
    Header {
        /// Which checks see it.
        class: HeaderClass,
        /// What the checks see: `Name: value`, lines joined by LF, without the last line end, cut at
        /// `header_size_limit`.
        text: &'a [u8],
        /// As it came.
        raw: &'a [u8],
    },
    /// More of the header before, beyond what is looked at. It stays or goes with that header.
    HeaderRest(&'a [u8]),
    /// A line of a body, boundary lines and the like included: `body_checks`.
    Body {
        /// What the checks see: without the line end; empty lines are not looked up.
        text: &'a [u8],
        /// As it came. Without a line end if the line is longer than `line_length_limit` and goes on.
        raw: &'a [u8],
        /// Where in its body segment the line stands, as `body_checks_size_limit` counts: the
        /// lengths of the lines before it, each plus one.
        offset: u64,
    },
    /// What no check sees: the empty line that ends a header.
    Unseen(&'a [u8]),
}
