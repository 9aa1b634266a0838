//! The parts of a mail as they come: which of them are text, and of what kind.

use std::collections::BTreeMap;

use mailweir_content::decode::{
    charset::Fallbacks,
    headers::HeaderDecoder,
    parts::{Event, Part, PartId},
    text::{TakeText, TextLimits, TextReader, each_line},
};

use super::html::Html;
use super::links::Links;
use super::{Field, Limits, Link, Listener, Origin, Source, Text, Trouble};

/// A mail that is being read.
pub(super) struct Reading {
    limits: Limits,
    fallbacks: Fallbacks,
    decoder: HeaderDecoder,
    open: BTreeMap<PartId, Open>,
    links: Links,
    fields: usize,
    field_bytes: usize,
    parts: u32,
    texts: usize,
}

/// A part whose text is read.
enum Open {
    Plain(Box<TextReader>),
    Html(Html),
    /// What stands between the parts of a container is for programs that know no parts. If none begins behind the first
    /// so many, it is all there is.
    Container {
        reader: Box<TextReader>,
        held: Vec<u8>,
        before: u32,
    },
}

impl Reading {
    pub(super) fn new(limits: Limits, fallbacks: Fallbacks, decoder: HeaderDecoder) -> Self {
        Self {
            limits,
            fallbacks,
            decoder,
            open: BTreeMap::new(),
            links: Links::default(),
            fields: 0,
            field_bytes: 0,
            parts: 0,
            texts: 0,
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>, listener: &mut dyn Listener) {
        match event {
            Event::Header { depth, text } => self.field(*depth, text, listener),
            Event::Start(part) => self.start(part, listener),
            Event::Data { part, bytes } => self.data(*part, bytes, listener),
            Event::End(part) => self.end(*part, listener),
            Event::Ambiguous(ambiguity) => listener.trouble(Trouble::Ambiguous(*ambiguity)),
        }
    }

    fn field(&mut self, depth: usize, text: &[u8], listener: &mut dyn Listener) {
        self.fields = self.fields.saturating_add(1);
        self.field_bytes = self.field_bytes.saturating_add(text.len());
        let has_room =
            self.fields <= self.limits.fields && self.field_bytes <= self.limits.field_bytes;
        if !has_room {
            if self.fields != usize::MAX {
                listener.trouble(Trouble::TooManyFields);
            }
            // Said once: no later field has room either.
            self.fields = usize::MAX;
            return;
        }
        if let Some(reading) = HeaderDecoder::plain(text) {
            return tell_field(depth, text, &reading, listener);
        }
        let reading = self.decoder.field(text).into_iter().next();
        tell_field(depth, text, &reading.unwrap_or_default(), listener);
    }

    fn start(&mut self, part: &Part, listener: &mut dyn Listener) {
        listener.part(part);
        let before = self.parts;
        self.parts = self.parts.saturating_add(1);
        let Some(open) = self.reader(part, before) else { return };
        self.texts = self.texts.saturating_add(1);
        if self.texts <= self.limits.texts {
            self.open.insert(part.id, open);
        } else if self.texts == self.limits.texts.saturating_add(1) {
            listener.trouble(Trouble::TooManyTexts);
        }
    }

    fn reader(&self, part: &Part, before: u32) -> Option<Open> {
        if is_html(part) {
            return Some(Open::Html(Html::new(part, self.limits)));
        }
        let limits = TextLimits { text: self.limits.text, line: LONGEST_LINE, html: 0 };
        let reader = Box::new(TextReader::new(part, limits, self.fallbacks.clone())?);
        Some(match part.is_container {
            true => Open::Container { reader, held: Vec::new(), before },
            false => Open::Plain(reader),
        })
    }

    fn data(&mut self, part: PartId, bytes: &[u8], listener: &mut dyn Listener) {
        listener.data(part, bytes);
        match self.open.get_mut(&part) {
            Some(Open::Plain(reader)) => {
                reader.feed(bytes, &mut Plain { part, links: &mut self.links, listener });
            }
            Some(Open::Html(html)) => html.feed(bytes),
            Some(Open::Container { held, before, .. }) if self.parts == *before + 1 => {
                let room = LONGEST_PREAMBLE.saturating_sub(held.len());
                held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
            Some(Open::Container { .. }) | None => {}
        }
    }

    fn end(&mut self, part: PartId, listener: &mut dyn Listener) {
        if let Some(open) = self.open.remove(&part) {
            self.end_text(part, open, listener);
        }
        listener.end_part(part);
    }

    fn end_text(&mut self, part: PartId, open: Open, listener: &mut dyn Listener) {
        let mut plain = Plain { part, links: &mut self.links, listener };
        let is_cut = match open {
            Open::Plain(reader) => reader.finish(&mut plain),
            Open::Html(html) => html.finish(&self.fallbacks, plain.links, plain.listener),
            Open::Container { mut reader, held, before } if self.parts == before + 1 => {
                reader.feed(&held, &mut plain);
                reader.finish(&mut plain)
            }
            Open::Container { .. } => false,
        };
        if is_cut {
            listener.trouble(Trouble::LongText);
        }
    }
}

/// Tells lines of text that is no HTML.
struct Plain<'a> {
    part: PartId,
    links: &'a mut Links,
    listener: &'a mut dyn Listener,
}

impl TakeText for Plain<'_> {
    fn line(&mut self, line: &str) {
        let links = self.links.find(line);
        let text = Text { part: self.part, source: Source::Plain, line, links };
        tell_text(&text, self.listener);
    }

    fn lines(&mut self, lines: &str) {
        if Links::may_be_in(lines) {
            return each_line(lines).for_each(|line| self.line(line));
        }
        for line in each_line(lines) {
            let part = self.part;
            self.listener.text(&Text { part, source: Source::Plain, line, links: &[] });
        }
    }
}

/// A line, and the links that it has.
pub(super) fn tell_text(text: &Text<'_>, listener: &mut dyn Listener) {
    listener.text(text);
    for link in text.links {
        let address = text.line.get(link.clone()).unwrap_or_default();
        listener.link(&Link { origin: Origin::Text, address, shown: "" });
    }
}

fn tell_field(depth: usize, text: &[u8], reading: &str, listener: &mut dyn Listener) {
    let colon = memchr::memchr(b':', text).map_or(text.len(), |at| at + 1);
    let raw = text.get(colon..).unwrap_or_default();
    if let Some((name, value)) = reading.split_once(':') {
        listener.field(&Field { depth, name: name.trim(), value: value.trim(), raw });
    }
}

fn is_html(part: &Part) -> bool {
    !part.is_container
        && matches!(part.content_type.as_str(), "text/html" | "application/xhtml+xml")
}

/// A longer line comes in pieces that overlap: to those who count words that is nearly nothing.
pub(super) const LONGEST_LINE: usize = 16 * 1024;

/// A multipart without parts is a mail that somebody cut, or one that lies about its type.
const LONGEST_PREAMBLE: usize = 64 * 1024;
