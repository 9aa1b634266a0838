//! Tables of whole keys: `key value` lines (postmap(1)), and the pairs of `inline:`.
//!
//! A table of a million lines is one buffer and one index of offsets: little more than its file.

mod case;

use std::{hash::Hasher as _, sync::Arc};

pub(crate) use self::case::Case;
use crate::{
    Warning,
    lines::{Line, Lines},
    spec::Pair,
    text::{is_space, printable, trim, trim_start},
    warning::Warnings,
};

/// Keys and their values, in memory.
#[derive(Debug, Default)]
pub(crate) struct KeyedTable {
    /// One after the other: line, length of the key, length of the value, key, value. The keys
    /// are folded, unless their case counts; the numbers stand as [`push_number`] writes them.
    records: Vec<u8>,
    /// Where a key's record begins, plus one; 0 is free. A power of two of them, never full.
    slots: Vec<u32>,
    count: usize,
    case: Case,
}

/// The records do not fit: what a `u32` can count is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// What becomes of a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// It keeps its value, as postmap has it.
    Keep,
    /// It takes the new value, as `inline:` has it.
    Replace,
}

impl KeyedTable {
    /// Reads the source of a table as postmap does.
    pub(crate) fn parse(
        name: &Arc<str>,
        source: &[u8],
        case: Case,
    ) -> Result<(Self, Vec<Warning>), Full> {
        // Comments aside, the records take about what their lines take, and each line has one. A
        // file of nothing but newlines must not ask for more: the table grows if it has to.
        let lines = memchr::memchr_iter(b'\n', source).count().min(source.len() / SHORT_LINE) + 1;
        let mut table = Self {
            records: Vec::with_capacity(source.len()),
            slots: vec![0; (lines + lines / 2).next_power_of_two()],
            count: 0,
            case,
        };
        let mut warnings = Warnings::of(name);
        for line in Lines::new(source) {
            match line {
                Line::Stray(number, said) => warnings.add(number, said),
                Line::Logical(number, text) => table.read_line(number, &text, &mut warnings)?,
            }
        }
        table.records.shrink_to_fit();
        Ok((table, warnings.into_vec()))
    }

    /// A table of these pairs; of two values for a key the later counts.
    pub(crate) fn of_pairs(pairs: &[Pair], case: Case) -> Result<Self, Full> {
        let mut table = Self { case, ..Self::default() };
        for (key, value) in pairs {
            let Some(key) = case.kept(key.as_bytes()) else { continue };
            table.insert(0, &key, value.as_bytes(), Again::Replace)?;
        }
        Ok(table)
    }

    /// The value of a key, and its line.
    pub(crate) fn get(&self, key: &[u8]) -> Option<(&[u8], Option<u32>)> {
        let key = self.case.asked(key)?;
        let record = self.record(*self.slots.get(self.slot_of(&key)?)?)?;
        Some((record.value, record.line()))
    }

    /// All keys with their values, in the order of the source.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.in_order().map(|record| (record.key, record.value))
    }

    /// All keys with their lines, in the order of the source.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (Option<u32>, &[u8])> {
        self.in_order().map(|record| (record.line(), record.key))
    }

    /// All values with their lines, in the order of the source.
    pub(crate) fn values(&self) -> impl Iterator<Item = (Option<u32>, &[u8])> {
        self.in_order().map(|record| (record.line(), record.value))
    }

    fn in_order(&self) -> impl Iterator<Item = Record<'_>> {
        let mut starts: Vec<u32> = self.slots.iter().copied().filter(|&slot| slot > 0).collect();
        starts.sort_unstable();
        starts.into_iter().filter_map(|slot| self.record(slot))
    }

    /// How many keys there are.
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    fn read_line(&mut self, line: u32, text: &[u8], warnings: &mut Warnings) -> Result<(), Full> {
        let (key, value) = match key_and_value(text) {
            Ok(pair) => pair,
            Err(said) => {
                warnings.add(line, said);
                return Ok(());
            }
        };
        if key.ends_with(b":") {
            warnings.add(line, "record is in \"key: value\" format; is this an alias file?");
        }
        let Some(same) = self.case.kept(key) else { return Ok(()) };
        if !self.insert(line, &same, value, Again::Keep)? {
            warnings.add(line, format!("duplicate entry: \"{}\"", printable(key)));
        }
        Ok(())
    }

    /// Whether the key is new; `key` is in the form in which it is kept.
    fn insert(&mut self, line: u32, key: &[u8], value: &[u8], again: Again) -> Result<bool, Full> {
        if (self.count + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let slot = self.slot_of(key).ok_or(Full)?;
        let is_new = self.slots[slot] == 0;
        if is_new || again == Again::Replace {
            let start = u32::try_from(self.records.len() + 1).map_err(|_| Full)?;
            let length = |text: &[u8]| u32::try_from(text.len()).map_err(|_| Full);
            for number in [line, length(key)?, length(value)?] {
                push_number(&mut self.records, number);
            }
            self.records.extend_from_slice(key);
            self.records.extend_from_slice(value);
            self.slots[slot] = start;
            self.count += usize::from(is_new);
        }
        Ok(is_new)
    }

    /// The slot that has this key, or would.
    fn slot_of(&self, key: &[u8]) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = hash(key) & mask;
        // A quarter of the slots is free: this ends.
        while let Some(record) = self.record(self.slots[slot]) {
            if record.key == key {
                break;
            }
            slot = (slot + 1) & mask;
        }
        Some(slot)
    }

    fn grow(&mut self) {
        let larger = vec![0; (self.slots.len() * 2).max(FIRST_SLOTS)];
        for start in std::mem::replace(&mut self.slots, larger) {
            let slot = self.record(start).and_then(|record| self.slot_of(record.key));
            if let Some(slot) = slot {
                self.slots[slot] = start;
            }
        }
    }

    fn record(&self, slot: u32) -> Option<Record<'_>> {
        let rest = self.records.get(usize::try_from(slot.checked_sub(1)?).ok()?..)?;
        let (line, rest) = number(rest)?;
        let (key, rest) = number(rest)?;
        let (value, rest) = number(rest)?;
        let (key, rest) = rest.split_at_checked(usize::try_from(key).ok()?)?;
        Some(Record { line, key, value: rest.get(..usize::try_from(value).ok()?)? })
    }
}

/// A key and its value.
struct Record<'t> {
    /// 0 if the table has no lines.
    line: u32,
    key: &'t [u8],
    value: &'t [u8],
}

impl Record<'_> {
    fn line(&self) -> Option<u32> {
        Some(self.line).filter(|&line| line > 0)
    }
}

/// Divides a line at the first white space that no quotes and no backslash protect. The quotes
/// stay part of the key: that is how an address with a quoted local part is looked up.
fn key_and_value(line: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let text = line.split(|&byte| byte == 0).next().unwrap_or_default();
    if !text.is_ascii() && std::str::from_utf8(line).is_err() {
        let text = printable(text);
        return Err(format!("non-UTF-8 input \"{text}\" -- ignoring this line"));
    }
    let Some(end) = end_of_key(text) else {
        let text = printable(text);
        return Err(format!("unbalanced '\"' in '{text}' -- ignoring this line"));
    };
    let (key, value) = text.split_at(end);
    let value = trim(trim_start(value));
    if key.is_empty() || value.is_empty() {
        return Err("expected format: key whitespace value -- ignoring this line".to_owned());
    }
    Ok((key, value))
}

fn end_of_key(text: &[u8]) -> Option<usize> {
    let mut in_quotes = false;
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => in_quotes = !in_quotes,
            _ if !in_quotes && is_space(byte) => break,
            _ => {}
        }
        at += 1;
    }
    (!in_quotes).then_some(at.min(text.len()))
}

/// The table's keys are its administrator's: no secret is needed against chosen ones.
fn hash(key: &[u8]) -> usize {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(key);
    hasher.finish() as usize
}

/// Seven bits a byte, the last one without the high bit.
fn push_number(records: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        records.push(number as u8 | 0x80);
        number >>= 7;
    }
    records.push(number as u8);
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0;
    for (index, &byte) in bytes.iter().take(5).enumerate() {
        number |= u32::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

const FIRST_SLOTS: usize = 16;

/// The length, in bytes, below which a line is not expected to be.
const SHORT_LINE: usize = 16;

#[cfg(test)]
mod tests;
