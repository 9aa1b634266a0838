//! From two headers to the changes that make one of them the other.

use std::collections::HashMap;

use super::{divide, end, is_field_name, is_named};
use crate::verdict::Edit;

/// The changes that make the header `after` of the header `before`: [`super::header`] follows them. Each header ends at the
/// first empty line.
///
/// A field whose name is none is left out of both: no change could name it.
#[must_use]
pub fn between(before: &[u8], after: &[u8]) -> Vec<Edit> {
    let (before, after) = (named_fields(before), named_fields(after));
    let same = |(one, other): &(&Field, &Field)| one == other;
    let above = before.iter().zip(&after).take_while(same).count();
    let (old, new) = (&before[above..], &after[above..]);
    let below = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let (old, new) = (&old[..old.len() - below], &new[..new.len() - below]);
    let mut edits = Edits::default();
    after[..above].iter().for_each(|field| edits.pass(field));
    let (mut from, mut to) = (0, 0);
    for (one, other) in kept(old, new) {
        edits.exchange(&old[from..one], &new[to..other]);
        edits.pass(&old[one]);
        (from, to) = (one + 1, other + 1);
    }
    edits.exchange(&old[from..], &new[to..]);
    edits.all
}

/// A whole field with its folded lines.
type Field = Vec<u8>;

/// The changes so far.
#[derive(Default)]
struct Edits {
    /// So many of the first fields are as they shall be.
    at: usize,
    /// How many of them have each name.
    names: HashMap<String, usize>,
    all: Vec<Edit>,
}

impl Edits {
    /// A field is as it shall be.
    fn pass(&mut self, field: &[u8]) {
        self.at += 1;
        *self.names.entry(name(field).to_ascii_lowercase()).or_default() += 1;
    }

    /// Puts `new` fields in the place of `old` ones.
    fn exchange(&mut self, mut old: &[Field], mut new: &[Field]) {
        while let Some((first, others)) = old.split_first() {
            let name = name(first);
            match new.iter().take(NEAR).position(|field| is_named(field, name)) {
                Some(at) => {
                    new[..at].iter().for_each(|field| self.insert(field));
                    let nth = self.nth(name);
                    self.all.push(Edit::Change { name: name.into(), nth, value: value(&new[at]) });
                    self.pass(&new[at]);
                    new = &new[at + 1..];
                }
                None => {
                    let nth = Some(self.nth(name));
                    self.all.push(Edit::Remove { name: name.into(), nth });
                }
            }
            old = others;
        }
        new.iter().for_each(|field| self.insert(field));
    }

    fn insert(&mut self, field: &Field) {
        let (name, value) = (name(field).into(), value(field));
        self.all.push(Edit::Insert { above: self.at, name, value });
        self.pass(field);
    }

    /// Which of its name the next field is.
    fn nth(&self, name: &str) -> usize {
        1 + self.names.get(&name.to_ascii_lowercase()).copied().unwrap_or(0)
    }
}

fn named_fields(header: &[u8]) -> Vec<Field> {
    let fields = divide(&header[..end(header)]).filter(|field| is_field_name(name(field)));
    fields
        .map(|field| match field.ends_with(b"\n") {
            true => field.to_vec(),
            false => [field, b"\r\n"].concat(),
        })
        .collect()
}

/// Empty if it has none.
fn name(field: &[u8]) -> &str {
    let end = field.iter().position(|byte| *byte == b':').unwrap_or(0);
    std::str::from_utf8(field[..end].trim_ascii_end()).unwrap_or_default()
}

fn value(field: &[u8]) -> Box<[u8]> {
    let value = field.iter().position(|byte| *byte == b':').map_or(&[][..], |at| &field[at + 1..]);
    let value = value.strip_suffix(b"\n").unwrap_or(value);
    value.strip_suffix(b"\r").unwrap_or(value).into()
}

/// The places of fields that can stay, in order: as many as can be, unless there are too many to compare each with each.
fn kept(old: &[Field], new: &[Field]) -> Vec<(usize, usize)> {
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        return kept_nearby(old, new);
    }
    // lengths[i * width + j]: of the longest common part of old[i..] and new[j..].
    let width = new.len() + 1;
    let mut lengths = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            lengths[i * width + j] = if old[i] == new[j] {
                lengths[(i + 1) * width + j + 1] + 1
            } else {
                lengths[(i + 1) * width + j].max(lengths[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut kept) = (0, 0, Vec::new());
    while i < old.len() && j < new.len() {
        if old[i] == new[j] {
            kept.push((i, j));
            (i, j) = (i + 1, j + 1);
        } else if lengths[(i + 1) * width + j] >= lengths[i * width + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    kept
}

/// The same in linear time: what was moved far is taken for another.
fn kept_nearby(old: &[Field], new: &[Field]) -> Vec<(usize, usize)> {
    let (mut i, mut j, mut kept) = (0, 0, Vec::new());
    while let (Some(one), Some(other)) = (old.get(i), new.get(j)) {
        if one == other {
            kept.push((i, j));
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let near = |fields: &[Field], from: usize, wanted: &Field| {
            fields[from..].iter().take(NEAR).position(|field| field == wanted)
        };
        match (near(new, j, one), near(old, i, other)) {
            (Some(ahead), behind) if behind.is_none_or(|behind| ahead <= behind) => j += ahead,
            (_, Some(behind)) => i += behind,
            _ => (i, j) = (i + 1, j + 1),
        }
    }
    kept
}

/// Pairs of fields that are compared at most.
const MOST_PAIRS: usize = 1 << 20;

/// So many fields further on one is looked for.
const NEAR: usize = 64;
