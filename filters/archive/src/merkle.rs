//! The tree over the records of a segment (RFC 9162 section 2.1): its root stands for all of them, and
//! a short path proves that one record was among them without showing any other.

use crate::hash::{Hash, Hasher};

/// The tree of the leaves so far: the roots of its full subtrees, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    subtrees: Vec<Hash>,
    leaves: u64,
}

impl Tree {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // As adding one to a binary number carries.
        for _ in 0..self.leaves.trailing_ones() {
            let Some(left) = self.subtrees.pop() else { break };
            node = parent(left, node);
        }
        self.subtrees.push(node);
        self.leaves += 1;
    }

    /// How many leaves it has.
    #[must_use]
    pub const fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Its root; of a tree without leaves, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut subtrees = self.subtrees.iter().rev().copied();
        let Some(last) = subtrees.next() else { return Hash::of(b"") };
        subtrees.fold(last, |right, left| parent(left, right))
    }
}

/// A leaf: what the tree has of some bytes.
#[must_use]
pub fn leaf(bytes: &[u8]) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&[0]);
    hasher.update(bytes);
    hasher.finish()
}

/// All nodes of a tree, for whoever needs many paths of it.
#[derive(Clone, Debug)]
pub struct Nodes {
    /// The leaves, then what is above them, up to the root.
    levels: Vec<Vec<Hash>>,
}

impl Nodes {
    /// The tree of these leaves.
    #[must_use]
    pub fn of(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|last| last.len() > 1) {
            let above = last.chunks(2).map(above).collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// Its root; of a tree without leaves, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|top| top.first());
        top.copied().unwrap_or_else(|| Hash::of(b""))
    }

    /// The nodes beside the way from a leaf to the root, from below. `None`: there is no such leaf.
    #[must_use]
    pub fn path(&self, index: usize) -> Option<Vec<Hash>> {
        self.levels.first()?.get(index)?;
        // A node without a neighbour moves up as it is.
        let beside =
            |(level, nodes): (u32, &Vec<Hash>)| nodes.get(index.checked_shr(level)? ^ 1).copied();
        Some((0..).zip(&self.levels).filter_map(beside).collect())
    }
}

/// The nodes beside the way from a leaf to the root, from below. `None`: there is no such leaf.
#[must_use]
pub fn path(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    Nodes::of(leaves.to_vec()).path(index)
}

/// The root of a tree of `count` leaves to which this path leads from a leaf. `None`: such a tree has
/// no path of this length there.
#[must_use]
pub fn root_by(leaf: Hash, index: u64, count: u64, path: &[Hash]) -> Option<Hash> {
    if index >= count {
        return None;
    }
    let (mut node, mut index, mut last) = (leaf, index, count - 1);
    let mut path = path.iter().copied();
    while last > 0 {
        if index % 2 == 1 {
            node = parent(path.next()?, node);
        } else if index < last {
            node = parent(node, path.next()?);
        }
        (index, last) = (index / 2, last / 2);
    }
    path.next().is_none().then_some(node)
}

fn above(pair: &[Hash]) -> Hash {
    match *pair {
        [left, right] => parent(left, right),
        [alone] => alone,
        _ => Hash::ZERO,
    }
}

fn parent(left: Hash, right: Hash) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&[1]);
    hasher.update(left.as_bytes());
    hasher.update(right.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|number| leaf(&number.to_be_bytes())).collect()
    }

    fn root(leaves: &[Hash]) -> Hash {
        let mut tree = Tree::default();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        assert_eq!(tree.leaves(), leaves.len() as u64);
        tree.root()
    }

    /// The definition of RFC 9162 section 2.1.1, word for word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of(b""),
            [one] => *one,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                parent(defined(&leaves[..half]), defined(&leaves[half..]))
            }
        }
    }

    /// The published example of RFC 6962: eight leaves of `certificate-transparency`.
    #[test]
    fn the_root_of_the_published_example_is_the_published_one() {
        let data: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let leaves: Vec<Hash> = data.iter().map(|data| leaf(data)).collect();
        let published = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
        assert_eq!(root(&leaves).to_string(), published);
    }

    proptest! {
        #[test]
        fn a_tree_that_grows_has_the_root_of_the_definition(count in 0u64..300) {
            let leaves = leaves(count);
            prop_assert_eq!(root(&leaves), defined(&leaves));
            prop_assert_eq!(Nodes::of(leaves.clone()).root(), defined(&leaves));
        }

        #[test]
        fn a_path_leads_from_its_leaf_to_the_root_and_from_no_other(
            count in 1u64..300, place in any::<prop::sample::Index>(), other in any::<[u8; 32]>(),
        ) {
            let leaves = leaves(count);
            let index = place.index(leaves.len());
            let path = path(&leaves, index).unwrap();
            let root = root(&leaves);
            let by = |leaf, index: usize| root_by(leaf, index as u64, count, &path);
            prop_assert_eq!(by(leaves[index], index), Some(root));
            prop_assert_ne!(by(Hash::from_bytes(other), index), Some(root));
            for wrong in (0..leaves.len()).filter(|wrong| *wrong != index) {
                prop_assert_ne!(by(leaves[index], wrong), Some(root));
            }
            let longer = [path.clone(), vec![Hash::ZERO]].concat();
            prop_assert_eq!(root_by(leaves[index], index as u64, count, &longer), None);
        }
    }

    #[test]
    fn there_is_no_path_to_a_leaf_that_is_not_there() {
        assert_eq!(path(&leaves(3), 3), None);
        assert_eq!(path(&[], 0), None);
        assert_eq!(root_by(Hash::ZERO, 0, 0, &[]), None);
    }
}
