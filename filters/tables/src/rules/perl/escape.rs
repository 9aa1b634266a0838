//! What begins with a backslash, outside of classes.

use regex_syntax::hir::Look;

use super::{Atom, Node, Parser, class, word_boundary};

impl Parser {
    pub(super) fn escape(&mut self) -> Option<Atom> {
        self.at += 1;
        let character = *self.text.get(self.at)?;
        let byte = self.peek();
        if !byte.is_ascii_alphanumeric() {
            self.at += 1;
            return Some(Atom::Node(self.literal(character)));
        }
        if let Some(value) = self.character_escape()? {
            return Some(Atom::Node(self.literal(value)));
        }
        if let Some(set) = class::shorthand(self.matching, byte) {
            self.at += 1;
            return Some(Atom::Node(set));
        }
        self.at += 1;
        let look = match byte {
            b'b' => word_boundary(self.matching, false),
            b'B' => word_boundary(self.matching, true),
            b'A' | b'G' => Look::Start,
            b'z' => Look::End,
            b'Z' => {
                self.newline_matters = true;
                Look::End
            }
            b'K' => {
                self.is_exact = false;
                return Some(Atom::Place(Node::Empty));
            }
            // Two characters that belong together, among others; given up once taken.
            b'R' | b'X' => {
                self.is_exact = false;
                return Some(Atom::Node(Node::Anything));
            }
            b'N' if self.peek() != b'{' => {
                let newline = (u32::from(b'\n'), u32::from(b'\n'));
                return Some(Atom::Node(class::set(self.matching, &[newline], true)));
            }
            b'1'..=b'9' if !self.peek().is_ascii_digit() => {
                self.is_exact = false;
                return Some(Atom::Node(Node::Anything));
            }
            _ => return None,
        };
        Some(Atom::Place(Node::Look(look)))
    }

    /// The value of an escape that stands for one character, the backslash passed. The outer
    /// `None` gives up; the inner one says that it stands for something else.
    pub(super) fn character_escape(&mut self) -> Option<Option<u32>> {
        let byte = self.peek();
        let value = match byte {
            b'a' => 0x07,
            b'e' => 0x1b,
            b'f' => 0x0c,
            b'n' => 0x0a,
            b'r' => 0x0d,
            b't' => 0x09,
            b'0' => {
                self.at += 1;
                return Some(Some(self.digits(8, 2)));
            }
            b'o' => {
                self.at += 1;
                return self.braced(8).map(Some);
            }
            b'x' if self.peek_at(1) == b'{' => {
                self.at += 1;
                return self.braced(16).map(Some);
            }
            b'x' => {
                self.at += 1;
                return Some(Some(self.digits(16, 2)));
            }
            b'c' => {
                let control = self.peek_at(1);
                if !(b' '..=b'~').contains(&control) {
                    return None;
                }
                self.at += 2;
                return Some(Some(u32::from(control.to_ascii_uppercase() ^ 0x40)));
            }
            _ => return Some(None),
        };
        self.at += 1;
        Some(Some(value))
    }

    /// Up to so many digits; none are 0.
    fn digits(&mut self, radix: u32, most: usize) -> u32 {
        let mut value = 0_u32;
        for _ in 0..most {
            let Some(digit) = char::from(self.peek()).to_digit(radix) else { break };
            value = value * radix + digit;
            self.at += 1;
        }
        value
    }

    /// `{digits}`, without the white space that some versions of PCRE2 take.
    fn braced(&mut self, radix: u32) -> Option<u32> {
        self.at += 1;
        let start = self.at;
        let value = self.digits(radix, 6);
        (self.at > start && self.take(b"}")).then_some(value)
    }
}
