//! Words and signs of an address list; comments and white space are passed over.

use std::ops::Range;

/// What an address list is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// An atom with its dots, a quoted string or a domain literal.
    Word {
        /// Whether it begins with a dot, and so belongs to a word before it.
        starts_with_dot: bool,
        /// Whether it ends with a dot, and so belongs to a word behind it.
        ends_with_dot: bool,
    },
    /// One of `<>@,;:`, or what may not stand alone.
    Sign(u8),
    /// A quoted string, comment or literal without end: nothing behind it can be told apart.
    Broken,
}

/// Reads tokens, up to a limit.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    left: usize,
    over_limit: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a [u8], limit: usize) -> Self {
        Self { text, at: 0, left: limit, over_limit: false }
    }

    /// Whether there was more than the limit allows.
    pub(super) fn is_over_limit(&self) -> bool {
        self.over_limit
    }

    /// The next token and where it stands. Comments count too: each is a token to Postfix.
    pub(super) fn next(&mut self) -> Option<(Token, Range<usize>)> {
        loop {
            self.skip_white_space();
            let &first = self.text.get(self.at)?;
            if self.left == 0 {
                self.over_limit = true;
                return None;
            }
            self.left -= 1;
            let start = self.at;
            let token = match first {
                b'(' => match self.comment() {
                    Some(()) => continue,
                    None => Token::Broken,
                },
                b'"' => self.enclosed(b'"'),
                b'[' => self.enclosed(b']'),
                b'<' | b'>' | b'@' | b',' | b';' | b':' | b')' | b']' | b'\\' => {
                    self.at += 1;
                    Token::Sign(first)
                }
                _ => self.atom(),
            };
            return Some((token, start..self.at));
        }
    }

    fn skip_white_space(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        self.at += rest.iter().take_while(|byte| blank(byte)).count();
    }

    /// Comments nest (RFC 5322 section 3.2.2); depth is a number, so no depth is too deep.
    fn comment(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.byte()? {
                b'\\' => drop(self.byte()?),
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn enclosed(&mut self, end: u8) -> Token {
        self.at += 1;
        loop {
            match self.byte() {
                Some(b'\\') => drop(self.byte()),
                Some(byte) if byte == end => {
                    return Token::Word { starts_with_dot: false, ends_with_dot: false };
                }
                Some(_) => {}
                None => return Token::Broken,
            }
        }
    }

    fn atom(&mut self) -> Token {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let inner = |byte: &u8| !b" \t\r\n()<>@,;:\\\"[]".contains(byte);
        let word = rest.iter().take_while(|byte| inner(byte)).count();
        self.at += word;
        let dot = |at: usize| rest.get(at) == Some(&b'.');
        Token::Word { starts_with_dot: dot(0), ends_with_dot: dot(word.saturating_sub(1)) }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = self.text.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }
}
