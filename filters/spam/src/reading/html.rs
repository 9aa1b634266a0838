//! HTML: what of it is seen, what it is made of and where it leads, by the tokens that browsers see (`markup`).
//!
//! Block elements and `<br>` end a line; script, style and title are left out; elements within a line do not part a word,
//! nor does text between that is hidden (`sight`).

use std::borrow::Cow;

use mailweir_content::decode::{
    charset::{Charset, Fallbacks},
    parts::{Part, PartId},
    text::is_block,
    visible,
};

use super::line::Line;
use super::links::Links;
use super::markup::{Markup, Piece};
use super::parts::{LONGEST_LINE, tell_text};
use super::sight::{Page, Sight};
use super::{Element, LONGEST_SHOWN, Limits, Link, Listener, Origin, Run, Source, Text};

/// The HTML of a part that is not over.
pub(super) struct Html {
    part: PartId,
    charset: Option<Charset>,
    source: Vec<u8>,
    limits: Limits,
    is_cut: bool,
}

impl Html {
    pub(super) const fn new(part: &Part, limits: Limits) -> Self {
        Self { part: part.id, charset: part.charset, source: Vec::new(), limits, is_cut: false }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let room = self.limits.html.saturating_sub(self.source.len());
        self.is_cut |= bytes.len() > room;
        self.source.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Tells all of it. True if a limit cut it.
    pub(super) fn finish(
        self,
        fallbacks: &Fallbacks,
        links: &mut Links,
        listener: &mut dyn Listener,
    ) -> bool {
        let text = self.text(fallbacks);
        let mut writer = Writer::new(self.part, self.limits.text, links, listener);
        let mut markup = Markup::new(&text);
        let mut element = Element::default();
        while let Some(piece) = markup.next(&mut element)
            && !writer.is_over
        {
            match piece {
                Piece::Text(text) if !writer.is_dropped => writer.run(text),
                Piece::Start => writer.start(&element),
                Piece::End => writer.end(element.name()),
                Piece::Comment(comment) => writer.listener.comment(comment),
                Piece::Text(_) => {}
            }
        }
        writer.end_line();
        writer.end_anchor();
        self.is_cut || writer.is_over
    }

    /// The charset of the part before the one that the document declares, as browsers have it.
    fn text(&self, fallbacks: &Fallbacks) -> Cow<'_, str> {
        let is_utf8 = |charset: Charset| charset == Charset::UTF_8;
        match self.charset.or_else(|| declared(&self.source)).filter(|charset| !is_utf8(*charset)) {
            Some(charset) => Cow::Owned(charset.decode(&self.source)),
            // Escapes may be those of a charset of seven bits.
            None if memchr::memchr2(0x0e, 0x1b, &self.source).is_some() => {
                Cow::Owned(fallbacks.best(&self.source, None))
            }
            None => match std::str::from_utf8(&self.source) {
                Ok(text) => Cow::Borrowed(text),
                Err(_) => Cow::Owned(fallbacks.best(&self.source, None)),
            },
        }
    }
}

/// The charset that a document seems to declare in its first bytes (WHATWG: the prescan, as a search for `charset=`).
fn declared(source: &[u8]) -> Option<Charset> {
    let head = source.get(..PRESCAN).unwrap_or(source);
    let at = memchr::memmem::find_iter(head, b"charset=").next()?;
    let label = head.get(at + b"charset=".len()..)?;
    let label = label.strip_prefix(b"\"").or_else(|| label.strip_prefix(b"'")).unwrap_or(label);
    let end = label.iter().position(|byte| b"\"' >;/\r\n".contains(byte))?;
    Charset::for_label(label.get(..end)?)
}

struct Writer<'a> {
    part: PartId,
    links: &'a mut Links,
    listener: &'a mut dyn Listener,
    seen: Line,
    unseen: Line,
    /// Bytes of text that may still be told.
    left: usize,
    is_over: bool,
    /// Inside of script, style or title.
    is_dropped: bool,
    page: Page,
    sight: Sight,
    /// The link whose text is being written, while there is one.
    anchor: Anchor,
    has_anchor: bool,
}

/// A link with its text. Keeps its memory from link to link.
#[derive(Default)]
struct Anchor {
    address: String,
    shown: Line,
}

impl<'a> Writer<'a> {
    fn new(
        part: PartId,
        left: usize,
        links: &'a mut Links,
        listener: &'a mut dyn Listener,
    ) -> Self {
        Self {
            part,
            links,
            listener,
            seen: Line::default(),
            unseen: Line::default(),
            left,
            is_over: false,
            is_dropped: false,
            page: Page::new(),
            sight: Sight::Seen,
            anchor: Anchor::default(),
            has_anchor: false,
        }
    }

    fn start(&mut self, element: &Element) {
        let name = element.name();
        if is_block(name.as_bytes()) {
            self.end_line();
        } else if matches!(name, "td" | "th") {
            self.line().has_space = true;
        } else if name == "a" {
            self.end_anchor();
        }
        self.listener.element(element);
        self.page.start(element);
        self.look();
        self.lead(element);
        self.is_dropped = matches!(name, "script" | "style" | "title");
    }

    fn end(&mut self, name: &str) {
        self.is_dropped = false;
        if is_block(name.as_bytes()) {
            self.end_line();
        } else if name == "a" {
            self.end_anchor();
        }
        self.listener.end_element(name);
        self.page.end(name);
        self.look();
    }

    /// What one element hides is not joined to what another does.
    fn look(&mut self) {
        let before = std::mem::replace(&mut self.sight, self.page.sight());
        self.unseen.has_space |= before == Sight::Hidden && self.sight != Sight::Hidden;
    }

    /// Tells where an element leads.
    fn lead(&mut self, element: &Element) {
        for (attribute, value) in element.attributes() {
            let origin = match (attribute.as_bytes(), element.name().as_bytes()) {
                (b"href", b"a" | b"area") => Origin::Anchor,
                (b"src", b"img" | b"input") | (b"background", _) => Origin::Image,
                (b"action", b"form") | (b"formaction", _) => Origin::Form,
                (b"href" | b"src", _) => Origin::Other,
                (b"alt", _) => {
                    self.string(value);
                    continue;
                }
                _ => continue,
            };
            let address = address(value);
            if address.is_empty() || address.starts_with('#') {
                continue;
            }
            if element.name() == "a" {
                self.begin_anchor(&address);
            } else {
                self.listener.link(&Link { origin, address: &address, shown: "" });
            }
        }
    }

    fn begin_anchor(&mut self, address: &str) {
        self.has_anchor = true;
        self.anchor.address.clear();
        self.anchor.address.push_str(address);
        self.anchor.shown.text.clear();
        self.anchor.shown.has_space = false;
    }

    fn end_anchor(&mut self) {
        if !std::mem::take(&mut self.has_anchor) {
            return;
        }
        let shown = visible(&self.anchor.shown.text);
        let end = shown.floor_char_boundary(LONGEST_SHOWN);
        let shown = shown.get(..end).unwrap_or_default().trim();
        let address = &self.anchor.address;
        self.listener.link(&Link { origin: Origin::Anchor, address, shown });
    }

    fn run(&mut self, text: &str) {
        self.listener.run(&Run { part: self.part, text, sight: self.sight });
        self.string(text);
    }

    fn string(&mut self, text: &str) {
        let shown = &mut self.anchor.shown;
        if self.has_anchor && self.sight != Sight::Hidden && shown.text.len() < LONGEST_SHOWN {
            let end = text.floor_char_boundary(LONGEST_SHOWN);
            shown.extend(text.get(..end).unwrap_or(text));
        }
        let mut rest = text;
        while !rest.is_empty() && !self.is_over {
            let room = LONGEST_LINE.saturating_sub(self.line().text.len()).max(4);
            let (now, later) = rest.split_at(rest.floor_char_boundary(room));
            self.line().extend(now);
            rest = later;
            if !rest.is_empty() {
                self.end_line();
            }
        }
    }

    const fn line(&mut self) -> &mut Line {
        match self.sight {
            Sight::Hidden => &mut self.unseen,
            Sight::Seen | Sight::Invisible => &mut self.seen,
        }
    }

    fn end_line(&mut self) {
        // As between most elements.
        if self.seen.text.is_empty() && self.unseen.text.is_empty() {
            (self.seen.has_space, self.unseen.has_space) = (false, false);
            return;
        }
        let unseen = std::mem::take(&mut self.unseen);
        self.unseen = self.give(unseen, Source::Hidden);
        let seen = std::mem::take(&mut self.seen);
        self.seen = self.give(seen, Source::Html);
    }

    /// Tells a line, and gives its memory back.
    fn give(&mut self, mut line: Line, source: Source) -> Line {
        let text = visible(&line.text);
        let text = text.trim();
        if !text.is_empty() && !self.is_over {
            let end = text.floor_char_boundary(self.left);
            self.is_over = end < text.len();
            self.left = self.left.saturating_sub(end);
            let text = text.get(..end).unwrap_or_default().trim_end();
            if !text.is_empty() {
                let told =
                    Text { part: self.part, source, line: text, links: self.links.find(text) };
                tell_text(&told, self.listener);
            }
        }
        line.text.clear();
        line.has_space = false;
        line
    }
}

/// The address that the value of an attribute is: browsers ignore tabs and line ends in the midst of it.
fn address(value: &str) -> Cow<'_, str> {
    let address = value.trim();
    if memchr::memchr3(b'\t', b'\r', b'\n', address.as_bytes()).is_none() {
        return Cow::Borrowed(address);
    }
    Cow::Owned(address.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect())
}

/// HTML: a charset is declared within the first 1024 bytes; programs look further.
const PRESCAN: usize = 4096;
