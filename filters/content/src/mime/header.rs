//! The header that is being read: its lines as they came, and as the checks see them.

use super::limits::MimeLimits;

/// Gathers the records of one header.
#[derive(Debug)]
pub(super) struct Header {
    text: Vec<u8>,
    raw: Vec<u8>,
    /// A line from a mailbox takes no folded lines: smtpd looks at each line by itself.
    folds: bool,
}

impl Header {
    pub(super) fn new() -> Self {
        Self { text: Vec::with_capacity(USUAL), raw: Vec::with_capacity(USUAL), folds: true }
    }

    /// Starts with the record `raw`, `text` without its line end, whose name is `name` bytes long.
    pub(super) fn start(&mut self, name: usize, text: &[u8], raw: &[u8]) {
        self.begin(raw, true);
        let (name, value) = text.split_at(name);
        self.text.extend_from_slice(name);
        let blanks = value.iter().take_while(|byte| is_blank(**byte)).count();
        self.text.extend_from_slice(&value[blanks..]);
    }

    /// Starts with a line from a mailbox.
    pub(super) fn start_mailbox_line(&mut self, text: &[u8], raw: &[u8]) {
        self.begin(raw, false);
        self.text.extend_from_slice(b"X-Mailbox-Line: ");
        self.text.extend_from_slice(text);
    }

    /// Adds a record: a folded line, or the rest of a long one.
    pub(super) fn add(&mut self, text: &[u8], raw: &[u8], is_rest_of_line: bool) {
        if !is_rest_of_line {
            self.text.push(b'\n');
        }
        self.text.extend_from_slice(text);
        self.raw.extend_from_slice(raw);
    }

    /// Whether no further record is looked at. A line has at least as many bytes of text as of line
    /// end: the bound on `raw` stops nothing but lines with many CR before their LF.
    pub(super) fn is_full(&self, limits: &MimeLimits) -> bool {
        let raw_limit = limits.header_size.saturating_mul(2).saturating_add(limits.line_length);
        self.text.len() >= limits.header_size || self.raw.len() >= raw_limit
    }

    /// Whether a line with this first byte continues it.
    pub(super) fn takes(&self, first: u8) -> bool {
        self.folds && is_blank(first)
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// What stands behind the colon, if the header has this name.
    pub(super) fn value_of(&self, name: &str) -> Option<&[u8]> {
        let (start, rest) = self.text.split_at_checked(name.len())?;
        let value = rest.strip_prefix(b":")?;
        start.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    }

    /// Whether it is one of the headers that `mime_header_checks` see wherever they stand.
    pub(super) fn is_about_mime(&self) -> bool {
        MIME_HEADERS.iter().any(|name| self.value_of(name).is_some())
    }

    fn begin(&mut self, raw: &[u8], folds: bool) {
        self.text.clear();
        self.raw.clear();
        self.raw.extend_from_slice(raw);
        self.folds = folds;
    }
}

/// The length of the header name that a line begins with: visible ASCII, then blanks, then a colon
/// (`is_header`; RFC 822 section 3.2 and the obsolete form of RFC 5322 section 4.5).
pub(super) fn name_length(line: &[u8]) -> Option<usize> {
    let length = line.iter().position(|byte| !byte.is_ascii_graphic() || *byte == b':')?;
    let after = line[length..].iter().find(|byte| !is_blank(**byte));
    (length > 0 && after == Some(&b':')).then_some(length)
}

/// Whether a line is the one that a mailbox file puts before each mail, quoted or not.
pub(super) fn is_mailbox_line(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    line[quotes..].starts_with(b"From ")
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Room for what nearly every header needs, in bytes.
const USUAL: usize = 512;

const MIME_HEADERS: [&str; 6] = [
    "Content-Description",
    "Content-Disposition",
    "Content-ID",
    "Content-Transfer-Encoding",
    "Content-Type",
    "MIME-Version",
];
