//! Reads a peer's replies from a stream of bytes (RFC 5321 section 4.2).
//!
//! The bytes are a stranger's: lines, their number and their sum are bounded, control characters
//! never get into a [`Reply`]. The result does not depend on how the bytes are split. What
//! a reply means is decided elsewhere.

use std::borrow::Cow;

use mailweir_mail::{Enhanced, Reply};

/// Puts replies together from bytes as they come.
#[derive(Clone, Debug, Default)]
pub struct ReplyParser {
    /// The line that has not ended yet, as far as it is kept.
    line: Vec<u8>,
    /// The lines before it, if the reply has several.
    begun: Option<Begun>,
    /// Lines and bytes of this reply so far, also those not kept.
    lines: usize,
    bytes: usize,
}

#[derive(Clone, Debug)]
struct Begun {
    code: u16,
    enhanced: Option<Enhanced>,
    text: String,
}

/// The peer does not speak SMTP. Its fault; the connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// A line does not start with a code from 200 to 599 and a space or a hyphen.
    #[error("a line that is no reply")]
    NotAReply,
    /// Lines of one reply have different codes.
    #[error("lines of one reply with different codes")]
    CodesDiffer,
    /// More than [`MAX_LINES`] lines or [`MAX_BYTES`] bytes.
    #[error("a reply that does not end")]
    TooLong,
}

impl ReplyParser {
    /// Takes bytes up to the end of one reply, and leaves the rest in `bytes`. `None`: all bytes
    /// are taken and the reply has not ended.
    ///
    /// # Errors
    /// What is wrong with the reply. The parser is then to be dropped with its connection.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Result<Option<Reply>, ReplyError> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (head, rest) = bytes.split_at(end + 1);
            *bytes = rest;
            self.keep(&head[..end])?;
            if let Some(reply) = self.end_line()? {
                return Ok(Some(reply));
            }
        }
        let rest = std::mem::take(bytes);
        self.keep(rest)?;
        Ok(None)
    }

    /// Whether a reply has begun and not ended.
    #[must_use]
    pub const fn is_midway(&self) -> bool {
        self.bytes > 0
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), ReplyError> {
        self.bytes += part.len();
        if self.bytes > MAX_BYTES {
            return Err(ReplyError::TooLong);
        }
        let room = MAX_LINE.saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<Reply>, ReplyError> {
        self.bytes += 1;
        self.lines += 1;
        if self.lines > MAX_LINES {
            return Err(ReplyError::TooLong);
        }
        let line = Line::parse(&self.line)?;
        let more = line.more;
        let reply = match self.begun.take() {
            Some(begun) => begun.and(&line)?,
            None => Begun::from(&line),
        };
        self.line.clear();
        if more {
            self.begun = Some(reply);
            return Ok(None);
        }
        (self.lines, self.bytes) = (0, 0);
        Ok(Some(reply.end()))
    }
}

impl Begun {
    fn from(line: &Line<'_>) -> Self {
        let text = printable(line.text);
        let enhanced = leading_enhanced(&text, line.code);
        let text = enhanced.map_or(&*text, |(_, rest)| rest).to_owned();
        Self { code: line.code, enhanced: enhanced.map(|(code, _)| code), text }
    }

    fn and(mut self, line: &Line<'_>) -> Result<Self, ReplyError> {
        if line.code != self.code {
            return Err(ReplyError::CodesDiffer);
        }
        let text = printable(line.text);
        self.text.push('\n');
        self.text.push_str(match leading_enhanced(&text, line.code) {
            Some((enhanced, rest)) if Some(enhanced) == self.enhanced => rest,
            _ => &text,
        });
        Ok(self)
    }

    fn end(self) -> Reply {
        Reply { code: self.code, enhanced: self.enhanced, text: self.text.into() }
    }
}

/// One line of a reply, without its end.
struct Line<'a> {
    code: u16,
    /// Whether another line follows: a hyphen behind the code.
    more: bool,
    text: &'a [u8],
}

impl<'a> Line<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, ReplyError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, rest) = line.split_at_checked(3).ok_or(ReplyError::NotAReply)?;
        let code = code_of(code).ok_or(ReplyError::NotAReply)?;
        match rest {
            [] => Ok(Self { code, more: false, text: rest }),
            [b' ', text @ ..] => Ok(Self { code, more: false, text }),
            [b'-', text @ ..] => Ok(Self { code, more: true, text }),
            _ => Err(ReplyError::NotAReply),
        }
    }
}

fn code_of(digits: &[u8]) -> Option<u16> {
    let value = digits.iter().try_fold(0_u16, |sum, byte| {
        byte.is_ascii_digit().then(|| sum * 10 + u16::from(byte - b'0'))
    });
    value.filter(|code| (200..=599).contains(code))
}

/// The enhanced status code that the text starts with, and the text behind it (RFC 2034). Its
/// class must be that of the reply, else it is just text.
fn leading_enhanced(text: &str, code: u16) -> Option<(Enhanced, &str)> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let enhanced: Enhanced = word.parse().ok()?;
    (u16::from(enhanced.0) == code / 100).then_some((enhanced, rest))
}

/// Text that can be logged, stored and shown: UTF-8 without control characters.
fn printable(text: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(text);
    if text.contains(char::is_control) {
        return text.replace('\t', " ").replace(char::is_control, "?").into();
    }
    text
}

/// Longer lines are cut: Postfix `line_length_limit`.
pub const MAX_LINE: usize = 2_048;

/// More lines are no reply.
pub const MAX_LINES: usize = 100;

/// More bytes are no reply.
pub const MAX_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests;
