//! The archive of a gateway, read from its files as `mailweir archive` does.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::Command,
};

use mailweir_archive::{
    MasterKeys, Place, Places, Reader,
    entry::{self, Access, Capture, Outcome},
    frame::{Head, Kind},
    records,
    verify::{Known, verify},
};
use mailweir_mail::QueueId;

use crate::{program, wait};

/// An archive, in a directory of its own.
pub struct Archive {
    directory: tempfile::TempDir,
    keys: Option<MasterKeys>,
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
        Self { directory: tempfile::tempdir().expect("a temporary directory"), keys: None }
    }

    /// One that is encrypted.
    ///
    /// # Panics
    /// If its key cannot be written.
    #[must_use]
    pub fn encrypted() -> Self {
        let key = "5a".repeat(32);
        let keys = MasterKeys::parse(&key).expect("a key");
        let archive = Self { keys: Some(keys), ..Self::new() };
        fs::write(archive.key_file(), key).expect("a key file");
        archive
    }

    /// As it is read with one more key.
    ///
    /// # Panics
    /// If that is no key.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        let text = format!("{}\n{key}\n", "5a".repeat(32));
        self.keys = Some(MasterKeys::parse(&text).expect("a key"));
        self
    }

    /// The lines of `[archive]`, with no word of a key.
    #[must_use]
    pub fn without_key(&self) -> String {
        format!("enabled = true\ndirectory = {:?}", self.path().join("a"))
    }

    /// Where its key is.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.path().join("key")
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The lines of `[archive]`.
    #[must_use]
    pub fn section(&self) -> String {
        let mut lines = self.without_key();
        if self.keys.is_some() {
            lines += &format!("\nkey_file = {:?}", self.key_file());
        }
        lines
    }

    /// The section of a gateway that archives here, with more lines.
    #[must_use]
    pub fn with(&self, lines: &str) -> String {
        format!("{}\n{lines}", self.section())
    }

    /// Whether any byte is on the disk of what a mail and its end said.
    ///
    /// # Panics
    /// If a file cannot be read, or the mail was never there.
    #[must_use]
    pub fn has_bytes_of(&self, id: QueueId) -> bool {
        let places = self.places();
        let found = records::find(&places, id).expect("its records");
        let said = |(head, place): &(Head, Place)| {
            let segment = std::fs::read(places.segment(place.segment)).expect("a segment");
            let from = usize::try_from(place.at).expect("a place") + Head::LEN;
            let size = usize::try_from(head.stored).expect("a size");
            segment[from..from + size].iter().any(|byte| *byte != 0)
        };
        let says = |kind| matches!(kind, Kind::Capture | Kind::Outcome);
        let said: Vec<_> = found.iter().filter(|(head, _)| says(head.kind)).map(said).collect();
        assert!(!said.is_empty(), "{id} was never there");
        said.contains(&true)
    }

    /// Who used it, in order.
    ///
    /// # Panics
    /// If it cannot be read.
    #[must_use]
    pub fn accesses(&self) -> Vec<Access> {
        let places = self.places();
        let reader = Reader::new(places.clone());
        let records = records::Records::all(&places).expect("its records");
        let records = records.map(|record| record.expect("a record"));
        let accesses = records.filter(|(head, _)| head.kind == Kind::Access).map(|(_, place)| {
            let summary = reader.read(place).expect("a record").payload.summary();
            entry::decode(&summary.expect("its summary")).expect("an access")
        });
        accesses.collect()
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
        let reader = Reader::new(places.clone()).with_keys(self.keys.clone());
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

    /// A mail as `mailweir archive export` writes it to standard output.
    ///
    /// # Panics
    /// If that fails, or there is no program.
    #[must_use]
    pub fn export(&self, id: QueueId) -> Vec<u8> {
        let mut command = Command::new(program::find().expect("the program"));
        command.args(["archive", "export", &id.to_string(), "--directory"]).arg(self.directory());
        if self.keys.is_some() {
            command.arg("--key-file").arg(self.key_file());
        }
        let output = command.output().expect("a program that runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// All mails that it has, in the order in which it got them.
    ///
    /// # Panics
    /// If it cannot be read.
    #[must_use]
    pub fn all(&self) -> Vec<Archived> {
        let records = records::Records::all(&self.places()).into_iter().flatten();
        let heads = records.map(|record| record.expect("a record").0);
        let captures = heads.filter(|head| head.kind == Kind::Capture);
        let ids = captures.filter_map(|head| head.queue_id());
        ids.filter_map(|id| self.find(id)).collect()
    }

    /// Waits until it has so many mails.
    pub async fn expect_mails(&self, count: usize) -> Vec<Archived> {
        let what = format!("{count} mails in the archive");
        wait::until_true(&what, async || self.all().len() >= count).await;
        self.all()
    }

    /// Whether these words stand anywhere in its records or their keys.
    ///
    /// # Panics
    /// If they cannot be read.
    #[must_use]
    pub fn has_in_the_clear(&self, words: &str) -> bool {
        let entries = |directory| fs::read_dir(directory).expect("a directory");
        let places = self.places();
        let mut files = entries(places.segments()).chain(entries(places.keys()));
        files.any(|entry| {
            let bytes = fs::read(entry.expect("an entry").path()).expect("a file");
            bytes.windows(words.len()).any(|window| window == words.as_bytes())
        })
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
