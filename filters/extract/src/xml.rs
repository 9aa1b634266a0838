//! XML as a stream of tags and text: enough to find text in documents, and nothing that could be
//! made to grow. There is no tree, no DTD, no namespace; of entities only the five of XML and
//! character numbers mean something, and attributes are looked at only when one is asked for.

use std::borrow::Cow;

use crate::harvest::Harvest;

/// What comes next in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An element begins; with `is_empty` it ends at once, and no `Close` follows.
    Open(Tag<'a>),
    /// An element with this name, without its prefix, ends.
    Close(&'a [u8]),
    /// Text as it stands.
    Text(Text<'a>),
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// Without the prefix.
    pub(crate) name: &'a [u8],
    pub(crate) is_empty: bool,
    attributes: &'a [u8],
}

/// Text of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    raw: &'a [u8],
    /// In a CDATA section, where nothing is an entity.
    is_verbatim: bool,
}

/// Reads a document from its beginning. What is no XML ends it, or is text.
pub(crate) struct Xml<'a> {
    rest: &'a [u8],
}

impl<'a> Xml<'a> {
    pub(crate) fn new(document: &'a [u8]) -> Self {
        Self { rest: document }
    }

    /// The next token; `None` at the end of the document, or of the work that may be done.
    pub(crate) fn next(&mut self, harvest: &mut Harvest<'_>) -> Option<Token<'a>> {
        loop {
            let before = self.rest.len();
            let step = self.step();
            if !harvest.work(before - self.rest.len()) {
                return None;
            }
            match step {
                Step::Token(token) => return Some(token),
                Step::Skipped => {}
                Step::End => return None,
            }
        }
    }

    fn step(&mut self) -> Step<'a> {
        let Some((&first, behind)) = self.rest.split_first() else { return Step::End };
        if first != b'<' {
            let end = memchr::memchr(b'<', self.rest).unwrap_or(self.rest.len());
            let raw = self.take(end);
            return Step::Token(Token::Text(Text { raw, is_verbatim: false }));
        }
        match behind {
            [b'!', b'-', b'-', ..] => self.skip(4, b"-->"),
            [b'!', b'[', b'C', b'D', b'A', b'T', b'A', b'[', ..] => self.verbatim(),
            [b'!', ..] => self.skip(2, b">"),
            [b'?', ..] => self.skip(2, b"?>"),
            [b'/', ..] => self.close(),
            _ => self.open(),
        }
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn skip(&mut self, from: usize, end: &[u8]) -> Step<'a> {
        match self.find(from, end) {
            Some(at) => {
                self.take(at + end.len());
                Step::Skipped
            }
            None => self.over(),
        }
    }

    fn verbatim(&mut self) -> Step<'a> {
        let Some(end) = self.find(9, b"]]>") else { return self.over() };
        let raw = self.take(end + 3).get(9..end).unwrap_or_default();
        Step::Token(Token::Text(Text { raw, is_verbatim: true }))
    }

    fn close(&mut self) -> Step<'a> {
        let Some(end) = self.find(2, b">") else { return self.over() };
        let name = self.take(end + 1).get(2..end).unwrap_or_default();
        Step::Token(Token::Close(local(name.trim_ascii())))
    }

    fn open(&mut self) -> Step<'a> {
        let Some(end) = tag_end(self.rest) else { return self.over() };
        let tag = self.take(end + 1).get(1..end).unwrap_or_default();
        let (tag, is_empty) = match tag.strip_suffix(b"/") {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let name_end = tag.iter().position(u8::is_ascii_whitespace).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(name_end);
        Step::Token(Token::Open(Tag { name: local(name), is_empty, attributes }))
    }

    fn find(&self, from: usize, what: &[u8]) -> Option<usize> {
        memchr::memmem::find(self.rest.get(from..)?, what).map(|at| from + at)
    }

    /// What began does not end: it would be looked for again and again.
    fn over(&mut self) -> Step<'a> {
        self.rest = &[];
        Step::End
    }
}

enum Step<'a> {
    Token(Token<'a>),
    Skipped,
    End,
}

impl<'a> Tag<'a> {
    /// The value of the first attribute with this name, whatever its prefix.
    pub(crate) fn attribute(&self, wanted: &[u8]) -> Option<Cow<'a, str>> {
        let mut rest = self.attributes;
        loop {
            let equals = memchr::memchr(b'=', rest)?;
            let name = rest.get(..equals)?.trim_ascii();
            let value = rest.get(equals + 1..)?.trim_ascii_start();
            let (&quote, value) = value.split_first()?;
            let end = memchr::memchr(quote, value)?;
            if local(name) == wanted {
                return Some(unescape(value.get(..end)?));
            }
            rest = value.get(end + 1..)?;
        }
    }
}

impl<'a> Text<'a> {
    /// The text that is meant.
    pub(crate) fn decoded(&self) -> Cow<'a, str> {
        match self.is_verbatim {
            true => String::from_utf8_lossy(self.raw),
            false => unescape(self.raw),
        }
    }
}

/// Where a tag ends: at the first `>` that is not in quotes.
fn tag_end(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', text.get(at..)?)?;
        match text.get(at)? {
            b'>' => return Some(at),
            quote => at += 2 + memchr::memchr(*quote, text.get(at + 1..)?)?,
        }
    }
}

/// A name without its prefix.
fn local(name: &[u8]) -> &[u8] {
    let colon = memchr::memrchr(b':', name);
    name.get(colon.map_or(0, |colon| colon + 1)..).unwrap_or_default()
}

fn unescape(raw: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(raw);
    if !text.contains('&') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest: &str = &text;
    while let Some((before, behind)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = behind.get(..behind.floor_char_boundary(LONGEST_ENTITY)).unwrap_or(behind);
        match entity.split_once(';').and_then(|(name, _)| Some((character(name)?, name.len()))) {
            Some((character, length)) => {
                plain.push(character);
                rest = behind.get(length + 1..).unwrap_or_default();
            }
            None => {
                plain.push('&');
                rest = behind;
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}

/// `#x10FFFF;` and some zeros.
const LONGEST_ENTITY: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn tokens(document: &str) -> Vec<String> {
        let limits = Limits::default();
        let mut harvest = Harvest::new(&limits);
        let mut xml = Xml::new(document.as_bytes());
        let mut all = Vec::new();
        while let Some(token) = xml.next(&mut harvest) {
            all.push(match token {
                Token::Open(tag) => {
                    let a = tag.attribute(b"a").map(|value| format!(" {value}"));
                    let end = if tag.is_empty { "/" } else { "" };
                    format!("<{}{}{end}", String::from_utf8_lossy(tag.name), a.unwrap_or_default())
                }
                Token::Close(name) => format!(">{}", String::from_utf8_lossy(name)),
                Token::Text(text) => text.decoded().into_owned(),
            });
        }
        all
    }

    #[test]
    fn tags_and_text_come_in_their_order() {
        let document = "<?xml version='1.0'?><!DOCTYPE r><w:r b='x>' x:a=\"1 &lt; 2\"><!-- <no> -->\
            t&amp;u&#xAC00;&#44032;&nbsp;&bad<e a = 'v'/><![CDATA[<&amp;>]]></w:r >end";
        let wanted = ["<r 1 < 2", "t&u가가&nbsp;&bad", "<e v/", "<&amp;>", ">r", "end"];
        assert_eq!(tokens(document), wanted);
    }

    #[test]
    fn what_does_not_end_ends_the_document() {
        for rest in ["<a b='", "<a", "<!-- ", "<![CDATA[ x", "<?", "</a", "<a b=\"'>'"] {
            assert_eq!(tokens(&format!("x<y>{rest}")), ["x", "<y"], "{rest}");
        }
        assert_eq!(tokens("<a>&#x110000;&#xD800;&;&#;"), ["<a", "&#x110000;&#xD800;&;&#;"]);
        assert_eq!(tokens("<><a =/><a ='x' a/>"), ["<", "<a/", "<a/"]);
    }

    #[test]
    fn entities_of_a_dtd_mean_nothing() {
        let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><r>&b;</r>";
        assert!(tokens(bomb).contains(&"&b;".to_owned()));
    }

    #[test]
    fn a_tag_with_800_000_attributes_is_passed_over() {
        let attributes: String = (0..800_000).map(|at| format!(" a{at}=''")).collect();
        let document = format!("<r{attributes} a='x'><t>text</t></r>");
        let limits = Limits { work: u64::try_from(document.len()).unwrap(), ..Limits::default() };
        let mut harvest = Harvest::new(&limits);
        let mut xml = Xml::new(document.as_bytes());
        let Some(Token::Open(tag)) = xml.next(&mut harvest) else { panic!("no tag") };
        assert_eq!(tag.attribute(b"a").as_deref(), Some("x"));
        assert!(matches!(xml.next(&mut harvest), Some(Token::Open(tag)) if tag.name == b"t"));
    }
}
