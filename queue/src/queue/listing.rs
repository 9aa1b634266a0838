//! What operators see: lists, one mail in full, and counts.

use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use mailweir_mail::{Envelope, Origin, QueueId, Timestamp};

use super::{
    Shared,
    load::{Damage, Found},
    registry::Entry,
};
use crate::{
    body::{BodyError, Content, SpoolFile},
    progress::{Place, Progress},
    record::{BodyLocation, BodyRecord},
    store::{FIRST_KEY, SCAN_FAILURES, Space, StoreError},
};

/// Which mails to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that stand there; `None`: all with which somebody still has to do, which those
    /// that are kept for the archive are not.
    pub place: Option<Place>,
    /// Only those after this one, to list page by page.
    pub after: Option<QueueId>,
}

/// One line of a list.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The mail.
    pub id: QueueId,
    /// What is known of it.
    pub mail: Listed,
}

/// What a list knows of a mail.
#[derive(Clone, Debug)]
pub enum Listed {
    /// It is sound.
    Sound {
        /// Who sent it and who gets it.
        envelope: Arc<Envelope>,
        /// When it arrived.
        arrival: Timestamp,
        /// Bytes of content.
        size: u64,
        /// Where it stands.
        progress: Progress,
    },
    /// It cannot be read.
    Corrupt {
        /// What is wrong.
        reason: Box<str>,
    },
}

impl Listed {
    /// Where it stands.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Sound { progress, .. } => progress.place(),
            Self::Corrupt { .. } => Place::Corrupt,
        }
    }
}

/// All about one mail.
#[derive(Clone, Debug)]
pub struct Details {
    /// The mail.
    pub id: QueueId,
    /// As in a list.
    pub mail: Listed,
    /// Where it came from, if that can be read.
    pub origin: Option<Arc<Origin>>,
    /// Its content, if that can be read.
    pub content: Option<Bytes>,
}

/// How many mails are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// At a stage between acceptance and delivery.
    pub screening: usize,
    /// On hold.
    pub held: usize,
    /// Waiting for an attempt.
    pub ready: usize,
    /// Under delivery.
    pub delivering: usize,
    /// Done but for a report.
    pub finished: usize,
    /// Done, and kept until the archive has them. Mail that is not done and that the archive is owed
    /// is counted where it stands.
    pub to_archive: usize,
    /// Unreadable.
    pub corrupt: usize,
}

impl Stats {
    pub(super) const fn of(&mut self, place: Place) -> &mut usize {
        match place {
            Place::Screening => &mut self.screening,
            Place::Held => &mut self.held,
            Place::Ready => &mut self.ready,
            Place::Delivering => &mut self.delivering,
            Place::Finished => &mut self.finished,
            Place::Archiving => &mut self.to_archive,
            Place::Corrupt => &mut self.corrupt,
        }
    }
}

impl Shared {
    /// The mails that `filter` lets through, in the order of their ids. Blocks.
    pub(super) fn list(&self, filter: &Filter, limit: usize) -> Result<Vec<Listing>, StoreError> {
        let mut listings = Vec::new();
        let mut failures = Vec::new();
        let from = filter.after.map_or(FIRST_KEY, QueueId::to_key);
        let hides_done = filter.place != Some(Place::Archiving);
        self.storage.scan(Space::States, from, &mut |entry| {
            let key = match entry {
                // There may be very many, and nobody asked for them.
                Ok((_, state)) if hides_done && is_done(state) => return go_on(true),
                Ok((key, _)) => key,
                Err(error) => {
                    failures.push(error);
                    return go_on(failures.len() < SCAN_FAILURES);
                }
            };
            let id = QueueId::from_key(key).filter(|id| Some(*id) != filter.after);
            let seen = id.map(|id| self.look_at(id).map(|seen| (id, seen))).transpose();
            let seen = seen.unwrap_or_else(|error| {
                failures.push(error);
                None
            });
            let listing = seen.and_then(|(id, seen)| Some(Listing { id, mail: seen?.mail }));
            let wanted = |mail: &Listed| match filter.place {
                None => mail.place() != Place::Archiving,
                Some(place) => mail.place() == place,
            };
            listings.extend(listing.filter(|listing| wanted(&listing.mail)));
            go_on(listings.len() < limit && failures.len() < SCAN_FAILURES)
        });
        match failures.pop() {
            Some(error) if listings.is_empty() => Err(error),
            _ => Ok(listings),
        }
    }

    /// All about one mail. Blocks.
    pub(super) fn show(&self, id: QueueId) -> Result<Option<Details>, StoreError> {
        let Some(Seen { mail, known }) = self.look_at(id)? else { return Ok(None) };
        let content = known.as_ref().and_then(|(_, body)| self.read_content(id, body.location));
        let content = content.map(Bytes::from);
        Ok(Some(Details { id, mail, origin: known.map(|(origin, _)| origin), content }))
    }

    /// What a list knows of one mail. Blocks.
    pub(super) fn find(&self, id: QueueId) -> Result<Option<Listed>, StoreError> {
        let mail = self.look_at(id)?.map(|seen| seen.mail);
        Ok(mail.filter(|mail| mail.place() != Place::Archiving))
    }

    /// The content of a mail: what is in a file of its own is not read yet. Blocks.
    pub(super) fn content(&self, id: QueueId) -> Result<Option<Content>, BodyError> {
        let Some(Seen { mail, known }) = self.look_at(id)? else { return Ok(None) };
        if mail.place() == Place::Archiving {
            return Ok(None);
        }
        let (_, body) = known.ok_or(BodyError::Damaged)?;
        match body.location {
            BodyLocation::Store => self.read_body(id),
            BodyLocation::Spool => Ok(Content::Spool(SpoolFile {
                path: self.spool.path(id).into(),
                size: body.size,
                checksum: body.checksum,
            })),
        }
        .map(Some)
    }

    /// What is known of a mail: from memory, which is ahead of the store, or from the store.
    fn look_at(&self, id: QueueId) -> Result<Option<Seen>, StoreError> {
        if let Some(entry) = self.lock().mails.get(&id) {
            return Ok(if entry.progress.is_over() { None } else { Some(Seen::sound(entry)) });
        }
        match self.read(id) {
            Found::Mail(entry) => Ok(Some(Seen::sound(&entry))),
            Found::Nothing => Ok(None),
            Found::Unavailable(error) => Err(error),
            Found::Unreadable(Damage { reason, .. }) => {
                Ok(Some(Seen { mail: Listed::Corrupt { reason }, known: None }))
            }
        }
    }
}

/// Whether this is the state of a mail that only the archive keeps: it is so for ever.
fn is_done(state: &[u8]) -> bool {
    Progress::decode(state).is_ok_and(|progress| progress.is_done())
}

const fn go_on(wanted: bool) -> ControlFlow<()> {
    if wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

struct Seen {
    mail: Listed,
    known: Option<(Arc<Origin>, BodyRecord)>,
}

impl Seen {
    fn sound(entry: &Entry) -> Self {
        let mail = Listed::Sound {
            envelope: entry.envelope.clone(),
            arrival: entry.origin.arrival,
            size: entry.body.size,
            progress: entry.progress.clone(),
        };
        Self { mail, known: Some((entry.origin.clone(), entry.body)) }
    }
}
