//! The words of a structured header value (RFC 822 section 3.3), cut as Postfix's `header_token`
//! cuts them: comments nest and vanish, quoted strings are one word, specials stand alone.
//!
//! Only as much as Content-Type and Content-Transfer-Encoding need.

/// A word of a header value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Characters without meaning of their own.
    Word(Vec<u8>),
    /// What stood between quotation marks, unquoted.
    Quoted(Vec<u8>),
    /// A special or a control character.
    Special(u8),
}

impl Token {
    /// Whether it is this word, in any case. A quoted one is not.
    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// What it stands for, quoted or not.
    pub(super) fn into_text(self) -> Vec<u8> {
        match self {
            Self::Word(text) | Self::Quoted(text) => text,
            Self::Special(byte) => vec![byte],
        }
    }
}

/// Reads a header value token by token.
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
    specials: &'static [u8],
}

impl<'a> Tokens<'a> {
    pub(super) const fn new(value: &'a [u8], specials: &'static [u8]) -> Self {
        Self { rest: value, specials }
    }

    /// The first [`KEPT`] tokens up to the next `;`, which is passed. `None`: there was neither a
    /// token nor a `;`.
    pub(super) fn parameter(&mut self) -> Option<Vec<Token>> {
        let mut kept = Vec::new();
        loop {
            match self.next() {
                None if kept.is_empty() => return None,
                None | Some(Token::Special(b';')) => return Some(kept),
                Some(token) if kept.len() < KEPT => kept.push(token),
                Some(_) => {}
            }
        }
    }

    fn skip_comment(&mut self) {
        let mut depth = 1_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                b'\\' => drop(self.byte()),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// What stands up to the closing quotation mark. White space before a line end goes with it.
    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        while let Some(byte) = self.byte() {
            match byte {
                b'"' => break,
                b'\n' => {
                    let kept =
                        text.iter().rposition(|&byte| !is_white(byte)).map_or(0, |at| at + 1);
                    text.truncate(kept);
                }
                b'\\' => text.extend(self.byte()),
                _ => text.push(byte),
            }
        }
        text
    }

    fn word(&mut self, first: u8) -> Vec<u8> {
        let ends =
            |&byte: &u8| is_white(byte) || byte.is_ascii_control() || self.specials.contains(&byte);
        let (word, rest) =
            self.rest.split_at(self.rest.iter().position(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        [&[first], word].concat()
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            match self.byte()? {
                byte if is_white(byte) => {}
                b'(' => self.skip_comment(),
                b'"' => return Some(Token::Quoted(self.quoted())),
                byte if byte.is_ascii_control() || self.specials.contains(&byte) => {
                    return Some(Token::Special(byte));
                }
                byte => return Some(Token::Word(self.word(byte))),
            }
        }
    }
}

const fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// `name = value`: what of a parameter is looked at.
const KEPT: usize = 3;
/// Specials of RFC 2045 section 5.1, without the dot.
pub(super) const TSPECIALS: &[u8] = b"()<>@,;:\\\"/[]?=";
/// Specials of RFC 822 section 3.3.
pub(super) const SPECIALS: &[u8] = b"()<>@,;:\\\".[]";
