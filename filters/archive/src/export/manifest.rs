//! The manifest of an export: what was taken out, by whom, and the proof that its records were in the archive. JSON,
//! with one mail on each line, so that it is written as mails come and can be looked through with simple tools.
//!
//! [`verify`] needs the manifest and a list of roots that was kept elsewhere, and no archive. [`compare`] needs the
//! files that were taken out.

mod contents;

pub use contents::{Content, Unlike, compare};

use std::{
    collections::{BTreeMap, HashSet},
    io::{self, Read, Write},
};

use mailweir_mail::{QueueId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Form,
    proof::{self, NoProof, Proof, ProofError},
};
use crate::{
    commit::Salt,
    entry::{Decided, Direction, Ending, Fared},
    frame::{Head, Kind, Seq},
    hash::Hash,
    roots::Root,
};

/// Who takes out what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Who.
    pub by: Box<str>,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
    /// What was asked for, in their words.
    pub query: Box<str>,
    /// Whether they may see recipients that no header names.
    pub hidden: bool,
}

/// A mail of the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The number of its record.
    pub seq: Seq,
    /// Its name in the queue.
    pub id: QueueId,
    /// The file with it, or with many.
    pub file: String,
    /// Its first byte there, if the file has many: that of the line before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte: Option<u64>,
    /// The hash of its content.
    pub sha256: Hash,
    /// What the head of its record has that hash behind.
    pub salt: Salt,
    /// Bytes of its content.
    pub size: u64,
    /// When its record was written.
    pub recorded: String,
    /// When it was accepted.
    pub accepted: String,
    /// Which way it went.
    pub direction: Direction,
    /// Who sent it; empty: nobody, as of reports.
    pub sender: String,
    /// Who got it. Without the right to see hidden recipients, those that the header names.
    pub recipients: Vec<Person>,
    /// What became of it; absent: nothing yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Ending>,
    /// Who decided about it, if people had to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decided>,
    /// The head of its record, in hexadecimal digits.
    pub head: String,
    /// That the record was in the archive; absent: see `unproven`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Why there is no proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproven: Option<String>,
}

/// A recipient in a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub address: String,
    /// The address that was written to, if it was another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// How they fared; absent: it is not known yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fared: Option<Fared>,
}

/// A mail that was to be taken out, and could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The number of its record.
    pub seq: Seq,
    /// Why.
    pub why: String,
}

/// A manifest as it stands in a file.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: String,
    said: Said,
    form: Form,
    mails: Vec<Entry>,
    missing: Vec<Missing>,
    count: u64,
}

/// Writes a manifest.
pub(super) struct Writer<W> {
    out: W,
    count: u64,
    missing: Vec<Missing>,
}

impl<W: Write> Writer<W> {
    pub(super) fn begin(mut out: W, said: &Said, form: Form) -> io::Result<Self> {
        write!(out, "{{\"format\":\"{FORMAT}\",\n\"said\":")?;
        serde_json::to_writer(&mut out, said)?;
        out.write_all(b",\n\"form\":")?;
        serde_json::to_writer(&mut out, &form)?;
        out.write_all(b",\n\"mails\":[")?;
        Ok(Self { out, count: 0, missing: Vec::new() })
    }

    pub(super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        self.out.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut self.out, entry)?;
        self.count += 1;
        Ok(())
    }

    pub(super) fn miss(&mut self, missing: Missing) {
        self.missing.push(missing);
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n],\n\"missing\":")?;
        serde_json::to_writer(&mut self.out, &self.missing)?;
        write!(self.out, ",\n\"count\":{}}}\n", self.count)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// What a manifest proves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Records that were in the archive. Of what the manifest says of them, this is true of their numbers, queue ids,
    /// times of writing and the hashes of their contents, and of nothing else.
    pub proven: Vec<Seq>,
    /// Records that have no proof, and why, as the manifest says it.
    pub unproven: Vec<(Seq, String)>,
    /// Records whose proof is none.
    pub wrong: Vec<(Seq, ProofError)>,
    /// Mails that were to be taken out, and could not be.
    pub missing: Vec<Missing>,
    /// The files, and what the manifest says of their contents, in the order of their bytes.
    pub files: BTreeMap<String, Vec<Content>>,
}

/// A manifest that is none.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read, or was not written to its end.
    #[error("the manifest cannot be read: {0}")]
    Read(#[from] serde_json::Error),
    /// It is something else, or of a newer version.
    #[error("no manifest of this version: {0:?}")]
    Format(String),
    /// It has more or fewer mails than it says.
    #[error("the manifest says that it has {said} mails, and has {found}")]
    Count {
        /// What it says.
        said: u64,
        /// What it has.
        found: u64,
    },
    /// It names a record twice, and no two mails have one.
    #[error("the manifest has record {0} more than once")]
    Twice(Seq),
}

/// Compares a manifest with a list of roots.
///
/// A proof is about the head of a record, which binds the content. What else the manifest says is not signed: sender,
/// recipients, and what became of the mail. Whether it is true, only the archive itself shows
/// (`mailweir archive verify`): the head has the hash of what is stored.
///
/// # Errors
/// [`ManifestError`]. What is wrong with single mails is no error.
pub fn verify(manifest: impl Read, roots: &[Root]) -> Result<Checked, ManifestError> {
    let read: Manifest = serde_json::from_reader(io::BufReader::new(manifest))?;
    if read.format != FORMAT {
        return Err(ManifestError::Format(read.format.chars().take(100).collect()));
    }
    let found = read.mails.len() as u64;
    if read.count != found {
        return Err(ManifestError::Count { said: read.count, found });
    }
    let mut checked = Checked { missing: read.missing, ..Checked::default() };
    let mut seen = HashSet::new();
    for entry in read.mails {
        if !seen.insert(entry.seq) {
            return Err(ManifestError::Twice(entry.seq));
        }
        checked.files.entry(entry.file.clone()).or_default().push(entry.content());
        match entry.verify(roots) {
            Ok(true) => checked.proven.push(entry.seq),
            Ok(false) => checked.unproven.push((entry.seq, entry.unproven.unwrap_or_default())),
            Err(wrong) => checked.wrong.push((entry.seq, wrong)),
        }
    }
    checked.files.values_mut().for_each(|contents| contents.sort_by_key(|content| content.byte));
    Ok(checked)
}

impl Entry {
    /// `false`: there is no proof.
    fn verify(&self, roots: &[Root]) -> Result<bool, ProofError> {
        let head = proof::read(&self.head)?;
        let is_meant = (head.seq, head.id) == (self.seq, self.id.to_key())
            && head.at.rfc3339() == self.recorded;
        if head.kind != Kind::Capture || !is_meant {
            return Err(ProofError::OtherRecord);
        }
        if self.salt.commit(self.sha256) != head.commitment {
            return Err(ProofError::OtherContent);
        }
        let Some(proof) = &self.proof else { return Ok(false) };
        proof.verify(&head, roots).map(|()| true)
    }

    const fn content(&self) -> Content {
        let Self { seq, byte, size, sha256, .. } = *self;
        Content { seq, byte, size, sha256 }
    }

    pub(super) fn prove(&mut self, head: &Head, proof: Result<Proof, NoProof>) {
        self.head = proof::written(head);
        match proof {
            Ok(proof) => self.proof = Some(proof),
            Err(why) => self.unproven = Some(why.to_string()),
        }
    }
}

/// Times as people read them.
mod rfc3339 {
    use mailweir_mail::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        at: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.rfc3339())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

const FORMAT: &str = "mailweir-archive-export/1";
