//! What a PDF can do when it is opened, by the names of its actions.
//!
//! Only names that stand as they are count: those in compressed object streams, or written with
//! `#xx`, are not seen. A rule on these types catches the careless.

use memchr::memmem;

use super::{budget::View, kind::Kind};

/// Looks for names of actions.
#[derive(Debug, Default)]
pub(super) struct Pdf {
    /// The last bytes, in which a name may have begun.
    carry: Vec<u8>,
    seen: [bool; ACTIONS.len()],
}

impl Pdf {
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let begin = bytes.get(..LONGEST).unwrap_or(bytes);
        self.carry.extend_from_slice(begin);
        for (seen, (name, _)) in self.seen.iter_mut().zip(ACTIONS) {
            *seen = *seen || has(&self.carry, name) || has(bytes, name);
        }
        if bytes.len() >= LONGEST {
            self.carry.clear();
            self.carry.extend_from_slice(&bytes[bytes.len() - LONGEST..]);
        }
        self.carry.drain(..self.carry.len().saturating_sub(LONGEST));
    }

    pub(super) fn finish(&self, view: &mut View<'_>) {
        for (seen, (_, kind)) in self.seen.iter().zip(ACTIONS) {
            if *seen {
                view.is(*kind);
            }
        }
    }

    pub(super) fn buffered(&self) -> usize {
        self.carry.capacity()
    }
}

fn has(bytes: &[u8], name: &[u8]) -> bool {
    memmem::find(bytes, name).is_some()
}

const ACTIONS: &[(&[u8], Kind)] = &[
    (b"/JavaScript", Kind::PDF_JAVASCRIPT),
    (b"/Launch", Kind::PDF_LAUNCH),
    (b"/EmbeddedFile", Kind::PDF_EMBEDDED),
];

/// As long as the longest name.
const LONGEST: usize = 13;
