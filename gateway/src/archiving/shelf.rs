//! From what the queue owes to records. Blocks.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use mailweir_archive::{
    About, Archive, Draft, Left, OpenError, Options, WriteError, Written,
    entry::{self, Capture, Direction, Ending, Fared, Note, Outcome, Source, SummaryError},
    frame::{Kind, Seq},
    hash::Hash,
    payload::{PackError, Packer},
    records::Records,
    roots::Root,
};
use mailweir_mail::{QueueId, Timestamp};
use mailweir_queue::{ArchivePart, ToArchive, progress};

use super::Item;

/// The archive, and what of the queue's mail it has.
pub(super) struct Shelf {
    archive: Archive,
    packer: Packer,
    /// Mails whose end is not known yet, and those of the last segments at the start, by their records.
    captured: HashMap<QueueId, Seq>,
    /// Mails whose end was in the last segments at the start. A crash may have had the queue forget that.
    ended: HashSet<QueueId>,
}

/// A group is not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShelfError {
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error("{id}: {error}")]
    Summary { id: QueueId, error: SummaryError },
}

impl Shelf {
    pub(super) fn open(
        directory: &Path,
        segment_size: u64,
        now: Timestamp,
    ) -> Result<(Self, Left), OpenError> {
        let (archive, left) = Archive::open(directory, Options { segment_size }, now)?;
        let failed = |error| OpenError::Io { path: directory.to_owned(), error };
        let packer = Packer::new().map_err(|error| failed(std::io::Error::other(error)))?;
        let mut shelf = Self { archive, packer, captured: HashMap::new(), ended: HashSet::new() };
        shelf.remember().map_err(failed)?;
        Ok((shelf, left))
    }

    /// Remembers which mails the last segments have. Only what counts and is sound: all else the queue still
    /// has, and brings again.
    fn remember(&mut self) -> std::io::Result<()> {
        for record in Records::sound_of_last(self.archive.places(), LAST_SEGMENTS)? {
            let (head, _) = record?;
            let Some(id) = QueueId::from_key(&head.id) else { continue };
            match head.kind {
                Kind::Capture => {
                    self.captured.insert(id, head.seq);
                }
                Kind::Outcome => {
                    self.ended.insert(id);
                }
                Kind::Erased | Kind::Hold | Kind::Lifted | Kind::Access => {}
            }
        }
        Ok(())
    }

    /// Writes what is owed and not there yet. Once this gives `Ok`, all of it is on the disk.
    pub(super) fn keep(&mut self, group: &[Item], now: Timestamp) -> Result<(), ShelfError> {
        let mut drafts = Vec::with_capacity(2 * group.len());
        for Item { mail, content } in group {
            let id = mail.id;
            let failed = |error| ShelfError::Summary { id, error };
            let mut about =
                self.captured.get(&id).map_or(About::Nothing, |seq| About::Record(*seq));
            if takes_content(mail) && about == About::Nothing {
                let summary = capture(mail, content).map_err(failed)?;
                let payload = self.packer.pack(&summary, content)?;
                about = About::OfGroup(drafts.len());
                drafts.push(Draft {
                    kind: Kind::Capture,
                    about: About::Itself,
                    id: Some(id),
                    payload,
                });
            }
            if let Some(outcome) = outcome(mail).filter(|_| !self.ended.contains(&id)) {
                let payload = self.packer.pack(&entry::encode(&outcome).map_err(failed)?, b"")?;
                drafts.push(Draft { kind: Kind::Outcome, about, id: Some(id), payload });
            }
        }
        for Written { head, .. } in self.archive.append(drafts, now)? {
            let Some(id) = QueueId::from_key(&head.id) else { continue };
            match head.kind {
                Kind::Capture => {
                    self.captured.insert(id, head.seq);
                }
                Kind::Outcome | Kind::Erased | Kind::Hold | Kind::Lifted | Kind::Access => {
                    self.captured.remove(&id);
                }
            }
        }
        Ok(())
    }

    /// The number of the last record; 0: there is none.
    pub(super) fn last(&self) -> Seq {
        self.archive.next().saturating_sub(1)
    }

    /// The segments that were sealed since this was asked last.
    pub(super) fn take_sealed(&mut self) -> Vec<Root> {
        self.archive.take_sealed()
    }
}

/// Whether the archive is to get the mail itself.
pub(super) const fn takes_content(mail: &ToArchive) -> bool {
    match mail.part {
        ArchivePart::Capture | ArchivePart::Both => true,
        ArchivePart::Outcome => false,
    }
}

fn capture(mail: &ToArchive, content: &[u8]) -> Result<Vec<u8>, SummaryError> {
    // Of another version: kept for ever, so that it stands in nobody's way.
    let note = entry::decode(&mail.note).unwrap_or(Note {
        direction: Direction::Inbound,
        rule: None,
        keep_days: None,
        held: None,
        source: Source::Accepted,
    });
    entry::encode(&Capture {
        id: mail.id,
        envelope: (*mail.envelope).clone(),
        origin: (*mail.origin).clone(),
        note,
        content: Hash::of(content),
        size: content.len() as u64,
    })
}

fn outcome(mail: &ToArchive) -> Option<Outcome> {
    let ending = mail.ending.as_ref()?;
    let fared = |status: &progress::RecipientStatus| {
        let last = status.last();
        Fared {
            delivered: matches!(status, progress::RecipientStatus::Delivered { .. }),
            relay: last.and_then(|last| last.relay.clone()),
            reply: last.map(|last| last.reply.clone()),
            at: last.map(|last| last.at),
        }
    };
    Some(Outcome {
        id: mail.id,
        end: match ending.outcome {
            progress::Outcome::Delivered => Ending::Delivered,
            progress::Outcome::Failed => Ending::Failed,
            progress::Outcome::Deleted => Ending::Deleted,
        },
        recipients: ending.recipients.iter().map(fared).collect(),
        decision: None,
    })
}

/// What the archive had taken when the queue last heard of it is not older than these.
const LAST_SEGMENTS: usize = 2;
