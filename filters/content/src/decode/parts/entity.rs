//! The multiparts and attached mails that are open, and the lines that part them.

use std::collections::BTreeMap;

use super::leaf::Leaf;
use super::{Ambiguity, Context};

/// A multipart or an attached mail that is open.
pub(super) struct Entity {
    /// The part itself: takes what stands before, between and behind its parts.
    pub(super) own: Leaf,
    /// Other readings of it: they take all its lines.
    pub(super) alongside: Vec<Leaf>,
    /// Empty for a mail.
    pub(super) boundaries: Vec<Vec<u8>>,
    /// The type of its parts that tell none.
    pub(super) default: &'static str,
    /// Its end was there.
    pub(super) is_closed: bool,
    /// An encoded mail, read as if it were not: without a header it is nothing.
    pub(super) needs_header: bool,
}

impl Entity {
    fn end(self, context: &mut Context<'_>) {
        if !self.boundaries.is_empty() && !self.is_closed {
            context.tell(Ambiguity::MissingEnd);
        }
        for leaf in self.alongside {
            leaf.end(context);
        }
        self.own.end(context);
    }
}

/// What is open, from the outermost inwards.
#[derive(Default)]
pub(super) struct Entities {
    open: Vec<Entity>,
    /// Which entities have a boundary, by their places: one look-up per line, however deep.
    levels: BTreeMap<Vec<u8>, Vec<usize>>,
}

impl Entities {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Entity> {
        self.open.last_mut()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entity> {
        self.open.iter_mut()
    }

    pub(super) fn push(&mut self, entity: Entity) {
        for boundary in &entity.boundaries {
            self.levels.entry(boundary.clone()).or_default().push(self.open.len());
        }
        self.open.push(entity);
    }

    /// Ends what is open until so many are left.
    pub(super) fn end_down_to(&mut self, count: usize, context: &mut Context<'_>) {
        while self.open.len() > count {
            let Some(entity) = self.open.pop() else { return };
            for boundary in &entity.boundaries {
                if let Some(levels) = self.levels.get_mut(boundary) {
                    levels.pop();
                    if levels.is_empty() {
                        self.levels.remove(boundary);
                    }
                }
            }
            entity.end(context);
        }
    }

    /// Whose delimiter a line is, and whether it ends the multipart (RFC 2046 section 5.1.1). Of
    /// multiparts with the same boundary the innermost.
    pub(super) fn delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        let level = |boundary: &[u8]| self.levels.get(boundary).and_then(|levels| levels.last());
        let next = level(text).map(|&at| (at, false));
        let end = text.strip_suffix(b"--").map(<[u8]>::trim_ascii_end).and_then(level);
        next.max(end.map(|&at| (at, true)))
    }
}
