//! The framing of content: where a mail ends, and what its bytes are.
//!
//! Only CRLF.CRLF ends the content of DATA (`attacks.md` A1, A2); what else looks like a line end
//! becomes CRLF or a space, so that no bare CR or LF is ever stored (A3 to A5). Pieces are slices
//! of the input wherever the bytes stay as they are. The result does not depend on how the input
//! is divided.

use memchr::memchr2;

/// Turns bytes from the wire into content.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    framing: Framing,
    place: Place,
    bare_newline: bool,
}

/// How the end of content is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// DATA: dots are stuffed, CRLF.CRLF ends.
    Dots,
    /// DATA of a peer that may end lines by LF, also around the final dot
    /// ([`super::BareNewline::No`]).
    DotsAfterAnyNewline,
    /// BDAT: the caller counts.
    Counted,
}

/// What decoding yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The next bytes of content; never empty.
    Content(&'a [u8]),
    /// The input is used up.
    More,
    /// The final dot; the rest of the input is commands.
    End,
}

/// What came before the next byte. Bytes that may turn out to be no content are not yielded yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A line end, or the start of the content.
    LineStart(Newline),
    /// A dot at the start of a line.
    Dot(Newline),
    /// A dot and a CR at the start of a line.
    DotCr(Newline),
    /// Anything else.
    Middle,
    /// A CR.
    Cr,
}

/// How the line before ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Newline {
    Crlf,
    BareLf,
}

impl Decoder {
    pub(super) const fn new(framing: Framing) -> Self {
        Self { framing, place: Place::LineStart(Newline::Crlf), bare_newline: false }
    }

    /// Whether a line so far ended in LF alone.
    pub(super) const fn saw_bare_newline(&self) -> bool {
        self.bare_newline
    }

    /// The next piece of content. Takes from `input` what it has looked at.
    pub(super) fn decode<'a>(&mut self, input: &mut &'a [u8]) -> Piece<'a> {
        loop {
            let run = self.run(input);
            if !run.is_empty() {
                return Piece::Content(run);
            }
            let Some((&byte, rest)) = input.split_first() else {
                return Piece::More;
            };
            let (place, taken, piece) = self.step(byte);
            self.place = place;
            if taken {
                *input = rest;
            }
            if let Some(piece) = piece {
                return piece;
            }
        }
    }

    /// What is owed at the end of counted content: the last line gets its CRLF. Call until `None`.
    pub(super) fn finish(&mut self) -> Option<&'static [u8]> {
        let (place, owed) = match self.place {
            Place::Cr => (Place::Middle, SPACE),
            Place::Middle => (Place::LineStart(Newline::Crlf), CRLF),
            Place::LineStart(_) | Place::Dot(_) | Place::DotCr(_) => return None,
        };
        self.place = place;
        Some(owed)
    }

    /// The longest start of `input` that is content as it stands.
    fn run<'a>(&mut self, input: &mut &'a [u8]) -> &'a [u8] {
        if !matches!(self.place, Place::LineStart(_) | Place::Middle) {
            return &[];
        }
        let bytes = *input;
        let mut end = 0;
        while end < bytes.len() && !self.is_dot_at_line_start(bytes[end]) {
            let line = &bytes[end..];
            let Some(length) = memchr2(b'\r', b'\n', line) else {
                self.place = Place::Middle;
                end = bytes.len();
                break;
            };
            if line[length..].starts_with(CRLF) {
                self.place = Place::LineStart(Newline::Crlf);
                end += length + CRLF.len();
                continue;
            }
            if length > 0 {
                self.place = Place::Middle;
            }
            end += length;
            break;
        }
        let (run, rest) = bytes.split_at(end);
        *input = rest;
        run
    }

    fn is_dot_at_line_start(&self, byte: u8) -> bool {
        byte == b'.'
            && matches!(self.place, Place::LineStart(_))
            && self.framing != Framing::Counted
    }

    /// What one byte that is no plain content does: the new place, whether the byte is used up,
    /// and what it yields.
    fn step(&mut self, byte: u8) -> (Place, bool, Option<Piece<'static>>) {
        match (self.place, byte) {
            (Place::LineStart(_) | Place::Middle, b'\r') => (Place::Cr, true, None),
            (Place::LineStart(newline), b'.') => (Place::Dot(newline), true, None),
            (Place::LineStart(_) | Place::Middle, _) => {
                self.bare_newline = true;
                (Place::LineStart(Newline::BareLf), true, Some(Piece::Content(CRLF)))
            }
            (Place::Cr, b'\n') => {
                (Place::LineStart(Newline::Crlf), true, Some(Piece::Content(CRLF)))
            }
            (Place::Dot(newline), b'\r') => (Place::DotCr(newline), true, None),
            (Place::Dot(_), b'\n') if self.framing == Framing::DotsAfterAnyNewline => {
                self.bare_newline = true;
                (Place::LineStart(Newline::BareLf), true, Some(Piece::End))
            }
            // The stuffed dot is gone; the byte is looked at again.
            (Place::Dot(_), _) => (Place::Middle, false, None),
            (Place::DotCr(newline), b'\n') if self.ends_after(newline) => {
                (Place::LineStart(Newline::Crlf), true, Some(Piece::End))
            }
            (Place::DotCr(_), b'\n') => {
                (Place::LineStart(Newline::Crlf), true, Some(Piece::Content(CRLF)))
            }
            // A stray CR becomes a space (Postfix `cleanup_replace_stray_cr_lf`).
            (Place::Cr | Place::DotCr(_), _) => (Place::Middle, false, Some(Piece::Content(SPACE))),
        }
    }

    fn ends_after(&self, newline: Newline) -> bool {
        newline == Newline::Crlf || self.framing == Framing::DotsAfterAnyNewline
    }
}

const CRLF: &[u8] = b"\r\n";
const SPACE: &[u8] = b" ";

#[cfg(test)]
mod tests;
