//! A query in pieces: where words, phrases and parentheses are.

use super::{MAX_LENGTH, QueryError};

/// A piece and where it begins, in characters counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// `OR`, also `|`.
    Or,
    /// `-` before something.
    Not,
    Open,
    Close,
    /// A name with a colon behind it; whether it names a field is not known here.
    Name(String),
    /// Characters up to a space, a parenthesis or the end.
    Word(String),
    /// What stood in quotation marks.
    Phrase(String),
}

/// Cuts `text`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_LENGTH {
        let message = format!("A query has at most {MAX_LENGTH} characters.");
        return Err(QueryError { at: MAX_LENGTH + 1, message });
    }
    let mut lexer = Lexer { chars, at: 0, tokens: Vec::new() };
    while lexer.step()? {}
    Ok(lexer.tokens)
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    /// Cuts one piece; false at the end.
    fn step(&mut self) -> Result<bool, QueryError> {
        let Some(&c) = self.chars.get(self.at) else { return Ok(false) };
        let kind = match simple(c) {
            Simple::Space => None,
            Simple::Open => Some(Kind::Open),
            Simple::Close => Some(Kind::Close),
            Simple::Quote => return self.phrase(c).map(|()| true),
            Simple::Minus
                if self.chars.get(self.at + 1).is_some_and(|&c| simple(c) != Simple::Space) =>
            {
                Some(Kind::Not)
            }
            Simple::Minus => None,
            Simple::Colon | Simple::Other => {
                self.word();
                return Ok(true);
            }
        };
        if let Some(kind) = kind {
            self.push(self.at, kind);
        }
        self.at += 1;
        Ok(true)
    }

    fn push(&mut self, at: usize, kind: Kind) {
        self.tokens.push(Token { at: at + 1, kind });
    }

    /// A phrase that `open` begins.
    fn phrase(&mut self, open: char) -> Result<(), QueryError> {
        let begin = self.at;
        let inner = &self.chars[begin + 1..];
        let Some(length) = inner.iter().position(|&c| closes(open, c)) else {
            let message = "This quotation mark is never closed.".to_owned();
            return Err(QueryError { at: begin + 1, message });
        };
        let phrase = inner[..length].iter().collect();
        self.push(begin, Kind::Phrase(phrase));
        self.at = begin + length + 2;
        Ok(())
    }

    /// A word, or a name with its colon. A quotation mark in a word is part of it, a minus sign too.
    fn word(&mut self) {
        let begin = self.at;
        let mut word = String::new();
        while let Some(&c) = self.chars.get(self.at) {
            match simple(c) {
                Simple::Space | Simple::Open | Simple::Close => break,
                Simple::Colon if super::parser::is_field(&word) => {
                    self.at += 1;
                    return self.push(begin, Kind::Name(word.to_lowercase()));
                }
                Simple::Colon | Simple::Minus | Simple::Quote | Simple::Other => word.push(star(c)),
            }
            self.at += 1;
        }
        let kind = match word.as_str() {
            "OR" | "|" => Kind::Or,
            "AND" => return,
            _ => Kind::Word(word),
        };
        self.push(begin, kind);
    }
}

#[derive(PartialEq, Eq)]
enum Simple {
    Space,
    Open,
    Close,
    Quote,
    Minus,
    Colon,
    Other,
}

fn simple(c: char) -> Simple {
    match c {
        '(' | '（' => Simple::Open,
        ')' | '）' => Simple::Close,
        '"' | '＂' | '“' | '”' | '„' | '‟' | '«' | '»' | '「' | '『' | '《' | '｢' => {
            Simple::Quote
        }
        '-' | '－' | '−' | '﹣' => Simple::Minus,
        ':' | '：' | '﹕' => Simple::Colon,
        c if c.is_whitespace() => Simple::Space,
        _ => Simple::Other,
    }
}

/// Whether `c` ends what `open` began.
fn closes(open: char, c: char) -> bool {
    match open {
        '「' => c == '」',
        '『' => c == '』',
        '《' => c == '》',
        '｢' => c == '｣',
        '«' | '»' => matches!(c, '»' | '«'),
        // People and programs mix them.
        _ => matches!(c, '"' | '＂' | '“' | '”' | '‟'),
    }
}

fn star(c: char) -> char {
    if c == '＊' { '*' } else { c }
}
