//! From what the queue owes to records. Blocks.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use mailweir_archive::{
    About, Archive, Draft, Left, OpenError, Options, WriteError, Written,
    entry::{self, Capture, Ending, Fared, Note, Outcome, SummaryError},
    frame::{Kind, Seq},
    hash::Hash,
    payload::{PackError, Packer},
    roots::Root,
    scan::{Item as Part, Look, Scan},
};
use mailweir_mail::{QueueId, Timestamp};
use mailweir_queue::{ArchivePart, ToArchive, progress};

use super::Item;

/// The archive, and what of the queue's mail it has.
pub(super) struct Shelf {
    archive: Archive,
    packer: Packer,
    /// Mails whose end is not known yet, by their records.
    captured: HashMap<QueueId, Seq>,
    /// Mails of the last segments that the archive had whole at the start. A crash may have had the queue
    /// forget that.
    whole: HashSet<QueueId>,
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
        let mut shelf = Self { archive, packer, captured: HashMap::new(), whole: HashSet::new() };
        let numbers = shelf.archive.places().numbers().map_err(failed)?;
        for number in numbers.iter().rev().take(LAST_SEGMENTS).rev() {
            shelf.look_at(*number).map_err(failed)?;
        }
        Ok((shelf, left))
    }

    /// Remembers which mails a segment has.
    fn look_at(&mut self, segment: u64) -> std::io::Result<()> {
        let path = self.archive.places().segment(segment);
        let (_, mut scan) = Scan::open(&path, Look::AtHeads)?;
        while let Some(part) = scan.next_part()? {
            let Part::Record { head, .. } = part.item else { continue };
            let Some(id) = QueueId::from_key(&head.id) else { continue };
            match head.kind {
                Kind::Capture => {
                    self.captured.insert(id, head.seq);
                }
                Kind::Outcome => {
                    self.captured.remove(&id);
                    self.whole.insert(id);
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
            if self.whole.contains(&id) {
                continue;
            }
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
            if let Some(outcome) = outcome(mail) {
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
    let note: Note = entry::decode(&mail.note)?;
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
