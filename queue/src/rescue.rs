//! Saves what can be read, also from a damaged store.
//!
//! Changes nothing that was promised. Every record is looked at on its own, and whatever cannot be read is named in the
//! report; nothing stops the rest.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, DirBuilder},
    io,
    ops::ControlFlow,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use mailweir_mail::QueueId;
use serde_json::{Value, json};

use crate::{
    options::Engine,
    progress::{ArchiveDebt, Progress, RecipientStatus},
    queue::Directory,
    record::{BodyLocation, EnvelopeRecord, decode_body},
    spool::Spool,
    store::{FIRST_KEY, SCAN_FAILURES, Space, Storage},
};

/// What a rescue saved and what it could not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RescueReport {
    /// Mails written with envelope and sound content.
    pub whole: usize,
    /// Contents written without a readable envelope, or not as they were accepted.
    pub doubtful: usize,
    /// Envelopes written without readable content.
    pub without_content: usize,
    /// What could not be read, in words.
    pub problems: Vec<String>,
}

/// Writes every readable mail of the queue in `directory` to `out`: `<id>.eml` with the content and
/// `<id>.json` with the envelope and state. Goes on after errors, and saves the spool files even if
/// the store cannot be opened at all.
///
/// # Errors
/// There is no queue, another process has it open, or `out` cannot be written.
pub fn rescue(directory: &Path, engine: Engine, out: &Path) -> io::Result<RescueReport> {
    if !directory.is_dir() {
        return Err(io::Error::other(format!("there is no queue in {}", directory.display())));
    }
    let locked = Directory::lock(directory).map_err(io::Error::other)?;
    let spool = locked.spool().map_err(io::Error::other)?;
    match engine.open(&locked.store()) {
        Ok(storage) => save_all(Some(&*storage), &spool, out),
        Err(error) => {
            let mut report = save_all(None, &spool, out)?;
            report.problems.insert(0, error.to_string());
            Ok(report)
        }
    }
}

/// The same for a queue that is open already.
pub(crate) fn save_all(
    storage: Option<&dyn Storage>,
    spool: &Spool,
    out: &Path,
) -> io::Result<RescueReport> {
    DirBuilder::new().recursive(true).mode(0o700).create(out)?;
    let mut rescuer = Rescuer { storage, out, report: RescueReport::default() };
    let files = rescuer.spool_files(spool);
    let mut ids = rescuer.stored_ids();
    ids.extend(files.iter().map(|(id, _)| *id));
    for id in ids {
        let files = files.iter().filter(|(found, _)| *found == id).map(|(_, path)| path);
        rescuer.save(id, &files.collect::<Vec<_>>())?;
    }
    Ok(rescuer.report)
}

struct Rescuer<'a> {
    storage: Option<&'a dyn Storage>,
    out: &'a Path,
    report: RescueReport,
}

impl Rescuer<'_> {
    /// Every id that any keyspace names, as far as each can be scanned.
    fn stored_ids(&mut self) -> BTreeSet<QueueId> {
        let mut ids = BTreeSet::new();
        let Some(storage) = self.storage else { return ids };
        for space in Space::ALL {
            let mut failures = 0;
            storage.scan(space, FIRST_KEY, &mut |entry| {
                match entry.map(|(key, _)| QueueId::from_key(key)) {
                    Ok(Some(id)) => {
                        ids.insert(id);
                    }
                    Ok(None) => self.report.problems.push(format!("{}: a bad key", space.name())),
                    Err(error) => {
                        failures += 1;
                        self.report.problems.push(format!("{}: {error}", space.name()));
                    }
                }
                if failures < SCAN_FAILURES {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
        }
        ids
    }

    fn spool_files(&mut self, spool: &Spool) -> Vec<(QueueId, PathBuf)> {
        let mut files = spool.files().unwrap_or_else(|error| {
            self.report.problems.push(format!("spool: {error}"));
            Vec::new()
        });
        let orphans = fs::read_dir(spool.orphans()).into_iter().flatten().flatten();
        files.extend(
            orphans
                .filter_map(|file| Some((file.file_name().to_str()?.parse().ok()?, file.path()))),
        );
        files
    }

    fn save(&mut self, id: QueueId, files: &[&PathBuf]) -> io::Result<()> {
        let envelope = self.read(id, Space::Envelopes, |bytes| EnvelopeRecord::decode(bytes));
        let progress = self.read(id, Space::States, |bytes| Progress::decode(bytes));
        let content = self.content(id, envelope.as_ref(), files);
        if envelope.is_some() || progress.is_some() {
            let json = describe(id, envelope.as_ref(), progress.as_ref());
            fs::write(self.out.join(format!("{id}.json")), format!("{json:#}\n"))?;
        }
        let sound = match (&envelope, &content) {
            (Some(record), Some(content)) => {
                content.len() as u64 == record.body.size
                    && crc32fast::hash(content) == record.body.checksum
            }
            _ => false,
        };
        match content {
            Some(content) => {
                fs::write(self.out.join(format!("{id}.eml")), content)?;
                if sound { self.report.whole += 1 } else { self.report.doubtful += 1 }
            }
            None => self.report.without_content += 1,
        }
        Ok(())
    }

    fn content(
        &mut self,
        id: QueueId,
        envelope: Option<&EnvelopeRecord>,
        files: &[&PathBuf],
    ) -> Option<Bytes> {
        let is_spooled = envelope.map(|record| record.body.location) == Some(BodyLocation::Spool);
        if !is_spooled && let Some(content) = self.read(id, Space::Bodies, decode_body) {
            return Some(content);
        }
        let content = files.iter().find_map(|path| fs::read(path).ok());
        if content.is_none() {
            self.report.problems.push(format!("{id}: the content cannot be read"));
        }
        content.map(Bytes::from)
    }

    fn read<T, E: std::fmt::Display>(
        &mut self,
        id: QueueId,
        space: Space,
        decode: impl FnOnce(&Bytes) -> Result<T, E>,
    ) -> Option<T> {
        let problem = match self.storage?.get(space, id.to_key()) {
            Ok(None) if space == Space::Bodies => return None,
            Ok(None) => "missing".to_owned(),
            Ok(Some(bytes)) => match decode(&bytes) {
                Ok(value) => return Some(value),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        self.report.problems.push(format!("{id}: {}: {problem}", space.name()));
        None
    }
}

fn describe(id: QueueId, record: Option<&EnvelopeRecord>, progress: Option<&Progress>) -> Value {
    json!({
        "queue_id": id,
        "arrival": record.map(|record| record.origin.arrival.rfc3339()),
        "size": record.map(|record| record.body.size),
        "envelope": record.map(|record| &record.envelope),
        "origin": record.map(|record| &record.origin),
        "state": progress.map(|progress| progress.place().as_str()),
        "attempts": progress.map(|progress| progress.attempts),
        "recipients": progress.map(|progress| {
            progress.recipients.iter().map(describe_recipient).collect::<Vec<_>>()
        }),
        "archive": progress.map(|progress| describe_debt(progress.archive)),
        "archive_note": record.and_then(|record| record.archive.as_deref().map(hex)),
    })
}

const fn describe_debt(debt: ArchiveDebt) -> &'static str {
    match debt {
        ArchiveDebt::Nothing => "owed nothing",
        ArchiveDebt::Capture => "owed the mail and its outcome",
        ArchiveDebt::Outcome => "owed the outcome",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn describe_recipient(status: &RecipientStatus) -> Value {
    json!({
        "status": match status {
            RecipientStatus::Pending { .. } => "pending",
            RecipientStatus::Delivered { .. } => "delivered",
            RecipientStatus::Failed { .. } => "failed",
        },
        "reply": status.last().map(|last| last.reply.to_string()),
        "relay": status.last().and_then(|last| last.relay.clone()),
    })
}

#[cfg(test)]
mod tests;
