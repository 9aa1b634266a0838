//! That a record was in the archive when its segment was sealed: the way from its head to the root of the
//! segment. Whoever has a copy of the root can go it without the archive.

use std::{collections::VecDeque, io};

use mailweir_mail::hex;
use serde::{Deserialize, Serialize};

use crate::{
    archive::Places,
    frame::{Head, Seal, SegmentHead, Seq},
    hash::Hash,
    merkle::{self, Nodes},
    roots::{self, Root},
    scan::{Item, Look, Scan},
};

/// The way from a record to the root of its segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The number of the segment.
    pub segment: u64,
    /// The number of its first record.
    pub first: Seq,
    /// How many records it has.
    pub records: u64,
    /// Its root.
    pub root: Hash,
    /// The nodes beside the way, from below (RFC 9162 section 2.1.3).
    pub path: Vec<Hash>,
}

/// A record has no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// Its segment is still written to.
    #[error("its segment is not sealed yet")]
    NotSealed,
    /// The records of its segment do not give the root that its seal has.
    #[error("its segment is damaged")]
    Damaged,
}

/// A proof that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The record is none.
    #[error("the head of the record cannot be read")]
    Head,
    /// The head is of another record.
    #[error("the head is of another record")]
    OtherRecord,
    /// The head is of a record with another content.
    #[error("the record had another content")]
    OtherContent,
    /// The path does not lead to the root.
    #[error("the path does not lead from the record to the root")]
    Path,
    /// The list has no root of this segment.
    #[error("the list of roots does not have its segment")]
    NotListed,
    /// The list has another root of this segment.
    #[error("the list of roots has another root for its segment")]
    OtherRoot,
}

impl Proof {
    /// Goes the way.
    ///
    /// # Errors
    /// It does not lead from this record to a root of the list.
    pub fn verify(&self, head: &Head, roots: &[Root]) -> Result<(), ProofError> {
        let index = head.seq.checked_sub(self.first).ok_or(ProofError::Path)?;
        let root = merkle::root_by(head.leaf(), index, self.records, &self.path);
        if root != Some(self.root) {
            return Err(ProofError::Path);
        }
        let mut of_segment = roots.iter().filter(|root| root.segment == self.segment).peekable();
        of_segment.peek().ok_or(ProofError::NotListed)?;
        // Of a list with two roots for one segment, none is believed.
        let is_meant = |root: &Root| {
            let Seal { records, root: sealed, .. } = root.seal;
            (root.first, records, sealed) == (self.first, self.records, self.root)
        };
        if of_segment.all(is_meant) { Ok(()) } else { Err(ProofError::OtherRoot) }
    }
}

/// The head of a record as a manifest has it.
pub(super) fn written(head: &Head) -> String {
    hex::encode(&head.encode())
}

/// Reads what [`written`] wrote.
pub(super) fn read(text: &str) -> Result<Head, ProofError> {
    let bytes = hex::decode(text).and_then(|bytes| bytes.try_into().ok());
    bytes.and_then(|bytes| Head::decode(&bytes).ok()).ok_or(ProofError::Head)
}

/// Finds proofs. Keeps the trees of the last few segments, so that the mails of one are best asked for one
/// after the other.
pub struct Proofs {
    places: Places,
    trees: VecDeque<(u64, Result<Segment, NoProof>)>,
}

/// A sealed segment.
struct Segment {
    first: Seq,
    nodes: Nodes,
    records: u64,
}

impl Proofs {
    /// Those of the archive in these places.
    #[must_use]
    pub const fn new(places: Places) -> Self {
        Self { places, trees: VecDeque::new() }
    }

    /// The proof of a record.
    ///
    /// # Errors
    /// The disk failed. Within: why there is none.
    pub fn of(&mut self, head: &Head, segment: u64) -> io::Result<Result<Proof, NoProof>> {
        let place = match self.trees.iter().position(|(number, _)| *number == segment) {
            Some(place) => place,
            None => {
                let tree = read_segment(&self.places, segment)?;
                self.trees.truncate(KEPT - 1);
                self.trees.push_front((segment, tree));
                0
            }
        };
        let Some((_, tree)) = self.trees.get(place) else { return Ok(Err(NoProof::Damaged)) };
        Ok(tree.as_ref().map_err(|why| *why).and_then(|tree| tree.proof(head, segment)))
    }
}

impl Segment {
    fn proof(&self, head: &Head, segment: u64) -> Result<Proof, NoProof> {
        let index = head.seq.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let path = index.and_then(|index| self.nodes.path(index)).ok_or(NoProof::Damaged)?;
        let Self { first, records, .. } = *self;
        Ok(Proof { segment, first, records, root: self.nodes.root(), path })
    }
}

/// The tree of the heads of a segment. Payloads are not read: what was erased has a proof too. If its seal is
/// damaged, the list of roots says what it said.
fn read_segment(places: &Places, segment: u64) -> io::Result<Result<Segment, NoProof>> {
    let (head, mut scan) = Scan::open(&places.segment(segment), Look::AtHeads)?;
    let Ok(SegmentHead { first, .. }) = head else { return Ok(Err(NoProof::Damaged)) };
    let (mut leaves, mut seal) = (Vec::new(), None);
    let mut is_whole = true;
    while let Some(part) = scan.next_part()? {
        match part.item {
            Item::Record { head, .. } => {
                is_whole &= Some(head.seq) == first.checked_add(leaves.len() as u64);
                leaves.push(head.leaf());
            }
            Item::Mark(_) => {}
            Item::Damage { .. } => is_whole = false,
            Item::Seal(found) => {
                seal = Some(found);
                break;
            }
        }
    }
    let seal = match seal {
        Some(seal) => Some(seal),
        None => listed(places, segment)?.map(|root| root.seal),
    };
    let Some(Seal { records, root, .. }) = seal else {
        return Ok(Err(if is_whole { NoProof::NotSealed } else { NoProof::Damaged }));
    };
    // Whatever else is damaged: heads that give this root are what was sealed.
    let nodes = Nodes::of(leaves);
    let is_sound = nodes.root() == root;
    Ok(if is_sound { Ok(Segment { first, nodes, records }) } else { Err(NoProof::Damaged) })
}

fn listed(places: &Places, segment: u64) -> io::Result<Option<Root>> {
    let mut roots = roots::read(&places.roots())?.into_iter().flatten();
    Ok(roots.find(|root| root.segment == segment))
}

/// Segments whose trees are kept.
const KEPT: usize = 4;
