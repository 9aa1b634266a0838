//! A lookup in tables that are made of others, with a pause wherever another server is asked.
//!
//! The members of a `unionmap:` are asked for the same key and their values joined with commas;
//! those of a `pipemap:` are asked for what the one before it found. An error of any of them is
//! the answer of the whole.

use std::borrow::Cow;

use crate::{
    Ask, Found, LookupError, PatternSteps, Place, Step, Table,
    table::{Kind, refuse_empty},
    text::folded,
};

/// What is left to do of a lookup.
#[derive(Debug)]
pub(crate) struct Search<'t> {
    /// The unions and pipes whose answer is not known yet, the innermost last.
    open: Vec<Open<'t>>,
    next: Next<'t>,
}

#[derive(Debug)]
enum Open<'t> {
    Union { table: &'t Table, rest: &'t [Table], key: Vec<u8>, found: Option<Found<'t>> },
    Pipe { rest: &'t [Table] },
}

/// A table and what it is asked for, or the answer of the table last asked.
#[derive(Debug)]
enum Next<'t> {
    Ask(&'t Table, Vec<u8>),
    Answered(Result<Option<Found<'t>>, LookupError>),
}

impl<'t> Search<'t> {
    pub(crate) fn new(table: &'t Table, key: &[u8]) -> Self {
        Self { open: Vec::new(), next: Next::Ask(table, key.to_owned()) }
    }

    /// Goes on with the answer of another server.
    pub(super) fn resume(
        mut self,
        answer: Result<Option<Found<'t>>, LookupError>,
        steps: &PatternSteps,
    ) -> Step<'t> {
        self.next = Next::Answered(answer);
        self.run(steps)
    }

    /// Goes on until all is known, or another server must be asked.
    pub(crate) fn run(mut self, steps: &PatternSteps) -> Step<'t> {
        loop {
            self.next = match self.next {
                Next::Ask(table, key) => match (table.local(&key, steps), table.kind()) {
                    (Some(answer), _) => Next::Answered(answer),
                    (None, Kind::Remote(map)) => {
                        let search = Self { open: self.open, next: Next::Answered(Ok(None)) };
                        return Step::Ask(Ask { table, map, key, search });
                    }
                    (None, _) => enter(&mut self.open, table, key),
                },
                Next::Answered(Err(error)) => return Step::Done(Err(error)),
                Next::Answered(Ok(found)) => match self.open.pop() {
                    None => return Step::Done(refuse_empty(found)),
                    Some(Open::Pipe { rest }) => pass_on(&mut self.open, rest, found),
                    Some(Open::Union { table, rest, key, found: before }) => {
                        let found = joined(table, before, found);
                        ask_next(&mut self.open, table, rest, key, found)
                    }
                },
            };
        }
    }
}

/// Begins with a union or a pipe.
fn enter<'t>(open: &mut Vec<Open<'t>>, table: &'t Table, key: Vec<u8>) -> Next<'t> {
    let key = match table.folds_keys() {
        true => folded(&key).map(Cow::into_owned),
        false => Some(key),
    };
    match (table.kind(), key) {
        (Kind::Union(members), Some(key)) => ask_next(open, table, members, key, None),
        (Kind::Pipe(members), Some(key)) => {
            let found = Found { value: Cow::Owned(key), place: table.place(None) };
            pass_on(open, members, Some(found))
        }
        _ => Next::Answered(Ok(None)),
    }
}

/// Asks the next table of a union, or gives its answer.
fn ask_next<'t>(
    open: &mut Vec<Open<'t>>,
    table: &'t Table,
    rest: &'t [Table],
    key: Vec<u8>,
    found: Option<Found<'t>>,
) -> Next<'t> {
    match rest.split_first() {
        Some((member, rest)) => {
            let asked = key.clone();
            open.push(Open::Union { table, rest, key, found });
            Next::Ask(member, asked)
        }
        None => Next::Answered(Ok(found)),
    }
}

/// Hands what was found to the next table of a pipe, or gives its answer.
fn pass_on<'t>(open: &mut Vec<Open<'t>>, rest: &'t [Table], found: Option<Found<'t>>) -> Next<'t> {
    match (found, rest.split_first()) {
        (Some(found), Some((member, rest))) => {
            open.push(Open::Pipe { rest });
            Next::Ask(member, found.value.into_owned())
        }
        (found, _) => Next::Answered(Ok(found)),
    }
}

/// What was found so far, and this behind a comma. Empty values in front count for nothing.
fn joined<'t>(
    union: &Table,
    before: Option<Found<'t>>,
    found: Option<Found<'t>>,
) -> Option<Found<'t>> {
    let found = found.filter(|found| before.is_some() || !found.value.is_empty());
    match (before, found) {
        (Some(before), Some(found)) => {
            let mut value = before.value.into_owned();
            value.push(b',');
            value.extend_from_slice(&found.value);
            let place = Place { table: union.name().clone(), line: None };
            Some(Found { value: Cow::Owned(value), place })
        }
        (before, found) => before.or(found),
    }
}
