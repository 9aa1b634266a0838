//! Sets of characters of PCRE patterns: `[...]`, `\d` and the like.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange};

use super::{Node, Parser};
use crate::rules::{Matching, source::Flags, unicode};

impl Parser {
    /// What begins with `[`. `None` where a member may mean more than it seems to.
    pub(super) fn class(&mut self) -> Option<Node> {
        self.at += 1;
        if self.take(b"[:<:]]") || self.take(b"[:>:]]") {
            return None;
        }
        let negated = self.take(b"^");
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut sets = set(self.matching, &[], false);
        let mut first = true;
        while first || !self.take(b"]") {
            match self.member()? {
                Member::Set(set) => {
                    // A hyphen beside a set is a matter of versions.
                    if self.peek() == b'-' && self.peek_at(1) != b']' {
                        return None;
                    }
                    sets = union(sets, set)?;
                }
                Member::Character(start) => {
                    let is_range = self.peek() == b'-' && self.peek_at(1) != b']';
                    if !is_range {
                        ranges.push((start, start));
                    } else {
                        self.at += 1;
                        let Member::Character(end) = self.member()? else { return None };
                        ranges.push((start, end));
                    }
                }
            }
            first = false;
        }
        let characters = fold(set(self.matching, &ranges, false), self.flags);
        let node = union(sets, characters)?;
        Some(if negated { negate(node) } else { node })
    }

    fn member(&mut self) -> Option<Member> {
        let character = *self.text.get(self.at)?;
        match self.peek() {
            b'[' if matches!(self.peek_at(1), b':' | b'.' | b'=') => self.named().map(Member::Set),
            b'\\' => {
                self.at += 1;
                self.escaped_member()
            }
            _ => {
                self.at += 1;
                Some(Member::Character(character))
            }
        }
    }

    fn escaped_member(&mut self) -> Option<Member> {
        let character = *self.text.get(self.at)?;
        let byte = self.peek();
        if !byte.is_ascii_alphanumeric() {
            self.at += 1;
            return Some(Member::Character(character));
        }
        if byte == b'b' {
            self.at += 1;
            return Some(Member::Character(0x08));
        }
        if let Some(value) = self.character_escape()? {
            return Some(Member::Character(value));
        }
        // \Q, \E, octal digits and properties are PCRE2's affair.
        let set = shorthand(self.matching, byte)?;
        self.at += 1;
        Some(Member::Set(set))
    }

    /// `[:name:]`, `[:^name:]`.
    fn named(&mut self) -> Option<Node> {
        if !self.take(b"[:") {
            return None;
        }
        let negated = self.take(b"^");
        let mut name = String::new();
        while self.peek().is_ascii_alphabetic() {
            name.push(char::from(self.peek()));
            self.at += 1;
        }
        if !self.take(b":]") {
            return None;
        }
        let caseless = self.flags.caseless;
        let name = match &*name {
            "upper" | "lower" if caseless => "alpha",
            name => name,
        };
        let node = match self.matching {
            Matching::Bytes => Node::bytes(match name {
                "word" => unicode::WORD,
                "ascii" => &[(0, 0x7f)],
                _ => unicode::ascii_named(name)?,
            }),
            Matching::Text => Node::Set(Class::Unicode(unicode::named(name)?)),
        };
        Some(if negated { negate(node) } else { node })
    }
}

enum Member {
    Character(u32),
    Set(Node),
}

/// `\d \D \s \S \w \W \h \H \v \V`.
pub(super) fn shorthand(matching: Matching, name: u8) -> Option<Node> {
    let wide = matching == Matching::Text;
    let node = match name.to_ascii_lowercase() {
        b'd' | b's' | b'w' if wide => Node::Set(Class::Unicode(unicode::named(match name {
            b'd' | b'D' => "digit",
            b's' | b'S' => "space",
            _ => "word",
        })?)),
        b'd' => Node::bytes(&[(b'0', b'9')]),
        b's' => Node::bytes(&[(b'\t', b'\r'), (b' ', b' ')]),
        b'w' => Node::bytes(unicode::WORD),
        b'h' if !wide => Node::bytes(&[(b'\t', b'\t'), (b' ', b' '), (0xa0, 0xa0)]),
        b'v' if !wide => Node::bytes(&[(b'\n', b'\r'), (0x85, 0x85)]),
        b'h' => set(
            matching,
            &[
                (0x09, 0x09),
                (0x20, 0x20),
                (0xa0, 0xa0),
                (0x1680, 0x1680),
                (0x180e, 0x180e),
                (0x2000, 0x200a),
                (0x202f, 0x202f),
                (0x205f, 0x205f),
                (0x3000, 0x3000),
            ],
            false,
        ),
        b'v' => set(matching, &[(0x0a, 0x0d), (0x85, 0x85), (0x2028, 0x2029)], false),
        _ => return None,
    };
    Some(if name.is_ascii_uppercase() { negate(node) } else { node })
}

/// The characters of these ranges, or all others.
pub(super) fn set(matching: Matching, ranges: &[(u32, u32)], negated: bool) -> Node {
    let node = match matching {
        Matching::Bytes => {
            let clip = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
            let ranges = ranges.iter().filter(|&&(start, _)| start <= 0xff);
            let ranges = ranges.map(|&(start, end)| ClassBytesRange::new(clip(start), clip(end)));
            Node::Set(Class::Bytes(ClassBytes::new(ranges)))
        }
        Matching::Text => {
            let scalar = |value: u32, otherwise| char::from_u32(value).unwrap_or(otherwise);
            let ranges = ranges.iter().map(|&(start, end)| {
                ClassUnicodeRange::new(scalar(start, '\u{e000}'), scalar(end, '\u{d7ff}'))
            });
            Node::Set(Class::Unicode(ClassUnicode::new(ranges)))
        }
    };
    if negated { negate(node) } else { node }
}

/// With the flag `i`, the characters that are the same but for case as well.
pub(super) fn fold(mut node: Node, flags: Flags) -> Node {
    if flags.caseless
        && let Node::Set(class) = &mut node
    {
        class.case_fold_simple();
    }
    node
}

fn negate(mut node: Node) -> Node {
    if let Node::Set(class) = &mut node {
        class.negate();
    }
    node
}

fn union(left: Node, right: Node) -> Option<Node> {
    match (left, right) {
        (Node::Set(Class::Bytes(mut left)), Node::Set(Class::Bytes(right))) => {
            left.union(&right);
            Some(Node::Set(Class::Bytes(left)))
        }
        (Node::Set(Class::Unicode(mut left)), Node::Set(Class::Unicode(right))) => {
            left.union(&right);
            Some(Node::Set(Class::Unicode(left)))
        }
        _ => None,
    }
}
