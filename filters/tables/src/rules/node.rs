//! A pattern as a tree, whatever the dialect it was written in, and its form for the automaton.

use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

/// A pattern or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// Matches without taking a character.
    Empty,
    /// One character of a set: a byte, or a Unicode scalar value.
    Set(Class),
    /// Matches at certain places, without taking a character.
    Look(Look),
    /// A group with its number, from 1.
    Group(u32, Box<Self>),
    /// One after the other.
    Sequence(Vec<Self>),
    /// One of these, the first preferred.
    Choice(Vec<Self>),
    /// Several times.
    Repeat(Repeat),
    /// What a group matched (POSIX `\1`). The automaton cannot do it.
    BackReference(u32),
    /// Anything may stand here: what the reader of a dialect did not follow. Never in a pattern
    /// that the automaton runs; it stands for what such a pattern needs at least.
    Anything,
}

/// A part of a pattern, several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    pub(super) part: Box<Node>,
    pub(super) min: u32,
    /// `None`: without an upper limit.
    pub(super) max: Option<u32>,
    /// Takes as much as it can.
    pub(super) greedy: bool,
}

impl Node {
    /// One byte of these ranges.
    pub(super) fn bytes(ranges: &[(u8, u8)]) -> Self {
        let ranges = ranges.iter().map(|&(start, end)| ClassBytesRange::new(start, end));
        Self::Set(Class::Bytes(ClassBytes::new(ranges)))
    }

    /// Parts one after the other; one alone stays as it is.
    pub(super) fn sequence(mut parts: Vec<Self>) -> Self {
        match parts.len() {
            0 => Self::Empty,
            1 => parts.remove(0),
            _ => Self::Sequence(parts),
        }
    }

    /// One of several parts; one alone stays as it is.
    pub(super) fn choice(mut parts: Vec<Self>) -> Self {
        match parts.len() {
            0 => Self::Empty,
            1 => parts.remove(0),
            _ => Self::Choice(parts),
        }
    }

    /// A part several times.
    pub(super) fn repeat(part: Self, min: u32, max: Option<u32>, greedy: bool) -> Self {
        Self::Repeat(Repeat { part: Box::new(part), min, max, greedy })
    }

    /// Whether it can match without taking a character.
    pub(super) fn is_nullable(&self) -> bool {
        match self {
            Self::Empty | Self::Look(_) | Self::BackReference(_) | Self::Anything => true,
            Self::Set(_) => false,
            Self::Group(_, part) => part.is_nullable(),
            Self::Sequence(parts) => parts.iter().all(Self::is_nullable),
            Self::Choice(parts) => parts.iter().any(Self::is_nullable),
            Self::Repeat(repeat) => repeat.min == 0 || repeat.part.is_nullable(),
        }
    }

    /// Whether something that can match nothing is repeated. What groups hold then depends on how
    /// an engine ends such a loop.
    pub(super) fn has_empty_loop(&self) -> bool {
        match self {
            Self::Repeat(repeat) => {
                (repeat.max != Some(1) && repeat.part.is_nullable()) || repeat.part.has_empty_loop()
            }
            Self::Group(_, part) => part.has_empty_loop(),
            Self::Sequence(parts) | Self::Choice(parts) => parts.iter().any(Self::has_empty_loop),
            Self::Empty
            | Self::Set(_)
            | Self::Look(_)
            | Self::BackReference(_)
            | Self::Anything => false,
        }
    }

    /// About how many states the automaton has for it.
    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Empty | Self::Look(_) | Self::BackReference(_) | Self::Anything => 1,
            Self::Set(Class::Bytes(_)) => 1,
            // UTF-8 sequences of the ranges.
            Self::Set(Class::Unicode(class)) => 1 + 2 * class.ranges().len() as u64,
            Self::Group(_, part) => part.size().saturating_add(2),
            Self::Sequence(parts) | Self::Choice(parts) => {
                parts.iter().fold(1, |sum, part| part.size().saturating_add(sum))
            }
            Self::Repeat(repeat) => {
                let times = u64::from(repeat.max.unwrap_or(repeat.min).max(1));
                repeat.part.size().saturating_add(1).saturating_mul(times)
            }
        }
    }

    /// The pattern for the automaton. With `groups`, what they match can be asked for.
    /// `None` if the automaton cannot do it.
    pub(super) fn to_hir(&self, groups: bool) -> Option<Hir> {
        let all = |parts: &[Self]| {
            parts.iter().map(|part| part.to_hir(groups)).collect::<Option<Vec<Hir>>>()
        };
        Some(match self {
            Self::Empty => Hir::empty(),
            Self::Set(class) => Hir::class(class.clone()),
            Self::Look(look) => Hir::look(*look),
            Self::Group(index, part) if groups => {
                let sub = Box::new(part.to_hir(groups)?);
                Hir::capture(Capture { index: *index, name: None, sub })
            }
            Self::Group(_, part) => part.to_hir(groups)?,
            Self::Sequence(parts) => Hir::concat(all(parts)?),
            Self::Choice(parts) => Hir::alternation(all(parts)?),
            Self::Repeat(Repeat { part, min, max, greedy }) => {
                let sub = Box::new(part.to_hir(groups)?);
                Hir::repetition(Repetition { min: *min, max: *max, greedy: *greedy, sub })
            }
            Self::BackReference(_) | Self::Anything => return None,
        })
    }
}
