//! How far the reading goes, and what it met that a stricter reader would refuse.

/// The parameters of Postfix that bound and steer the reading (postconf(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MimeLimits {
    /// `header_size_limit`: a header takes no further line once it has this many bytes.
    pub header_size: usize,
    /// `line_length_limit`: a longer line is read as several, in bytes with the line end. At least 1
    /// is assumed.
    pub line_length: usize,
    /// `mime_nesting_limit`: boundaries of deeper multiparts are not remembered.
    pub nesting: usize,
    /// `mime_boundary_length_limit`: how many bytes of a boundary are compared.
    pub boundary_length: usize,
    /// The reverse of `disable_mime_input_processing`: without it everything behind the first
    /// header is one body.
    pub mime: bool,
    /// Whether `From ` lines (also `>From `) in front of the header are read as headers
    /// `X-Mailbox-Line: From ...`, which is what Postfix's smtpd makes of them; postmap does not.
    /// Otherwise such a line ends the header, and hides all headers from the header checks.
    ///
    /// It needs the content as the peer sent it: headers that were put on top end the start.
    pub mailbox_lines: bool,
}

impl Default for MimeLimits {
    fn default() -> Self {
        Self {
            header_size: 102_400,
            line_length: 2_048,
            nesting: 100,
            boundary_length: 2_048,
            mime: true,
            mailbox_lines: true,
        }
    }
}

/// What the reader met so far that Postfix can be told to refuse, or that limits hid. The reading
/// goes on as Postfix's does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MimeTrouble {
    /// A header was longer than `header_size`: its end was not looked at.
    pub header_cut: bool,
    /// Multiparts were nested deeper than `nesting`: parts further in were read as body. Postfix
    /// refuses such a mail (5.6.0) if any header checks are in force.
    pub nesting: bool,
    /// A `message/*` or `multipart/*` part came with an encoding that such a part must not have
    /// (RFC 2045 section 6.4; `strict_mime_encoding_domain`).
    pub encoding_domain: bool,
}
