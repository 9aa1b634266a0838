//! Makes an index while no server runs.

use mailweir_archive::{Archive, OpenError, Options, frame::Seq};
use mailweir_search::index::Index;

use super::{
    Settings,
    directories::Directories,
    filler::{Done, Filler, MailReader, Trouble},
};
use crate::{
    archiving::opened::said_of_left,
    clock,
    extraction::{PATIENCE, StartError},
};

/// No index is made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// A server has the archive.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be filled.
    #[error("{0}")]
    Fill(String),
}

impl From<Trouble> for MakeError {
    fn from(trouble: Trouble) -> Self {
        Self::Fill(trouble.to_string())
    }
}

/// An index that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// The last record that it knows.
    pub(crate) reached: Seq,
    /// Mails that could not be read.
    pub(crate) unread: u64,
}

/// Makes another index while no server runs, and puts it in the place of the old one. `options`: how the
/// archive is kept. `warn` hears what was found in the archive, which no server will find again; `progress`, of how many
/// records how many are done.
///
/// # Errors
/// [`MakeError`]. The old one stays, and what was made of the new one, too.
pub(crate) fn make(
    settings: &Settings,
    options: Options,
    warn: &mut dyn FnMut(String),
    progress: &mut dyn FnMut(Seq, Seq),
) -> Result<Made, MakeError> {
    let (archive, left) = Archive::open(&settings.archive, options, clock::now())?;
    said_of_left(left).into_iter().for_each(warn);
    let last = archive.next().saturating_sub(1);
    let directories = Directories::new(&settings.archive);
    let mut reader = MailReader::new(settings.program.clone(), PATIENCE);
    let refused = |error: std::io::Error| MakeError::Fill(error.to_string());
    let tidied = directories.end_swap().and_then(|()| directories.remove_old_one());
    tidied.and_then(|()| directories.remove_new_one()).map_err(refused)?;
    let index = Index::create(&directories.new_one()).map_err(Trouble::from)?;
    let mut filler = Filler::new(index, settings.memory, settings.reader(), None)?;
    loop {
        match filler.step(last, &mut reader) {
            Ok(Done::All) => break,
            Ok(Done::Record | Done::Failed(_)) => {}
            // Whoever waits for it wants the others all the same.
            Err(Trouble::Start(StartError::Failing(_))) => continue,
            Err(trouble) => return Err(trouble.into()),
        }
        if filler.commit_at().is_some_and(|at| at <= clock::monotonic()) {
            filler.commit()?;
        }
        progress(filler.reached(), last);
    }
    let made = Made { reached: filler.reached(), unread: filler.unread };
    filler.finish()?;
    directories.swap().and_then(|()| directories.remove_old_one()).map_err(refused)?;
    Ok(made)
}
