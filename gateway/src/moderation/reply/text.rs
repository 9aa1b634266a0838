//! The text of an answer: its first text part, decoded, or its HTML turned to text.

use mailweir_content::decode::{
    charset::Fallbacks,
    headers::HeaderDecoder,
    parts::{Event, Part, PartId, PartLimits, PartReader},
    text::{TextLimits, TextReader},
};

/// Reads an answer as it flows past; keeps no more than some lines.
pub(crate) struct ReplyReader {
    parts: PartReader,
    gathered: Gathered,
    /// Bytes that are still looked at.
    left: usize,
}

/// What an answer says.
#[derive(Debug, Default)]
pub(crate) struct ReplyText {
    lines: Vec<Box<str>>,
    is_report: bool,
}

#[derive(Default)]
struct Gathered {
    /// Whether the mail as a whole is a report of a mail system (RFC 6522).
    is_report: Option<bool>,
    /// Mails that are attached, which are somebody else's words.
    attached: Vec<PartId>,
    plain: Found,
    html: Found,
}

/// The first part of a kind.
#[derive(Default)]
struct Found {
    reader: Option<(PartId, TextReader)>,
    is_over: bool,
    lines: Vec<Box<str>>,
}

impl Default for ReplyReader {
    fn default() -> Self {
        let limits = PartLimits { depth: 20, parts: 200 };
        let parts = PartReader::new(limits, HeaderDecoder::default());
        Self { parts, gathered: Gathered::default(), left: MOST_BYTES }
    }
}

impl ReplyReader {
    /// Takes the next piece of content.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        let looked_at = piece.get(..self.left).unwrap_or(piece);
        self.left -= looked_at.len();
        let gathered = &mut self.gathered;
        self.parts.feed(looked_at, &mut |event| gathered.event(&event));
    }

    /// The mail is over.
    pub(crate) fn finish(self) -> ReplyText {
        let Self { parts, mut gathered, .. } = self;
        parts.finish(&mut |event| gathered.event(&event));
        let Gathered { is_report, plain, html, .. } = gathered;
        // Some programs write the text into the HTML alone, and leave the other part empty.
        let lines = if plain.lines.is_empty() { html.lines } else { plain.lines };
        ReplyText { lines, is_report: is_report.unwrap_or(false) }
    }
}

impl ReplyText {
    /// Its lines from the top.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(AsRef::as_ref)
    }

    /// Whether this word stands in it, also where it quotes.
    pub(super) fn names(&self, word: &str) -> bool {
        self.lines.iter().any(|line| line.contains(word))
    }

    pub(crate) const fn is_report(&self) -> bool {
        self.is_report
    }
}

impl Gathered {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(part) => self.start(part),
            Event::Data { part, bytes } => {
                self.plain.data(*part, bytes);
                self.html.data(*part, bytes);
            }
            Event::End(part) => {
                self.attached.retain(|open| open != part);
                self.plain.end(*part);
                self.html.end(*part);
            }
            Event::Header { .. } | Event::Ambiguous(_) => {}
        }
    }

    fn start(&mut self, part: &Part) {
        let kind = part.content_type.as_str();
        self.is_report.get_or_insert(kind == "multipart/report");
        if part.is_container {
            if kind.starts_with("message/") {
                self.attached.push(part.id);
            }
            return;
        }
        let is_file = part.disposition.as_deref() == Some("attachment");
        if !self.attached.is_empty() || is_file {
            return;
        }
        match kind {
            "text/plain" => self.plain.start(part),
            "text/html" => self.html.start(part),
            _ => {}
        }
    }
}

impl Found {
    fn start(&mut self, part: &Part) {
        if self.reader.is_none() && !self.is_over {
            let reader = TextReader::new(part, LIMITS, Fallbacks::default());
            self.reader = reader.map(|reader| (part.id, reader));
        }
    }

    fn data(&mut self, part: PartId, bytes: &[u8]) {
        if let Some((id, reader)) = &mut self.reader
            && *id == part
        {
            reader.feed(bytes, &mut |line: &str| keep(&mut self.lines, line));
        }
    }

    fn end(&mut self, part: PartId) {
        if let Some((_, reader)) = self.reader.take_if(|(id, _)| *id == part) {
            reader.finish(&mut |line: &str| keep(&mut self.lines, line));
            self.is_over = true;
        }
    }
}

fn keep(lines: &mut Vec<Box<str>>, line: &str) {
    if lines.len() < MOST_LINES {
        lines.push(line.into());
    }
}

/// Whoever answers writes at the top.
const LIMITS: TextLimits = TextLimits { text: 64 * 1024, line: 4 * 1024, html: 512 * 1024 };

const MOST_LINES: usize = 500;

/// Bytes of an answer: what else is in it, is attached.
const MOST_BYTES: usize = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
