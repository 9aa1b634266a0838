//! All records in their order, and those of one mail.

use std::io;

use mailweir_mail::QueueId;

use crate::{
    archive::{Place, Places},
    frame::{Head, Kind},
    scan::{Item, Look, Scan},
};

/// Goes through the heads of all records. Damaged parts are passed over: [`crate::verify`] shows them.
pub struct Records {
    places: Places,
    /// The segments that are still to be read, the next one last.
    numbers: Vec<u64>,
    segment: u64,
    scan: Option<Scan>,
}

impl Records {
    /// From the first record on.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn all(places: &Places) -> io::Result<Self> {
        let numbers: Vec<u64> = places.numbers()?.into_iter().rev().collect();
        Ok(Self { places: places.clone(), numbers, segment: 0, scan: None })
    }

    fn next_record(&mut self) -> io::Result<Option<(Head, Place)>> {
        loop {
            while let Some(scan) = &mut self.scan {
                match scan.next_part()? {
                    None => self.scan = None,
                    Some(part) => {
                        if let Item::Record { head, .. } = part.item {
                            return Ok(Some((head, Place { segment: self.segment, at: part.at })));
                        }
                    }
                }
            }
            let Some(number) = self.numbers.pop() else { return Ok(None) };
            self.segment = number;
            self.scan = Some(Scan::open(&self.places.segment(number), Look::AtHeads)?.1);
        }
    }
}

impl Iterator for Records {
    type Item = io::Result<(Head, Place)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
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
