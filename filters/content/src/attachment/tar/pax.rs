//! What is said about a member in front of its header: records of pax, long names of GNU tar.
//!
//! A record is `LENGTH KEY=VALUE\n`; the length counts itself. Only names and the size are kept.

use crate::attachment::names;

/// Reads records as they go past, and keeps what they say until the next member.
#[derive(Debug, Default)]
pub(super) struct Pax {
    state: State,
    names: Vec<Vec<u8>>,
    size: Option<u64>,
    is_cut: bool,
}

#[derive(Debug)]
enum State {
    Length { value: u64, digits: u64 },
    Key { key: Vec<u8>, left: u64 },
    Value { of: Of, value: Vec<u8>, left: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Name,
    Size,
    Other,
}

impl Default for State {
    fn default() -> Self {
        Self::Length { value: 0, digits: 0 }
    }
}

impl Pax {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.step(byte);
        }
    }

    /// The records have ended, whether the last one is complete or not.
    pub(super) fn end(&mut self) {
        if let State::Value { of, value, .. } = std::mem::take(&mut self.state) {
            self.keep(of, &value);
        }
    }

    /// One more name of the next member. Of many the last ones count, as they do for readers.
    pub(super) fn add_name(&mut self, name: &[u8]) {
        if self.names.len() == MOST_NAMES {
            self.names.remove(0);
        }
        let mut kept = Vec::new();
        self.is_cut |= names::keep_end(&mut kept, name);
        self.names.push(kept);
    }

    /// The size that was said, once.
    pub(super) fn size(&mut self) -> Option<u64> {
        self.size.take()
    }

    /// The names that were said, once.
    pub(super) fn take_names(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.names)
    }

    pub(super) fn note_cut(&mut self, is_cut: bool) {
        self.is_cut |= is_cut;
    }

    /// Whether a part of a name was lost.
    pub(super) fn take_is_cut(&mut self) -> bool {
        std::mem::take(&mut self.is_cut)
    }

    pub(super) fn buffered(&self) -> usize {
        let state = match &self.state {
            State::Length { .. } => 0,
            State::Key { key, .. } => key.capacity(),
            State::Value { value, .. } => value.capacity(),
        };
        state + self.names.iter().map(Vec::capacity).sum::<usize>()
    }

    fn step(&mut self, byte: u8) {
        match &mut self.state {
            State::Length { value, digits } => match byte {
                b'0'..=b'9' => {
                    *value = value.saturating_mul(10).saturating_add(u64::from(byte - b'0'));
                    *digits += 1;
                }
                b' ' if *value > *digits + 1 => {
                    self.state = State::Key { key: Vec::new(), left: *value - *digits - 1 };
                }
                _ => self.state = State::default(),
            },
            State::Key { key, left } => {
                *left -= 1;
                if byte == b'=' && *left > 0 {
                    let of = what_for(key);
                    self.state = State::Value { of, value: Vec::new(), left: *left };
                } else if *left == 0 {
                    self.state = State::default();
                } else if key.len() < LONGEST_KEY {
                    key.push(byte);
                }
            }
            State::Value { of, value, left } => {
                *left -= 1;
                let is_end = *left == 0;
                if *of != Of::Other && !is_end {
                    value.push(byte);
                }
                // The end of a name tells what it is.
                if value.len() >= 2 * names::LONGEST {
                    self.is_cut |= names::keep_end(value, &[]);
                }
                if is_end {
                    self.end();
                }
            }
        }
    }

    fn keep(&mut self, of: Of, value: &[u8]) {
        match of {
            Of::Name => self.add_name(value),
            Of::Size => {
                let size = str::from_utf8(value).ok().and_then(|size| size.parse().ok());
                self.size = size.or(self.size);
            }
            Of::Other => {}
        }
    }
}

fn what_for(key: &[u8]) -> Of {
    match key {
        b"path" | b"linkpath" | b"GNU.sparse.name" => Of::Name,
        b"size" => Of::Size,
        _ => Of::Other,
    }
}

const LONGEST_KEY: usize = 64;
/// How many names one member may have.
const MOST_NAMES: usize = 4;
