//! All records that count, in their order, and those of one mail.
//!
//! A record counts if a mark or a seal stands behind it, and the next segment does not begin before it
//! (`FORMAT.md`). Damaged parts are passed over: [`crate::verify`] shows them.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
};

use mailweir_mail::QueueId;

use crate::{
    archive::{Place, Places},
    frame::{Head, Kind, Seq},
    scan::{Item, Look, Payload, Scan},
};

/// Goes through records.
pub struct Records {
    places: Places,
    look: Look,
    /// The segments that are still to be read, the next one last.
    numbers: Vec<u64>,
    reading: Option<Reading>,
    wanted: Wanted,
    /// Where reading begins, if not at the beginning of a segment.
    start: Option<Place>,
    /// Those that count.
    ready: VecDeque<(Head, Place)>,
}

/// Which records are wanted.
#[derive(Default)]
struct Wanted {
    /// The first.
    from: Seq,
    /// Those whose payloads may be gone, as others say.
    erased: BTreeSet<Seq>,
}

/// A segment that is read.
struct Reading {
    segment: u64,
    scan: Scan,
    /// What it has from here on does not count.
    end: Option<Seq>,
    /// What no mark stands behind yet.
    group: Vec<(Head, Place)>,
}

impl Records {
    /// All records, by their heads.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn all(places: &Places) -> io::Result<Self> {
        Self::of(places, places.numbers()?, Look::AtHeads)
    }

    /// Those of the last segments, by their heads.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn of_last(places: &Places, segments: usize) -> io::Result<Self> {
        Self::of(places, last(places, segments)?, Look::AtHeads)
    }

    /// Those of the last segments whose payloads are what was written, or were erased. Reads all of
    /// their bytes.
    ///
    /// # Errors
    /// The disk failed.
    pub fn sound_of_last(places: &Places, segments: usize) -> io::Result<Self> {
        let mut records = Self::of(places, last(places, segments)?, Look::Everywhere)?;
        for record in Self::of_last(places, segments)? {
            let (head, _) = record?;
            records.wanted.erased.extend((head.kind == Kind::Erased).then_some(head.about));
        }
        Ok(records)
    }

    /// Those from a number on, by their heads. Of segments before it no more than the head is read.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn from(places: &Places, seq: Seq) -> io::Result<Self> {
        let mut numbers = places.numbers()?;
        let mut holding = numbers.len();
        // From the end: most who ask are not far behind.
        while holding > 0 {
            holding -= 1;
            let (head, _) = Scan::open(&places.segment(numbers[holding]), Look::AtHeads)?;
            if head.is_ok_and(|head| head.first <= seq) {
                break;
            }
        }
        numbers.drain(..holding);
        let mut records = Self::of(places, numbers, Look::AtHeads)?;
        records.wanted.from = seq;
        Ok(records)
    }

    /// Those behind one that was given before, also what was written since. Nothing before it is read again.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn behind(places: &Places, (head, place): (Head, Place)) -> io::Result<Self> {
        let mut numbers = places.numbers()?;
        numbers.retain(|number| *number >= place.segment);
        let mut records = Self::of(places, numbers, Look::AtHeads)?;
        records.wanted.from = head.seq + 1;
        records.start = Some(place);
        Ok(records)
    }

    fn of(places: &Places, mut numbers: Vec<u64>, look: Look) -> io::Result<Self> {
        numbers.reverse();
        let places = places.clone();
        let ready = VecDeque::new();
        let wanted = Wanted::default();
        Ok(Self { places, look, numbers, reading: None, wanted, start: None, ready })
    }

    fn next_record(&mut self) -> io::Result<Option<(Head, Place)>> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Ok(Some(record));
            }
            match &mut self.reading {
                Some(reading) => {
                    if !reading.advance(&self.wanted, &mut self.ready)? {
                        self.reading = None;
                    }
                }
                None => match self.numbers.pop() {
                    Some(segment) => self.reading = Some(self.begin(segment)?),
                    None => return Ok(None),
                },
            }
        }
    }

    fn begin(&mut self, segment: u64) -> io::Result<Reading> {
        let (_, mut scan) = Scan::open(&self.places.segment(segment), self.look)?;
        if let Some(start) = self.start.take().filter(|start| start.segment == segment) {
            scan = scan.starting_at(start.at);
        }
        let next =
            self.numbers.last().map(|next| Scan::open(&self.places.segment(*next), self.look));
        let end = next.transpose()?.and_then(|(head, _)| head.ok()).map(|head| head.first);
        Ok(Reading { segment, scan, end, group: Vec::new() })
    }
}

impl Reading {
    /// Reads a part. `false` at the end.
    fn advance(
        &mut self,
        wanted: &Wanted,
        ready: &mut VecDeque<(Head, Place)>,
    ) -> io::Result<bool> {
        let Some(part) = self.scan.next_part()? else { return Ok(false) };
        match part.item {
            Item::Record { head, payload } => {
                let is_whole = match payload {
                    Payload::Sound | Payload::Skipped => true,
                    Payload::Zeros | Payload::Changed => wanted.erased.contains(&head.seq),
                    Payload::Cut => false,
                };
                let counts = head.seq >= wanted.from && self.end.is_none_or(|end| head.seq < end);
                if is_whole && counts {
                    self.group.push((head, Place { segment: self.segment, at: part.at }));
                }
            }
            Item::Mark(_) | Item::Seal(_) => ready.extend(self.group.drain(..)),
            Item::Damage { .. } => {}
        }
        Ok(true)
    }
}

impl Iterator for Records {
    type Item = io::Result<(Head, Place)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}

/// Where records are, by their numbers. Reads the heads of the segments that have them.
///
/// # Errors
/// The disk failed.
pub fn locate(places: &Places, wanted: &BTreeSet<Seq>) -> io::Result<Vec<(Head, Place)>> {
    let numbers = places.numbers()?;
    let first = |number: &u64| -> io::Result<Option<Seq>> {
        let (head, _) = Scan::open(&places.segment(*number), Look::AtHeads)?;
        Ok(head.ok().map(|head| head.first))
    };
    let firsts = numbers.iter().map(first).collect::<io::Result<Vec<_>>>()?;
    let mut found = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        let from = firsts[index].unwrap_or(0);
        let to = firsts.get(index + 1).copied().flatten().unwrap_or(Seq::MAX);
        if from >= to || wanted.range(from..to).next().is_none() {
            continue;
        }
        // With the next one, which says what counts of this one.
        let both = numbers.iter().skip(index).take(2).copied().collect();
        for record in Records::of(places, both, Look::AtHeads)? {
            let (head, place) = record?;
            if place.segment != *number {
                break;
            }
            found.extend(wanted.contains(&head.seq).then_some((head, place)));
        }
    }
    Ok(found)
}

/// The numbers of the last segments.
fn last(places: &Places, segments: usize) -> io::Result<Vec<u64>> {
    let mut numbers = places.numbers()?;
    let from = numbers.len().saturating_sub(segments);
    Ok(numbers.split_off(from))
}

/// Where the capture of a mail is, and what became of it. Reads the heads of all records.
///
/// # Errors
/// The disk failed.
pub fn find(places: &Places, id: QueueId) -> io::Result<Vec<(Head, Place)>> {
    let key = id.to_key();
    let is_meant = |record: &io::Result<(Head, Place)>| {
        record.as_ref().map_or(true, |(head, _)| {
            head.id == key && matches!(head.kind, Kind::Capture | Kind::Outcome | Kind::Erased)
        })
    };
    Records::all(places)?.filter(is_meant).collect()
}
