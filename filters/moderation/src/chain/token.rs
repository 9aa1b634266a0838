//! The words of a Received header (RFC 5322 section 3.2): comments, quoted strings, literals.
//!
//! Stricter than the RFC where two readers could differ: what does not close, closes twice, or is
//! escaped outside of quotes and comments is an error, since clients choose parts of the text.

use super::ReceivedError;

/// One token; the delimiters are not part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// What stands between white space and special characters.
    Word(&'t [u8]),
    /// `[...]`: an address in place of a name.
    Literal(&'t [u8]),
    /// `(...)` with all comments inside.
    Comment(&'t [u8]),
    /// `"..."`.
    Quoted,
    /// `<...>`.
    Angle,
    /// `;`, behind which the date stands.
    Semicolon,
}

/// The tokens of a text without control characters other than white space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tokens<'t> {
    rest: &'t [u8],
}

impl<'t> Tokens<'t> {
    pub(super) const fn of(text: &'t [u8]) -> Self {
        Self { rest: text }
    }

    /// What has not been read yet.
    pub(super) const fn rest(&self) -> &'t [u8] {
        self.rest
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'t>>, ReceivedError> {
        self.rest = self.rest.trim_ascii_start();
        let Some((&first, behind)) = self.rest.split_first() else { return Ok(None) };
        let (token, length) = match first {
            b'(' => self.delimited(comment_length(self.rest)?, Token::Comment),
            b'[' => self.delimited(literal_length(self.rest)?, Token::Literal),
            b'"' => (Token::Quoted, quoted_length(self.rest)?),
            b'<' => (Token::Angle, angle_length(self.rest)?),
            b';' => (Token::Semicolon, 1),
            b')' | b']' | b'>' | b'\\' => return Err(ReceivedError::Stray(first.into())),
            _ => {
                let length = 1 + behind.iter().take_while(|byte| !ends_word(**byte)).count();
                (Token::Word(&self.rest[..length]), length)
            }
        };
        self.rest = &self.rest[length..];
        Ok(Some(token))
    }

    fn delimited(&self, length: usize, make: fn(&'t [u8]) -> Token<'t>) -> (Token<'t>, usize) {
        (make(&self.rest[1..length - 1]), length)
    }
}

const fn ends_word(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'(' | b')' | b'[' | b']' | b'<' | b'>' | b'"' | b';' | b'\\')
}

// Each of these gets a text that begins with the opening character, and gives the length up to and
// with the closing one.

fn comment_length(text: &[u8]) -> Result<usize, ReceivedError> {
    let mut depth = 0;
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' if depth == MAX_DEPTH => return Err(ReceivedError::CommentTooDeep),
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(at + 1);
        }
    }
    Err(ReceivedError::Unclosed('('))
}

fn literal_length(text: &[u8]) -> Result<usize, ReceivedError> {
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b']' => return Ok(at + 1),
            b'[' | b'\\' => return Err(ReceivedError::Stray((*byte).into())),
            _ => {}
        }
    }
    Err(ReceivedError::Unclosed('['))
}

fn quoted_length(text: &[u8]) -> Result<usize, ReceivedError> {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Ok(at + 1),
            _ => {}
        }
    }
    Err(ReceivedError::Unclosed('"'))
}

fn angle_length(text: &[u8]) -> Result<usize, ReceivedError> {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'>' => return Ok(at + 1),
            b'"' => at += quoted_length(&text[at..])?,
            b'<' | b'\\' => return Err(ReceivedError::Stray(byte.into())),
            _ => at += 1,
        }
    }
    Err(ReceivedError::Unclosed('<'))
}

/// How deep comments may stand in comments.
const MAX_DEPTH: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Result<Vec<Token<'_>>, ReceivedError> {
        let mut tokens = Tokens::of(text.as_bytes());
        std::iter::from_fn(|| tokens.next().transpose()).collect()
    }

    #[test]
    fn comments_nest_and_quotes_hide() {
        use Token::{Angle, Comment, Literal, Quoted, Semicolon, Word};
        assert_eq!(
            tokens("a (b (c \\) d)) [IPv6:::1]:25 \"x ; (\" <\"> y\"@z>; e").unwrap(),
            [
                Word(b"a"),
                Comment(b"b (c \\) d)"),
                Literal(b"IPv6:::1"),
                Word(b":25"),
                Quoted,
                Angle,
                Semicolon,
                Word(b"e"),
            ]
        );
    }

    #[test]
    fn comments_nest_eight_deep_and_no_deeper() {
        let nested = |depth: usize| format!("{}x{}", "(".repeat(depth), ")".repeat(depth));
        assert_eq!(tokens(&nested(8)).unwrap().len(), 1);
        assert_eq!(tokens(&nested(9)), Err(ReceivedError::CommentTooDeep));
    }

    #[test]
    fn what_does_not_close_or_closes_twice_is_an_error() {
        for (text, error) in [
            ("(a", ReceivedError::Unclosed('(')),
            ("(a\\)", ReceivedError::Unclosed('(')),
            ("[a", ReceivedError::Unclosed('[')),
            ("\"a\\\"", ReceivedError::Unclosed('"')),
            ("<a\">\"", ReceivedError::Unclosed('<')),
            ("<a", ReceivedError::Unclosed('<')),
            ("a)", ReceivedError::Stray(')')),
            ("a]", ReceivedError::Stray(']')),
            ("a>", ReceivedError::Stray('>')),
            ("a\\(b", ReceivedError::Stray('\\')),
            ("[a[b]", ReceivedError::Stray('[')),
            ("<\\\"a>", ReceivedError::Stray('\\')),
        ] {
            assert_eq!(tokens(text), Err(error), "{text}");
        }
    }
}
