//! Bracket expressions, and what a character of a pattern matches: the sets of POSIX patterns.

use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Look,
};

use super::{BAD_PATTERN, Error, Node};
use crate::rules::{Matching, unicode};

/// What a character is, and whether its case counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folding {
    pub(super) matching: Matching,
    pub(super) caseless: bool,
}

/// Ranges of characters, after folding.
#[derive(Debug, Default)]
pub(super) struct Members {
    ranges: Vec<(u32, u32)>,
}

impl Members {
    pub(super) fn add(&mut self, start: u32, end: u32) {
        self.ranges.push((start, end));
    }
}

impl Folding {
    /// A character as the library compares it: without regard to case, the upper one. Text has no
    /// such rule; there all that are the same but for case belong to a set.
    pub(super) fn fold(self, character: u32) -> u32 {
        match u8::try_from(character) {
            Ok(byte) if self.caseless && self.matching == Matching::Bytes => {
                u32::from(byte.to_ascii_uppercase())
            }
            _ => character,
        }
    }

    /// The characters that fold to one of the members, or the others.
    pub(super) fn set(self, members: Members, negated: bool) -> Node {
        match self.matching {
            Matching::Bytes => Node::Set(Class::Bytes(self.bytes(members, negated))),
            Matching::Text => Node::Set(Class::Unicode(self.text(members, negated))),
        }
    }

    fn bytes(self, members: Members, negated: bool) -> ClassBytes {
        let clip = |end: u32| u8::try_from(end).unwrap_or(u8::MAX);
        let ranges = members.ranges.into_iter().filter(|&(start, _)| start <= 0xff);
        let ranges = ranges.map(|(start, end)| ClassBytesRange::new(clip(start), clip(end)));
        let mut class = ClassBytes::new(ranges);
        if negated {
            class.negate();
        }
        if self.caseless {
            // A lower-case letter is what its upper-case letter is.
            let letters = |start, end| ClassBytes::new([ClassBytesRange::new(start, end)]);
            let mut upper = class.clone();
            upper.intersect(&letters(b'A', b'Z'));
            class.difference(&letters(b'a', b'z'));
            upper.case_fold_simple();
            class.union(&upper);
        }
        class
    }

    fn text(self, members: Members, negated: bool) -> ClassUnicode {
        let scalar = |value: u32, otherwise| char::from_u32(value).unwrap_or(otherwise);
        let ranges = members.ranges.into_iter().map(|(start, end)| {
            ClassUnicodeRange::new(scalar(start, '\u{e000}'), scalar(end, char::MAX))
        });
        let mut class = ClassUnicode::new(ranges);
        if self.caseless {
            class.case_fold_simple();
        }
        if negated {
            class.negate();
        }
        class
    }

    /// A set by its name, alone: `\w`, `\S`.
    pub(super) fn named(self, name: &str, negated: bool) -> Node {
        let mut members = Members::default();
        self.add_named(name, &mut members);
        self.set(members, negated)
    }

    /// Adds what `[:name:]` has. `false`: there is no such name.
    fn add_named(self, name: &str, members: &mut Members) -> bool {
        let name = match name {
            "upper" | "lower" if self.caseless => "alpha",
            name => name,
        };
        let ascii = match name {
            "word" => unicode::WORD,
            _ => match unicode::ascii_named(name) {
                Some(ranges) => ranges,
                None => return false,
            },
        };
        if self.matching == Matching::Text
            && let Some(class) = unicode::named(name)
        {
            for range in class.ranges() {
                members.add(u32::from(range.start()), u32::from(range.end()));
            }
            return true;
        }
        for &(start, end) in ascii {
            // Sets that have letters have them in both cases, so that folding changes nothing.
            members.add(u32::from(start), u32::from(end));
        }
        true
    }

    pub(super) fn look(self, bytes: Look, text: Look) -> Look {
        match self.matching {
            Matching::Bytes => bytes,
            Matching::Text => text,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Character(u32),
    Hyphen,
    Close,
    /// `[.`, `[=`, `[:`.
    Open(u8),
}

enum Element {
    Character(u32),
    Equivalence(u32),
    Named(String),
}

/// Reads what follows a `[`, up to and with the `]`. `never`: what a negated set does not match.
pub(super) fn parse(
    text: &[u32],
    at: &mut usize,
    folding: Folding,
    never: Option<u32>,
) -> Result<Node, Error> {
    let mut reader = Reader { text, at: *at, folding };
    let mut members = Members::default();
    let negated = text.get(reader.at) == Some(&u32::from(b'^'));
    if negated {
        reader.at += 1;
        if let Some(never) = never {
            members.add(never, never);
        }
    }
    let mut token = match reader.peek().ok_or(BAD_PATTERN)? {
        (Token::Close, length) => (Token::Character(u32::from(b']')), length),
        token => token,
    };
    let mut first = true;
    loop {
        reader.at += token.1;
        let start = reader.element(token.0, first)?;
        first = false;
        reader.member(start, &mut members)?;
        token = reader.peek().ok_or(UNMATCHED)?;
        if token.0 == Token::Close {
            break;
        }
    }
    *at = reader.at + 1;
    Ok(folding.set(members, negated))
}

struct Reader<'t> {
    text: &'t [u32],
    at: usize,
    folding: Folding,
}

impl Reader<'_> {
    fn ascii(&self, at: usize) -> u8 {
        self.text.get(at).and_then(|&character| u8::try_from(character).ok()).unwrap_or(0)
    }

    fn peek(&self) -> Option<(Token, usize)> {
        let &character = self.text.get(self.at)?;
        let next = self.ascii(self.at + 1);
        Some(match self.ascii(self.at) {
            b'[' if matches!(next, b'.' | b'=' | b':') => (Token::Open(next), 2),
            b'-' => (Token::Hyphen, 1),
            b']' => (Token::Close, 1),
            _ => (Token::Character(self.folding.fold(character)), 1),
        })
    }

    /// What a token is, which was passed. `hyphen`: a `-` may stand here.
    fn element(&mut self, token: Token, hyphen: bool) -> Result<Element, Error> {
        match token {
            Token::Character(character) => Ok(Element::Character(character)),
            Token::Close => Ok(Element::Character(u32::from(b']'))),
            Token::Hyphen if hyphen || matches!(self.peek(), Some((Token::Close, _))) => {
                Ok(Element::Character(u32::from(b'-')))
            }
            Token::Hyphen => Err(BAD_RANGE),
            Token::Open(kind) => self.symbol(kind),
        }
    }

    /// `[:name:]`, `[=c=]`, `[.c.]` after the two characters that open it.
    fn symbol(&mut self, kind: u8) -> Result<Element, Error> {
        let mut name = Vec::new();
        loop {
            if name.len() >= MAX_NAME || self.at >= self.text.len() {
                return Err(UNMATCHED);
            }
            let character = self.text[self.at];
            self.at += 1;
            if self.at >= self.text.len() {
                return Err(UNMATCHED);
            }
            if character == u32::from(kind) && self.ascii(self.at) == b']' {
                self.at += 1;
                break;
            }
            name.push(character);
        }
        if kind == b':' {
            return Ok(Element::Named(name.into_iter().filter_map(char::from_u32).collect()));
        }
        let &[character] = &name[..] else { return Err("Invalid collation character") };
        let character = self.folding.fold(character);
        Ok(if kind == b'=' {
            Element::Equivalence(character)
        } else {
            Element::Character(character)
        })
    }

    /// Adds an element, or the range that it starts.
    fn member(&mut self, start: Element, members: &mut Members) -> Result<(), Error> {
        let start = match start {
            Element::Named(name) => {
                let known = self.folding.add_named(&name, members);
                return if known { Ok(()) } else { Err("Invalid character class name") };
            }
            Element::Equivalence(character) => {
                members.add(character, character);
                return Ok(());
            }
            Element::Character(character) => character,
        };
        let is_range = match self.peek().ok_or(UNMATCHED)? {
            (Token::Hyphen, length) => {
                let hyphen = self.at;
                self.at += length;
                match self.peek().ok_or(UNMATCHED)? {
                    (Token::Close, _) => {
                        self.at = hyphen;
                        false
                    }
                    _ => true,
                }
            }
            _ => false,
        };
        let end = if is_range { self.range_end()? } else { start };
        if start > end {
            return Err(BAD_RANGE);
        }
        members.add(start, end);
        Ok(())
    }

    fn range_end(&mut self) -> Result<u32, Error> {
        let (token, length) = self.peek().ok_or(UNMATCHED)?;
        self.at += length;
        match self.element(token, true)? {
            Element::Character(end) => Ok(end),
            Element::Equivalence(_) | Element::Named(_) => Err(BAD_RANGE),
        }
    }
}

const UNMATCHED: Error = "Unmatched [, [^, [:, [., or [=";
const BAD_RANGE: Error = "Invalid range end";
/// Characters of a name between colons.
const MAX_NAME: usize = 32;
