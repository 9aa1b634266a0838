//! Numbers that should not leave: of people, cards and accounts. Found in text by their form and
//! their check digits, not by words around them.
//!
//! Digits may stand in groups, divided by one space, hyphen or dot. What touches another digit or a
//! Latin letter is part of something else (Korean and Japanese put words right behind). The text is expected in NFKC, so that full-width digits
//! are digits. A number that goes over a line end is not found.

mod account;
mod card;
mod france;
mod japan;
mod korea;

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// A kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberKind {
    /// Korean resident registration number (주민등록번호), and that of foreigners: 13 digits.
    KrResidentNumber,
    /// Japanese Individual Number (マイナンバー): 12 digits.
    JpMyNumber,
    /// French social security number (NIR): 15 characters.
    FrNir,
    /// Payment card number: 13 to 19 digits with the prefix of a known network (ISO/IEC 7812).
    CardNumber,
    /// International Bank Account Number (ISO 13616).
    Iban,
}

impl NumberKind {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::KrResidentNumber, Self::JpMyNumber, Self::FrNir, Self::CardNumber, Self::Iban];

    /// How often it stands in a line. Each place counts once.
    #[must_use]
    pub fn count(self, line: &str) -> usize {
        runs(line).map(|run| self.count_in(&run)).sum()
    }

    /// Whether any may stand in these lines. Most mail has none.
    pub(crate) fn may_stand_in(lines: &str) -> bool {
        // Each kind has two digits next to each other, of which one sign may divide the one from the other.
        let bytes = lines.as_bytes();
        let behind = |places: usize| bytes.get(places..).unwrap_or_default();
        // Digits, and nothing else, are less than ten of this. Without a way out in between, many bytes are compared at once.
        let digit = |byte: &u8| byte ^ b'0';
        let places = bytes.iter().zip(behind(1)).zip(behind(2));
        let least = places.fold(u8::MAX, |least, ((one, next), next_but_one)| {
            least.min(digit(one).max(digit(next).min(digit(next_but_one))))
        });
        let is_pair = |last: &[u8]| last.len() == 2 && last.iter().all(u8::is_ascii_digit);
        least < 10 || is_pair(behind(bytes.len().saturating_sub(2)))
    }

    /// How often each of `kinds` stands in a line, if any does.
    pub(crate) fn count_all(kinds: &[Self], line: &str, mut found: impl FnMut(Self, usize)) {
        // Most lines have no number.
        if kinds.is_empty() || !Self::may_stand_in(line) {
            return;
        }
        for run in runs(line) {
            for &kind in kinds {
                let count = kind.count_in(&run);
                if count > 0 {
                    found(kind, count);
                }
            }
        }
    }

    fn count_in(self, run: &Run<'_>) -> usize {
        let is_number = match self {
            Self::KrResidentNumber => korea::is_resident_number,
            Self::JpMyNumber => japan::is_my_number,
            Self::FrNir => france::is_nir,
            Self::CardNumber => card::is_card_number,
            Self::Iban => account::is_iban,
        };
        let (mut count, mut from) = (0, 0);
        // A run may hold a number and something else: each begins and ends where a group does.
        while from < run.groups.len() {
            let mut ends = (from + 1..=run.groups.len()).rev();
            match ends.find(|&to| !run.goes_on(from..to) && is_number(&run.part(from..to))) {
                Some(to) => {
                    count += 1;
                    from = to;
                }
                None => from += 1,
            }
        }
        count
    }
}

/// Letters and digits in groups, each divided from the next by one sign.
#[derive(Clone, Debug)]
struct Run<'a> {
    groups: Vec<&'a str>,
}

impl<'a> Run<'a> {
    fn part(&self, range: Range<usize>) -> Self {
        Self { groups: self.groups.get(range).unwrap_or_default().to_vec() }
    }

    /// Whether groups of the same form stand beside the part: then it is a piece of something longer.
    fn goes_on(&self, range: Range<usize>) -> bool {
        if range.len() < 2 {
            return false;
        }
        let alike = |inside: Option<&&str>, outside: Option<&&str>| match (inside, outside) {
            (Some(inside), Some(outside)) => {
                inside.len() == outside.len() && outside.bytes().any(|byte| byte.is_ascii_digit())
            }
            _ => false,
        };
        let before = range.start.checked_sub(1).and_then(|at| self.groups.get(at));
        alike(self.groups.get(range.start), before)
            || alike(self.groups.get(range.end - 1), self.groups.get(range.end))
    }

    /// All characters, without what divides them; nothing if they are more than any number has.
    fn joined(&self) -> String {
        let length: usize = self.groups.iter().map(|group| group.len()).sum();
        if length <= LONGEST { self.groups.concat() } else { String::new() }
    }

    /// The digits, if nothing else is there.
    fn digits(&self) -> Option<Vec<u32>> {
        self.joined().chars().map(|c| c.to_digit(10)).collect()
    }
}

/// The runs of a line that are long enough and have digits enough for a number: ASCII letters and digits, in groups.
fn runs(line: &str) -> impl Iterator<Item = Run<'_>> {
    let mut rest = line;
    std::iter::from_fn(move || {
        loop {
            let start = rest.bytes().position(|byte| byte.is_ascii_alphanumeric())?;
            rest = &rest[start..];
            let run = take_run(&mut rest);
            let length: usize = run.groups.iter().map(|group| group.len()).sum();
            let digits: usize = run.groups.iter().map(|group| digits(group)).sum();
            if length >= SHORTEST && digits >= FEWEST_DIGITS {
                return Some(run);
            }
        }
    })
}

fn take_run<'a>(rest: &mut &'a str) -> Run<'a> {
    let mut groups = Vec::new();
    loop {
        let end = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        let (group, behind) = rest.split_at(end.unwrap_or(rest.len()));
        groups.push(group);
        *rest = behind;
        let divides = matches!(behind.as_bytes(), [b' ' | b'-' | b'.', next, ..] if next.is_ascii_alphanumeric());
        if !divides || groups.len() == MOST_GROUPS {
            return Run { groups };
        }
        *rest = &behind[1..];
    }
}

fn digits(text: &str) -> usize {
    // In pieces whose number of digits fits into a byte, many bytes are counted at once.
    let in_piece =
        |piece: &[u8]| -> u8 { piece.iter().map(|b| u8::from(b.is_ascii_digit())).sum() };
    text.as_bytes().chunks(usize::from(u8::MAX)).map(|piece| usize::from(in_piece(piece))).sum()
}

/// The shortest number, that of a Japanese, has 12 characters.
const SHORTEST: usize = 12;

/// An IBAN has two check digits, and may have letters otherwise.
const FEWEST_DIGITS: usize = 2;

/// The longest number, an IBAN, has 34 characters.
const LONGEST: usize = 34;

/// A line of many short words is looked at in pieces, so that its cost stays linear.
const MOST_GROUPS: usize = 16;

#[cfg(test)]
mod tests;
