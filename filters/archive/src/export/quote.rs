//! From a mail to the lines of an mbox: LF behind every line, and `>` before those that could be taken for the
//! beginning of another mail (mboxrd).

use std::io::{self, Write};

/// Writes a mail into a mailbox.
#[derive(Debug)]
pub(super) struct Quoted<W> {
    out: W,
    /// Bytes of `From ` at the beginning of the line that are not written yet; `None`: it does not begin so.
    matched: Option<usize>,
    /// A CR was not written yet.
    is_cr_held: bool,
    last: u8,
    buffer: Vec<u8>,
}

impl<W: Write> Quoted<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { out, matched: Some(0), is_cr_held: false, last: b'\n', buffer: Vec::new() }
    }

    /// Ends the mail: its last line is a whole one, and an empty one follows.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.buffer.clear();
        if std::mem::take(&mut self.is_cr_held) {
            self.put(b'\r');
        }
        self.is_text();
        if self.last != b'\n' {
            self.buffer.push(b'\n');
        }
        self.buffer.push(b'\n');
        self.out.write_all(&self.buffer)
    }

    fn byte(&mut self, byte: u8) {
        if std::mem::take(&mut self.is_cr_held) && byte != b'\n' {
            self.put(b'\r');
        }
        match byte {
            b'\r' => self.is_cr_held = true,
            byte => self.put(byte),
        }
    }

    fn put(&mut self, byte: u8) {
        self.last = byte;
        match self.matched {
            // Another one beside it is written if it comes to that.
            Some(0) if byte == b'>' => {}
            Some(matched) if Some(&byte) == FROM.get(matched) => {
                self.matched = Some(matched + 1);
                if matched + 1 == FROM.len() {
                    self.buffer.push(b'>');
                    self.is_text();
                }
                return;
            }
            _ => self.is_text(),
        }
        self.buffer.push(byte);
        if byte == b'\n' {
            self.matched = Some(0);
        }
    }

    fn is_text(&mut self) {
        let matched = self.matched.take().unwrap_or(0);
        self.buffer.extend_from_slice(&FROM[..matched]);
    }
}

impl<W: Write> Write for Quoted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.clear();
        bytes.iter().for_each(|byte| self.byte(*byte));
        self.out.write_all(&self.buffer)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const FROM: &[u8] = b"From ";

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(mail: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut quoted = Quoted::new(&mut out);
        // A byte at a time, so that nothing depends on pieces.
        mail.chunks(1).for_each(|piece| quoted.write_all(piece).unwrap());
        quoted.finish().unwrap();
        let mut whole = Vec::new();
        let mut quoted = Quoted::new(&mut whole);
        quoted.write_all(mail).unwrap();
        quoted.finish().unwrap();
        assert_eq!(out, whole);
        out
    }

    #[test]
    fn no_line_of_a_mail_begins_another_one() {
        for (mail, lines) in [
            (
                &b"A: b\r\n\r\nFrom x\r\n>From y\r\n>>From z\r\n"[..],
                &b"A: b\n\n>From x\n>>From y\n>>>From z\n\n"[..],
            ),
            (b"From x Fri Nov 20 21:30:05 2026\r\n", b">From x Fri Nov 20 21:30:05 2026\n\n"),
            (b"a\nFrom b", b"a\n>From b\n\n"),
            (b"Fro\r\n> From\r\n\rFrom \r", b"Fro\n> From\n\rFrom \r\n\n"),
            (b"From", b"From\n\n"),
            (b"x\r\r\n", b"x\r\n\n"),
            (b"", b"\n"),
        ] {
            assert_eq!(String::from_utf8_lossy(&quoted(mail)), String::from_utf8_lossy(lines));
        }
    }
}
