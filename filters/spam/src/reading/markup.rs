//! HTML taken apart as browsers do (WHATWG, tokenization), many bytes at a time: a tokenizer that follows the standard byte
//! by byte takes several times as long, and it would be most of what a mail costs.
//!
//! The same as `html5gum` finds, which a test compares, but for what nobody sees: a doctype is left out, and a script ends at the
//! first `</script>` even within comments. What references stand for is `reference`.

use super::Element;
use super::element::Name;
use super::reference::{Context, decode};

/// A document that is being taken apart.
pub(super) struct Markup<'s> {
    rest: &'s str,
    /// The element without markup that was begun, whose end tag alone is markup.
    raw: Option<Raw>,
    text: String,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text, with its references decoded.
    Text(&'a str),
    /// The element that was handed over has been filled.
    Start,
    /// The element that was handed over has the name of an end tag.
    End,
    Comment(&'a str),
}

/// An element without markup inside.
#[derive(Clone, Copy)]
struct Raw {
    name: &'static str,
    has_references: bool,
}

impl<'s> Markup<'s> {
    pub(super) const fn new(source: &'s str) -> Self {
        Self { rest: source, raw: None, text: String::new() }
    }

    /// The next piece; `None` at the end.
    pub(super) fn next(&mut self, element: &mut Element) -> Option<Piece<'_>> {
        loop {
            let length = match self.raw {
                Some(raw) => raw_end(self.rest, raw.name),
                None => tag_begin(self.rest),
            };
            if length > 0 {
                let has_references = self.raw.is_none_or(|raw| raw.has_references);
                return Some(Piece::Text(self.take_text(length, has_references)));
            }
            self.raw = None;
            let inside = self.rest.strip_prefix('<')?;
            let name = inside.strip_prefix('/');
            if name.unwrap_or(inside).starts_with(|first: char| first.is_ascii_alphabetic()) {
                // A tag that does not end is none, and nothing stands behind it.
                self.rest = tag(name.unwrap_or(inside), element).unwrap_or_default();
                if self.rest.is_empty() && !element.is_whole() {
                    return None;
                }
                if name.is_some() {
                    return Some(Piece::End);
                }
                self.raw = raw(element.name());
                return Some(Piece::Start);
            }
            if let Some(comment) = self.take_comment(inside) {
                return Some(Piece::Comment(comment));
            }
        }
    }

    fn take_text(&mut self, length: usize, has_references: bool) -> &str {
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        if !has_references || memchr::memchr(b'&', text.as_bytes()).is_none() {
            return text;
        }
        self.text.clear();
        decode(text, Context::Text, &mut self.text);
        &self.text
    }

    /// What begins with `<!`, `<?` or `</` and is no tag. `None`: a doctype, or nothing.
    fn take_comment(&mut self, inside: &'s str) -> Option<&'s str> {
        if let Some(text) = inside.strip_prefix("!--") {
            let (comment, rest) = split_comment(text);
            self.rest = rest;
            return Some(comment);
        }
        let is_doctype = inside.get(1..8).is_some_and(|name| name.eq_ignore_ascii_case("doctype"));
        let end = memchr::memchr(b'>', inside.as_bytes()).unwrap_or(inside.len());
        let comment = inside.get(..end).unwrap_or_default();
        self.rest = inside.get(end + 1..).unwrap_or_default();
        let is_nothing = comment == "/" || is_doctype;
        let text = comment.strip_prefix(['!', '/']).unwrap_or(comment);
        (!is_nothing).then_some(text)
    }
}

/// How much text stands before what may be a tag, an end or a comment.
fn tag_begin(text: &str) -> usize {
    // Most tags stand behind each other.
    if let [b'<', b'a'..=b'z' | b'A'..=b'Z', ..] | [b'<', b'/', _, ..] = text.as_bytes() {
        return 0;
    }
    let is_begin = |at: &usize| match text.as_bytes().get(at + 1) {
        Some(b'/') => text.len() > at + 2,
        Some(next) => next.is_ascii_alphabetic() || matches!(next, b'!' | b'?'),
        None => false,
    };
    memchr::memchr_iter(b'<', text.as_bytes()).find(is_begin).unwrap_or(text.len())
}

/// How much text stands before the end tag of an element without markup.
fn raw_end(text: &str, name: &str) -> usize {
    let is_end = |at: &usize| {
        let tag = text.get(at + 1..).and_then(|tag| tag.strip_prefix('/'));
        let Some((tag, behind)) = tag.and_then(|tag| tag.split_at_checked(name.len())) else {
            return false;
        };
        let next = behind.as_bytes().first();
        let ends = next.is_some_and(|next| is_space(*next) || matches!(next, b'/' | b'>'));
        ends && tag.eq_ignore_ascii_case(name)
    };
    memchr::memchr_iter(b'<', text.as_bytes()).find(is_end).unwrap_or(text.len())
}

/// The elements whose text has no markup for programs that run no scripts.
const fn raw(name: &str) -> Option<Raw> {
    let (name, has_references) = match name.as_bytes() {
        b"title" => ("title", true),
        b"textarea" => ("textarea", true),
        b"script" => ("script", false),
        b"style" => ("style", false),
        b"iframe" => ("iframe", false),
        b"xmp" => ("xmp", false),
        b"noembed" => ("noembed", false),
        b"noframes" => ("noframes", false),
        // Nothing ends plain text: no tag has an empty name with this before it.
        b"plaintext" => ("\0", false),
        _ => return None,
    };
    Some(Raw { name, has_references })
}

/// Reads a tag behind its `<` or `</`, and gives what stands behind it; `None` if it does not end.
fn tag<'s>(source: &'s str, element: &mut Element) -> Option<&'s str> {
    element.open();
    let (name, mut rest) = split_name(source, 0, SPACE | SLASH | CLOSE)?;
    element.begin(&name);
    loop {
        rest = skip(rest, SPACE | SLASH);
        if *rest.as_bytes().first()? == b'>' {
            element.close();
            return rest.get(1..);
        }
        // A name may begin with an equals sign.
        let (name, behind) = split_name(rest, 1, SPACE | SLASH | CLOSE | EQUALS)?;
        element.add_attribute(&name);
        let behind = skip(behind, SPACE);
        rest = match behind.strip_prefix('=') {
            Some(value) => value_of(skip(value, SPACE), element)?,
            None => behind,
        };
    }
}

/// Reads the value of an attribute.
fn value_of<'s>(source: &'s str, element: &mut Element) -> Option<&'s str> {
    let (value, rest) = match source.as_bytes().first()? {
        quote @ (b'"' | b'\'') => split_once(source.get(1..)?, *quote)?,
        _ => {
            let (value, rest) = split_name(source, 0, SPACE | CLOSE)?;
            (value.text, rest)
        }
    };
    element.set_value(value);
    Some(rest)
}

/// A comment behind its `<!--`, and what stands behind its end.
fn split_comment(text: &str) -> (&str, &str) {
    for abrupt in [">", "->"] {
        if let Some(rest) = text.strip_prefix(abrupt) {
            return ("", rest);
        }
    }
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|text| text.find("--")).map(|at| from + at) {
        for end in ["-->", "--!>"] {
            if let Some(rest) = text.get(at..).and_then(|text| text.strip_prefix(end)) {
                return (text.get(..at).unwrap_or_default(), rest);
            }
        }
        from = at + 1;
    }
    // What was to be the end is none of the comment (WHATWG: eof-in-comment).
    let comment = ["--!", "--", "-"].iter().find_map(|end| text.strip_suffix(end));
    (comment.unwrap_or(text), "")
}

fn split_once(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = memchr::memchr(mark, text.as_bytes())?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands behind the bytes of these kinds at the beginning.
fn skip(text: &str, kinds: u8) -> &str {
    let is_such = |byte: &u8| KINDS[usize::from(*byte)] & kinds != 0;
    let length = text.as_bytes().iter().take_while(|byte| is_such(byte)).count();
    text.get(length..).unwrap_or_default()
}

/// What stands before the first byte of one of these kinds behind the first bytes, and the rest.
fn split_name(text: &str, least: usize, kinds: u8) -> Option<(Name<'_>, &str)> {
    let mut found = 0;
    let mut is_before = |byte: &u8| {
        let kind = KINDS[usize::from(*byte)];
        found |= kind;
        kind & kinds == 0
    };
    let (first, behind) = text.as_bytes().split_at_checked(least)?;
    let length = least + behind.iter().take_while(|byte| is_before(byte)).count();
    let has_capitals = found & CAPITAL != 0 || first.iter().any(u8::is_ascii_uppercase);
    let (text, rest) = text.split_at_checked(length)?;
    Some((Name { text, has_capitals }, rest))
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

/// What a byte is to a tag.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < kinds.len() {
        kinds[byte] = match byte as u8 {
            b'/' => SLASH,
            b'>' => CLOSE,
            b'=' => EQUALS,
            b'A'..=b'Z' => CAPITAL,
            byte if is_space(byte) => SPACE,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

const SPACE: u8 = 1;
const SLASH: u8 = 2;
const CLOSE: u8 = 4;
const EQUALS: u8 = 8;
const CAPITAL: u8 = 16;
