//! Finds the mails of an mbox file, of which there are four kinds that do not say which they are.
//!
//! A mail begins behind a line `From sender date`; if the first of the file has no date, behind any `From `
//! that has an empty line before it. Writers of mboxrd and mboxo put `>` before such lines within mails; one `>`
//! is taken away again. Writers of mboxcl2 put none, and say in `Content-Length` how long a mail is. That is
//! believed only where a mail begins, or the file ends, behind so many bytes; and never for what looks like
//! a mail of its own, with a header: a mail could hide the next one so. Nothing is taken away from mails of a
//! file in which every mail so far had a length that is right.
//!
//! The file is read from its beginning to its end, and only where mails begin and end is kept of it.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::FromLine;
use crate::header::is_field;

/// Finds mails.
#[derive(Debug)]
pub struct Mbox<R> {
    file: Lines<R>,
    /// The line that begins the next mail.
    begin: Option<Begin>,
    /// Whether the first such line had a date.
    is_dated: bool,
    /// Whether every mail so far had a length that is right.
    is_counted: bool,
}

/// A part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A mail.
    Mail(MboxMail),
    /// What is none.
    Other {
        /// The first byte.
        at: u64,
        /// How many bytes.
        bytes: u64,
        /// Why.
        why: NoMail,
    },
}

/// A mail in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MboxMail {
    /// Where the line before it begins.
    pub line: u64,
    /// Its first byte.
    pub at: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// What the line before it says.
    pub from: FromLine,
    /// Whether a `>` goes from lines that begin with `>From `.
    pub unquotes: bool,
}

/// Why something is no mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMail {
    /// No line `From ` stands before it.
    #[error("no mail begins there")]
    NoBegin,
    /// Nothing stands behind the line.
    #[error("there is a line that begins a mail, and no mail")]
    Empty,
}

#[derive(Debug)]
struct Begin {
    line: u64,
    at: u64,
    from: FromLine,
}

impl<R: Read + Seek> Mbox<R> {
    /// Reads a file of so many bytes.
    ///
    /// # Errors
    /// The disk failed.
    pub fn new(mut file: R) -> io::Result<Self> {
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let file = Lines::new(file, len);
        Ok(Self { file, begin: None, is_dated: true, is_counted: true })
    }

    /// Bytes that were looked at.
    pub const fn position(&self) -> u64 {
        self.file.at
    }

    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// The disk failed.
    pub fn next_part(&mut self) -> io::Result<Option<Part>> {
        let Some(begin) = self.begin.take() else { return self.find_first() };
        let Begin { line, at, from } = begin;
        let (end, is_counted) = match self.read_header(at)? {
            Header::Ends(end) => (end, false),
            Header::Precedes { counted, empty } => {
                let end = self.find_end(counted, empty)?;
                (end, Some(end) == counted)
            }
        };
        self.is_counted &= is_counted;
        if end <= at {
            let next = self.begin.as_ref().map_or(self.file.at, |next| next.line);
            return Ok(Some(Part::Other { at: line, bytes: next - line, why: NoMail::Empty }));
        }
        let unquotes = !self.is_counted;
        Ok(Some(Part::Mail(MboxMail { line, at, bytes: end - at, from, unquotes })))
    }

    /// Goes to the first mail of the file.
    fn find_first(&mut self) -> io::Result<Option<Part>> {
        let (from, mut is_text) = (self.file.at, false);
        while let Some(line) = self.file.next_line()? {
            // In a text that is no mailbox, many a line begins so.
            let begin = line.begin().filter(|begin| begin.from.is_dated || !is_text);
            if let Some(begin) = begin {
                self.is_dated = begin.from.is_dated;
                let bytes = begin.line - from;
                self.begin = Some(begin);
                if is_text {
                    return Ok(Some(Part::Other { at: from, bytes, why: NoMail::NoBegin }));
                }
                return self.next_part();
            }
            is_text |= !line.is_empty();
        }
        let bytes = self.file.at - from;
        Ok(is_text.then_some(Part::Other { at: from, bytes, why: NoMail::NoBegin }))
    }

    /// Reads up to the empty line behind the header.
    fn read_header(&mut self, begin: u64) -> io::Result<Header> {
        let (mut length, mut empty) = (None, None);
        while let Some(line) = self.file.next_line()? {
            if line.is_empty() {
                empty = Some(line.at);
                break;
            }
            length = line.length().or(length);
            if let Some(next) = line.begin().filter(|next| next.from.is_dated) {
                let end = next.line;
                self.begin = Some(next);
                return Ok(Header::Ends(end));
            }
        }
        let body = self.file.at;
        let end = length.and_then(|length: u64| body.checked_add(length));
        let counted = match end {
            Some(end) if end > begin && empty.is_some() && self.ends_mail(end)? => Some(end),
            _ => None,
        };
        Ok(Header::Precedes { counted, empty })
    }

    /// Goes to the next mail, and gives the end of this one: without the empty line that divides them. `empty`:
    /// where the line before began, if it was empty.
    fn find_end(&mut self, counted: Option<u64>, mut empty: Option<u64>) -> io::Result<u64> {
        // The line before may begin a mail, though it is within what is counted.
        let mut suspect: Option<(Begin, u64)> = None;
        while let Some(line) = self.file.next_line()? {
            if let Some((begin, end)) = suspect.take().filter(|_| is_field(line.text)) {
                let back = begin.at;
                self.begin = Some(begin);
                self.file.go_to(back)?;
                return Ok(end);
            }
            let (at, is_empty, next) = (line.at, line.is_empty(), line.begin());
            if let Some(next) = next.filter(|next| self.begins(next, empty.is_some())) {
                let end = empty.unwrap_or(at);
                match counted {
                    Some(counted) if at < counted => suspect = Some((next, end)),
                    _ => {
                        self.begin = Some(next);
                        return Ok(counted.unwrap_or(end));
                    }
                }
            }
            empty = is_empty.then_some(at);
        }
        Ok(counted.or(empty).unwrap_or(self.file.at))
    }

    fn begins(&self, next: &Begin, is_behind_empty: bool) -> bool {
        next.from.is_dated || (!self.is_dated && is_behind_empty)
    }

    /// Whether a mail may end at this byte.
    fn ends_mail(&mut self, end: u64) -> io::Result<bool> {
        let back = self.file.at;
        if end < back || end > self.file.len {
            return Ok(false);
        }
        self.file.go_to(end.saturating_sub(1))?;
        let (mut is_line, mut is_behind_empty) = (self.file.next_byte()? == Some(b'\n'), false);
        let mut is_end = false;
        for _ in 0..3 {
            let Some(line) = self.file.next_line()? else {
                is_end = true;
                break;
            };
            if let Some(next) = line.begin() {
                is_end = is_line && next.from.is_dated || is_behind_empty && !self.is_dated;
                break;
            }
            if !line.is_empty() {
                break;
            }
            (is_line, is_behind_empty) = (true, is_line);
        }
        self.file.go_to(back)?;
        Ok(is_end)
    }
}

/// How a header ends.
enum Header {
    /// Another mail begins in it, there.
    Ends(u64),
    /// With an empty line, or the file.
    Precedes {
        /// Where the mail ends by its length, if that is right.
        counted: Option<u64>,
        /// Where the empty line begins.
        empty: Option<u64>,
    },
}

/// A file, line by line. Of long lines only the beginning is kept.
#[derive(Debug)]
struct Lines<R> {
    file: BufReader<R>,
    len: u64,
    at: u64,
    line: Vec<u8>,
}

struct Line<'a> {
    at: u64,
    /// The first byte of the next line.
    next: u64,
    /// Without its end, and no more than [`MOST_OF_LINE`].
    text: &'a [u8],
}

impl<R: Read + Seek> Lines<R> {
    fn new(file: R, len: u64) -> Self {
        Self { file: BufReader::with_capacity(BUFFER, file), len, at: 0, line: Vec::new() }
    }

    fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let most = MOST_OF_LINE as u64;
        let mut read = self.file.by_ref().take(most).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        if read == MOST_OF_LINE && self.line.last() != Some(&b'\n') {
            read += self.file.skip_until(b'\n')?;
        }
        let at = self.at;
        self.at += read as u64;
        let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Ok(Some(Line { at, next: self.at, text }))
    }

    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        let read = self.file.read(&mut byte)?;
        self.at += read as u64;
        Ok((read == 1).then_some(byte[0]))
    }

    /// Keeps what was read ahead, where it can.
    fn go_to(&mut self, at: u64) -> io::Result<()> {
        let number = |at| i64::try_from(at).map_err(|_| io::ErrorKind::InvalidData);
        self.file.seek_relative(number(at)? - number(self.at)?)?;
        self.at = at;
        Ok(())
    }
}

impl Line<'_> {
    fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn begin(&self) -> Option<Begin> {
        let from = FromLine::read(self.text)?;
        Some(Begin { line: self.at, at: self.next, from })
    }

    /// The value of the field Content-Length.
    fn length(&self) -> Option<u64> {
        let (name, value) = self.text.split_at_checked(LENGTH.len())?;
        let value = std::str::from_utf8(value).ok()?.trim();
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        value.parse().ok().filter(|_| is_number && name.eq_ignore_ascii_case(LENGTH))
    }
}

const LENGTH: &[u8] = b"content-length:";

/// As much of a line as anything is read from.
const MOST_OF_LINE: usize = 2_000;

const BUFFER: usize = 256 * 1024;

#[cfg(test)]
mod tests;
