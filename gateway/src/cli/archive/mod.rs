//! `mailweir archive`: finding, looking at and erasing mail, legal holds on it, and whether it is what was written.
//!
//! `verify` and `export` read the archive beside a server that runs, and `prove` reads no archive. For all else the
//! server is asked, so that one alone writes and the archive knows who did what; if none runs, the archive is opened
//! itself.

mod ask;
mod export;
mod import;
mod print;
mod prove;
mod reindex;
mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use mailweir_archive::{MasterKeys, Places, Reader};

use super::{ExitCode, load};

/// Looks at the archive
#[derive(Args, Debug)]
#[command(after_help = AFTER_HELP)]
pub(super) struct ArchiveCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Says whether the archive is what was written, and where it is not
    Verify(verify::VerifyOptions),
    /// Finds mail
    Search(ask::SearchOptions),
    /// Shows the envelope of a mail, where it came from, and what became of it
    Show(ask::ShowOptions),
    /// Lists who searched, looked, exported and had mail sent again, the latest first
    Accesses(ask::AccessesOptions),
    /// Legal holds: what they mean is not erased
    Hold(ask::HoldOptions),
    /// Erases mails for good, and keeps the proof that they were there
    Erase(ask::EraseOptions),
    /// Erases what was kept for as long as its rule says; a running server does it once a day
    Purge(ask::PurgeOptions),
    /// Has a mail sent again, as it was, to whom you name
    Restore(ask::RestoreOptions),
    /// Writes mails as they were accepted: one to standard output, or many as files with a manifest
    Export(export::ExportOptions),
    /// Says whether the records of mails that were taken out were in the archive. Needs no archive
    Prove(prove::ProveOptions),
    /// Archives mails out of files, mailboxes and Maildirs
    Import(import::ImportOptions),
    /// Makes the index anew that mail is searched with
    Reindex(reindex::ReindexOptions),
}

#[derive(Args, Debug)]
struct PlaceOptions {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    config: PathBuf,
    /// The directory of the archive, instead of the configured one
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The key file of an encrypted archive, instead of the configured one
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
To encrypt the archive make a key, keep a copy of it elsewhere, and name its file in archive.key_file:
  (umask 077; openssl rand -hex 32 > /etc/mailweir/archive.key)";

pub(super) fn run(command: &ArchiveCommand) -> anyhow::Result<ExitCode> {
    match &command.command {
        Verb::Verify(options) => verify::run(options),
        Verb::Search(options) => ask::search(options),
        Verb::Show(options) => ask::show(options),
        Verb::Accesses(options) => ask::accesses(options),
        Verb::Hold(options) => ask::hold(options),
        Verb::Erase(options) => ask::erase(options),
        Verb::Purge(options) => ask::purge(options),
        Verb::Restore(options) => ask::restore(options),
        Verb::Export(options) => export::run(options),
        Verb::Prove(options) => prove::run(options),
        Verb::Import(options) => import::run(options),
        Verb::Reindex(options) => reindex::run(options),
    }
}

impl PlaceOptions {
    /// Reads the archive with the keys that there are.
    fn reader(&self) -> anyhow::Result<Result<Reader, ExitCode>> {
        let reader = match &self.directory {
            Some(directory) => Reader::new(Places::new(directory)),
            None => match load(&self.config) {
                Ok(config) => match config.archive {
                    Some(archive) => archive.reader(),
                    None => bail!("nothing is archived: archive.enabled is not set"),
                },
                Err(code) => return Ok(Err(code)),
            },
        };
        let places = reader.places();
        if !places.segments().is_dir() {
            bail!("{}: there is no archive", places.directory().display());
        }
        Ok(Ok(match &self.key_file {
            Some(path) => reader.with_keys(Some(read_keys(path)?)),
            None => reader,
        }))
    }
}

fn read_keys(path: &Path) -> anyhow::Result<MasterKeys> {
    let name = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(name)?;
    MasterKeys::parse(&text).with_context(name)
}
