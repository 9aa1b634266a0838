//! Mails that are not in memory, read from the store.
//!
//! One reader at a time. A mail that is not in memory cannot change, and only a reader brings it
//! there; so what is read is never stale. A damaged record stays as it is and is reported. An error
//! of the engine says nothing about the mail: it is looked at again later.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_mail::{MailEvent, QueueId};

use super::{ChangeError, Shared, registry::Entry};
use crate::{
    body::{BodyError, Content},
    progress::{Place, Progress},
    record::{BodyLocation, EnvelopeRecord, decode_body},
    state::{Change, Terms, apply},
    store::{Space, StoreError},
};

impl Shared {
    /// Brings mails into memory. Those that are gone or damaged leave the indexes; those that the
    /// engine cannot read just now wait for `minimal_backoff_time`.
    pub(super) async fn load(self: &Arc<Self>, ids: Vec<QueueId>) {
        let reading = self.loads.lock().await;
        let found = self.read_absent(ids).await;
        let now = self.clock.now();
        let again = now.plus(self.options.schedule.minimal_backoff_time);
        let mut unreadable = Vec::new();
        let mut registry = self.lock();
        for (id, mail) in found {
            match mail {
                Found::Mail(entry) => {
                    registry.mails.insert(id, *entry);
                }
                Found::Nothing => {
                    registry.due.discard(id, now);
                }
                Found::Unavailable(_) => registry.due.postpone(id, now, again),
                Found::Unreadable(damage) => {
                    if registry.condemn(id, damage.progress.as_ref(), now) {
                        unreadable.push(MailEvent::Corrupt { id, reason: damage.reason });
                    }
                }
            }
        }
        drop(registry);
        drop(reading);
        self.tell(&unreadable);
    }

    /// Brings one mail into memory and keeps it there while the pin lives. What is kept for the
    /// archive alone is gone for everybody else.
    pub(super) async fn pin(self: &Arc<Self>, id: QueueId) -> Result<Pin, ChangeError> {
        let pin = self.pin_any(id).await?;
        let is_done = self.lock().mails.get(&id).is_none_or(|entry| entry.progress.is_done());
        if is_done { Err(ChangeError::NotFound(id)) } else { Ok(pin) }
    }

    /// The same, also for what is kept for the archive.
    pub(super) async fn pin_any(self: &Arc<Self>, id: QueueId) -> Result<Pin, ChangeError> {
        if let Some(pin) = self.pin_present(id) {
            return Ok(pin);
        }
        let _reading = self.loads.lock().await;
        let found = self.read_absent(vec![id]).await.pop();
        match found.map(|(_, mail)| mail) {
            Some(Found::Mail(entry)) => {
                self.lock().mails.insert(id, *entry);
            }
            Some(Found::Nothing) => return Err(ChangeError::NotFound(id)),
            Some(Found::Unavailable(error)) => return Err(error.into()),
            Some(Found::Unreadable(Damage { reason, .. })) => {
                return Err(ChangeError::Corrupt { id, reason });
            }
            None => {}
        }
        self.pin_present(id).ok_or(ChangeError::NotFound(id))
    }

    fn pin_present(self: &Arc<Self>, id: QueueId) -> Option<Pin> {
        self.lock().mails.get_mut(&id)?.pins += 1;
        Some(Pin { shared: self.clone(), id })
    }

    async fn read_absent(self: &Arc<Self>, ids: Vec<QueueId>) -> Vec<(QueueId, Found)> {
        let absent: Vec<_> = {
            let registry = self.lock();
            ids.into_iter().filter(|id| !registry.mails.contains_key(id)).collect()
        };
        if absent.is_empty() {
            return Vec::new();
        }
        let shared = self.clone();
        let read = move || absent.into_iter().map(|id| (id, shared.read(id))).collect();
        tokio::task::spawn_blocking(read).await.unwrap_or_default()
    }

    /// Reads one mail. Blocks.
    pub(super) fn read(&self, id: QueueId) -> Found {
        let get = |space| self.storage.get(space, id.to_key());
        let records = get(Space::Envelopes).and_then(|found| Ok((found, get(Space::States)?)));
        let (envelope, state) = match records {
            Ok((None, None)) => return Found::Nothing,
            Ok(records) => records,
            Err(error) => return Found::Unavailable(error),
        };
        let progress = state.ok_or_else(|| "the state is missing".into());
        let progress = progress.and_then(|state| Progress::decode(&state).map_err(words));
        let mut progress = match progress {
            Ok(progress) => progress,
            Err(reason) => return Found::Unreadable(Damage { progress: None, reason }),
        };
        let EnvelopeRecord { envelope, origin, body, archive } =
            match self.read_envelope(id, envelope, &mut progress) {
                Ok(record) => record,
                Err(reason) => {
                    return Found::Unreadable(Damage { progress: Some(progress), reason });
                }
            };
        let (envelope, origin) = (Arc::new(envelope), Arc::new(origin));
        Found::Mail(Box::new(Entry::new(envelope, origin, body, archive, progress)))
    }

    /// What of a mail never changes; its progress is taken up.
    fn read_envelope(
        &self,
        id: QueueId,
        envelope: Option<Bytes>,
        progress: &mut Progress,
    ) -> Result<EnvelopeRecord, Box<str>> {
        let envelope = envelope.ok_or("the envelope is missing")?;
        let record = EnvelopeRecord::decode(&envelope).map_err(words)?;
        if progress.recipients.len() != record.envelope.recipients.len() {
            return Err("envelope and state do not belong together".into());
        }
        if progress.state.place() == Place::Delivering {
            // Only a crash leaves this in the store; `open` has taken up what it knew of.
            let terms = Terms { id, envelope: &record.envelope, schedule: &self.options.schedule };
            *progress = apply(terms, progress, Change::Restart, self.clock.now()).map_err(words)?.0;
        }
        Ok(record)
    }

    /// Reads the content of a mail from the store. Blocks.
    pub(super) fn read_body(&self, id: QueueId) -> Result<Content, BodyError> {
        let record = self.storage.get(Space::Bodies, id.to_key())?.ok_or(BodyError::Damaged)?;
        decode_body(&record).map(Content::Memory).map_err(|_| BodyError::Damaged)
    }

    /// Reads the content of a mail from wherever it is, for people to look at. Blocks.
    pub(super) fn read_content(&self, id: QueueId, location: BodyLocation) -> Option<Vec<u8>> {
        match location {
            BodyLocation::Store => match self.read_body(id) {
                Ok(Content::Memory(bytes)) => Some(bytes.to_vec()),
                Ok(Content::Spool(_)) | Err(_) => None,
            },
            BodyLocation::Spool => std::fs::read(self.spool.path(id)).ok(),
        }
    }
}

/// What the store has of a mail.
pub(super) enum Found {
    Mail(Box<Entry>),
    Nothing,
    /// The engine cannot say just now.
    Unavailable(StoreError),
    Unreadable(Damage),
}

/// A record that makes no sense.
pub(super) struct Damage {
    /// The state, if that much can be read.
    pub(super) progress: Option<Progress>,
    /// What is wrong.
    pub(super) reason: Box<str>,
}

/// Keeps a mail in memory.
pub(super) struct Pin {
    shared: Arc<Shared>,
    id: QueueId,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut registry = self.shared.lock();
        if let Some(entry) = registry.mails.get_mut(&self.id) {
            entry.pins = entry.pins.saturating_sub(1);
        }
        registry.evict(self.id);
    }
}

fn words(error: impl std::error::Error) -> Box<str> {
    error.to_string().into()
}
