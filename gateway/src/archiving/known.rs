//! Which contents the archive has, and which were erased from it: so that what is brought in from files is there
//! once. Blocks.

use std::{
    collections::{BTreeSet, HashSet},
    io,
};

use mailweir_archive::{
    Place, Reader,
    catalogue::Rows,
    entry::{self, Capture, Erased},
    frame::{Head, Kind, Seq},
    hash::Hash,
    records::Records,
};
use mailweir_mail::{Address, Envelope};
use serde::de::DeserializeOwned;

/// Contents, by the records that say that they are there, or were.
pub(super) struct Known {
    reader: Reader,
    /// By the first bytes of the hash: enough to suspect that a content is there, and little enough (some 30
    /// bytes) to keep it of many millions.
    records: BTreeSet<(u64, Seq)>,
    /// Up to which record.
    last: Option<(Head, Place)>,
}

/// What the archive knows of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// It is there, and names all these recipients.
    There,
    /// It was erased: who had a right to that has it still.
    Erased,
}

impl Known {
    /// Reads what all records say. `goes_on` is told of each, and whether that is so; `None`: it is not.
    ///
    /// # Errors
    /// The archive cannot be read. Single records are passed over: what cannot be read is not known, and does not keep
    /// its mail from being archived again.
    pub(super) fn read(
        reader: Reader,
        goes_on: &mut dyn FnMut(Seq) -> bool,
    ) -> io::Result<Option<Self>> {
        let mut known = Self { reader, records: BTreeSet::new(), last: None };
        Ok(known.catch_up(goes_on)?.then_some(known))
    }

    /// Reads what was written since. `false`: not all of it, as `goes_on` wanted.
    ///
    /// # Errors
    /// As those of [`Self::read`].
    pub(super) fn catch_up(&mut self, goes_on: &mut dyn FnMut(Seq) -> bool) -> io::Result<bool> {
        let places = self.reader.places();
        let records = match self.last {
            Some(last) => Records::behind(places, last)?,
            None => Records::all(places)?,
        };
        for record in records {
            let (head, place) = record?;
            if !goes_on(head.seq) {
                return Ok(false);
            }
            if let Some(content) = self.content(&head, place) {
                self.records.insert((short(content), head.seq));
            }
            self.last = Some((head, place));
        }
        Ok(true)
    }

    /// The content that a record is about.
    fn content(&self, head: &Head, place: Place) -> Option<Hash> {
        match head.kind {
            Kind::Capture => self.summary::<Capture>(place).map(|capture| capture.content),
            Kind::Erased => self.summary::<Erased>(place).map(|erased| erased.content),
            Kind::Outcome | Kind::Hold | Kind::Lifted | Kind::Access => None,
        }
    }

    /// What is known of a content. Mail that names other recipients is another one: two journal reports of one mail
    /// may.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub(super) fn past(
        &self,
        rows: &Rows,
        content: Hash,
        envelope: &Envelope,
    ) -> io::Result<Option<Past>> {
        let mut past = None;
        let short = short(content);
        for (_, seq) in self.records.range((short, 0)..=(short, Seq::MAX)) {
            let Some(row) = rows.get(*seq)? else { continue };
            match row.kind {
                Kind::Erased => {
                    let erased = self.summary::<Erased>(row.place);
                    if erased.is_some_and(|erased| erased.content == content) {
                        return Ok(Some(Past::Erased));
                    }
                }
                Kind::Capture if row.erased.is_none() => {
                    let capture = self.summary::<Capture>(row.place);
                    if capture.is_some_and(|it| it.content == content && names_all(&it, envelope)) {
                        past = Some(Past::There);
                    }
                }
                Kind::Capture | Kind::Outcome | Kind::Hold | Kind::Lifted | Kind::Access => {}
            }
        }
        Ok(past)
    }

    fn summary<S: DeserializeOwned>(&self, place: Place) -> Option<S> {
        let summary = self.reader.read(place).ok()?.payload.summary().ok()?;
        entry::decode(&summary).ok()
    }
}

/// Whether a mail that is there names all who get another one.
pub(super) fn names_all(there: &Capture, envelope: &Envelope) -> bool {
    let named: HashSet<&Address> =
        there.envelope.recipients.iter().map(|one| &one.address).collect();
    envelope.recipients.iter().all(|one| named.contains(&one.address))
}

fn short(hash: Hash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
