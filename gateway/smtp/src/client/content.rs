//! What content looks like on the wire behind DATA (RFC 5321 sections 2.3.8, 4.5.2) or BDAT (RFC 3030).
//!
//! Every line ends with CRLF, no CR and no LF stands alone (`attacks.md` A4), a dot at the start
//! of a line is doubled behind DATA (E9), and no line has more than 998 bytes: longer ones are broken by
//! CRLF and a space, as Postfix does (E11, `smtp_line_length_limit`). Content that needs no change
//! passes through without a copy. Whether the peer may get 8-bit bytes is not decided here.

use std::iter::FusedIterator;

use super::commands::LONE_DOT;

/// Encodes one mail's content, chunk by chunk. The result does not depend on the chunks.
///
/// ```
/// use mailweir_smtp::client::Encoder;
///
/// let mut encoder = Encoder::new();
/// let mut wire = Vec::new();
/// encoder.encode_into(b"Subject: x\n\n.hidden", &mut wire);
/// wire.extend_from_slice(encoder.finish());
/// assert_eq!(wire, b"Subject: x\r\n\r\n..hidden\r\n.\r\n");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    /// Bytes in the current line. Zero only at the start of a line.
    column: usize,
    /// Whether the last byte was a CR whose successor is not known yet.
    after_cr: bool,
    end: End,
}

/// How the peer sees where the content ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// By a lone dot, so that every other dot at the start of a line is doubled.
    #[default]
    Dot,
    /// By a number that it was told.
    Counted,
}

impl Encoder {
    /// An encoder at the start of a content behind DATA.
    #[must_use]
    pub const fn new() -> Self {
        Self { column: 0, after_cr: false, end: End::Dot }
    }

    /// An encoder at the start of a content behind BDAT, whose bytes are counted: dots stay as they are. It gives the mail
    /// as the peer has it in the end, whichever command it is sent by, so it is also what is signed.
    #[must_use]
    pub const fn counted() -> Self {
        Self { column: 0, after_cr: false, end: End::Counted }
    }

    /// The pieces to send for a chunk, as slices of it wherever possible. All pieces must be taken.
    pub const fn encode<'e, 'c>(&'e mut self, chunk: &'c [u8]) -> Pieces<'e, 'c> {
        Pieces { encoder: self, rest: chunk }
    }

    /// Appends what is to be sent for a chunk.
    pub fn encode_into(&mut self, chunk: &[u8], wire: &mut Vec<u8>) {
        wire.reserve(chunk.len());
        self.encode(chunk).for_each(|piece| wire.extend_from_slice(piece));
    }

    /// The end of the content: what the last line lacks, and the final dot behind DATA.
    #[must_use]
    pub fn finish(self) -> &'static [u8] {
        let lacking: &[u8] = match (self.after_cr, self.column) {
            (false, 0) => b".\r\n",
            (false, _) => b"\r\n.\r\n",
            (true, MAX_LINE) => b"\r\n  \r\n.\r\n",
            (true, _) => b" \r\n.\r\n",
        };
        match self.end {
            End::Dot => lacking,
            End::Counted => &lacking[..lacking.len() - LONE_DOT.len()],
        }
    }

    fn doubles(&self, byte: u8) -> bool {
        byte == b'.' && self.column == 0 && self.end == End::Dot
    }

    /// How many bytes from the start can be sent as they are. Moves the column past them.
    fn clean_run(&mut self, bytes: &[u8]) -> usize {
        let mut start = 0;
        while start < bytes.len() && !self.doubles(bytes[start]) {
            let rest = &bytes[start..];
            let line = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            let room = MAX_LINE - self.column;
            if line > room {
                self.column = MAX_LINE;
                return start + room;
            }
            if rest[line..].first_chunk() != Some(b"\r\n") {
                self.column += line;
                return start + line;
            }
            self.column = 0;
            start += line + 2;
        }
        start
    }

    /// What is sent for a byte that cannot be sent as it is, and whether it is taken by that.
    fn mend(&mut self, byte: u8) -> (&'static [u8], bool) {
        match byte {
            b'\n' => {
                self.column = 0;
                (b"\r\n", true)
            }
            _ if self.column == MAX_LINE => {
                self.column = 1;
                (b"\r\n ", false)
            }
            b'\r' => {
                self.column += 1;
                (b" ", true)
            }
            // A dot at the start of a line; everything else is in a clean run.
            _ => {
                self.column += 1;
                (b"..", true)
            }
        }
    }
}

/// The pieces to send for one chunk, in order.
#[derive(Debug)]
#[must_use]
pub struct Pieces<'e, 'c> {
    encoder: &'e mut Encoder,
    rest: &'c [u8],
}

impl<'c> Pieces<'_, 'c> {
    /// Settles a CR that ended the chunk before, now that its successor is known.
    fn settle_cr(&mut self, next: u8) -> &'static [u8] {
        let cr = if next == b'\n' { b'\n' } else { b'\r' };
        let (piece, taken) = self.encoder.mend(cr);
        self.encoder.after_cr = !taken;
        if next == b'\n' {
            self.rest = &self.rest[1..];
        }
        piece
    }
}

impl<'c> Iterator for Pieces<'_, 'c> {
    type Item = &'c [u8];

    fn next(&mut self) -> Option<&'c [u8]> {
        let &first = self.rest.first()?;
        if self.encoder.after_cr {
            return Some(self.settle_cr(first));
        }
        let (run, rest) = self.rest.split_at(self.encoder.clean_run(self.rest));
        self.rest = rest;
        if !run.is_empty() {
            return Some(run);
        }
        if self.rest == b"\r" {
            self.encoder.after_cr = true;
            self.rest = &[];
            return None;
        }
        let (piece, taken) = self.encoder.mend(first);
        self.rest = &self.rest[usize::from(taken)..];
        Some(piece)
    }
}

impl FusedIterator for Pieces<'_, '_> {}

/// RFC 5321 section 4.5.3.1.6, without the CRLF. The doubled dot does not count.
const MAX_LINE: usize = 998;

#[cfg(test)]
mod tests;
