//! Who decides, when they are away, and who does it for them then.

use std::{collections::HashMap, fmt, str::FromStr};

use mailweir_mail::{Address, Date, Timestamp};

use crate::{
    case::Moderator,
    person::{is_among, is_same, key},
};

/// Somebody who decides about mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Where notices go, and who it is.
    pub address: Address,
    /// When they are away.
    pub absent: Vec<Absence>,
    /// Who decides in their name then.
    pub deputy: Option<Address>,
}

/// Days on which somebody is away, both ends included, where they live: `2026-12-24..2027-01-02`, or a single
/// day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Absence {
    first: Date,
    last: Date,
}

/// Why a text names no days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAbsence {
    /// A day is none of the calendar.
    #[error("days are written 2026-12-24..2027-01-02, or 2026-12-24 for one")]
    NotADate,
    /// The last day is before the first.
    #[error("the last day is before the first")]
    Backwards,
}

/// What day it is where somebody lives.
pub type Today<'a> = dyn Fn(&Address) -> Date + 'a;

/// What day it is, at a time, where somebody lives.
pub type Calendar<'a> = dyn Fn(&Address, Timestamp) -> Date + 'a;

/// The people who are known by more than their address. Whoever is not among them is never away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// By [`key`].
    known: HashMap<Box<str>, Person>,
}

/// Deputies of deputies that lead back to somebody: the first and all others, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle(pub Vec<Address>);

impl People {
    /// Who decides today where `asked` are to decide: whoever is away is replaced by their deputy, or
    /// by the deputy's deputy if that one is away too. Nobody stands there twice; whoever is asked in
    /// their own name is not somebody's deputy as well. Somebody who is away and has nobody to stand in
    /// is left out: whether enough are left is for the case to find.
    #[must_use]
    pub fn on(&self, today: &Today<'_>, asked: &[Address]) -> Vec<Moderator> {
        let is_there = |address: &Address| !self.is_away(address, today);
        let mut seats: Vec<Moderator> = Vec::new();
        for address in asked {
            let seat = if is_there(address) {
                Moderator::new(address.clone())
            } else {
                let Some(deputy) = self.deputy(address, today) else { continue };
                // The deputy has a word of their own, and nobody has two.
                if is_among(deputy, asked) {
                    continue;
                }
                Moderator { address: deputy.clone(), deputy_of: Some(address.clone()) }
            };
            if !seats.iter().any(|taken| taken.is(&seat.address)) {
                seats.push(seat);
            }
        }
        seats
    }

    /// The first circle of deputies, in the order of `people`.
    #[must_use]
    pub fn circle<'a>(&self, people: impl IntoIterator<Item = &'a Person>) -> Option<Circle> {
        people.into_iter().find_map(|person| {
            let mut way = vec![&person.address];
            loop {
                let next = self.known(way.last()?)?.deputy.as_ref()?;
                if is_same(next, &person.address) {
                    return Some(Circle(way.into_iter().cloned().collect()));
                }
                // A circle that this one only leads to is found from one of its own.
                if is_among(next, way.iter().copied()) {
                    return None;
                }
                way.push(next);
            }
        })
    }

    /// Who stands in for somebody: the first in the chain of deputies who is there.
    fn deputy<'a>(&'a self, address: &'a Address, today: &Today<'_>) -> Option<&'a Address> {
        let mut asked = vec![address];
        loop {
            let next = self.known(asked.last()?)?.deputy.as_ref()?;
            if is_among(next, asked.iter().copied()) {
                return None;
            }
            if !self.is_away(next, today) {
                return Some(next);
            }
            asked.push(next);
        }
    }

    fn known(&self, address: &Address) -> Option<&Person> {
        self.known.get(&key(address))
    }

    fn is_away(&self, address: &Address, today: &Today<'_>) -> bool {
        let person = self.known(address).filter(|person| !person.absent.is_empty());
        person.is_some_and(|person| {
            let today = today(address);
            person.absent.iter().any(|days| days.contains(today))
        })
    }
}

/// Of two entries for one address the last counts.
impl FromIterator<Person> for People {
    fn from_iter<T: IntoIterator<Item = Person>>(people: T) -> Self {
        let known = people.into_iter().map(|person| (key(&person.address), person));
        Self { known: known.collect() }
    }
}

impl Absence {
    /// Whether a day is one of them.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

impl FromStr for Absence {
    type Err = BadAbsence;

    fn from_str(text: &str) -> Result<Self, BadAbsence> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let day = |text: &str| text.trim().parse().map_err(|_| BadAbsence::NotADate);
        let days = Self { first: day(first)?, last: day(last)? };
        if days.last < days.first { Err(BadAbsence::Backwards) } else { Ok(days) }
    }
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first}..{last}") }
    }
}

/// `a@x.example, b@x.example, a@x.example`.
impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().chain(self.0.first()).map(Address::as_str).collect();
        f.write_str(&names.join(", "))
    }
}
