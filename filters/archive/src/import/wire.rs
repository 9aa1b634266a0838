//! From the lines of a file to the lines of a mail: every line ends with CRLF, as on the wire, and what a
//! mailbox put before lines that begin with `From ` is gone. All other bytes are what they were.

use std::io::{self, Read};

/// Reads a mail out of a file.
#[derive(Debug)]
pub struct Wire<R> {
    inner: R,
    unquotes: bool,
    input: Box<[u8]>,
    /// What of the input was read and not looked at yet.
    there: std::ops::Range<usize>,
    out: Vec<u8>,
    given: usize,
    line: Line,
    last: u8,
    is_at_end: bool,
}

/// How far a line was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// So many bytes of `From ` were found, and are not given out yet. Of the `>` before them the one that may
    /// have to go is held back.
    Begin { is_held: bool, matched: usize },
    /// It is not that.
    Text,
}

impl<R: Read> Wire<R> {
    /// Reads what `inner` has. `unquotes`: of lines that begin with `>From `, `>>From ` and so on, one `>` goes.
    pub fn new(inner: R, unquotes: bool) -> Self {
        Self {
            inner,
            unquotes,
            input: vec![0; PIECE].into_boxed_slice(),
            there: 0..0,
            out: Vec::new(),
            given: 0,
            line: if unquotes { BEGIN } else { Line::Text },
            last: b'\n',
            is_at_end: false,
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.given = 0;
        while self.out.is_empty() && !self.is_at_end {
            let read = self.inner.read(&mut self.input)?;
            self.there = 0..read;
            if read == 0 {
                self.is_at_end = true;
                self.is_text();
                // The last line is a whole one.
                if self.last != b'\n' {
                    let end: &[u8] = if self.last == b'\r' { b"\n" } else { b"\r\n" };
                    self.out.extend_from_slice(end);
                }
            }
            for at in self.there.clone() {
                self.byte(self.input[at]);
            }
        }
        Ok(())
    }

    fn byte(&mut self, byte: u8) {
        if let Line::Begin { is_held, matched } = self.line {
            if byte == b'>' && matched == 0 {
                if is_held {
                    self.out.push(b'>');
                }
                self.line = Line::Begin { is_held: true, matched };
                self.last = byte;
                return;
            }
            if Some(&byte) == FROM.get(matched) {
                self.line = match matched + 1 {
                    all if all == FROM.len() => {
                        self.out.extend_from_slice(FROM);
                        Line::Text
                    }
                    matched => Line::Begin { is_held, matched },
                };
                self.last = byte;
                return;
            }
            self.is_text();
        }
        if byte == b'\n' {
            if self.last != b'\r' {
                self.out.push(b'\r');
            }
            self.line = if self.unquotes { BEGIN } else { Line::Text };
        }
        self.out.push(byte);
        self.last = byte;
    }

    /// Gives out what was held back: the line does not begin so.
    fn is_text(&mut self) {
        if let Line::Begin { is_held, matched } = self.line {
            self.out.extend(is_held.then_some(b'>'));
            self.out.extend_from_slice(&FROM[..matched]);
        }
        self.line = Line::Text;
    }
}

impl<R: Read> Read for Wire<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.out.len() {
            self.refill()?;
        }
        let mut rest = &self.out[self.given..];
        let read = rest.read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

const BEGIN: Line = Line::Begin { is_held: false, matched: 0 };

const FROM: &[u8] = b"From ";

const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(file: &[u8], unquotes: bool) -> Vec<u8> {
        let mut mail = Vec::new();
        Wire::new(file, unquotes).read_to_end(&mut mail).unwrap();
        mail
    }

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    #[test]
    fn lines_end_with_crlf_and_all_else_is_as_it_was() {
        for (file, mail) in [
            (&b"a\nb\r\nc\n"[..], &b"a\r\nb\r\nc\r\n"[..]),
            (b"a\rb\r\r\n\n", b"a\rb\r\r\n\r\n"),
            (b"no end", b"no end\r\n"),
            (b"no end\r", b"no end\r\n"),
            (b"\0\xff\n", b"\0\xff\r\n"),
            (b"", b""),
            (b">From a\n", b">From a\r\n"),
        ] {
            assert_eq!(read(file, false), mail, "{file:?}");
        }
    }

    #[test]
    fn one_mark_goes_from_lines_that_a_mailbox_had_to_mark() {
        for (file, mail) in [
            (
                &b">From a\n>>From b\n> From c\n>Fro\n"[..],
                &b"From a\r\n>From b\r\n> From c\r\n>Fro\r\n"[..],
            ),
            (b"x >From a\nFrom b\n>>", b"x >From a\r\nFrom b\r\n>>\r\n"),
            (b">Fr\n>From\n>FFrom \n", b">Fr\r\n>From\r\n>FFrom \r\n"),
            (b">>>Fro", b">>>Fro\r\n"),
        ] {
            assert_eq!(read(file, true), mail, "{:?}", String::from_utf8_lossy(file));
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(file in "[>From \r\na]{0,60}", unquotes: bool) {
            let mut mail = Vec::new();
            Wire::new(Slow(file.as_bytes()), unquotes).read_to_end(&mut mail).unwrap();
            prop_assert_eq!(&mail, &read(file.as_bytes(), unquotes));
            // Nothing but line ends and marks is added or lost.
            let plain = |text: &[u8]| -> Vec<u8> {
                text.iter().copied().filter(|byte| !b"\r\n>".contains(byte)).collect()
            };
            prop_assert_eq!(plain(&mail), plain(file.as_bytes()));
            let bare = mail.iter().enumerate().any(|(at, byte)| *byte == b'\n' && (at == 0 || mail[at - 1] != b'\r'));
            prop_assert!(!bare);
        }
    }
}
