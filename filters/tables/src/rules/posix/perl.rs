//! A POSIX pattern written for PCRE2: for back-references, which no automaton can do.

use std::fmt::Write as _;

use regex_syntax::hir::{Class, Look};

use super::Node;
use crate::rules::node::Repeat;

pub(super) fn write(node: &Node) -> String {
    let mut text = String::new();
    node_to(&mut text, node);
    text
}

fn node_to(text: &mut String, node: &Node) {
    match node {
        Node::Empty | Node::Anything => text.push_str("(?:)"),
        Node::Set(class) => set_to(text, class),
        Node::Look(look) => text.push_str(look_as(*look)),
        Node::Group(_, part) => {
            text.push('(');
            node_to(text, part);
            text.push(')');
        }
        Node::Sequence(parts) => parts.iter().for_each(|part| node_to(text, part)),
        Node::Choice(parts) => {
            text.push_str("(?:");
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    text.push('|');
                }
                node_to(text, part);
            }
            text.push(')');
        }
        Node::Repeat(Repeat { part, min, max, greedy }) => {
            text.push_str("(?:");
            node_to(text, part);
            text.push(')');
            let max = max.map_or_else(String::new, |max| max.to_string());
            let lazy = if *greedy { "" } else { "?" };
            let _ = write!(text, "{{{min},{max}}}{lazy}");
        }
        Node::BackReference(number) => {
            let _ = write!(text, "\\g{{{number}}}");
        }
    }
}

fn set_to(text: &mut String, class: &Class) {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Bytes(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Unicode(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
    };
    if ranges.is_empty() {
        text.push_str("(?!)");
        return;
    }
    text.push('[');
    for (start, end) in ranges {
        let _ = write!(text, "\\x{{{start:x}}}-\\x{{{end:x}}}");
    }
    text.push(']');
}

fn look_as(look: Look) -> &'static str {
    match look {
        Look::Start => "\\A",
        Look::End => "\\z",
        Look::StartLF | Look::StartCRLF => "(?:\\A|(?<=\\n))",
        Look::EndLF | Look::EndCRLF => "(?:\\z|(?=\\n))",
        Look::WordAscii | Look::WordUnicode => "\\b",
        Look::WordAsciiNegate | Look::WordUnicodeNegate => "\\B",
        Look::WordStartAscii
        | Look::WordStartUnicode
        | Look::WordStartHalfAscii
        | Look::WordStartHalfUnicode => "\\b(?=\\w)",
        Look::WordEndAscii
        | Look::WordEndUnicode
        | Look::WordEndHalfAscii
        | Look::WordEndHalfUnicode => "\\b(?<=\\w)",
    }
}
