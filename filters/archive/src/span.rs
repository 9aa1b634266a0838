//! Records that stand together, by their numbers. Pure.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::frame::Seq;

/// Records from one number to another, with both of them: `12..40`, or `12` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Box<str>", into = "Box<str>")]
pub struct Span {
    first: Seq,
    /// Not less than the first.
    last: Seq,
}

/// A text that is no number of a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no number of a record, such as 12, nor several, such as 12..40")]
pub struct NoSpan(Box<str>);

impl Span {
    /// A single record.
    #[must_use]
    pub const fn of(seq: Seq) -> Self {
        Self { first: seq, last: seq }
    }

    /// All from one to another; the first alone, if that is not before the last.
    #[must_use]
    pub const fn between(first: Seq, last: Seq) -> Self {
        Self { first, last: if first < last { last } else { first } }
    }

    /// Whether a record is one of them.
    #[must_use]
    pub const fn has(self, seq: Seq) -> bool {
        self.first <= seq && seq <= self.last
    }

    /// Whether a record is the next one.
    pub(crate) const fn is_just_before(self, seq: Seq) -> bool {
        self.last + 1 == seq
    }

    /// Takes in all up to a later one.
    pub(crate) const fn grow_to(&mut self, last: Seq) {
        self.last = last;
    }

    /// Those of them that are in none of the others.
    #[must_use]
    pub fn without(self, others: &[Self]) -> Vec<Self> {
        others.iter().fold(vec![self], |left, other| {
            left.into_iter().flat_map(|span| span.but(*other)).collect()
        })
    }

    fn but(self, other: Self) -> impl Iterator<Item = Self> {
        let before = (self.first < other.first)
            .then(|| Self { first: self.first, last: self.last.min(other.first - 1) });
        let behind = (self.last > other.last)
            .then(|| Self { first: self.first.max(other.last + 1), last: self.last });
        before.into_iter().chain(behind)
    }
}

impl FromStr for Span {
    type Err = NoSpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first @ 1..), Ok(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(NoSpan(text.into())),
        }
    }
}

impl TryFrom<Box<str>> for Span {
    type Error = NoSpan;

    fn try_from(text: Box<str>) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Span> for Box<str> {
    fn from(span: Span) -> Self {
        span.to_string().into()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first}..{last}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for text in ["12", "12..40", "1..2"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("7..7".parse(), Ok(Span::of(7)));
        for text in ["", "0", "0..3", "4..3", "a", "1..", "..1", "-1", "1..2..3"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_left_is_what_is_in_none_of_the_others() {
        let span = |text: &str| text.parse::<Span>().unwrap();
        for (all, others, left) in [
            ("5..9", &[][..], &["5..9"][..]),
            ("5..9", &["1..4", "10"], &["5..9"]),
            ("5..9", &["7"], &["5..6", "8..9"]),
            ("5..9", &["8..20", "1..5"], &["6..7"]),
            ("5..9", &["5..7", "8..9"], &[]),
            ("5", &["1..20"], &[]),
        ] {
            let others: Vec<_> = others.iter().map(|text| span(text)).collect();
            let found: Vec<_> =
                span(all).without(&others).into_iter().map(|it| it.to_string()).collect();
            assert_eq!(found, left, "{all} without {others:?}");
        }
    }
}
