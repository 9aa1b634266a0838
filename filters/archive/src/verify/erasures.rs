//! Which payloads and keys are gone, and whether a record says so.
//!
//! Mails may be erased while all of this is read: what does not fit is looked at once more at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, Seek as _, SeekFrom},
};

use super::{Finding, What, numbers::Numbers};
use crate::{
    archive::{Place, Places},
    disk::Disk,
    frame::{Head, Kind, Packing, Seq},
    keys::{Slot, Slots},
    records::{self, Records},
    scan::{Payload, compare},
};

/// Payloads that are not what was written, and records that say that they were erased. After years there are
/// many of them: most take a bit or two.
#[derive(Default)]
pub(super) struct Erasures {
    /// What was read last, and may not count.
    fresh: Vec<(Place, Fresh)>,
    /// Payloads that are gone, with their keys.
    gone: Numbers,
    /// Encrypted records whose keys are not there.
    keyless: Numbers,
    /// What was erased, as other records say.
    said: Numbers,
    /// All other payloads that are not what was written.
    odd: BTreeMap<Seq, (Head, Place)>,
}

enum Fresh {
    Gone(Seq),
    Keyless(Seq),
    Said(Seq),
    Odd(Head),
}

/// What is there of the key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// It needs none, or nobody looks for it.
    NotAsked,
    /// It is there.
    There,
    /// Nothing is.
    Gone,
    /// Something that is not its key.
    Lost,
}

impl Erasures {
    pub(super) fn record(&mut self, head: &Head, payload: Payload, key: Key, place: Place) {
        let seq = head.seq;
        let is_gone = matches!(key, Key::NotAsked | Key::Gone) && is_erasable(head);
        match payload {
            Payload::Zeros if is_gone => self.fresh.push((place, Fresh::Gone(seq))),
            Payload::Zeros | Payload::Changed => self.fresh.push((place, Fresh::Odd(*head))),
            Payload::Sound if head.kind == Kind::Erased => {
                self.fresh.push((place, Fresh::Said(head.about)));
            }
            Payload::Sound | Payload::Skipped | Payload::Cut => {}
        }
        if matches!(key, Key::Gone | Key::Lost) {
            self.fresh.push((place, Fresh::Keyless(seq)));
        }
    }

    /// Of what was read so far that counts for which this is true.
    pub(super) fn settle(&mut self, counts: impl Fn(&Place) -> bool) {
        let fresh = std::mem::take(&mut self.fresh);
        for (place, what) in fresh.into_iter().filter(|(place, _)| counts(place)) {
            match what {
                Fresh::Gone(seq) => self.gone.insert(seq),
                Fresh::Keyless(seq) => self.keyless.insert(seq),
                Fresh::Said(seq) => self.said.insert(seq),
                Fresh::Odd(head) => {
                    self.odd.insert(head.seq, (head, place));
                }
            }
        }
    }

    /// How many payloads were erased and say so, and what is wrong with others. `next`: the first record that was
    /// not read.
    pub(super) fn finish(mut self, places: &Places, next: Seq) -> io::Result<(u64, Vec<Finding>)> {
        if self.is_any_unsaid() {
            self.hear_again(places, next)?;
        }
        let mut erased = self.gone.both(&self.said);
        let mut findings = Vec::new();
        for (seq, (head, place)) in &self.odd {
            if !self.said.has(*seq) || !is_erasable(head) {
                findings.push(found(*place, What::Changed { seq: *seq }));
            } else if is_erased(places, head, *place)? {
                erased += 1;
            } else {
                findings.push(found(*place, What::NotErased { seq: *seq }));
            }
        }
        let unfit = self.gone.but(&self.said).chain(self.keyless.but(&self.said));
        let unfit = unfit.chain(self.said.but(&self.gone));
        let unfit: BTreeSet<Seq> = unfit.collect();
        if unfit.is_empty() {
            return Ok((erased, findings));
        }
        let mut lost = BTreeMap::<u64, Vec<(Seq, Place)>>::new();
        // What is missing altogether is found elsewhere.
        for (head, place) in records::locate(places, &unfit)? {
            let seq = head.seq;
            let is_said = self.said.has(seq);
            let is_known = self.gone.has(seq) || self.odd.contains_key(&seq) || !is_erasable(&head);
            if !is_said && self.gone.has(seq) {
                findings.push(found(place, What::Changed { seq }));
            }
            if !is_said && self.keyless.has(seq) {
                lost.entry(place.segment).or_default().push((seq, place));
            }
            if is_said && !is_known {
                match is_erased(places, &head, place)? {
                    true => erased += 1,
                    false => findings.push(found(place, What::NotErased { seq })),
                }
            }
        }
        findings.extend(lost.values().filter_map(|lost| keys_lost(lost)));
        Ok((erased, findings))
    }

    fn is_any_unsaid(&self) -> bool {
        let mut unsaid = self.gone.but(&self.said).chain(self.keyless.but(&self.said));
        unsaid.next().is_some() || self.odd.keys().any(|seq| !self.said.has(*seq))
    }

    /// What was erased while this was read is said behind what was read.
    fn hear_again(&mut self, places: &Places, next: Seq) -> io::Result<()> {
        for record in Records::from(places, next)? {
            let (head, place) = record?;
            if head.kind == Kind::Erased && look(places, &head, place)? == Payload::Sound {
                self.said.insert(head.about);
            }
        }
        Ok(())
    }
}

fn found(place: Place, what: What) -> Finding {
    Finding { segment: place.segment, at: Some(place.at), what }
}

/// One for a segment: with a part of the file, keys of tens of thousands are lost.
fn keys_lost(records: &[(Seq, Place)]) -> Option<Finding> {
    let (&(first, place), &(last, _)) = (records.first()?, records.last()?);
    Some(match records.len() {
        1 => found(place, What::KeyLost { seq: first }),
        count => {
            let what = What::KeysLost { first, last, records: count as u64 };
            Finding { segment: place.segment, at: None, what }
        }
    })
}

const fn is_erasable(head: &Head) -> bool {
    matches!(head.kind, Kind::Capture | Kind::Outcome)
}

/// Whether neither a payload nor its key is there any more.
fn is_erased(places: &Places, head: &Head, place: Place) -> io::Result<bool> {
    if look(places, head, place)? != Payload::Zeros {
        return Ok(false);
    }
    if head.packing == Packing::Zstd {
        return Ok(true);
    }
    Ok(match Slots::open(places, place.segment)? {
        None => true,
        Some(Ok(mut slots)) => {
            matches!(slots.of(head.seq, 1)?, Slot::Destroyed | Slot::Missing)
        }
        // It may be there, and nobody could have destroyed it.
        Some(Err(_)) => false,
    })
}

/// What a payload is now.
fn look(places: &Places, head: &Head, place: Place) -> io::Result<Payload> {
    let mut file = File::open(places.segment(place.segment))?;
    file.seek(SeekFrom::Start(place.at + Head::LEN as u64))?;
    compare(head, &mut BufReader::new(Disk::new(file)))
}
