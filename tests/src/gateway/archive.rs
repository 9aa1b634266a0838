//! The archive of a gateway, read from its files as `mailweir archive` does.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use mailweir_archive::{
    Places, Reader,
    entry::{self, Capture, Outcome},
    frame::Kind,
    records,
    verify::{Known, verify},
};
use mailweir_mail::QueueId;

use crate::wait;

/// An archive, in a directory of its own.
pub struct Archive {
    directory: tempfile::TempDir,
}

/// What an archive has of a mail.
#[derive(Debug)]
pub struct Archived {
    /// The mail as it was accepted.
    pub capture: Capture,
    /// Its content.
    pub content: Vec<u8>,
    /// What became of it; absent: that is not known yet.
    pub outcome: Option<Outcome>,
}

impl Archive {
    /// A place for an archive.
    ///
    /// # Panics
    /// If no directory can be made.
    #[must_use]
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The lines of `[archive]`.
    #[must_use]
    pub fn section(&self) -> String {
        format!("enabled = true\ndirectory = \"{}\"", self.path().join("a").display())
    }

    /// The section of a gateway that archives here, with more lines.
    #[must_use]
    pub fn with(&self, lines: &str) -> String {
        format!("{}\n{lines}", self.section())
    }

    /// Waits until it has a mail.
    pub async fn expect(&self, id: QueueId) -> Archived {
        self.wait_for(id, false).await
    }

    /// Waits until it knows how a mail ended.
    pub async fn expect_ended(&self, id: QueueId) -> Archived {
        self.wait_for(id, true).await
    }

    async fn wait_for(&self, id: QueueId, ended: bool) -> Archived {
        let has = async || self.find(id).is_some_and(|found| !ended || found.outcome.is_some());
        wait::until_true("the mail in the archive", has).await;
        self.find(id).expect("it was there")
    }

    /// What it has of a mail now.
    ///
    /// # Panics
    /// If it has anything twice, or it cannot be read.
    #[must_use]
    pub fn find(&self, id: QueueId) -> Option<Archived> {
        let places = self.places();
        let reader = Reader::new(places.clone());
        let (mut capture, mut outcome) = (None, None);
        for (head, place) in records::find(&places, id).unwrap_or_default() {
            let mut record = reader.read(place).expect("a record");
            let summary = record.payload.summary().expect("its summary");
            match head.kind {
                Kind::Capture => {
                    let read: Capture = entry::decode(&summary).expect("a capture");
                    let mut content = Vec::new();
                    record.payload.read_to_end(&mut content).expect("its content");
                    assert!(capture.replace((read, content)).is_none(), "{id} was taken twice");
                }
                Kind::Outcome => {
                    let read: Outcome = entry::decode(&summary).expect("an outcome");
                    assert!(outcome.replace(read).is_none(), "{id} has ended twice");
                }
                other => panic!("{id}: {other:?}"),
            }
        }
        capture.map(|(capture, content)| Archived { capture, content, outcome })
    }

    /// The number of records.
    ///
    /// # Panics
    /// If it is not sound.
    #[must_use]
    pub fn expect_sound(&self) -> u64 {
        let report = verify(&self.places(), Known::default(), &mut |_, _| {}).expect("a report");
        assert_eq!(report.findings, [], "the archive is not what was written");
        report.records
    }

    /// The number of the record of a mail.
    #[must_use]
    pub fn number(&self, id: QueueId) -> Option<u64> {
        let records = records::find(&self.places(), id).ok()?;
        records.iter().find(|(head, _)| head.kind == Kind::Capture).map(|(head, _)| head.seq)
    }

    /// The directory that it lies in.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.path().join("a")
    }

    fn places(&self) -> Places {
        Places::new(&self.directory())
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self::new()
    }
}
