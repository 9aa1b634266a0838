//! The boundaries that are waited for. A line costs one look-up, however many there are and whatever
//! they have in common.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Boundaries, and whose they are.
#[derive(Default)]
pub(super) struct Boundaries {
    open: BTreeMap<Vec<u8>, Open>,
}

struct Open {
    /// The entities that have this boundary, by their places, the innermost last.
    levels: Vec<usize>,
    /// The lengths of the boundaries that this one begins with, in ascending order.
    prefixes: Vec<usize>,
}

impl Boundaries {
    /// Waits for a boundary of the entity at this place, which is further in than all others.
    pub(super) fn add(&mut self, boundary: &[u8], level: usize) {
        if let Some(open) = self.open.get_mut(boundary) {
            return open.levels.push(level);
        }
        let (shorter, before) = self.before(boundary);
        let prefixes = shorter.iter().copied().chain(before).collect();
        for (_, open) in self.longer(boundary) {
            let at = open.prefixes.partition_point(|&length| length < boundary.len());
            open.prefixes.insert(at, boundary.len());
        }
        self.open.insert(boundary.to_vec(), Open { levels: vec![level], prefixes });
    }

    /// Forgets the innermost entity with this boundary.
    pub(super) fn remove(&mut self, boundary: &[u8]) {
        let Some(open) = self.open.get_mut(boundary) else { return };
        open.levels.pop();
        if open.levels.is_empty() {
            self.open.remove(boundary);
            for (_, open) in self.longer(boundary) {
                open.prefixes.retain(|&length| length != boundary.len());
            }
        }
    }

    /// The innermost entity that has this boundary.
    pub(super) fn level(&self, boundary: &[u8]) -> Option<usize> {
        self.open.get(boundary)?.levels.last().copied()
    }

    /// The longest boundary that a text begins with: its length, and the innermost entity that has it.
    pub(super) fn beginning(&self, text: &[u8]) -> Option<(usize, usize)> {
        let (shorter, itself) = self.before(text);
        let length = itself.or(shorter.last().copied())?;
        Some((length, self.level(text.get(..length)?)?))
    }

    /// The lengths of the boundaries that a text begins with: the longest apart if it is also the
    /// last one that is not above the text.
    ///
    /// Whatever stands between a text and one of its beginnings begins with that too: so all of them
    /// are beginnings of the last boundary that is not above the text.
    fn before(&self, text: &[u8]) -> (&[usize], Option<usize>) {
        let below = (Bound::Unbounded, Bound::Included(text));
        let Some((last, open)) = self.open.range::<[u8], _>(below).next_back() else {
            return (&[], None);
        };
        let common = last.iter().zip(text).take_while(|(a, b)| a == b).count();
        let fits = open.prefixes.partition_point(|&length| length <= common);
        let prefixes = open.prefixes.get(..fits).unwrap_or_default();
        (prefixes, (common == last.len()).then_some(common))
    }

    /// The boundaries that begin with this one.
    fn longer<'b>(
        &'b mut self,
        boundary: &'b [u8],
    ) -> impl Iterator<Item = (&'b Vec<u8>, &'b mut Open)> {
        let above = (Bound::Excluded(boundary), Bound::Unbounded);
        self.open.range_mut::<[u8], _>(above).take_while(move |(key, _)| key.starts_with(boundary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_longest_beginning_is_found_whatever_comes_and_goes(
            steps in proptest::collection::vec(("[ab]{1,5}", any::<bool>()), 1..40),
            text in "[ab]{0,7}",
        ) {
            let mut boundaries = Boundaries::default();
            let mut open: Vec<String> = Vec::new();
            for (boundary, ends) in steps {
                if ends && let Some(last) = open.pop() {
                    boundaries.remove(last.as_bytes());
                } else {
                    boundaries.add(boundary.as_bytes(), open.len());
                    open.push(boundary);
                }
                let begun = open.iter().enumerate().filter(|(_, known)| text.starts_with(*known));
                let wanted = begun.map(|(level, known)| (known.len(), level)).max();
                prop_assert_eq!(boundaries.beginning(text.as_bytes()), wanted);
                let same = open.iter().rposition(|known| *known == text);
                prop_assert_eq!(boundaries.level(text.as_bytes()), same);
            }
        }
    }
}
