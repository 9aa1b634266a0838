//! A mail, read once for all who judge what it says.
//!
//! [`Reader`] is fed the content in pieces and tells a [`Listener`] of fields, parts, text, HTML and links, decoded as a
//! person sees them (`mailweir_content::decode`). It keeps nothing that was told and judges nothing. What is read is
//! bounded ([`Limits`]), and how the content is divided changes nothing.

mod colour;
mod element;
pub(crate) mod elements;
mod html;
mod line;
mod links;
mod listener;
mod markup;
mod parts;
mod reference;
mod sight;
mod style;
#[cfg(test)]
mod tests;

pub use element::{Element, MOST_ATTRIBUTES};
pub use listener::{
    Field, LONGEST_LINK, LONGEST_SHOWN, Link, Listener, Origin, Run, Source, Text, Trouble,
};
pub use sight::Sight;

use mailweir_content::decode::{
    charset::Fallbacks,
    headers::HeaderDecoder,
    parts::{PartLimits, PartReader},
};
use parts::Reading;

/// Reads one mail.
pub struct Reader {
    parts: PartReader,
    reading: Reading,
    /// Content that waits for a whole block. Parts may be open side by side, and in which order their lines are told must
    /// not depend on how the client divided the mail: its own bytes alone divide it, behind the last whole line of a block.
    block: Vec<u8>,
    is_begun: bool,
}

impl Reader {
    /// A reader at the start of a mail's content. Bytes that nobody labelled are read by `fallbacks`.
    #[must_use]
    pub fn new(limits: Limits, fallbacks: Fallbacks) -> Self {
        let decoder = HeaderDecoder::new(fallbacks.clone());
        let part_limits = PartLimits { parts: limits.parts, ..PartLimits::default() };
        let parts = PartReader::new(part_limits, decoder.clone());
        let reading = Reading::new(limits, fallbacks, decoder);
        Self { parts, reading, block: Vec::new(), is_begun: false }
    }

    /// Takes the next piece of the content, with CRLF or LF line ends. A line `From ` of a mailbox file in front of the
    /// header is no part of the mail (RFC 4155) and left out.
    pub fn feed(&mut self, mut content: &[u8], listener: &mut dyn Listener) {
        while !content.is_empty() {
            if let (true, Some(block)) = (self.block.is_empty(), content.get(..BLOCK)) {
                let (now, later) = content.split_at(whole_lines(block));
                self.take(now, listener);
                content = later;
                continue;
            }
            let room = BLOCK.saturating_sub(self.block.len());
            let (now, later) = content.split_at(room.min(content.len()));
            self.block.extend_from_slice(now);
            content = later;
            if self.block.len() == BLOCK {
                let mut block = std::mem::take(&mut self.block);
                let end = whole_lines(&block);
                self.take(block.get(..end).unwrap_or_default(), listener);
                block.drain(..end);
                self.block = block;
            }
        }
    }

    /// The mail is over.
    pub fn finish(mut self, listener: &mut dyn Listener) {
        let block = std::mem::take(&mut self.block);
        self.take(&block, listener);
        let Self { parts, mut reading, .. } = self;
        parts.finish(&mut |event| reading.event(&event, listener));
    }

    fn take(&mut self, block: &[u8], listener: &mut dyn Listener) {
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        let block = if is_first { without_envelope_line(block) } else { block };
        let Self { parts, reading, .. } = self;
        parts.feed(block, &mut |event| reading.event(&event, listener));
    }
}

/// The whole of a mail that is in memory.
pub fn read(mail: &[u8], limits: Limits, fallbacks: Fallbacks, listener: &mut dyn Listener) {
    let mut reader = Reader::new(limits, fallbacks);
    reader.feed(mail, listener);
    reader.finish(listener);
}

/// How much of a mail is told. What is beyond is gone past, and that is told as [`Trouble`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Header fields, those of parts and of mails within counted too.
    pub fields: usize,
    /// Bytes of all fields together.
    pub field_bytes: usize,
    /// Parts, all readings counted.
    pub parts: u32,
    /// Parts whose text is read.
    pub texts: usize,
    /// Bytes of text that are told of a part.
    pub text: usize,
    /// Bytes of HTML that are kept of a part until it ends.
    pub html: usize,
}

/// People do not read further than this, and who hides the evidence behind a long text loses its readers too.
impl Default for Limits {
    fn default() -> Self {
        Self {
            fields: 1_000,
            field_bytes: 256 * 1024,
            parts: 1_000,
            texts: 64,
            text: 256 * 1024,
            html: 512 * 1024,
        }
    }
}

/// The length of the lines that are whole in a block; of one without line ends, all of it.
fn whole_lines(block: &[u8]) -> usize {
    memchr::memrchr(b'\n', block).map_or(block.len(), |end| end + 1)
}

fn without_envelope_line(block: &[u8]) -> &[u8] {
    // A field whose name has blanks behind it begins so, too.
    let is_line =
        block.strip_prefix(b"From ").is_some_and(|rest| !rest.trim_ascii_start().starts_with(b":"));
    if !is_line {
        return block;
    }
    let end = memchr::memchr(b'\n', block).map_or(block.len(), |end| end + 1);
    block.get(end..).unwrap_or_default()
}

/// How much content is read at a time.
const BLOCK: usize = 8 * 1024;
