//! Bytes with which a key must begin for a pattern to match: most rules on headers say which header they mean, and nothing else
//! need be asked of the others.

use regex_syntax::hir::{Class, Look};

use super::node::Node;

/// A set of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Firsts(Box<[bool; 256]>);

impl Firsts {
    /// The bytes that matches of a pattern begin with, if they are at the start of the key and nowhere else, and never empty.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let mut firsts = Self::none();
        (is_at_start(node) && !firsts.add(node)).then_some(firsts)
    }

    /// Those of several patterns together; `None` if one of them begins with anything.
    pub(super) fn of_all<'f>(all: impl Iterator<Item = Option<&'f Self>>) -> Option<Self> {
        let mut sum = Self::none();
        for one in all {
            sum.0.iter_mut().zip(&*one?.0).for_each(|(sum, one)| *sum |= one);
        }
        Some(sum)
    }

    /// Whether the key begins with one of them.
    pub(super) fn begin(&self, key: &[u8]) -> bool {
        key.first().is_some_and(|&first| self.0.get(usize::from(first)).is_some_and(|&is| is))
    }

    fn none() -> Self {
        Self(Box::new([false; 256]))
    }

    /// Adds what a part begins with. Says whether what follows it may come first too.
    fn add(&mut self, node: &Node) -> bool {
        match node {
            Node::Empty | Node::Look(_) => true,
            Node::Set(class) => {
                self.add_class(class);
                false
            }
            Node::Group(_, part) => self.add(part),
            Node::Sequence(parts) => parts.iter().all(|part| self.add(part)),
            // Each of them adds what it begins with.
            Node::Choice(parts) => parts.iter().filter(|part| self.add(part)).count() > 0,
            Node::Repeat(repeat) => self.add(&repeat.part) || repeat.min == 0,
            Node::BackReference(_) | Node::Anything => {
                self.add_range(0, u8::MAX);
                true
            }
        }
    }

    fn add_class(&mut self, class: &Class) {
        match class {
            Class::Bytes(class) => {
                class.iter().for_each(|range| self.add_range(range.start(), range.end()));
            }
            Class::Unicode(class) => {
                for range in class.iter() {
                    // Characters of several bytes begin with one beyond ASCII.
                    let byte = |c: char| u8::try_from(c).ok().filter(u8::is_ascii);
                    match (byte(range.start()), byte(range.end())) {
                        (Some(start), Some(end)) => self.add_range(start, end),
                        (Some(start), None) => self.add_range(start, u8::MAX),
                        (None, _) => self.add_range(0x80, u8::MAX),
                    }
                }
            }
        }
    }

    fn add_range(&mut self, start: u8, end: u8) {
        self.0[usize::from(start)..=usize::from(end)].fill(true);
    }
}

/// Whether it matches at the start of the key only.
fn is_at_start(node: &Node) -> bool {
    match node {
        Node::Look(look) => *look == Look::Start,
        Node::Group(_, part) => is_at_start(part),
        Node::Sequence(parts) => parts.first().is_some_and(is_at_start),
        Node::Choice(parts) => !parts.is_empty() && parts.iter().all(is_at_start),
        Node::Repeat(repeat) => repeat.min > 0 && is_at_start(&repeat.part),
        Node::Empty | Node::Set(_) | Node::BackReference(_) | Node::Anything => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Dialect, Matching, perl::Perl, source::Flags};

    /// The bytes; `-` if any may come first.
    fn firsts(pattern: &str, matching: Matching) -> String {
        let flags = Flags::new(Dialect::Pcre);
        let perl = Perl::parse(pattern.as_bytes(), flags, matching).unwrap();
        match Firsts::of(&perl.node) {
            Some(firsts) => {
                let bytes = (0..=u8::MAX).filter(|byte| firsts.begin(&[*byte]));
                let beyond = firsts.begin(&[0xff]);
                let ascii = bytes.filter(u8::is_ascii).map(char::from);
                ascii.chain(beyond.then_some('+')).collect()
            }
            None => "-".to_owned(),
        }
    }

    #[test]
    fn a_pattern_at_the_start_says_what_keys_begin_with() {
        for (pattern, expected) in [
            ("^Subject:", "Ss"),
            ("^(From|Reply-To|x)", "FRXfrx"),
            ("(^a|^(?:b))c", "ABab"),
            ("^[0-2]*:", "012:"),
            ("^(a?b)+c", "ABab"),
            ("^\\b(?=x)y", "Yy"),
            ("^$", "-"),
            ("^a?", "-"),
            ("^(a|)", "-"),
            ("Subject:", "-"),
            ("(^a|b)", "-"),
            ("(?:^)?a", "-"),
            ("(?m)^a", "-"),
        ] {
            assert_eq!(firsts(pattern, Matching::Bytes), expected, "{pattern}");
        }
        assert_eq!(firsts("^[xé]", Matching::Text), "Xx+");
        assert_eq!(firsts("^대", Matching::Text), "+");
    }

    #[test]
    fn of_several_patterns_each_must_say() {
        let of = |pattern: &str| {
            let flags = Flags::new(Dialect::Pcre);
            Firsts::of(&Perl::parse(pattern.as_bytes(), flags, Matching::Bytes).unwrap().node)
        };
        let (one, other, none) = (of("^a"), of("^b"), of("c"));
        let both = Firsts::of_all([one.as_ref(), other.as_ref()].into_iter()).unwrap();
        assert!(both.begin(b"a") && both.begin(b"Bc") && !both.begin(b"c") && !both.begin(b""));
        assert_eq!(Firsts::of_all([one.as_ref(), none.as_ref()].into_iter()), None);
    }
}
