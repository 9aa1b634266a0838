//! The Received headers of a mail, collected while its content flows past in bounded memory.
//!
//! Only those of the mail itself: the header ends with the first empty line. A line that is no header
//! does not end it, since a reader that goes on sees more Received headers, and those cost trust. `X-Received`, `Received-SPF` and the like are other headers.

use std::fmt;

use mailweir_mail::hex;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::{Received, ReceivedError};

/// The Received headers of a mail, from the top.
#[derive(Clone, Debug, Default)]
pub struct ReceivedHeaders {
    kept: Vec<Field>,
    count: usize,
}

impl ReceivedHeaders {
    /// Those of a whole mail, or of its header alone. Lines end with CRLF or LF.
    #[must_use]
    pub fn of(mail: &[u8]) -> Self {
        let mut reader = ReceivedReader::default();
        reader.feed(mail);
        reader.finish()
    }

    /// How many there are, also beyond those that are looked at.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The header at this place, from 0; `None` also beyond those that are kept.
    pub(super) fn get(&self, at: usize) -> Option<&Field> {
        self.kept.get(at)
    }
}

/// A header as far as it was kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    /// Lines joined by CRLF.
    text: Vec<u8>,
    is_cut: bool,
}

impl Field {
    pub(super) fn read(&self) -> Result<Received, ReceivedError> {
        if self.is_cut { Err(ReceivedError::TooLong) } else { Received::parse(&self.text) }
    }

    /// `None` if it was too long to be kept.
    pub(super) fn hash(&self) -> Option<HeaderHash> {
        let hash = || HeaderHash(Sha256::digest(&self.text).into());
        (!self.is_cut).then(hash)
    }

    fn add(&mut self, text: &[u8], is_cut: bool, room: usize) {
        let room = room.min(FIELD_LIMIT.saturating_sub(self.text.len()));
        let taken = text.len().min(room);
        self.text.extend_from_slice(&text[..taken]);
        self.is_cut |= is_cut || taken < text.len();
    }
}

/// The SHA-256 of a header from its name to the end of its last line, without the last line end;
/// folded lines are joined by CRLF however they came.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeaderHash(pub [u8; 32]);

impl fmt::Display for HeaderHash {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for HeaderHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for HeaderHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Collects Received headers from content in pieces of any size.
///
/// At most 1 MiB of them is kept, of each at most `header_size_limit` (Postfix's default, 102,400
/// bytes), and no more of them than a walk may look at. What is not kept is known to be there.
#[derive(Debug, Default)]
pub struct ReceivedReader {
    headers: ReceivedHeaders,
    /// The line that has not ended yet, without its line end.
    line: Vec<u8>,
    line_is_cut: bool,
    field: Position,
    bytes: usize,
}

/// What the line before belonged to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    /// A header that is not looked at, or none yet.
    #[default]
    Elsewhere,
    /// A Received header that is kept: the last.
    Received,
    /// Behind the empty line.
    Body,
}

impl ReceivedReader {
    /// Takes the next piece of content.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while self.field != Position::Body && !piece.is_empty() {
            let end = piece.iter().position(|byte| *byte == b'\n');
            let part = &piece[..end.unwrap_or(piece.len())];
            let taken = part.len().min(FIELD_LIMIT.saturating_sub(self.line.len()));
            self.line.extend_from_slice(&part[..taken]);
            self.line_is_cut |= taken < part.len();
            piece = &piece[end.map_or(piece.len(), |at| at + 1)..];
            if end.is_some() {
                self.end_of_line();
            }
        }
    }

    /// How many bytes it holds.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let kept = self.headers.kept.iter().map(|field| field.text.capacity());
        self.line.capacity() + kept.sum::<usize>()
    }

    /// The headers, once all content, or all of the header, has been fed.
    #[must_use]
    pub fn finish(mut self) -> ReceivedHeaders {
        if self.field != Position::Body && !self.line.is_empty() {
            self.end_of_line();
        }
        self.headers
    }

    fn end_of_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        let is_cut = std::mem::take(&mut self.line_is_cut);
        if !is_cut && line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.is_empty() {
            self.field = Position::Body;
            return;
        }
        if !matches!(line[0], b' ' | b'\t') {
            self.begin_field(&line, is_cut);
        } else if self.field == Position::Received {
            self.add(b"\r\n", false);
            self.add(&line, is_cut);
        }
        line.clear();
        self.line = line;
    }

    fn begin_field(&mut self, line: &[u8], is_cut: bool) {
        self.field = Position::Elsewhere;
        if !is_received(line) {
            return;
        }
        self.headers.count += 1;
        if self.headers.kept.len() < FIELDS_KEPT {
            self.headers.kept.push(Field::default());
            self.field = Position::Received;
            self.add(line, is_cut);
        }
    }

    fn add(&mut self, text: &[u8], is_cut: bool) {
        let room = BYTES_KEPT.saturating_sub(self.bytes);
        if let Some(field) = self.headers.kept.last_mut() {
            let before = field.text.len();
            field.add(text, is_cut, room);
            self.bytes += field.text.len() - before;
        }
    }
}

/// White space before the colon is obsolete syntax, and read as mail programs read it.
fn is_received(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.len() < line.len() && name.trim_ascii_end().eq_ignore_ascii_case(b"received")
}

/// What a walk may look at: our own header, the most hops, and the one that is too many.
const FIELDS_KEPT: usize = super::walk::MAX_HOPS as usize + 2;

/// Postfix `header_size_limit`.
const FIELD_LIMIT: usize = 102_400;

const BYTES_KEPT: usize = 1 << 20;
