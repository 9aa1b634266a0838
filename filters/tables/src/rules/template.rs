//! The result of a rule, with `$1 ${1} $(1)` for what a group matched and `$$` for `$`.

use std::borrow::Cow;

use super::Dialect;

/// A result as it was written, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Box<[Piece]>,
    /// The highest group that is asked for; 0 if there is none.
    highest: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(Box<[u8]>),
    Group(u32),
}

impl Template {
    /// Takes a result apart.
    ///
    /// # Errors
    /// What is wrong with it, in Postfix's words; each is a warning of its own.
    pub(super) fn parse(dialect: Dialect, text: &[u8]) -> Result<Self, Vec<String>> {
        let mut parser = Parser {
            text,
            at: 0,
            pieces: Vec::new(),
            wrong: Vec::new(),
            highest: 0,
            out_of_range: match dialect {
                Dialect::Regexp => "out-of-range",
                Dialect::Pcre => "out of range",
            },
        };
        parser.run();
        if !parser.wrong.is_empty() {
            return Err(parser.wrong);
        }
        Ok(Self { pieces: parser.pieces.into(), highest: parser.highest })
    }

    /// The highest group that is asked for; 0 if there is none.
    pub(super) fn highest(&self) -> u32 {
        self.highest
    }

    /// The result, where it is the same for every key.
    pub(super) fn constant(&self) -> Option<&[u8]> {
        match &*self.pieces {
            [] => Some(b""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The result as it is written: `$1` for all of `$1 ${1} $(1)`, and `$` for `$$`.
    pub(super) fn written(&self) -> Cow<'_, [u8]> {
        match self.constant() {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.pieces.iter().flat_map(Piece::written).collect()),
        }
    }

    /// The result with what the groups matched; nothing for a group that took no part.
    pub(super) fn expand<'k>(&self, group: impl Fn(u32) -> Option<&'k [u8]>) -> Vec<u8> {
        let mut value = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => value.extend_from_slice(text),
                Piece::Group(number) => value.extend_from_slice(group(*number).unwrap_or_default()),
            }
        }
        value
    }
}

impl Piece {
    fn written(&self) -> Vec<u8> {
        match self {
            Self::Literal(text) => text.to_vec(),
            Self::Group(number) => format!("${number}").into_bytes(),
        }
    }
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    pieces: Vec<Piece>,
    wrong: Vec<String>,
    highest: u32,
    out_of_range: &'static str,
}

impl Parser<'_> {
    fn run(&mut self) {
        let mut literal = Vec::new();
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            if byte != b'$' {
                literal.push(byte);
            } else if self.text.get(self.at) == Some(&b'$') {
                self.at += 1;
                literal.push(b'$');
            } else {
                self.end_literal(&mut literal);
                let Some(name) = self.name() else { return };
                self.group(&name);
            }
        }
        self.end_literal(&mut literal);
    }

    fn end_literal(&mut self, literal: &mut Vec<u8>) {
        if !literal.is_empty() {
            self.pieces.push(Piece::Literal(std::mem::take(literal).into()));
        }
    }

    /// The name after a `$`; `None` ends the reading, with what is wrong noted.
    fn name(&mut self) -> Option<Vec<u8>> {
        let name = match self.text.get(self.at) {
            Some(b'(') => self.bracketed(b'(', b')')?,
            Some(b'{') => self.bracketed(b'{', b'}')?,
            _ => self.plain(),
        };
        if name.is_empty() {
            self.wrong.push(format!("empty macro name: {:?}", self.shown()));
            return None;
        }
        Some(name.to_vec())
    }

    /// What stands up to the closing parenthesis that belongs to this one.
    fn bracketed(&mut self, open: u8, close: u8) -> Option<&[u8]> {
        let start = self.at + 1;
        let mut level = 1_u32;
        for (offset, &byte) in self.text[start..].iter().enumerate() {
            level = level + u32::from(byte == open) - u32::from(byte == close);
            if level == 0 {
                self.at = start + offset + 1;
                return Some(&self.text[start..start + offset]);
            }
        }
        self.wrong.push(format!("truncated macro reference: {:?}", self.shown()));
        None
    }

    fn plain(&mut self) -> &[u8] {
        let rest = &self.text[self.at..];
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = rest.iter().position(|byte| !is_name(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn group(&mut self, name: &[u8]) {
        let shown = String::from_utf8_lossy(name);
        if !name.iter().all(u8::is_ascii_digit) {
            self.wrong.push(format!("non-numeric replacement index \"{shown}\""));
            return;
        }
        // Postfix reads it with atoi(3), which keeps 32 bits of what fits into 64.
        let number = shown.parse::<i64>().unwrap_or(i64::MAX).cast_unsigned() & 0xffff_ffff;
        match u32::try_from(number).unwrap_or(u32::MAX) {
            0 => self.wrong.push(format!("{} replacement index \"{shown}\"", self.out_of_range)),
            number => {
                self.highest = self.highest.max(number);
                self.pieces.push(Piece::Group(number));
            }
        }
    }

    fn shown(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let groups: [&[u8]; 3] = [b"one", b"two", b"three"];
        let template = Template::parse(Dialect::Pcre, text.as_bytes()).unwrap();
        let group = |number: u32| groups.get(number as usize - 1).copied();
        String::from_utf8(template.expand(group)).unwrap()
    }

    #[test]
    fn groups_are_written_three_ways_and_a_dollar_is_two() {
        assert_eq!(expanded("a $1${2}x$(3) $$1 $9."), "a onetwoxthree $1 .");
    }

    #[test]
    fn a_name_that_is_no_number_is_wrong_in_postfix_s_words() {
        let wrong = |text: &[u8]| Template::parse(Dialect::Pcre, text).unwrap_err().join("; ");
        assert_eq!(
            wrong(b"$x $0"),
            "non-numeric replacement index \"x\"; \
                                     out of range replacement index \"0\""
        );
        assert_eq!(wrong(b"a $(1"), "truncated macro reference: \"a $(1\"");
        assert_eq!(wrong(b"a $ b"), "empty macro name: \"a $ b\"");
        assert_eq!(wrong(b"${}"), "empty macro name: \"${}\"");
    }

    #[test]
    fn a_result_without_groups_is_constant() {
        assert_eq!(
            Template::parse(Dialect::Pcre, b"a $$ b").unwrap().constant(),
            Some(&b"a $ b"[..])
        );
        assert_eq!(Template::parse(Dialect::Pcre, b"a $1").unwrap().constant(), None);
    }
}
