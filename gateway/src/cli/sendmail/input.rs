//! A mail as a local program writes it to standard input, read to its end before anything is sent.

use std::{
    io::{self, BufRead as _, BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _},
    mem,
};

use tempfile::SpooledTempFile;

use super::header;

/// A mail that was read to its end. Lines end as they came.
pub(super) struct Input {
    /// The header, without the empty line behind it.
    pub(super) header: Vec<u8>,
    pub(super) header_end: HeaderEnd,
    /// What is behind the empty line; at its start.
    pub(super) body: SpooledTempFile,
    /// Bytes of the body, with line ends as they are sent.
    pub(super) body_size: u64,
    /// Whether there is a byte above 127.
    pub(super) eight_bit: bool,
}

/// How the header ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderEnd {
    /// With an empty line.
    EmptyLine,
    /// A line follows that is no field, or nothing.
    Missing,
    /// It is larger than [`MOST_HEADER`]: its rest is taken for the body.
    TooLarge,
}

/// Why there is no whole mail.
#[derive(Debug, thiserror::Error)]
pub(super) enum InputError {
    #[error("standard input cannot be read: {0}")]
    Read(io::Error),
    #[error("the mail cannot be kept in a temporary file: {0}")]
    Keep(io::Error),
}

impl Input {
    /// Reads a mail. Lines `From ` in front, as in a mailbox, are passed over; unless `keeps_dots`, a line with nothing
    /// but a dot is the end.
    pub(super) fn read(input: impl Read, keeps_dots: bool) -> Result<Self, InputError> {
        let mut lines = BufReader::with_capacity(PIECE, input);
        let mut sorter = Sorter::default();
        let mut piece = Vec::new();
        while sorter.part != Part::Over {
            piece.clear();
            let read = (&mut lines).take(PIECE as u64).read_until(b'\n', &mut piece);
            if read.map_err(InputError::Read)? == 0 {
                break;
            }
            sorter.take(&piece, keeps_dots).map_err(InputError::Keep)?;
        }
        sorter.finish().map_err(InputError::Keep)
    }
}

/// Sorts lines, or pieces of long ones, into header and body.
struct Sorter {
    part: Part,
    /// Whether the next piece begins a line.
    at_line_start: bool,
    header: Vec<u8>,
    header_end: HeaderEnd,
    body: BufWriter<SpooledTempFile>,
    body_size: u64,
    eight_bit: bool,
}

/// What the next piece belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Nothing came yet but lines of a mailbox.
    Start,
    /// The rest of such a line.
    MailboxLine,
    Header,
    Body,
    /// Behind the lone dot.
    Over,
}

impl Default for Sorter {
    fn default() -> Self {
        Self {
            part: Part::Start,
            at_line_start: true,
            header: Vec::new(),
            header_end: HeaderEnd::Missing,
            body: BufWriter::new(SpooledTempFile::new(MOST_MEMORY)),
            body_size: 0,
            eight_bit: false,
        }
    }
}

impl Sorter {
    fn take(&mut self, piece: &[u8], keeps_dots: bool) -> io::Result<()> {
        let begins_line = mem::replace(&mut self.at_line_start, piece.ends_with(b"\n"));
        if begins_line && !keeps_dots && matches!(piece, b".\n" | b".\r\n") {
            self.part = Part::Over;
            return Ok(());
        }
        match self.part {
            Part::MailboxLine if !begins_line => return Ok(()),
            Part::Start | Part::MailboxLine if is_mailbox_line(piece) => {
                self.part = Part::MailboxLine;
                return Ok(());
            }
            Part::Start | Part::MailboxLine => self.part = Part::Header,
            Part::Header | Part::Body | Part::Over => {}
        }
        self.eight_bit |= !piece.is_ascii();
        if self.part == Part::Header && self.header_goes_on(piece, begins_line) {
            self.header.extend_from_slice(piece);
            return Ok(());
        }
        if mem::replace(&mut self.part, Part::Body) == Part::Header
            && self.header_end == HeaderEnd::EmptyLine
        {
            return Ok(());
        }
        self.body_size += wire_length(piece);
        self.body.write_all(piece)
    }

    fn header_goes_on(&mut self, piece: &[u8], begins_line: bool) -> bool {
        let continues = matches!(piece.first(), Some(b' ' | b'\t')) && !self.header.is_empty();
        if begins_line && matches!(piece, b"\n" | b"\r\n") {
            self.header_end = HeaderEnd::EmptyLine;
            return false;
        }
        if self.header.len() + piece.len() > MOST_HEADER {
            self.header_end = HeaderEnd::TooLarge;
            return false;
        }
        !begins_line || continues || header::begins_field(piece)
    }

    fn finish(self) -> io::Result<Input> {
        let Self { header, header_end, body, body_size, eight_bit, .. } = self;
        let mut body = body.into_inner().map_err(io::IntoInnerError::into_error)?;
        body.seek(SeekFrom::Start(0))?;
        Ok(Input { header, header_end, body, body_size, eight_bit })
    }
}

/// How many bytes these are when each line ends with CRLF.
pub(super) fn wire_length(text: &[u8]) -> u64 {
    let bare = memchr::memchr_iter(b'\n', text).filter(|&at| !text[..at].ends_with(b"\r"));
    (text.len() + bare.count()) as u64
}

/// `From ` of a mailbox (mbox), quoted or not.
fn is_mailbox_line(line: &[u8]) -> bool {
    let quotes = line.iter().take_while(|&&byte| byte == b'>').count();
    line[quotes..].starts_with(b"From ")
}

/// A line is read in pieces of at most so many bytes.
const PIECE: usize = 64 << 10;

/// The largest header that is understood, in bytes.
const MOST_HEADER: usize = 1 << 20;

/// As much of a body stays in memory, in bytes; a larger one goes to a temporary file.
const MOST_MEMORY: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8], keeps_dots: bool) -> (String, HeaderEnd, String) {
        let mut input = Input::read(text, keeps_dots).unwrap();
        let mut body = Vec::new();
        input.body.read_to_end(&mut body).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(input.header), input.header_end, text(body))
    }

    #[test]
    fn header_and_body_are_told_apart_as_postfix_does() {
        use HeaderEnd::{EmptyLine, Missing};
        for (text, header, end, body) in [
            ("Subject: x\n y\n\nhi\n", "Subject: x\n y\n", EmptyLine, "hi\n"),
            ("A: b\r\n\r\nhi", "A: b\r\n", EmptyLine, "hi"),
            ("\nTo: x\n", "", EmptyLine, "To: x\n"),
            ("hello\nTo: x\n", "", Missing, "hello\nTo: x\n"),
            (" To: x\n\nhi", "", Missing, " To: x\n\nhi"),
            ("A: b\nhello: \n no field\n", "A: b\nhello: \n no field\n", Missing, ""),
            ("A: b\nhello you\n", "A: b\n", Missing, "hello you\n"),
            ("A: b", "A: b", Missing, ""),
            ("", "", Missing, ""),
            ("From a Mon\n>From b\nA: b\n\nFrom c\n", "A: b\n", EmptyLine, "From c\n"),
            ("From: a\n\n", "From: a\n", EmptyLine, ""),
        ] {
            let expected = (header.to_owned(), end, body.to_owned());
            assert_eq!(read(text.as_bytes(), false), expected, "{text:?}");
        }
    }

    #[test]
    fn a_lone_dot_is_the_end_unless_it_is_content() {
        for text in ["A: b\n\nhi\n.\nmore\n", "A: b\n\nhi\n.\r\nmore\n"] {
            assert_eq!(read(text.as_bytes(), false).2, "hi\n");
            assert!(read(text.as_bytes(), true).2.ends_with("more\n"));
        }
        assert_eq!(
            read(b"A: b\n.\n\nhi\n", false),
            ("A: b\n".into(), HeaderEnd::Missing, String::new())
        );
        assert_eq!(read(b"\n..\n .\nx.\n.", false).2, "..\n .\nx.\n.");
    }

    #[test]
    fn long_lines_and_large_mails_stay_whole() {
        let long = format!("From {}\nA: {}\n\n", "x".repeat(3 * PIECE), "y".repeat(3 * PIECE));
        let body = format!("{}.\n{}\n", "z".repeat(PIECE), "w".repeat(2 * MOST_MEMORY));
        let (header, end, read) = read(format!("{long}{body}").as_bytes(), false);
        assert_eq!((header.len(), end), (3 * PIECE + 4, HeaderEnd::EmptyLine));
        assert!(read == body);
    }

    #[test]
    fn a_header_without_end_is_cut_and_nothing_is_lost() {
        let text = "A: b\n".repeat(MOST_HEADER / 4);
        let (header, end, body) = read(text.as_bytes(), false);
        assert_eq!(end, HeaderEnd::TooLarge);
        assert!(header.len() <= MOST_HEADER && header + &body == text);
    }

    #[test]
    fn the_size_is_that_of_what_is_sent() {
        let input = Input::read(&b"From x\nA: b\r\n\n\xed\nx\r\n"[..], false).unwrap();
        assert_eq!((input.body_size, input.eight_bit), (6, true));
        assert_eq!(wire_length(b"\na\r\n\r\n"), 7);
    }

    #[test]
    fn half_a_mail_is_none() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::ConnectionReset.into())
            }
        }
        let half = b"A: b\n\nhi\n".chain(Broken);
        assert!(matches!(Input::read(half, true), Err(InputError::Read(_))));
    }
}
