//! How a mail is made: its parts, its HTML, where its links lead.

use std::borrow::Cow;

use mailweir_content::decode::parts::Part;

use super::address::{is_numeric, owner, top};
use super::bag::{Beginning, Tokens};
use super::kind::Kind;
use crate::reading::{Element, Field, Link, Origin};

/// The parts so far.
#[derive(Default)]
pub(super) struct Structure {
    has_plain: bool,
    has_html: bool,
    links: usize,
    elements: usize,
    /// Of the last link, in lower case.
    host: String,
}

impl Structure {
    /// Fields of MIME, of the mail and of its parts.
    pub(super) fn field(&mut self, field: &Field<'_>, tokens: &mut Tokens) {
        if field.is("content-type") {
            if let Some(charset) = field.param("charset") {
                tokens.add_joined(Kind::Part, ["charset ", &charset.to_ascii_lowercase(), ""]);
            }
            if let Some(boundary) = field.param("boundary") {
                tokens.add_joined(Kind::Part, ["boundary ", &marks(boundary), ""]);
            }
        } else if field.depth > 0 && field.is("content-transfer-encoding") {
            tokens.add_joined(Kind::Part, ["encoding ", &field.value.to_ascii_lowercase(), ""]);
        } else if field.is("content-id") {
            tokens.add(Kind::Part, "content-id");
        }
    }

    pub(super) fn part(&mut self, part: &Part, tokens: &mut Tokens) {
        tokens.add(Kind::Part, &part.content_type);
        self.has_plain |= part.content_type == "text/plain";
        self.has_html |= part.content_type == "text/html";
        if let Some(disposition) = &part.disposition {
            tokens.add(Kind::Part, disposition);
        }
        for name in &part.names {
            let extension = name.rsplit_once('.').map_or("none", |(_, extension)| extension);
            if extension.len() <= LONGEST_EXTENSION {
                tokens.add_joined(Kind::Part, ["file .", &extension.to_lowercase(), ""]);
            }
        }
    }

    pub(super) fn element(&mut self, element: &Element, tokens: &mut Tokens) {
        self.elements = self.elements.saturating_add(1);
        if self.elements > MOST_ELEMENTS {
            return;
        }
        let name = Beginning::with(Kind::Html, element.name());
        tokens.add_behind(name, ["", "", ""]);
        let is_image = element.name() == "img";
        for (attribute, value) in element.attributes() {
            let is_point =
                is_image && matches!(value, "0" | "1") && matches!(attribute, "width" | "height");
            let size = if is_point { " 1" } else { "" };
            tokens.add_behind(name, [" ", attribute, size]);
        }
    }

    pub(super) fn link(&mut self, link: &Link<'_>, tokens: &mut Tokens) {
        self.links = self.links.saturating_add(1);
        if self.links > MOST_LINKS {
            return;
        }
        let origin = match link.origin {
            Origin::Text => "in the text",
            Origin::Anchor => "anchor",
            Origin::Image => "image",
            Origin::Form => "form",
            Origin::Other => "other",
        };
        tokens.add(Kind::Link, origin);
        let address = Address::of(link.address);
        if !address.host.eq_ignore_ascii_case(&self.host) {
            self.host.clear();
            self.host.push_str(address.host);
            self.host.make_ascii_lowercase();
            tell_host(&self.host, tokens);
        }
        address.tell(tokens);
        if link.shown.contains("://") {
            let shown = Address::of(link.shown).host;
            if !shown.is_empty() && !owner(shown).eq_ignore_ascii_case(owner(&self.host)) {
                tokens.add(Kind::Link, "shows another host");
            }
        }
    }

    pub(super) fn finish(&self, tokens: &mut Tokens) {
        if self.has_html && !self.has_plain {
            tokens.add(Kind::Part, "HTML alone");
        }
        let links = match self.links {
            0 => "none",
            1 => "one",
            2..6 => "few",
            6..20 => "some",
            20.. => "many",
        };
        tokens.add(Kind::Link, links);
    }
}

fn tell_host(host: &str, tokens: &mut Tokens) {
    if host.is_empty() {
        return;
    }
    if is_numeric(host) {
        tokens.add(Kind::Link, "host is a number");
        return;
    }
    tokens.add(Kind::Host, host);
    tokens.add(Kind::Host, owner(host));
    tokens.add(Kind::Host, top(host));
}

/// An address of the web or of a mailbox, taken apart.
struct Address<'a> {
    scheme: &'a str,
    /// Before an `@` in front of the host.
    has_user: bool,
    host: &'a str,
    has_port: bool,
    path: &'a str,
}

impl<'a> Address<'a> {
    fn of(address: &'a str) -> Self {
        let (scheme, rest) = match address.split_once(':') {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                (scheme, rest)
            }
            _ if address.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("www.")) => {
                ("", address)
            }
            _ => ("", ""),
        };
        let slashes = rest.bytes().take_while(|byte| *byte == b'/').count();
        let rest = rest.get(slashes..).unwrap_or_default();
        let is_end = |byte: u8| matches!(byte, b'/' | b'?' | b'#' | b'\\');
        let end = rest.bytes().position(is_end).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let last = |text: &str, mark: u8| text.bytes().rposition(|byte| byte == mark);
        let user = last(authority, b'@').map_or(0, |at| at + 1);
        let (has_user, host) = (user > 0, authority.get(user..).unwrap_or_default());
        let port = last(host, b':').and_then(|at| Some((host.get(..at)?, host.get(at + 1..)?)));
        let (host, has_port) = match port {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, true),
            _ => (host, false),
        };
        Self { scheme, has_user, host, has_port, path }
    }

    fn tell(&self, tokens: &mut Tokens) {
        let is_mail = self.scheme.eq_ignore_ascii_case("mailto");
        if !self.scheme.is_empty() && self.scheme.len() <= LONGEST_EXTENSION {
            tokens.add_joined(Kind::Link, [&lower_case(self.scheme), ":", ""]);
        }
        let found = [
            (self.has_user && !is_mail, "user in front of the host"),
            (self.has_port, "port"),
            (self.host.contains('%'), "encoded host"),
            (self.path.contains('?'), "query"),
            (self.path.len() > LONG_PATH, "long path"),
        ];
        for (_, text) in found.iter().filter(|(is_so, _)| *is_so) {
            tokens.add(Kind::Link, text);
        }
        let words = self.path.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
        let is_word = |word: &&[u8]| {
            (2..16).contains(&word.len()) && word.iter().all(u8::is_ascii_alphabetic)
        };
        for word in words.filter(is_word).take(MOST_PATH_WORDS) {
            let word = std::str::from_utf8(word).unwrap_or_default();
            tokens.add_joined(Kind::Link, ["/", word, ""]);
        }
    }
}

fn lower_case(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// What of a boundary is the same in all mails of a program: what stands before its first digit, and its marks.
fn marks(boundary: &str) -> String {
    let end = boundary.find(|character: char| character.is_ascii_digit()).unwrap_or(boundary.len());
    let (name, rest) = boundary.split_at_checked(end.min(24)).unwrap_or((boundary, ""));
    let marks = rest.chars().filter(|character| !character.is_alphanumeric()).take(16);
    name.chars().chain(marks).collect()
}

/// Elements of a mail that are looked at.
const MOST_ELEMENTS: usize = 2_000;

/// Links of a mail that are looked at.
const MOST_LINKS: usize = 200;

/// Words of the path of one link.
const MOST_PATH_WORDS: usize = 6;

/// Bytes of an extension, or of a scheme.
const LONGEST_EXTENSION: usize = 10;

/// Bytes of a path that people would not type.
const LONG_PATH: usize = 60;
