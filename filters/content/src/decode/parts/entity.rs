//! The multiparts and attached mails that are open, and the lines that part them.

use super::boundaries::Boundaries;
use super::leaf::Leaf;
use super::{Ambiguity, Context};

/// A multipart or an attached mail that is open.
pub(super) struct Entity {
    /// The part itself: takes what stands before, between and behind its parts.
    pub(super) own: Leaf,
    /// Empty for a mail.
    pub(super) boundaries: Vec<Vec<u8>>,
    /// The type of its parts that tell none.
    pub(super) default: &'static str,
    /// Its end was there.
    pub(super) is_closed: bool,
    /// An encoded mail, read as if it were not: without a header it is nothing.
    pub(super) needs_header: bool,
}

/// What is open, from the outermost inwards.
#[derive(Default)]
pub(super) struct Entities {
    open: Vec<Entity>,
    /// Of the entities, by their places.
    boundaries: Boundaries,
    /// Other readings of open entities, with the places of these: they take all lines.
    beside: Vec<(usize, Leaf)>,
    /// Parts that go on for programs to which a doubtful delimiter is none: they take all lines until
    /// the next one that is certain.
    trailing: Vec<Leaf>,
}

impl Entities {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut Entity> {
        self.open.last_mut()
    }

    pub(super) fn get_mut(&mut self, level: usize) -> Option<&mut Entity> {
        self.open.get_mut(level)
    }

    /// The leaves that take all lines. They are few, however much is open.
    pub(super) fn takers(&mut self) -> impl Iterator<Item = &mut Leaf> {
        self.beside.iter_mut().map(|(_, leaf)| leaf).chain(&mut self.trailing)
    }

    /// Further readings of the innermost entity.
    pub(super) fn add_beside(&mut self, leaves: Vec<Leaf>) {
        let level = self.open.len().saturating_sub(1);
        self.beside.extend(leaves.into_iter().map(|leaf| (level, leaf)));
    }

    /// A part behind whose doubtful delimiter another begins.
    pub(super) fn add_trailing(&mut self, leaf: Leaf) {
        self.trailing.push(leaf);
    }

    /// A delimiter that is certain.
    pub(super) fn end_trailing(&mut self, context: &mut Context<'_>) {
        self.trailing.drain(..).for_each(|leaf| leaf.end(context));
    }

    pub(super) fn push(&mut self, entity: Entity) {
        for boundary in &entity.boundaries {
            self.boundaries.add(boundary, self.open.len());
        }
        self.open.push(entity);
    }

    /// Ends what is open until so many are left.
    pub(super) fn end_down_to(&mut self, count: usize, context: &mut Context<'_>) {
        while self.open.len() > count {
            let Some(entity) = self.open.pop() else { return };
            for boundary in &entity.boundaries {
                self.boundaries.remove(boundary);
            }
            while self.beside.last().is_some_and(|(level, _)| *level >= self.open.len()) {
                if let Some((_, leaf)) = self.beside.pop() {
                    leaf.end(context);
                }
            }
            if !entity.boundaries.is_empty() && !entity.is_closed {
                context.tell(Ambiguity::MissingEnd);
            }
            entity.own.end(context);
        }
    }

    /// Whose delimiter a line is. Of multiparts with the same boundary the innermost.
    pub(super) fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        let level = |boundary: &[u8]| self.boundaries.level(boundary);
        let next = level(text).map(|level| Delimiter { level, is_end: false, is_certain: true });
        let end = text.strip_suffix(b"--").map(<[u8]>::trim_ascii_end).and_then(level);
        let end = end.map(|level| Delimiter { level, is_end: true, is_certain: true });
        let certain = match (&next, &end) {
            (Some(next), Some(end)) if end.level > next.level => Some(*end),
            (Some(next), _) => Some(*next),
            (None, end) => *end,
        };
        certain.or_else(|| self.beginning(text))
    }

    /// RFC 2046 section 5.1.1 wants a line compared with its beginning alone, and Postfix and some
    /// programs do so; most want the whole line.
    fn beginning(&self, text: &[u8]) -> Option<Delimiter> {
        let compared = text.get(..LONGEST_BOUNDARY).unwrap_or(text);
        let (length, level) = self.boundaries.beginning(compared)?;
        let is_end = text.get(length..).is_some_and(|rest| rest.starts_with(b"--"));
        Some(Delimiter { level, is_end, is_certain: false })
    }
}

/// A line that parts a multipart, or ends it (RFC 2046 section 5.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Delimiter {
    /// Which of the open entities.
    pub(super) level: usize,
    pub(super) is_end: bool,
    /// False if more than the boundary stands on the line.
    pub(super) is_certain: bool,
}

/// Postfix: `mime_boundary_length_limit`. The rest of a longer one is not compared.
pub(super) const LONGEST_BOUNDARY: usize = 2048;
