//! What the headers of the current part say of its body, and which boundaries are waited for.
//!
//! Follows Postfix's `mime_state` where that is lax: a type that is none of text, message and
//! multipart leaves the one before in force, a multipart may name several boundaries, and the
//! boundary of an outer part ends all inner ones.

use super::{
    limits::{MimeLimits, MimeTrouble},
    token::{SPECIALS, TSPECIALS, Token, Tokens},
};

/// Where the body of the current part leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Text, or what is none of the others.
    Leaf,
    /// An attached mail, whose header is read: message/rfc822.
    Mail,
    /// The same in UTF-8: message/global, which may be encoded (RFC 6532 section 3.7).
    GlobalMail,
    /// Part of a mail or a reference to one (RFC 2046 section 5.2.2 and 5.2.3): read as a body.
    PartOfMail,
    /// Any other `message/*`: read as a body.
    OtherMessage,
    /// Parts between boundaries.
    Multipart,
}

/// What a boundary line starts or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boundary {
    /// The header of another part.
    Part,
    /// What stands behind the last part.
    End,
}

/// The current part and the multiparts around it.
#[derive(Debug)]
pub(super) struct Entity {
    content: Content,
    encoding: Encoding,
    /// Innermost last. Never more than `nesting` plus two: Postfix counts from -1.
    open: Vec<Multipart>,
}

#[derive(Debug)]
struct Multipart {
    boundary: Vec<u8>,
    /// What its parts are unless they say otherwise.
    part: Content,
}

/// How a body is encoded, as far as it matters to composite types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    SevenBit,
    EightBit,
    Transformed,
}

impl Entity {
    pub(super) const fn new() -> Self {
        Self { content: Content::Leaf, encoding: Encoding::SevenBit, open: Vec::new() }
    }

    /// What leads on from the end of this header block; the part behind it starts afresh.
    pub(super) fn enter(&mut self) -> Content {
        let content = self.content;
        if matches!(content, Content::Mail | Content::GlobalMail | Content::Multipart) {
            self.restart(Content::Leaf);
        }
        content
    }

    /// Whether the encoding is one that the type must not have (RFC 2045 section 6.4).
    pub(super) fn breaks_encoding_domain(&self) -> bool {
        match self.content {
            Content::Leaf | Content::GlobalMail | Content::OtherMessage => false,
            Content::PartOfMail => self.encoding == Encoding::EightBit,
            Content::Mail | Content::Multipart => self.encoding == Encoding::Transformed,
        }
    }

    /// Reads the value of a Content-Type header.
    pub(super) fn content_type(
        &mut self,
        value: &[u8],
        limits: &MimeLimits,
        trouble: &mut MimeTrouble,
    ) {
        let mut tokens = Tokens::new(value, TSPECIALS);
        let media = tokens.parameter().unwrap_or_default();
        let subtype = match &media[..] {
            [_, Token::Special(b'/'), subtype] => Some(subtype),
            _ => None,
        };
        let is = |name: &str| subtype.is_some_and(|subtype| subtype.is_word(name));
        match media.first() {
            None => self.content = Content::Leaf,
            Some(main) if main.is_word("text") => self.content = Content::Leaf,
            Some(main) if main.is_word("message") => {
                self.content = match () {
                    () if is("rfc822") => Content::Mail,
                    () if is("global") => Content::GlobalMail,
                    () if is("partial") || is("external-body") => Content::PartOfMail,
                    () => Content::OtherMessage,
                };
            }
            Some(main) if main.is_word("multipart") => {
                self.content = Content::Multipart;
                let part = if is("digest") { Content::Mail } else { Content::Leaf };
                self.boundaries(&mut tokens, part, limits, trouble);
            }
            Some(_) => {}
        }
    }

    /// Reads the value of a Content-Transfer-Encoding header. An unknown one changes nothing.
    pub(super) fn content_transfer_encoding(&mut self, value: &[u8]) {
        let Some(token) = Tokens::new(value, SPECIALS).next() else { return };
        let known = ENCODINGS.iter().find(|(name, _)| token.is_word(name));
        if let Some((_, encoding)) = known {
            self.encoding = *encoding;
        }
    }

    /// Whether a body line is a boundary that is waited for. Inner multiparts end with it.
    pub(super) fn boundary(&mut self, line: &[u8]) -> Option<Boundary> {
        let line = line.strip_prefix(b"--").filter(|rest| !rest.is_empty())?;
        let at = self.open.iter().rposition(|multipart| line.starts_with(&multipart.boundary))?;
        self.open.truncate(at + 1);
        let multipart = self.open.last()?;
        if line[multipart.boundary.len()..].starts_with(b"--") {
            self.open.truncate(at);
            self.restart(Content::Leaf);
            return Some(Boundary::End);
        }
        self.restart(multipart.part);
        Some(Boundary::Part)
    }

    /// Several boundaries of one part are against the rules and could hide parts from a reader that
    /// takes another one than the recipient's: all of them are waited for.
    fn boundaries(
        &mut self,
        tokens: &mut Tokens<'_>,
        part: Content,
        limits: &MimeLimits,
        trouble: &mut MimeTrouble,
    ) {
        while let Some(parameter) = tokens.parameter() {
            let Ok([name, Token::Special(b'='), value]) = <[Token; 3]>::try_from(parameter) else {
                continue;
            };
            if !name.is_word("boundary") {
                continue;
            }
            if self.open.len() > limits.nesting.saturating_add(1) {
                trouble.nesting = true;
                continue;
            }
            let mut boundary = value.into_text();
            boundary.truncate(limits.boundary_length);
            self.open.push(Multipart { boundary, part });
        }
    }

    fn restart(&mut self, content: Content) {
        self.content = content;
        self.encoding = Encoding::SevenBit;
    }
}

const ENCODINGS: [(&str, Encoding); 5] = [
    ("7bit", Encoding::SevenBit),
    ("8bit", Encoding::EightBit),
    ("binary", Encoding::EightBit),
    ("base64", Encoding::Transformed),
    ("quoted-printable", Encoding::Transformed),
];
