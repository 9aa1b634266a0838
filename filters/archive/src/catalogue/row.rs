//! What the catalogue has of a record: 64 bytes. Pure.

use mailweir_mail::{QueueId, Timestamp};

use crate::{
    archive::{Place, Written},
    entry::{Ending, Note, Source},
    frame::{Kind, Seq, mail_of},
};

/// What the catalogue has of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its number.
    pub seq: Seq,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub place: Place,
    /// The record that it is about: of a capture, itself; of a legal hold or its end, the one before it; 0: none.
    pub about: Seq,
    /// The mail that it is about, as [`QueueId::to_key`] has it; zeros: none.
    pub id: [u8; 12],
    /// When it was written.
    pub at: Timestamp,
    /// The record that says that the payload is erased.
    pub erased: Option<Seq>,
    /// Of a capture, how the mail stands.
    pub mail: Standing,
}

/// How a mail stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What its capture notes of it; absent: nobody knows what the record says, a capture or an outcome, for want of a
    /// key.
    pub noted: Option<Noted>,
    /// The record of its end, and how that was; absent: it has not ended.
    pub ended: Option<(Seq, Ending)>,
}

/// What a capture notes of its mail. By default, what is true of one that is damaged: it is kept for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The day, counted from 1970, from which on its time is over; absent: it is kept for ever.
    pub keep_until: Option<u32>,
    /// Whether it was put on hold when it came.
    pub was_held: bool,
    /// Whether it was brought from a file: nothing becomes of it.
    pub is_imported: bool,
}

impl Standing {
    /// What the catalogue keeps of these.
    pub(super) fn of(facts: Facts) -> Self {
        let noted = match facts {
            Facts::Capture(noted) => Some(noted),
            Facts::NoKey => None,
            Facts::Outcome(_) | Facts::Nothing => Some(Noted::default()),
        };
        Self { noted, ended: None }
    }

    /// The day from which on its time is over, as [`Noted::keep_until`]; absent also if that is not known.
    #[must_use]
    pub fn keep_until(&self) -> Option<u32> {
        self.noted?.keep_until
    }
}

/// What the catalogue keeps of what a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// Of a capture.
    Capture(Noted),
    /// Of an outcome.
    Outcome(Ending),
    /// What a capture or an outcome says can be read only with a key that is not there.
    NoKey,
    /// Nothing.
    Nothing,
}

impl Facts {
    /// Those of a capture that is written at `at`.
    #[must_use]
    pub fn of_capture(note: &Note, at: Timestamp) -> Self {
        let last = |days: u32| {
            let today = u32::try_from(at.as_secs() / DAY).unwrap_or(u32::MAX);
            // Never less than it was promised to be kept: the day it was written in does not count.
            today.saturating_add(days).saturating_add(1)
        };
        Self::Capture(Noted {
            keep_until: note.keep_days.map(last),
            was_held: note.held.is_some(),
            is_imported: note.source != Source::Accepted,
        })
    }
}

impl Row {
    /// Bytes of a row.
    pub(super) const LEN: usize = 64;

    /// That of a record that was written now.
    pub(super) fn new(Written { head, place }: &Written, facts: Facts) -> Self {
        Self {
            seq: head.seq,
            kind: head.kind,
            place: *place,
            about: head.about,
            id: head.id,
            at: head.at,
            erased: None,
            mail: Standing::of(facts),
        }
    }

    /// The name of the mail that it is about, if it is about one.
    #[must_use]
    pub fn queue_id(&self) -> Option<QueueId> {
        mail_of(self.id)
    }

    pub(super) fn encode(&self) -> [u8; Self::LEN] {
        let (ended, ending) = match self.mail.ended {
            Some((seq, ending)) => {
                (seq, 1 + ENDINGS.iter().position(|it| *it == ending).unwrap_or(0) as u8)
            }
            None => (0, 0),
        };
        let lacks_key = self.mail.noted.is_none();
        let Noted { keep_until, was_held, is_imported } = self.mail.noted.unwrap_or_default();
        // A capture is about itself: there is room for its end.
        let other = if self.kind == Kind::Capture { ended } else { self.about };
        let segment = u32::try_from(self.place.segment).unwrap_or(u32::MAX);
        let mut bytes = [0; Self::LEN];
        let parts: [&[u8]; 9] = [
            &[self.kind as u8, ending, u8::from(was_held), u8::from(is_imported)],
            &segment.to_le_bytes(),
            &self.place.at.to_le_bytes(),
            &other.to_le_bytes(),
            &self.erased.unwrap_or(0).to_le_bytes(),
            &self.id,
            &self.at.as_micros().to_le_bytes(),
            &keep_until.unwrap_or(0).to_le_bytes(),
            &[u8::from(lacks_key), 0, 0, 0],
        ];
        let mut end = 0;
        for part in parts {
            bytes[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        }
        let checksum = checksum(self.seq, &bytes[..end]);
        bytes[end..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// `None`: there is no such row, or it is damaged.
    pub(super) fn decode(seq: Seq, bytes: &[u8]) -> Option<Self> {
        let (content, stored) = bytes.split_at_checked(Self::LEN - 4)?;
        if checksum(seq, content).to_le_bytes() != *stored {
            return None;
        }
        let mut rest = content;
        let [kind, ending, was_held, is_imported] = take(&mut rest)?;
        let kind = Kind::from_byte(kind)?;
        let segment = u32::from_le_bytes(take(&mut rest)?).into();
        let at = u64::from_le_bytes(take(&mut rest)?);
        let other = u64::from_le_bytes(take(&mut rest)?);
        let erased = u64::from_le_bytes(take(&mut rest)?);
        let id = take(&mut rest)?;
        let written = Timestamp::from_micros(u64::from_le_bytes(take(&mut rest)?));
        let keep_until = u32::from_le_bytes(take(&mut rest)?);
        let [lacks_key, ..] = take::<4>(&mut rest)?;
        let ending = ending.checked_sub(1).and_then(|number| ENDINGS.get(usize::from(number)));
        let is_capture = kind == Kind::Capture;
        let noted = Noted {
            keep_until: (keep_until != 0).then_some(keep_until),
            was_held: was_held != 0,
            is_imported: is_imported != 0,
        };
        Some(Self {
            seq,
            kind,
            place: Place { segment, at },
            about: if is_capture { seq } else { other },
            id,
            at: written,
            erased: (erased != 0).then_some(erased),
            mail: Standing {
                noted: (lacks_key == 0).then_some(noted),
                ended: ending.filter(|_| is_capture).map(|ending| (other, *ending)),
            },
        })
    }
}

/// The number makes a row that stands in a wrong place a damaged one.
fn checksum(seq: Seq, content: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(MAGIC);
    hasher.update(&seq.to_le_bytes());
    hasher.update(content);
    hasher.finalize()
}

pub(super) fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}

/// So that a row of zeros is none.
const MAGIC: u32 = 0x4d57_4341;

const ENDINGS: [Ending; 3] = [Ending::Delivered, Ending::Failed, Ending::Deleted];

const DAY: u64 = 86_400;
