//! Cuts content into lines, of bounded length and independent of how it came in pieces.

/// A line, or a piece of a line that is longer than `LONGEST`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// Without the line end.
    pub(super) text: &'a [u8],
    /// The line begins here.
    pub(super) is_start: bool,
    /// CRLF, LF, or nothing if the line goes on or the content ends.
    pub(super) end: &'static [u8],
}

/// The part of a line that came so far.
#[derive(Default)]
pub(super) struct Lines {
    gathered: Vec<u8>,
    is_within: bool,
}

impl Lines {
    /// Takes the next line, or what there is of it. Gives the content behind.
    pub(super) fn step<'c>(
        &mut self,
        content: &'c [u8],
        take: &mut dyn FnMut(Line<'_>),
    ) -> &'c [u8] {
        let room = LONGEST - self.gathered.len();
        let window = content.get(..room).unwrap_or(content);
        let (piece, is_end) = match memchr::memchr(b'\n', window) {
            Some(at) => (content.get(..=at).unwrap_or_default(), true),
            None => (window, false),
        };
        let is_full = piece.len() == room;
        if self.gathered.is_empty() && (is_end || is_full) {
            self.give(piece, is_end, take);
        } else {
            let mut gathered = std::mem::take(&mut self.gathered);
            gathered.extend_from_slice(piece);
            if is_end || is_full {
                self.give(&gathered, is_end, take);
                gathered.clear();
            }
            self.gathered = gathered;
        }
        content.get(piece.len()..).unwrap_or_default()
    }

    /// Whether a line begins with the next byte.
    pub(super) fn is_between(&self) -> bool {
        self.gathered.is_empty() && !self.is_within
    }

    /// The last line has no end.
    pub(super) fn finish(&mut self, take: &mut dyn FnMut(Line<'_>)) {
        let gathered = std::mem::take(&mut self.gathered);
        if !gathered.is_empty() {
            self.give(&gathered, false, take);
        }
    }

    fn give(&mut self, piece: &[u8], is_end: bool, take: &mut dyn FnMut(Line<'_>)) {
        let (text, end): (_, &'static [u8]) = match piece {
            [text @ .., b'\r', b'\n'] => (text, b"\r\n"),
            [text @ .., b'\n'] => (text, b"\n"),
            _ => (piece, b""),
        };
        let is_start = !std::mem::replace(&mut self.is_within, !is_end);
        take(Line { text, is_start, end });
    }
}

/// Longer than any boundary that is looked for.
pub(super) const LONGEST: usize = 8192;
