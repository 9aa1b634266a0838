//! Mails taken out of the archive: as single files (EML), as a mailbox (mbox), or as a zip file; each with a
//! [`manifest`] that says what they are and proves that they were in the archive.
//!
//! A directory or zip file has each mail byte for byte. A mailbox has LF behind every line, and `>` before lines
//! that begin with `From ` (mboxrd), as programs expect it: what reads it back with CRLF and without the marks has
//! what was accepted.
//!
//! Nothing that a mail says becomes the name of a file: that is the number of its record and its queue id. An export
//! is written beside its place and put there as the last step, so what stands there is whole.

pub mod manifest;
mod proof;
mod quote;

pub use manifest::{Checked, ManifestError, Missing, Said};
pub use proof::{NoProof, Proof, ProofError, Proofs};

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, Write},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use mailweir_mail::{Address, Recipient, Timestamp};
use serde::{Deserialize, Serialize};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    archive::{private, sync_directory},
    entry::{Capture, Outcome},
    frame::{Head, Seq},
    hash::{Hash, Hasher},
    header::{self, Header, addresses},
    import::envelope::VISIBLE,
};
use manifest::{Entry, Person};
use quote::Quoted;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A directory with a file for each mail.
    Eml,
    /// A mailbox, with the manifest beside it.
    Mbox,
    /// A zip file with a file for each mail.
    Zip,
}

/// A mail, as the archive has it.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    /// The head of its capture.
    pub head: &'a Head,
    /// Its capture.
    pub capture: &'a Capture,
    /// What became of it, as far as it is known.
    pub outcome: Option<&'a Outcome>,
}

/// Takes out mails.
pub struct Exporter {
    said: Said,
    to: PathBuf,
    target: Target,
    manifest: manifest::Writer<BufWriter<File>>,
    taken: Taken,
    unfinished: Unfinished,
}

/// What was taken out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Mails.
    pub mails: u64,
    /// Bytes of their content.
    pub bytes: u64,
    /// Those of them that have a proof.
    pub proven: u64,
    /// Mails that could not be.
    pub missing: u64,
}

/// Mails cannot be taken out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The place is taken.
    #[error("{0} is there already")]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("{path}: {error}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The content of a mail cannot be read to its end.
    #[error("record {seq}: {error}")]
    Read {
        /// Its number.
        seq: Seq,
        /// Why.
        error: io::Error,
    },
    /// The content of a mail is not the one that its record names.
    #[error("record {0}: its content is not what its summary says")]
    OtherContent(Seq),
}

enum Target {
    Eml,
    Mbox { file: BufWriter<File>, at: u64 },
    Zip(Box<ZipWriter<BufWriter<File>>>),
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Eml, Self::Mbox, Self::Zip];

    /// The word for commands and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eml => "eml",
            Self::Mbox => "mbox",
            Self::Zip => "zip",
        }
    }
}

impl Exporter {
    /// Begins an export. `to`: the directory or file that it will be. Nothing may be there.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn begin(form: Form, to: &Path, said: Said) -> Result<Self, ExportError> {
        let mut unfinished = Unfinished::default();
        let manifest = match form {
            Form::Eml => within(to, MANIFEST),
            Form::Mbox | Form::Zip => beside(to, ".manifest.json"),
        };
        for path in [to, &manifest] {
            if path.symlink_metadata().is_ok() {
                return Err(ExportError::Exists(path.to_owned()));
            }
        }
        let target = match form {
            Form::Eml => {
                unfinished.begin_directory(&partial(to))?;
                Target::Eml
            }
            Form::Mbox => Target::Mbox { file: unfinished.begin(&partial(to))?, at: 0 },
            Form::Zip => Target::Zip(Box::new(ZipWriter::new(unfinished.begin(&partial(to))?))),
        };
        let manifest = match form {
            Form::Eml => within(&partial(to), MANIFEST),
            Form::Mbox | Form::Zip => partial(&manifest),
        };
        let file = unfinished.begin(&manifest)?;
        let manifest = manifest::Writer::begin(file, &said, form).map_err(writing(&manifest))?;
        let taken = Taken::default();
        Ok(Self { said, to: to.to_owned(), target, manifest, taken, unfinished })
    }

    /// Takes out a mail. After an error nothing can be added any more.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn add(
        &mut self,
        mail: Mail<'_>,
        proof: Result<Proof, NoProof>,
        content: impl Read,
    ) -> Result<(), ExportError> {
        let Mail { head, capture, .. } = mail;
        let reading = |error| ExportError::Read { seq: head.seq, error };
        let (begin, content) = header::peek(content).map_err(reading)?;
        let mut content = Hashed { inner: content, hasher: Hasher::new(), size: 0, failed: false };
        let file = format!("{:010}-{}.eml", head.seq, capture.id);
        let byte =
            self.write(&file, capture, &mut content).map_err(|error| match content.failed {
                true => reading(error),
                false => ExportError::Write { path: partial(&self.to), error },
            })?;
        let (sha256, size) = (content.hasher.finish(), content.size);
        let is_bound = capture.salt.commit(sha256) == head.commitment;
        if !is_bound || (sha256, size) != (capture.content, capture.size) {
            return Err(ExportError::OtherContent(head.seq));
        }
        let file = if byte.is_some() { name(&self.to) } else { file };
        let is_proven = proof.is_ok();
        let mut entry = entry(mail, &begin, &self.said, (file, byte, sha256));
        entry.prove(head, proof);
        self.manifest.add(&entry).map_err(writing(&partial(&self.to)))?;
        self.taken.mails += 1;
        self.taken.bytes += size;
        self.taken.proven += u64::from(is_proven);
        Ok(())
    }

    /// Notes that a mail cannot be taken out.
    pub fn miss(&mut self, missing: Missing) {
        self.manifest.miss(missing);
        self.taken.missing += 1;
    }

    /// Puts the export where it was asked for.
    ///
    /// # Errors
    /// [`ExportError`]. Nothing is there then.
    pub fn finish(self) -> Result<Taken, ExportError> {
        let Self { to, target, manifest, taken, mut unfinished, .. } = self;
        let failed = writing(&to);
        let manifest = manifest.finish().and_then(into_file).map_err(&failed)?;
        match target {
            Target::Eml => {
                let directory = File::open(partial(&to)).map_err(&failed)?;
                rustix::fs::syncfs(&directory).map_err(|error| failed(error.into()))?;
                unfinished.put(&partial(&to), &to)?;
            }
            Target::Mbox { file, .. } => {
                into_file(file).and_then(|file| file.sync_all()).map_err(&failed)?;
                manifest.sync_all().map_err(&failed)?;
                let manifest = beside(&to, ".manifest.json");
                unfinished.put(&partial(&manifest), &manifest)?;
                if let Err(error) = unfinished.put(&partial(&to), &to) {
                    let _ = fs::remove_file(&manifest);
                    return Err(error);
                }
            }
            Target::Zip(zip) => {
                let zipped = add_manifest(*zip, manifest).and_then(|file| file.sync_all());
                zipped.map_err(&failed)?;
                unfinished.put(&partial(&to), &to)?;
            }
        }
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        sync_directory(parent.unwrap_or(Path::new("."))).map_err(&failed)?;
        Ok(taken)
    }

    /// Writes the content. Gives where it begins, if its file has many mails.
    fn write(
        &mut self,
        file: &str,
        capture: &Capture,
        content: &mut impl Read,
    ) -> io::Result<Option<u64>> {
        match &mut self.target {
            Target::Eml => {
                let path = within(&partial(&self.to), file);
                let mut file = private().write(true).create_new(true).open(path)?;
                io::copy(content, &mut file)?;
                Ok(None)
            }
            Target::Mbox { file, at } => {
                let begin = *at;
                file.write_all(from_line(capture).as_bytes())?;
                let mut quoted = Quoted::new(&mut *file);
                io::copy(content, &mut quoted)?;
                quoted.finish()?;
                *at = file.stream_position()?;
                Ok(Some(begin))
            }
            Target::Zip(zip) => {
                zip.start_file(file, options(capture.size)).map_err(io::Error::other)?;
                io::copy(content, zip)?;
                Ok(None)
            }
        }
    }
}

/// `From ann@own.example Fri Nov 20 21:30:05 2026`, in UTC. Of the sender nothing that could end the line or be
/// taken for a part of the date.
fn from_line(capture: &Capture) -> String {
    let sender = match capture.envelope.sender.as_str() {
        "" => "MAILER-DAEMON".to_owned(),
        sender => sender.replace(|c: char| c.is_control() || c.is_whitespace(), "_"),
    };
    let arrival = capture.origin.arrival;
    let (weekday, time, year) = (arrival.weekday(), arrival.syslog(), arrival.civil().year);
    format!("From {sender} {weekday} {time} {year:04}\n")
}

fn entry(
    mail: Mail<'_>,
    begin: &[u8],
    said: &Said,
    (file, byte, sha256): (String, Option<u64>, Hash),
) -> Entry {
    let Mail { head, capture, outcome } = mail;
    let visible: HashSet<Address> = match said.hidden {
        true => HashSet::new(),
        false => Header::read(begin).all(&VISIBLE).flat_map(addresses).collect(),
    };
    let is_shown = |recipient: &Recipient| {
        let original = recipient.original.as_ref();
        said.hidden
            || visible.contains(&recipient.address)
            || original.is_some_and(|original| visible.contains(original))
    };
    let fared = |number: usize| outcome.and_then(|outcome| outcome.recipients.get(number)).cloned();
    let person = |(number, recipient): (usize, &Recipient)| Person {
        address: recipient.address.to_string(),
        // An address that led to a named one is named nowhere itself.
        original: recipient
            .original
            .as_ref()
            .filter(|original| said.hidden || visible.contains(*original))
            .map(ToString::to_string),
        fared: fared(number),
    };
    let people = capture.envelope.recipients.iter().enumerate();
    let time = |at: Timestamp| at.rfc3339();
    Entry {
        seq: head.seq,
        id: capture.id,
        file,
        byte,
        sha256,
        salt: capture.salt,
        size: capture.size,
        recorded: time(head.at),
        accepted: time(capture.origin.arrival),
        direction: capture.note.direction,
        sender: capture.envelope.sender.to_string(),
        recipients: people.filter(|(_, one)| is_shown(one)).map(person).collect(),
        outcome: outcome.map(|outcome| outcome.end),
        decisions: outcome.map(|outcome| outcome.decisions.clone()).unwrap_or_default(),
        head: String::new(),
        proof: None,
        unproven: None,
    }
}

/// The manifest is the last file: what it says was known when all others were written.
fn add_manifest(mut zip: ZipWriter<BufWriter<File>>, mut manifest: File) -> io::Result<File> {
    let size = manifest.stream_position()?;
    manifest.rewind()?;
    zip.start_file(MANIFEST, options(size)).map_err(io::Error::other)?;
    io::copy(&mut manifest, &mut zip)?;
    into_file(zip.finish().map_err(io::Error::other)?)
}

fn options(size: u64) -> SimpleFileOptions {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    // What is compressed may grow a little.
    options.unix_permissions(0o600).large_file(size > u64::from(u32::MAX) / 2)
}

fn into_file(file: BufWriter<File>) -> io::Result<File> {
    file.into_inner().map_err(io::IntoInnerError::into_error)
}

/// Content that is hashed as it is read.
struct Hashed<R> {
    inner: R,
    hasher: Hasher,
    size: u64,
    failed: bool,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).inspect_err(|_| self.failed = true)?;
        self.hasher.update(&buffer[..read]);
        self.size += read as u64;
        Ok(read)
    }
}

/// Files that are taken away again, unless they are put in their places.
#[derive(Default)]
struct Unfinished {
    files: Vec<PathBuf>,
    directory: Option<PathBuf>,
}

impl Unfinished {
    fn begin(&mut self, path: &Path) -> Result<BufWriter<File>, ExportError> {
        let file = private().read(true).write(true).create_new(true).open(path);
        let file = file.map_err(|error| exists(path, error))?;
        self.files.push(path.to_owned());
        Ok(BufWriter::with_capacity(BUFFER, file))
    }

    fn begin_directory(&mut self, path: &Path) -> Result<(), ExportError> {
        let made = fs::DirBuilder::new().mode(0o700).create(path);
        made.map_err(|error| exists(path, error))?;
        self.directory = Some(path.to_owned());
        Ok(())
    }

    fn put(&mut self, from: &Path, to: &Path) -> Result<(), ExportError> {
        if to.symlink_metadata().is_ok() {
            return Err(ExportError::Exists(to.to_owned()));
        }
        fs::rename(from, to).map_err(writing(to))?;
        self.files.retain(|file| file != from && !file.starts_with(from));
        self.directory.take_if(|directory| directory == from);
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        if let Some(directory) = &self.directory {
            let _ = fs::remove_dir_all(directory);
        }
    }
}

fn exists(path: &Path, error: io::Error) -> ExportError {
    match error.kind() {
        io::ErrorKind::AlreadyExists => ExportError::Exists(path.to_owned()),
        _ => writing(path)(error),
    }
}

fn writing(path: &Path) -> impl Fn(io::Error) -> ExportError {
    let path = path.to_owned();
    move |error| ExportError::Write { path: path.clone(), error }
}

fn within(directory: &Path, file: &str) -> PathBuf {
    directory.join(file)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(ending);
    path.into()
}

fn partial(path: &Path) -> PathBuf {
    beside(path, ".partial")
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

const MANIFEST: &str = "manifest.json";

const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests;
