//! Which payloads and keys are gone, and whether a record says so.
//!
//! Mails may be erased while all of this is read: what does not fit is looked at once more at the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, BufReader, Seek as _, SeekFrom},
};

use super::{Finding, What};
use crate::{
    archive::{Place, Places},
    frame::{Head, Kind, Packing, Seq},
    keys::{Slot, Slots},
    records::{self, Records},
    scan::{Payload, compare},
};

/// Payloads that are not what was written, and records that say that they were erased.
#[derive(Default)]
pub(super) struct Erasures {
    odd: BTreeMap<Seq, Odd>,
    /// Encrypted records whose keys are not there.
    keyless: BTreeMap<Seq, Place>,
    /// The numbers of what was erased, and the records that say so.
    said: BTreeMap<Seq, Place>,
}

/// A payload that is not what was written.
struct Odd {
    head: Head,
    place: Place,
    is_gone: bool,
}

impl Erasures {
    pub(super) fn record(&mut self, head: &Head, payload: Payload, place: Place) {
        let is_gone = payload == Payload::Zeros;
        match payload {
            Payload::Zeros | Payload::Changed => {
                self.odd.insert(head.seq, Odd { head: *head, place, is_gone });
            }
            Payload::Sound if head.kind == Kind::Erased => {
                self.said.insert(head.about, place);
            }
            Payload::Sound | Payload::Skipped | Payload::Cut => {}
        }
    }

    /// An encrypted record whose key is not there.
    pub(super) fn keyless(&mut self, head: &Head, place: Place) {
        self.keyless.insert(head.seq, place);
    }

    /// Forgets what does not count.
    pub(super) fn retain(&mut self, counts: impl Fn(&Place) -> bool) {
        self.keyless.retain(|_, place| counts(place));
        self.odd.retain(|_, odd| counts(&odd.place));
        self.said.retain(|_, place| counts(place));
    }

    /// How many payloads were erased and say so, and what is wrong with others.
    pub(super) fn finish(mut self, places: &Places) -> io::Result<(u64, Vec<Finding>)> {
        let mut gone = self.odd.keys().chain(self.keyless.keys());
        if gone.any(|seq| !self.said.contains_key(seq)) {
            self.hear_again(places)?;
        }
        let (mut erased, mut findings) = (0, Vec::new());
        let is_lost = |(seq, _): &(&Seq, &Place)| !self.said.contains_key(*seq);
        for (seq, place) in self.keyless.iter().filter(is_lost) {
            findings.push(found(*place, What::KeyLost { seq: *seq }));
        }
        for (seq, Odd { head, place, is_gone }) in &self.odd {
            let is_said = self.said.remove(seq).is_some() && is_erasable(head);
            if !is_said {
                findings.push(found(*place, What::Changed { seq: *seq }));
            } else if is_erased(places, head, *place, *is_gone)? {
                erased += 1;
            } else {
                findings.push(found(*place, What::NotErased { seq: *seq }));
            }
        }
        let wanted: BTreeSet<Seq> = self.said.into_keys().collect();
        if wanted.is_empty() {
            return Ok((erased, findings));
        }
        // What is missing altogether is found elsewhere.
        for (head, place) in records::locate(places, &wanted)? {
            if is_erasable(&head) {
                match is_erased(places, &head, place, false)? {
                    true => erased += 1,
                    false => findings.push(found(place, What::NotErased { seq: head.seq })),
                }
            }
        }
        Ok((erased, findings))
    }

    /// What was erased while this was read is said behind what was read.
    fn hear_again(&mut self, places: &Places) -> io::Result<()> {
        for record in Records::of_last(places, LAST_SEGMENTS)? {
            let (head, place) = record?;
            if head.kind == Kind::Erased && look(places, &head, place)? == Payload::Sound {
                self.said.entry(head.about).or_insert(place);
            }
        }
        Ok(())
    }
}

fn found(place: Place, what: What) -> Finding {
    Finding { segment: place.segment, at: Some(place.at), what }
}

const fn is_erasable(head: &Head) -> bool {
    matches!(head.kind, Kind::Capture | Kind::Outcome)
}

/// Whether neither a payload nor its key is there any more. `is_gone`: the payload was not when it was read.
fn is_erased(places: &Places, head: &Head, place: Place, is_gone: bool) -> io::Result<bool> {
    if !is_gone && look(places, head, place)? != Payload::Zeros {
        return Ok(false);
    }
    if head.packing == Packing::Zstd {
        return Ok(true);
    }
    let Some(Ok(mut slots)) = Slots::open(places, place.segment)? else { return Ok(true) };
    Ok(matches!(slots.of(head.seq, 1)?, Slot::Destroyed | Slot::Missing))
}

/// What a payload is now.
fn look(places: &Places, head: &Head, place: Place) -> io::Result<Payload> {
    let mut file = File::open(places.segment(place.segment))?;
    file.seek(SeekFrom::Start(place.at + Head::LEN as u64))?;
    compare(head, &mut BufReader::new(file))
}

/// More are not written while one archive is read, or what is erased in the last moment is shown as changed.
const LAST_SEGMENTS: usize = 2;
