//! HTML to lines of text, by the tokens that browsers see (`html5gum`).

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, State, Tokenizer};

use super::super::charset::Charset;
use super::long::take_piece;

/// Gives the lines of a document until `give` says that it is enough.
///
/// In a drawing or a formula (`<svg>`, `<math>`) style, script and the like hold markup, and a
/// paragraph in them is shown: their content is read once more, as markup.
pub(super) fn lines(source: &str, limit: usize, give: &mut dyn FnMut(&[u8]) -> bool) {
    let raw = read(source, true, limit, give);
    if !raw.is_empty() {
        read(&String::from_utf8_lossy(&raw), false, limit, give);
    }
}

/// One reading, in which some elements have no markup, or all have. Gives what stood in those without,
/// behind the first drawing or formula.
fn read(
    source: &str,
    has_raw_elements: bool,
    limit: usize,
    give: &mut dyn FnMut(&[u8]) -> bool,
) -> Vec<u8> {
    let mut writer = Writer::new(has_raw_elements, limit, give);
    let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| writer.take(&event));
    let mut tokenizer = Tokenizer::new_with_emitter(source, emitter);
    while let Some(Ok(next)) = tokenizer.next() {
        match next {
            Next::Switch(state) => tokenizer.set_state(state),
            Next::Stop => break,
        }
    }
    drop(tokenizer);
    writer.end_line();
    writer.raw
}

/// The charset that a byte order mark tells: there is no other reading.
pub(super) fn marked(source: &[u8]) -> Option<Charset> {
    let label: &[u8] = match source {
        [0xef, 0xbb, 0xbf, ..] => b"utf-8",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => b"utf-16",
        _ => return None,
    };
    Charset::for_label(label)
}

/// The charset that a document seems to declare in its first bytes (WHATWG: the prescan, simplified to
/// a search for `charset=`, so it may stand in a comment and mean nothing).
pub(super) fn declared(source: &[u8]) -> Option<Charset> {
    let head = source.get(..PRESCAN).unwrap_or(source).to_ascii_lowercase();
    let at = memchr::memmem::find(&head, b"charset")? + b"charset".len();
    let rest = head.get(at..)?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest.iter().position(|byte| b"\"' >;/\r\n".contains(byte));
    Charset::for_label(rest.get(..end?)?)
}

/// What the tokenizer has to do next.
enum Next {
    Switch(State),
    Stop,
}

struct Writer<'a> {
    limit: usize,
    give: &'a mut dyn FnMut(&[u8]) -> bool,
    is_over: bool,
    line: Vec<u8>,
    has_space: bool,
    /// Links of the line that is being written.
    links: Vec<Vec<u8>>,
    tag: Vec<u8>,
    attribute: Attribute,
    /// Inside of an element whose text nobody sees.
    is_dropped: bool,
    /// Inside of an element without markup.
    is_raw: bool,
    has_raw_elements: bool,
    /// A drawing or a formula was begun.
    has_foreign: bool,
    /// What stood in elements without markup since.
    raw: Vec<u8>,
    preformatted: usize,
}

#[derive(Clone, Copy)]
enum Attribute {
    Link,
    Text,
    Other,
}

impl<'a> Writer<'a> {
    fn new(has_raw_elements: bool, limit: usize, give: &'a mut dyn FnMut(&[u8]) -> bool) -> Self {
        Self {
            limit,
            give,
            is_over: false,
            line: Vec::new(),
            has_space: false,
            links: Vec::new(),
            tag: Vec::new(),
            attribute: Attribute::Other,
            is_dropped: false,
            is_raw: false,
            has_raw_elements,
            has_foreign: false,
            raw: Vec::new(),
            preformatted: 0,
        }
    }

    fn take(&mut self, event: &CallbackEvent<'_>) -> Option<Next> {
        let mut next = None;
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tag.clear();
                self.tag.extend_from_slice(name);
                if is_block(name) {
                    self.end_line();
                }
            }
            CallbackEvent::AttributeName { name } => {
                self.attribute = match *name {
                    b"href" | b"action" | b"src" => Attribute::Link,
                    b"alt" => Attribute::Text,
                    _ => Attribute::Other,
                };
            }
            CallbackEvent::AttributeValue { value } => match self.attribute {
                Attribute::Link => self.link(value),
                Attribute::Text => self.text(value),
                Attribute::Other => {}
            },
            CallbackEvent::CloseStartTag { .. } => next = self.start().map(Next::Switch),
            CallbackEvent::EndTag { name } => self.end(name),
            CallbackEvent::String { value } => self.string(value),
            CallbackEvent::Comment { .. }
            | CallbackEvent::Doctype { .. }
            | CallbackEvent::Error(_) => {}
        }
        if self.is_over { Some(Next::Stop) } else { next }
    }

    /// A start tag is complete. The states are those of browsers without scripts, as mail programs
    /// are, so that what stands in `noscript` is markup.
    fn start(&mut self) -> Option<State> {
        match self.tag.as_slice() {
            b"td" | b"th" => self.has_space = true,
            b"pre" => self.preformatted += 1,
            b"svg" | b"math" => self.has_foreign = true,
            _ => {}
        }
        if !self.has_raw_elements {
            return None;
        }
        self.is_dropped = matches!(self.tag.as_slice(), b"script" | b"style" | b"title");
        let state = match self.tag.as_slice() {
            b"textarea" | b"title" => Some(State::RcData),
            b"plaintext" => Some(State::PlainText),
            b"script" => Some(State::ScriptData),
            b"style" | b"iframe" | b"xmp" | b"noembed" | b"noframes" => Some(State::RawText),
            _ => None,
        };
        self.is_raw = state.is_some();
        state
    }

    fn end(&mut self, name: &[u8]) {
        (self.is_raw, self.is_dropped) = (false, false);
        if name == b"pre" {
            self.preformatted = self.preformatted.saturating_sub(1);
        }
        if is_block(name) {
            self.end_line();
        }
    }

    fn string(&mut self, text: &[u8]) {
        if self.is_raw && self.has_foreign {
            self.raw.extend_from_slice(text);
        }
        if !self.is_dropped {
            self.text(text);
        }
    }

    fn text(&mut self, text: &[u8]) {
        for run in text.split_inclusive(u8::is_ascii_whitespace) {
            let (word, blank) = match run.split_last() {
                Some((blank, word)) if blank.is_ascii_whitespace() => (word, Some(*blank)),
                _ => (run, None),
            };
            if !word.is_empty() {
                if std::mem::take(&mut self.has_space) && !self.line.is_empty() {
                    self.line.push(b' ');
                }
                word.chunks(self.limit).for_each(|piece| self.extend(piece));
            }
            match blank {
                Some(b'\n') if self.preformatted > 0 => self.end_line(),
                Some(_) => self.has_space = true,
                None => {}
            }
        }
    }

    fn extend(&mut self, piece: &[u8]) {
        self.line.extend_from_slice(piece);
        while self.line.len() >= self.limit {
            let piece = take_piece(&mut self.line, self.limit);
            self.give(&piece);
        }
    }

    /// Browsers ignore tabs and line ends in the midst of a link.
    fn link(&mut self, value: &[u8]) {
        let value = value.trim_ascii();
        let is_address = !value.starts_with(b"#")
            && !value.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"data:"));
        if is_address {
            if self.links.len() == MOST_LINKS {
                self.give_links();
            }
            let value = value.get(..LONGEST_LINK).unwrap_or(value).iter().copied();
            self.links.push(value.filter(|byte| !matches!(byte, b'\t' | b'\r' | b'\n')).collect());
        }
    }

    fn end_line(&mut self) {
        self.has_space = false;
        let line = std::mem::take(&mut self.line);
        self.give(&line);
        self.give_links();
    }

    fn give_links(&mut self) {
        for link in std::mem::take(&mut self.links) {
            self.give(&link);
        }
    }

    fn give(&mut self, line: &[u8]) {
        if !self.is_over && !line.is_empty() {
            self.is_over = !(self.give)(line);
        }
    }
}

/// Whether an element begins and ends on a line of its own (HTML, rendering section). Its name is in lower case.
#[must_use]
pub const fn is_block(name: &[u8]) -> bool {
    matches!(
        name,
        b"address"
            | b"article"
            | b"aside"
            | b"blockquote"
            | b"body"
            | b"br"
            | b"caption"
            | b"center"
            | b"dd"
            | b"details"
            | b"dialog"
            | b"dir"
            | b"div"
            | b"dl"
            | b"dt"
            | b"fieldset"
            | b"figcaption"
            | b"figure"
            | b"footer"
            | b"form"
            | b"frame"
            | b"h1"
            | b"h2"
            | b"h3"
            | b"h4"
            | b"h5"
            | b"h6"
            | b"head"
            | b"header"
            | b"hr"
            | b"html"
            | b"legend"
            | b"li"
            | b"main"
            | b"menu"
            | b"nav"
            | b"ol"
            | b"option"
            | b"p"
            | b"pre"
            | b"section"
            | b"summary"
            | b"table"
            | b"tbody"
            | b"tfoot"
            | b"thead"
            | b"tr"
            | b"ul"
    )
}

/// HTML: a charset is declared within the first 1024 bytes; programs look further.
const PRESCAN: usize = 4096;
/// More links of one line do not wait for its end.
const MOST_LINKS: usize = 256;
const LONGEST_LINK: usize = 2048;
