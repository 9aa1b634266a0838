//! The text of a mail in lines, as a person reads it: charset decoded, soft line breaks joined
//! (`format=flowed`), HTML as text, all in the form of `visible`.
//!
//! - Lines that a mail program broke hard stay broken: nobody can tell them from lines that were
//!   meant. Empty lines are left out.
//! - A line in bytes that nobody labelled is given once in each plausible reading (`Fallbacks`).
//! - HTML is tokenised as browsers do. Block elements and `<br>` end a line; script, style, title and
//!   comments are dropped; `alt` is text; each link is a line of its own behind the line it stands
//!   in. Text that a style sheet hides stays, since nobody but a browser can tell.
//! - A line longer than the limit comes in pieces that overlap, so that a phrase at a cut is whole in
//!   one of them.

mod flow;
mod html;
mod long;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::charset::{Charset, Decoder, Fallbacks};
use super::parts::{Event, Part, PartId};
use super::visible::visible_within;
use crate::bytes::{Lines, printable_lines_length};
use flow::Flow;
pub use html::is_block;

/// Bounds on the text of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimits {
    /// Bytes of text in UTF-8 that are given of a part; the rest is not looked at.
    pub text: usize,
    /// Bytes of a line, at least 1024; a longer one comes in overlapping pieces.
    pub line: usize,
    /// Bytes of HTML that are kept until the part ends; the rest is not looked at.
    pub html: usize,
}

impl Default for TextLimits {
    fn default() -> Self {
        Self { text: 1024 * 1024, line: 64 * 1024, html: 2 * 1024 * 1024 }
    }
}

/// Takes the lines of a text. A closure does, one line at a time.
pub trait TakeText {
    /// Takes a line: never empty, without its end, with no blanks around it.
    fn line(&mut self, line: &str);

    /// Takes several lines as they stand: with their ends, blanks around them, and empty ones. Who has nothing to ask of most
    /// of them need not part them; who has does it with [`each_line`].
    fn lines(&mut self, lines: &str) {
        each_line(lines).for_each(|line| self.line(line));
    }
}

/// The lines that several are, as [`TakeText::line`] takes them.
pub fn each_line(lines: &str) -> impl Iterator<Item = &str> {
    lines.split('\n').map(str::trim).filter(|line| !line.is_empty())
}

impl<F: FnMut(&str)> TakeText for F {
    fn line(&mut self, line: &str) {
        self(line);
    }
}

/// Turns the decoded bytes of one part into lines.
pub struct TextReader {
    source: Source,
    output: Output,
}

enum Source {
    /// The charset is known: its text goes into lines.
    Decoded(Decoder, Flow),
    /// ASCII, UTF-8 or nobody knows: each line is read in all ways.
    Guessed(Flow),
    Html(Vec<u8>),
}

impl TextReader {
    /// A reader of the part's text. `None` if it is no text: an image, an archive, an opaque part.
    #[must_use]
    pub fn new(part: &Part, limits: TextLimits, fallbacks: Fallbacks) -> Option<Self> {
        let name = part.content_type.as_str();
        let is_html = matches!(name, "text/html" | "application/xhtml+xml");
        let families = ["text/", "message/", "multipart/"];
        if !is_html && !families.iter().any(|family| name.starts_with(family)) {
            return None;
        }
        let limits = TextLimits { line: limits.line.max(1024), ..limits };
        let flow = Flow::new(part.is_flowed, part.deletes_space, limits.line);
        Some(Self::begin(is_html, part.charset, flow, limits, fallbacks))
    }

    /// A reader of a text that is no part of a mail itself: a file in an archive, or one whose bytes
    /// say more of it than its part does.
    #[must_use]
    pub fn of_file(
        is_html: bool,
        charset: Option<Charset>,
        limits: TextLimits,
        fallbacks: Fallbacks,
    ) -> Self {
        let limits = TextLimits { line: limits.line.max(1024), ..limits };
        Self::begin(is_html, charset, Flow::new(false, false, limits.line), limits, fallbacks)
    }

    fn begin(
        is_html: bool,
        declared: Option<Charset>,
        flow: Flow,
        limits: TextLimits,
        fallbacks: Fallbacks,
    ) -> Self {
        let source = match declared.filter(|&charset| charset != Charset::UTF_8) {
            _ if is_html => Source::Html(Vec::new()),
            Some(charset) => Source::Decoded(charset.decoder(), flow),
            None => Source::Guessed(flow),
        };
        let output = Output { left: limits.text, is_cut: false, declared, fallbacks, limits };
        Self { source, output }
    }

    /// Takes decoded bytes of the part and gives the lines that are complete.
    pub fn feed(&mut self, bytes: &[u8], lines: &mut dyn TakeText) {
        let Self { source, output } = self;
        if output.is_cut {
            return;
        }
        match source {
            Source::Html(gathered) => {
                let room = output.limits.html.saturating_sub(gathered.len());
                output.is_cut = bytes.len() > room;
                gathered.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
            Source::Guessed(flow) => output.lines(bytes, flow, Output::guess, lines),
            Source::Decoded(decoder, flow) => {
                let mut text = String::new();
                for piece in bytes.chunks(PIECE) {
                    decoder.feed(piece, &mut text);
                    output.lines(text.as_bytes(), flow, Output::utf8, lines);
                    text.clear();
                }
            }
        }
    }

    /// The part is over: gives what is left. True if a limit cut the text.
    pub fn finish(self, lines: &mut dyn TakeText) -> bool {
        let Self { source, mut output } = self;
        match source {
            Source::Html(gathered) => output.html(&gathered, lines),
            Source::Guessed(mut flow) => flow.finish(&mut |line| output.guess(line, lines)),
            Source::Decoded(decoder, mut flow) => {
                let mut text = String::new();
                decoder.finish(&mut text);
                flow.feed(text.as_bytes(), &mut |line| output.utf8(line, lines));
                flow.finish(&mut |line| output.utf8(line, lines));
            }
        }
        output.is_cut
    }
}

/// The text of all parts of a mail, from the events of `PartReader`.
pub struct Texts {
    limits: TextLimits,
    fallbacks: Fallbacks,
    open: BTreeMap<PartId, TextReader>,
    is_cut: bool,
}

impl Texts {
    /// Of a mail of which no event came yet.
    #[must_use]
    pub fn new(limits: TextLimits, fallbacks: Fallbacks) -> Self {
        Self { limits, fallbacks, open: BTreeMap::new(), is_cut: false }
    }

    /// Takes the next event and gives the lines of text that it completes.
    pub fn event(&mut self, event: &Event<'_>, lines: &mut dyn TakeText) {
        match event {
            Event::Start(part) => {
                let reader = TextReader::new(part, self.limits, self.fallbacks.clone());
                self.open.extend(reader.map(|reader| (part.id, reader)));
            }
            Event::Data { part, bytes } => {
                if let Some(reader) = self.open.get_mut(part) {
                    reader.feed(bytes, lines);
                }
            }
            Event::End(part) => {
                if let Some(reader) = self.open.remove(part) {
                    self.is_cut |= reader.finish(lines);
                }
            }
            Event::Header { .. } | Event::Ambiguous(_) => {}
        }
    }

    /// Whether a limit cut the text of a part that has ended.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }
}

/// Gives lines within the limits.
struct Output {
    left: usize,
    is_cut: bool,
    declared: Option<Charset>,
    fallbacks: Fallbacks,
    limits: TextLimits,
}

impl Output {
    /// Gives the lines of a piece of text: those that are plain together, and each of the others as `read` does.
    fn lines(
        &mut self,
        bytes: &[u8],
        flow: &mut Flow,
        read: fn(&mut Self, &[u8], &mut dyn TakeText),
        lines: &mut dyn TakeText,
    ) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_cut {
            let (mut taken, mut printable) = (0, 0);
            if flow.is_between_lines() {
                printable = printable_lines_length(rest);
                taken = self.plain(rest.get(..printable).unwrap_or_default(), lines);
            }
            let other = memchr::memchr(b'\n', rest.get(printable..).unwrap_or_default());
            let end = other.map_or(rest.len(), |end| printable + end + 1);
            let line = rest.get(taken..end).unwrap_or_default();
            flow.feed(line, &mut |line| read(self, line, lines));
            rest = rest.get(end..).unwrap_or_default();
        }
    }

    fn utf8(&mut self, line: &[u8], lines: &mut dyn TakeText) {
        match std::str::from_utf8(line) {
            Ok(line) => self.give(line, lines),
            // A long line may have been cut inside of a character.
            Err(_) => self.give(&String::from_utf8_lossy(line), lines),
        }
    }

    fn guess(&mut self, line: &[u8], lines: &mut dyn TakeText) {
        if self.is_cut {
            return;
        }
        match std::str::from_utf8(line) {
            Ok(text) if memchr::memchr(0x1b, line).is_none() => self.give(text, lines),
            _ => {
                let readings = self.fallbacks.readings(line, self.declared);
                readings.iter().for_each(|reading| self.give(reading, lines));
            }
        }
    }

    /// Gives whole lines of printable ASCII, as they stand, which is what they are in every reading: but for a line that
    /// is too long, or more than may still be given. Says how many bytes they are.
    fn plain(&mut self, bytes: &[u8], lines: &mut dyn TakeText) -> usize {
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        let whole = bytes.get(..whole).unwrap_or_default();
        let Ok(text) = std::str::from_utf8(whole) else { return 0 };
        let Some(found) = Lines::of(whole, self.limits.line) else { return 0 };
        let length = match found.have_blanks_around {
            false => found.bytes,
            true => each_line(text).map(str::len).sum(),
        };
        if length > self.left {
            return 0;
        }
        if length > 0 {
            lines.lines(text);
        }
        self.left -= length;
        whole.len()
    }

    fn html(&mut self, source: &[u8], lines: &mut dyn TakeText) {
        for reading in self.html_readings(source) {
            html::lines(&reading, self.limits.line, &mut |line| {
                self.give(&String::from_utf8_lossy(line), lines);
                !self.is_cut
            });
        }
    }

    fn html_readings(&self, source: &[u8]) -> Vec<String> {
        let labelled = self.declared.or_else(|| html::marked(source));
        if let Some(charset) = labelled.filter(|&charset| charset != Charset::UTF_8) {
            return vec![charset.decode(source)];
        }
        let mut readings = self.fallbacks.readings(source, labelled);
        if let (None, Some(charset)) = (labelled, html::declared(source)) {
            let text = charset.decode(source);
            readings.retain(|reading| *reading != text);
            readings.insert(0, text);
        }
        readings
    }

    fn give(&mut self, line: &str, lines: &mut dyn TakeText) {
        if self.is_cut {
            return;
        }
        // A byte of a one-byte charset takes up to three in UTF-8.
        self.show(&visible_within(line, self.limits.line.saturating_mul(3)), lines);
    }

    /// Gives a line in the form of `visible`.
    fn show(&mut self, line: &str, lines: &mut dyn TakeText) {
        if self.is_cut {
            return;
        }
        let line = line.trim();
        let shown = line.get(..line.floor_char_boundary(self.left)).unwrap_or(line);
        self.is_cut = shown.len() < line.len();
        self.left -= shown.len();
        let shown = shown.trim_end();
        if !shown.is_empty() {
            lines.line(shown);
        }
    }
}

/// Bytes that are decoded at once.
const PIECE: usize = 8 * 1024;
