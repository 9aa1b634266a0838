//! Where what is learned lies: `filters/spam/FORMAT.md` has the bytes.

use std::{
    fs::{DirBuilder, File},
    io::{self, Read as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

use mailweir_spam::bayes::{Learned, LearnedError, Limits, Model, ModelError};
use rustix::fs::{FlockOperation, flock};

use crate::whole_file;

/// The directory, for this process alone as long as the value lives.
#[derive(Debug)]
pub(super) struct Place {
    _lock: File,
}

/// Why nothing is learned, and mail is judged by nobody.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Trouble {
    /// Another process teaches it.
    #[error("{0} is in use by another program, such as `mailweir spam learn`")]
    InUse(Box<str>),
    /// The disk failed, is full, or nobody gave the right.
    #[error("{0}: {1}")]
    Disk(Box<str>, Arc<io::Error>),
    /// It does not begin with mails that were learned.
    #[error("{0}: {1}; {MOVE_AWAY}")]
    Learned(Box<str>, LearnedError),
    /// It has no model that can be used.
    #[error("{0}: {1}; {MOVE_AWAY}")]
    Model(Box<str>, ModelError),
    /// It is longer than it can be.
    #[error("{0} is not what a classifier has learned: it is too long; {MOVE_AWAY}")]
    TooLong(Box<str>),
    /// The gateway stops.
    #[error("the gateway stops")]
    Closed,
    /// It was opened to judge mail, beside another process that may have it.
    #[error("it was opened to judge mail alone")]
    ReadOnly,
}

/// Opens what was learned. Where there is nothing, nothing was.
pub(super) fn open(directory: &Path) -> Result<(Place, Learned, Model), Trouble> {
    let failed = |error| Trouble::Disk(named(directory), Arc::new(error));
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    let place = lock(directory)?;
    let (learned, model) = load(directory)?;
    Ok((place, learned, model))
}

/// Reads what was learned, whoever has it: the file is whole at any time.
pub(super) fn load(directory: &Path) -> Result<(Learned, Model), Trouble> {
    let path = directory.join(FILE);
    let failed = |error| Trouble::Disk(named(&path), Arc::new(error));
    let Some(bytes) = read(&path).map_err(failed)? else {
        return Ok((Learned::new(), Model::new(Limits::default())));
    };
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Trouble::TooLong(named(&path)));
    }
    let learned = Learned::from_bytes(&bytes);
    let (learned, model) = learned.map_err(|error| Trouble::Learned(named(&path), error))?;
    let model = Model::from_bytes(model, Limits::default());
    let model = model.map_err(|error| Trouble::Model(named(&path), error))?;
    Ok((learned, model))
}

fn lock(directory: &Path) -> Result<Place, Trouble> {
    let path = directory.join(LOCK);
    let failed = |error| Trouble::Disk(named(&path), Arc::new(error));
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(failed)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Place { _lock: file }),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Trouble::InUse(named(directory))),
        Err(error) => Err(failed(error.into())),
    }
}

/// `None`: it is not there.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let length = file.metadata()?.len().min(MOST_BYTES);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Puts what was learned in place whole and durably, for the owner's eyes only.
pub(super) fn write(directory: &Path, parts: &[&[u8]]) -> Result<(), Trouble> {
    let path = directory.join(FILE);
    let written = whole_file::write_parts(&path, parts);
    written.map_err(|error| Trouble::Disk(named(&path), Arc::new(error)))
}

fn named(path: &Path) -> Box<str> {
    path.display().to_string().into()
}

const FILE: &str = "classifier";

const LOCK: &str = "lock";

/// More than as many tokens and mails as there may be can take.
const MOST_BYTES: u64 = 32 << 20;

const MOVE_AWAY: &str = "mail is not judged by what was learned: move the file away, and teach anew by `mailweir spam learn`";
