//! PCRE patterns, read for the automaton: what it can do exactly, and no more (pcre2pattern(3)).
//!
//! PCRE2 has accepted a pattern before it comes here, so nothing is checked again. What this
//! reader does not follow makes it give up or mark the pattern as inexact; both then run in PCRE2.
//! The tree of an inexact pattern matches whatever the pattern does, and more.

mod class;
mod escape;

use regex_syntax::hir::Look;

use super::{Matching, node::Node, pattern::word_boundary, source::Flags};

/// A pattern that was read.
#[derive(Debug)]
pub(super) struct Perl {
    pub(super) node: Node,
    pub(super) groups: u32,
    /// Whether the tree is the pattern; otherwise a match of the pattern is one of the tree.
    pub(super) is_exact: bool,
    /// It has a `$`, `\Z` or `^` that treats a newline at the end of the key specially. The tree
    /// is exact for keys without one.
    pub(super) newline_matters: bool,
}

impl Perl {
    /// Reads a pattern that PCRE2 has accepted; `None` where something is not followed.
    pub(super) fn parse(text: &[u8], flags: Flags, matching: Matching) -> Option<Self> {
        if text.starts_with(b"(*") {
            return None;
        }
        let mut parser = Parser {
            text: match matching {
                Matching::Bytes => text.iter().map(|&byte| u32::from(byte)).collect(),
                Matching::Text => std::str::from_utf8(text).ok()?.chars().map(u32::from).collect(),
            },
            at: 0,
            flags,
            matching,
            groups: 0,
            is_exact: true,
            newline_matters: false,
            depth: 0,
        };
        let node = parser.choice()?;
        if parser.at < parser.text.len() {
            return None;
        }
        let node =
            if flags.anchored { Node::sequence(vec![Node::Look(Look::Start), node]) } else { node };
        let Parser { groups, is_exact, newline_matters, .. } = parser;
        Some(Self { node, groups, is_exact, newline_matters })
    }
}

struct Parser {
    text: Vec<u32>,
    at: usize,
    flags: Flags,
    matching: Matching,
    groups: u32,
    is_exact: bool,
    newline_matters: bool,
    depth: u32,
}

/// What came before a quantifier.
enum Atom {
    Node(Node),
    /// Matches places, or changes flags: a quantifier after it is PCRE2's affair.
    Place(Node),
}

impl Parser {
    /// The next character if it is ASCII; 0 at the end and for others.
    fn peek(&self) -> u8 {
        self.peek_at(0)
    }

    fn peek_at(&self, offset: usize) -> u8 {
        self.text
            .get(self.at + offset)
            .and_then(|&character| u8::try_from(character).ok())
            .filter(u8::is_ascii)
            .unwrap_or(0)
    }

    fn take(&mut self, expected: &[u8]) -> bool {
        let found = (0..expected.len()).all(|offset| self.peek_at(offset) == expected[offset]);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Branches, up to a `)` or the end.
    fn choice(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut branches = vec![self.branch()?];
        while self.take(b"|") {
            branches.push(self.branch()?);
        }
        self.depth -= 1;
        Some(Node::choice(branches))
    }

    fn branch(&mut self) -> Option<Node> {
        let mut parts = Vec::new();
        loop {
            self.skip_ignored();
            if self.at >= self.text.len() || matches!(self.peek(), b'|' | b')') {
                return Some(Node::sequence(parts));
            }
            if self.take(b"\\Q") {
                self.quoted(&mut parts)?;
                continue;
            }
            if self.take(b"\\E") {
                continue;
            }
            let atom = self.atom()?;
            parts.push(self.quantified(atom)?);
        }
    }

    /// `\Q...\E`: each character means itself; a quantifier belongs to the last.
    fn quoted(&mut self, parts: &mut Vec<Node>) -> Option<()> {
        let start = self.at;
        while self.at < self.text.len() {
            if self.take(b"\\E") {
                if self.is_quantifier()? {
                    if self.at == start + 2 {
                        return None;
                    }
                    let last = parts.pop()?;
                    parts.push(self.quantified(Atom::Node(last))?);
                }
                return Some(());
            }
            let character = self.text[self.at];
            self.at += 1;
            parts.push(self.literal(character));
        }
        Some(())
    }

    /// White space and comments, with the flag `x`; `(?#...)` always.
    fn skip_ignored(&mut self) {
        loop {
            let next = self.peek();
            if self.take(b"(?#") {
                self.skip_past(b')');
            } else if !self.flags.extended {
                return;
            } else if next == b'#' {
                self.skip_past(b'\n');
            } else if next == b' ' || (b'\t'..=b'\r').contains(&next) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn skip_past(&mut self, end: u8) {
        while self.at < self.text.len() {
            self.at += 1;
            if self.text[self.at - 1] == u32::from(end) {
                return;
            }
        }
    }

    fn atom(&mut self) -> Option<Atom> {
        let character = self.text[self.at];
        match self.peek() {
            b'\\' => return self.escape(),
            b'[' => return self.class().map(Atom::Node),
            b'(' => return self.group(),
            _ => self.at += 1,
        }
        Some(match u8::try_from(character).unwrap_or(0) {
            b'.' => Atom::Node(self.any()),
            b'^' => Atom::Place(Node::Look(self.start())),
            b'$' => Atom::Place(Node::Look(self.end())),
            // A quantifier that is none, or that PCRE2 reads where we do not.
            b'{' if self.may_be_count() => return None,
            b'*' | b'+' | b'?' => return None,
            _ => Atom::Node(self.literal(character)),
        })
    }

    fn start(&mut self) -> Look {
        if !self.flags.multi_line {
            return Look::Start;
        }
        // Not after a newline that ends the key.
        self.newline_matters = true;
        Look::StartLF
    }

    fn end(&mut self) -> Look {
        if self.flags.multi_line {
            return Look::EndLF;
        }
        self.newline_matters |= !self.flags.dollar_end_only;
        Look::End
    }

    fn any(&self) -> Node {
        let newline = (u32::from(b'\n'), u32::from(b'\n'));
        let excluded: &[(u32, u32)] = if self.flags.dot_all { &[] } else { &[newline] };
        class::set(self.matching, excluded, true)
    }

    fn literal(&self, character: u32) -> Node {
        class::fold(class::set(self.matching, &[(character, character)], false), self.flags)
    }

    /// An atom with what repeats it.
    fn quantified(&mut self, atom: Atom) -> Option<Node> {
        let extended = self.flags.extended;
        if extended || self.peek() == b'(' {
            self.skip_ignored();
        }
        let Some((min, max)) = self.quantifier()? else {
            return Some(match atom {
                Atom::Node(node) | Atom::Place(node) => node,
            });
        };
        let Atom::Node(node) = atom else { return None };
        let greedy = match self.peek() {
            b'?' => self.flags.ungreedy,
            b'+' => {
                // It gives nothing back, which only backtracking knows.
                self.is_exact = false;
                true
            }
            _ => !self.flags.ungreedy,
        };
        if matches!(self.peek(), b'?' | b'+') {
            self.at += 1;
        }
        if self.is_quantifier()? {
            return None;
        }
        Some(if max == Some(0) { Node::Empty } else { Node::repeat(node, min, max, greedy) })
    }

    fn is_quantifier(&mut self) -> Option<bool> {
        let before = self.at;
        let found = self.quantifier()?.is_some();
        self.at = before;
        Some(found)
    }

    /// `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`. The outer `None`: something that PCRE2 may take for
    /// one, according to its version.
    fn quantifier(&mut self) -> Option<Option<(u32, Option<u32>)>> {
        let found = match self.peek() {
            b'*' => (0, None),
            b'+' => (1, None),
            b'?' => (0, Some(1)),
            b'{' => return self.count(),
            _ => return Some(None),
        };
        self.at += 1;
        Some(Some(found))
    }

    fn count(&mut self) -> Option<Option<(u32, Option<u32>)>> {
        let before = self.at;
        self.at += 1;
        let min = self.number();
        let max = if self.take(b",") { self.number() } else { min };
        let open = self.text.get(self.at - 1) == Some(&u32::from(b','));
        if let Some(min) = min
            && (max.is_some() || open)
            && self.take(b"}")
        {
            return Some(Some((min, max)));
        }
        self.at = before + 1;
        let unclear = self.may_be_count();
        self.at = before;
        (!unclear).then_some(None)
    }

    fn number(&mut self) -> Option<u32> {
        let start = self.at;
        let mut number = 0_u32;
        while self.peek().is_ascii_digit() {
            number = number.saturating_mul(10).saturating_add(u32::from(self.peek() - b'0'));
            self.at += 1;
        }
        (self.at > start).then_some(number)
    }

    /// Whether what follows a `{` has only what a count may have in some version of PCRE2.
    fn may_be_count(&self) -> bool {
        let rest = &self.text[self.at..];
        let is_part = |character: u32| {
            u8::try_from(character)
                .is_ok_and(|byte| matches!(byte, b'0'..=b'9' | b',' | b' ' | b'\t'))
        };
        let end = rest.iter().position(|&character| !is_part(character));
        end.is_some_and(|end| end > 0 && rest[end] == u32::from(b'}'))
    }

    /// What begins with `(`.
    fn group(&mut self) -> Option<Atom> {
        let outside = self.flags;
        let opening = self.opening()?;
        let number = self.groups;
        if opening == Opening::Flags {
            return Some(Atom::Place(Node::Empty));
        }
        let part = self.choice()?;
        if !self.take(b")") {
            return None;
        }
        self.flags = outside;
        Some(match opening {
            Opening::Capturing => Atom::Node(Node::Group(number, Box::new(part))),
            // What it sees is no part of a match.
            Opening::Around => Atom::Place(Node::Empty),
            Opening::Plain | Opening::Flags => Atom::Node(part),
        })
    }

    /// The beginning of a group, up to where its branches begin.
    fn opening(&mut self) -> Option<Opening> {
        if self.take(b"(*") {
            return None;
        }
        self.at += 1;
        if !self.take(b"?") {
            self.groups += 1;
            return Some(Opening::Capturing);
        }
        if self.take(b":") {
            return Some(Opening::Plain);
        }
        if self.take(b">") {
            self.is_exact = false;
            return Some(Opening::Plain);
        }
        let around: [&[u8]; 4] = [b"=", b"!", b"<=", b"<!"];
        if around.iter().any(|start| self.take(start)) {
            self.is_exact = false;
            return Some(Opening::Around);
        }
        for (start, end) in [(&b"P<"[..], b'>'), (b"<", b'>'), (b"'", b'\'')] {
            if self.take(start) {
                self.skip_past(end);
                self.groups += 1;
                return Some(Opening::Capturing);
            }
        }
        self.inline_flags()
    }

    /// `(?i)`, `(?i-s:`: the flags that follow `(?`, in force up to the end of the group.
    fn inline_flags(&mut self) -> Option<Opening> {
        let mut on = true;
        let mut flags = self.flags;
        loop {
            let name = self.peek();
            self.at += 1;
            match name {
                b'i' => flags.caseless = on,
                b'm' => flags.multi_line = on,
                b's' => flags.dot_all = on,
                b'U' => flags.ungreedy = on,
                // Twice means more than once.
                b'x' if self.peek() != b'x' => flags.extended = on,
                b'-' if on => on = false,
                b')' => {
                    self.flags = flags;
                    return Some(Opening::Flags);
                }
                b':' => {
                    // Those of the group; the caller puts the others back.
                    self.flags = flags;
                    return Some(Opening::Plain);
                }
                _ => return None,
            }
        }
    }
}

/// How a group begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Capturing,
    Plain,
    /// Looks ahead or behind.
    Around,
    /// No group: flags for what follows.
    Flags,
}

/// Of groups within groups: what recursion may cost.
const MAX_DEPTH: u32 = 100;
