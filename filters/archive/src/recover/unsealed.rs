//! Segments that were left without a seal: written to no longer after a failed sync or on a full disk, or damaged
//! in a payload when they were the last. Without a seal their records have no proof.
//!
//! What of them counts was on the disk before the next segment was begun, and the head of that one says where they
//! end, with the chain up to there. If their heads give that chain, nothing but the seal is missing.

use std::{collections::BTreeSet, io};

use mailweir_mail::Timestamp;

use super::Start;
use crate::{
    archive::Places,
    frame::{Brand, Mark, Seal, SegmentHead},
    hash::Hash,
    merkle::Tree,
    roots::Root,
    scan::{Item, Look, Part, Payload, Scan},
};

/// Seals those that can be. One that cannot be keeps nobody from writing, and the next start tries it again.
pub(super) fn seal(start: &mut Start<'_>, numbers: &[u64]) {
    let listed: BTreeSet<u64> = start.listed.iter().map(|root| root.segment).collect();
    for pair in numbers.windows(2) {
        let [number, next] = *pair else { continue };
        if next == number + 1 && !listed.contains(&number) {
            let _ = seal_before(start, number);
        }
    }
}

fn seal_before(start: &mut Start<'_>, number: u64) -> io::Result<()> {
    let (next, _) = Scan::open(&start.places.segment(number + 1), Look::AtHeads)?;
    // A segment that was sealed gave its root to the next one.
    let Some(next) = next.ok().filter(|next| next.root_before == Hash::ZERO) else {
        return Ok(());
    };
    let ended = ended(start.places, number, &next, start.now)?;
    ended.map_or(Ok(()), |Ended { root, brand, end }| start.seal(root, brand, end))
}

/// What a segment is that can be sealed.
struct Ended {
    root: Root,
    brand: Brand,
    /// The byte behind its last record that counts, and the mark there.
    end: u64,
}

/// What a segment is up to where the next one goes on. `None`: it is not whole up to there,
/// or has no records.
fn ended(
    places: &Places,
    segment: u64,
    next: &SegmentHead,
    now: Timestamp,
) -> io::Result<Option<Ended>> {
    let (head, mut scan) = Scan::open(&places.segment(segment), Look::AtHeads)?;
    let Ok(head) = head else { return Ok(None) };
    let brand = head.brand;
    let (mut seq, mut chain, mut tree) = (head.first, head.chain, Tree::default());
    while let Some(Part { at, item }) = scan.next_part()? {
        match item {
            Item::Record { head, payload } if head.seq == seq && payload != Payload::Cut => {
                let leaf = head.leaf();
                chain = chain.then(leaf);
                tree.push(leaf);
                seq += 1;
            }
            Item::Mark(mark) if (mark.next, mark.chain) != (seq, chain) => return Ok(None),
            Item::Mark(_) if (next.first, next.chain) == (seq, chain) => {
                let mut seal = Seal { records: tree.leaves(), root: tree.root(), chain, at: now };
                // A crash came before its root was listed.
                if let Some(Part { item: Item::Seal(old), .. }) = scan.next_part()?
                    && (Seal { at: now, ..old }) == seal
                {
                    seal = old;
                }
                let root = Root { segment, first: head.first, seal };
                return Ok(Some(Ended { root, brand, end: at + Mark::LEN as u64 }));
            }
            Item::Mark(_) => {}
            Item::Record { .. } | Item::Seal(_) | Item::Damage { .. } => return Ok(None),
        }
    }
    Ok(None)
}
