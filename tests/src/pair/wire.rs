//! The wire: two directions, how each divides what it carries, and when it breaks.

use std::collections::VecDeque;

/// How the wire divides what it carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Division {
    /// Not at all.
    #[default]
    Whole,
    /// Into pieces of at most so many bytes.
    Pieces(usize),
    /// Once, after so many bytes of each direction.
    After(usize),
    /// Into pieces of these lengths, over and over.
    Lengths(Vec<u8>),
}

/// How the wire breaks, after so many bytes of both directions together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Both sides see it. What is under way is lost.
    LostAfter(usize),
    /// Nobody sees it: nothing comes any more.
    SilentAfter(usize),
}

/// Both directions.
#[derive(Debug, Default)]
pub(super) struct Wire {
    pub(super) to_server: Pipe,
    pub(super) to_client: Pipe,
    pub(super) trouble: Option<Trouble>,
}

impl Wire {
    pub(super) fn divide(&mut self, division: &Division) {
        self.to_server.division = division.clone();
        self.to_client.division = division.clone();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.to_server.is_empty() && self.to_client.is_empty()
    }

    /// The next piece of each direction, as far as the wire holds.
    pub(super) fn take(&mut self) -> (Vec<u8>, Vec<u8>) {
        let up = self.to_server.take(self.left());
        let down = self.to_client.take(self.left());
        (up, down)
    }

    /// The trouble, if it is there.
    pub(super) fn break_if_due(&mut self) -> Option<Trouble> {
        if self.left() > 0 {
            return None;
        }
        if let Some(Trouble::LostAfter(_)) = self.trouble {
            self.to_server.bytes.clear();
            self.to_client.bytes.clear();
            return self.trouble.take();
        }
        self.trouble
    }

    /// How many bytes more it carries.
    fn left(&self) -> usize {
        match self.trouble {
            Some(Trouble::LostAfter(after) | Trouble::SilentAfter(after)) => {
                after.saturating_sub(self.to_server.moved + self.to_client.moved)
            }
            None => usize::MAX,
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    bytes: VecDeque<u8>,
    division: Division,
    /// Bytes and pieces that have arrived.
    moved: usize,
    pieces: usize,
}

impl Pipe {
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) const fn moved(&self) -> usize {
        self.moved
    }

    /// The next piece, of at most `most` bytes; empty if nothing is under way.
    fn take(&mut self, most: usize) -> Vec<u8> {
        let there = self.bytes.len().min(most);
        let length = match &self.division {
            Division::Whole => there,
            Division::Pieces(length) => there.min((*length).max(1)),
            Division::After(at) => match at.checked_sub(self.moved) {
                Some(left) if left > 0 => there.min(left),
                _ => there,
            },
            Division::Lengths(lengths) => match lengths.len() {
                0 => there,
                count => there.min(usize::from(lengths[self.pieces % count]).max(1)),
            },
        };
        self.moved += length;
        self.pieces += 1;
        self.bytes.drain(..length).collect()
    }
}
