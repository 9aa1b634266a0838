//! The parts of a mail as they come: which are its text, which are files, which are mails.

use std::collections::BTreeMap;

use mailweir_content::decode::{
    charset::Charset,
    headers::HeaderDecoder,
    parts::{Ambiguity, Event, Part, PartId},
    text::{TextLimits, TextReader},
};

use super::fallbacks;
use super::fields::{Fields, Name, readings};
use crate::file::{self, Blob};
use crate::harvest::Harvest;
use crate::{File, Origin, Reason};

/// A mail that is being read.
pub(super) struct Reading<'h, 'l> {
    harvest: &'h mut Harvest<'l>,
    /// What text of the mail itself is.
    origin: Origin,
    fields: Fields,
    open: BTreeMap<PartId, Open>,
    /// The attached mails that are open. Their names stand in the path, in this order.
    mails: Vec<PartId>,
    /// Where in the path they begin.
    base: usize,
    /// How many bytes the open parts hold.
    held: usize,
    parts: u32,
    /// How many bytes of parts came, however many of them are held.
    bytes: u64,
}

/// A part that is not over.
struct Open {
    part: Part,
    bytes: Vec<u8>,
    size: u64,
    /// How many parts had begun before, and how many bytes of parts were there.
    before: u32,
    bytes_before: u64,
}

impl<'h, 'l> Reading<'h, 'l> {
    pub(super) fn new(origin: Origin, harvest: &'h mut Harvest<'l>) -> Self {
        let base = harvest.path_len();
        Self {
            harvest,
            origin,
            fields: Fields::default(),
            open: BTreeMap::new(),
            mails: Vec::new(),
            base,
            held: 0,
            parts: 0,
            bytes: 0,
        }
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Header { depth: 0, text } if self.origin == Origin::Body => {
                self.fields.take(text);
            }
            Event::Header { text, .. } => self.inner_field(text),
            Event::Start(part) => self.start(part),
            Event::Data { part, bytes } => self.data(*part, bytes),
            Event::End(part) => self.end(*part),
            Event::Ambiguous(Ambiguity::TooDeep) => self.harvest.mark(Reason::TooDeep),
            Event::Ambiguous(Ambiguity::TooManyParts | Ambiguity::TooManyReadings) => {
                self.harvest.mark(Reason::TooLarge);
            }
            Event::Ambiguous(_) => {}
        }
    }

    pub(super) fn finish(self) -> Fields {
        self.fields
    }

    /// A field of an attached mail is text like the rest of it.
    fn inner_field(&mut self, field: &[u8]) {
        let Some((_, value)) = Name::of(field) else { return };
        let name = field.get(..field.len() - value.len()).unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        self.harvest.set_origin(Origin::Mail);
        for reading in readings(value, &HeaderDecoder::new(fallbacks())) {
            self.harvest.push_line(&format!("{} {reading}", name.trim()));
        }
    }

    fn start(&mut self, part: &Part) {
        if part.content_type.starts_with("text/") {
            self.fields.declared = self.fields.declared.or(part.charset);
        }
        if is_mail(part) {
            self.harvest.enter(part.names.first().map_or("", String::as_str));
            self.mails.push(part.id);
        }
        let before = self.parts;
        self.parts += 1;
        let bytes_before = self.bytes;
        let open = Open { part: part.clone(), bytes: Vec::new(), size: 0, before, bytes_before };
        self.open.insert(part.id, open);
    }

    fn data(&mut self, part: PartId, bytes: &[u8]) {
        let Some(open) = self.open.get_mut(&part) else { return };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        open.size = open.size.saturating_add(size);
        self.bytes = self.bytes.saturating_add(size);
        let room = self.harvest.limits().mail.saturating_mul(2).saturating_sub(self.held);
        let kept = bytes.get(..room).unwrap_or(bytes);
        self.held += kept.len();
        open.bytes.extend_from_slice(kept);
    }

    fn end(&mut self, id: PartId) {
        let Some(open) = self.open.remove(&id) else { return };
        self.held -= open.bytes.len();
        let is_cut = u64::try_from(open.bytes.len()).is_ok_and(|held| held < open.size);
        if is_mail(&open.part) {
            if let Some(at) = self.mails.iter().position(|mail| *mail == id) {
                self.mails.remove(at);
                self.harvest.leave(self.base + at);
            }
            self.name(&open);
        } else if open.part.is_container {
            // What stands between the parts is for programs that know no parts; without parts it is
            // all there is.
            if self.parts == open.before + 1 {
                self.text(&open);
            }
        } else if is_text(&open.part) {
            self.text(&open);
            if is_cut {
                self.harvest.mark(Reason::TooLarge);
            }
        } else {
            self.file(&open, is_cut);
        }
    }

    /// An attached mail is a file too, as large as what its parts hold.
    fn name(&mut self, open: &Open) {
        let size = self.bytes - open.bytes_before;
        self.harvest.file(File { kind: "eml".to_owned(), size, ..file_of(open) });
    }

    fn file(&mut self, open: &Open, is_cut: bool) {
        let charset = open.part.charset;
        let blob = Blob { bytes: &open.bytes, charset, is_cut };
        file::read(file_of(open), &blob, self.harvest);
    }

    fn text(&mut self, open: &Open) {
        let is_html = open.part.content_type.contains("html");
        let is_inner = self.origin == Origin::Mail || !self.mails.is_empty();
        let origin = match (is_inner, is_html) {
            (true, _) => Origin::Mail,
            (false, true) => Origin::Html,
            (false, false) => Origin::Body,
        };
        let limits = text_limits(self.harvest);
        let Some(mut reader) = TextReader::new(&open.part, limits, fallbacks()) else { return };
        if !self.harvest.work(open.bytes.len()) {
            return;
        }
        self.harvest.set_origin(origin);
        let harvest = &mut *self.harvest;
        reader.feed(&open.bytes, &mut |line: &str| harvest.push_line(line));
        let is_cut = reader.finish(&mut |line: &str| harvest.push_line(line));
        mark_text(&open.bytes, open.part.charset, is_cut, harvest);
    }
}

/// Bounds on the text that is read next.
pub(crate) fn text_limits(harvest: &Harvest<'_>) -> TextLimits {
    TextLimits { text: harvest.text_room(), line: LONGEST_LINE, html: harvest.limits().held }
}

/// Marks what is wrong with a text.
pub(crate) fn mark_text(
    bytes: &[u8],
    charset: Option<Charset>,
    is_cut: bool,
    harvest: &mut Harvest<'_>,
) {
    if is_cut {
        harvest.mark(Reason::TooLarge);
    }
    // A text that was cut may end in the midst of a character.
    let is_whole = |error: std::str::Utf8Error| error.error_len().is_some();
    let is_guessed = charset.is_none_or(|charset| charset == Charset::UTF_8);
    if is_guessed && std::str::from_utf8(bytes).is_err_and(is_whole) {
        harvest.mark(Reason::UnknownCharset);
    }
}

fn file_of(open: &Open) -> File {
    let mut names = open.part.names.iter().cloned();
    File {
        name: names.next().unwrap_or_default(),
        other_names: names.collect(),
        media_type: open.part.content_type.clone(),
        size: open.size,
        ..File::default()
    }
}

fn is_mail(part: &Part) -> bool {
    part.is_container && part.content_type.starts_with("message/")
}

/// Whether a part is shown with the mail, and not beside it.
fn is_text(part: &Part) -> bool {
    let is_attached = part.disposition.as_deref() == Some("attachment") || !part.names.is_empty();
    let families = ["text/", "message/", "multipart/"];
    let is_text = families.iter().any(|family| part.content_type.starts_with(family));
    is_text && !is_attached
}

/// A longer line comes in pieces that overlap.
const LONGEST_LINE: usize = 1 << 20;
