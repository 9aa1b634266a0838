//! Words that a key must have for a pattern to match: the cheap question before the dear one.
//!
//! Words are in lower case as far as they are ASCII, and are looked for without regard to case: a
//! pattern that minds the case has the same words, and is asked once they were found.

use regex_syntax::hir::Class;

use super::node::Node;

/// Sets of words. Of each set, any match has at least one word.
pub(super) type Needs = Vec<Words>;

/// Words of which one must be there.
pub(super) type Words = Vec<Vec<u8>>;

/// What the matches of a pattern have in common.
pub(super) fn needs(node: &Node) -> Needs {
    let mut found = Found::of(node);
    found.settle();
    found.sets
}

/// The length of the shortest word.
pub(super) fn shortest(words: &Words) -> usize {
    words.iter().map(Vec::len).min().unwrap_or(0)
}

#[derive(Debug, Default)]
struct Found {
    /// All that the part can match, while there are few.
    exact: Option<Words>,
    sets: Needs,
}

impl Found {
    fn of(node: &Node) -> Self {
        match node {
            Node::Empty | Node::Look(_) => Self::exactly(vec![Vec::new()]),
            Node::Set(class) => members(class).map_or_else(Self::default, Self::exactly),
            Node::Group(_, part) => Self::of(part),
            Node::Sequence(parts) => Self::sequence(parts),
            Node::Choice(parts) => Self::choice(parts),
            Node::Repeat(repeat) if repeat.min == 0 => Self::default(),
            Node::Repeat(repeat) => {
                let mut part = Self::of(&repeat.part);
                if (repeat.min, repeat.max) != (1, Some(1)) {
                    part.settle();
                }
                part
            }
            Node::BackReference(_) | Node::Anything => Self::default(),
        }
    }

    fn exactly(words: Words) -> Self {
        Self { exact: Some(words), sets: Vec::new() }
    }

    /// Turns what is exact so far into a need.
    fn settle(&mut self) {
        if let Some(words) = self.exact.take()
            && shortest(&words) > 0
        {
            self.sets.push(words);
        }
        if self.sets.len() > MAX_SETS {
            self.sets.sort_by_key(|words| std::cmp::Reverse(shortest(words)));
            self.sets.truncate(MAX_SETS);
        }
    }

    fn sequence(parts: &[Node]) -> Self {
        let mut whole = Self::exactly(vec![Vec::new()]);
        let mut is_exact = true;
        for part in parts {
            let mut part = Self::of(part);
            whole.sets.append(&mut part.sets);
            let joined = match (&whole.exact, &part.exact) {
                (Some(left), Some(right)) => product(left, right),
                _ => None,
            };
            if joined.is_none() {
                is_exact = false;
                whole.settle();
            }
            whole.exact = joined.or(part.exact);
        }
        if !is_exact {
            whole.settle();
        }
        whole
    }

    fn choice(parts: &[Node]) -> Self {
        let mut parts: Vec<Self> = parts.iter().map(Self::of).collect();
        let count: usize = parts.iter().filter_map(|part| part.exact.as_ref()).map(Vec::len).sum();
        if count <= MAX_WORDS && parts.iter().all(|part| part.exact.is_some()) {
            let mut words: Words =
                parts.into_iter().filter_map(|part| part.exact).flatten().collect();
            words.sort();
            words.dedup();
            return Self::exactly(words);
        }
        let mut words = Words::new();
        for part in &mut parts {
            part.settle();
            let best = part.sets.iter().max_by_key(|words| shortest(words));
            let Some(best) = best else { return Self::default() };
            words.extend_from_slice(best);
        }
        if words.len() > MAX_CHOICES {
            return Self::default();
        }
        Self { exact: None, sets: vec![words] }
    }
}

/// Each word of the one before each of the other, while there are few.
fn product(left: &Words, right: &Words) -> Option<Words> {
    let longest = |words: &Words| words.iter().map(Vec::len).max().unwrap_or(0);
    if left.len() * right.len() > MAX_WORDS || longest(left) + longest(right) > MAX_LENGTH {
        return None;
    }
    let join = |head: &Vec<u8>, tail: &Vec<u8>| [&head[..], &tail[..]].concat();
    Some(left.iter().flat_map(|head| right.iter().map(move |tail| join(head, tail))).collect())
}

/// The characters of a set, while there are few.
fn members(class: &Class) -> Option<Words> {
    let mut words: Words = match class {
        Class::Bytes(class) => {
            let count: usize = class.iter().map(|range| range.len()).sum();
            if count > 2 * MAX_WORDS {
                return None;
            }
            let bytes = class.iter().flat_map(|range| range.start()..=range.end());
            bytes.map(|byte| vec![byte.to_ascii_lowercase()]).collect()
        }
        Class::Unicode(class) => {
            let count: usize = class.iter().map(|range| range.len()).sum();
            if count > 2 * MAX_WORDS {
                return None;
            }
            let characters = class.iter().flat_map(|range| range.start()..=range.end());
            characters.map(|character| character.to_ascii_lowercase().to_string().into()).collect()
        }
    };
    words.sort();
    words.dedup();
    (!words.is_empty() && words.len() <= MAX_WORDS).then_some(words)
}

/// Of what a part can match exactly.
const MAX_WORDS: usize = 16;
/// Of a choice, in which each branch brings its own.
const MAX_CHOICES: usize = 256;
/// Bytes of a word.
const MAX_LENGTH: usize = 64;
/// Of sets, from which the index chooses.
const MAX_SETS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Dialect, Matching, perl::Perl, source::Flags};

    fn found(pattern: &str) -> Vec<Vec<String>> {
        let flags = Flags::new(Dialect::Pcre);
        let perl = Perl::parse(pattern.as_bytes(), flags, Matching::Bytes).unwrap();
        let text = |word| String::from_utf8(word).unwrap();
        needs(&perl.node).into_iter().map(|set| set.into_iter().map(text).collect()).collect()
    }

    #[test]
    fn a_word_is_needed_whatever_its_case() {
        assert_eq!(found("^Subject: Money$"), [["subject: money"]]);
    }

    #[test]
    fn each_run_of_a_pattern_is_needed() {
        assert_eq!(found("^Subject:.*money.*now"), [["subject:"], ["money"], ["now"]]);
    }

    #[test]
    fn one_branch_of_a_choice_is_needed() {
        assert_eq!(found("x(ab|cd)y"), [["xaby", "xcdy"]]);
        assert_eq!(found("(a.*bc|de)"), [["bc", "de"]]);
    }

    #[test]
    fn what_may_be_absent_is_not_needed() {
        assert!(found("a*|b").is_empty());
        assert_eq!(found("(?:ab)?cd"), [["cd"]]);
        assert_eq!(found("(ab)+"), [["ab"]]);
        assert!(found("(ab|.)").is_empty());
    }
}
