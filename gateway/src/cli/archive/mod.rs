//! `mailweir archive`: finding, looking at, holding and erasing mail, and whether it is what was written.
//!
//! `verify` and `export` read the archive beside a server that runs, `prove` reads no archive, and `import` needs it
//! for itself. For all else the server is asked, so that the archive knows who did what; if none runs, the archive
//! is opened itself.

pub(super) mod ask;
mod print;

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use mailweir_archive::{
    MasterKeys, Places, Reader,
    roots::{self, Root},
    verify::{Keys, Known, Report, verify},
};

use super::{
    ExitCode, archive_export, archive_import, archive_prove, load,
    progress::{Progress, megabytes},
    reindex,
};

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
    Verify(VerifyOptions),
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
    Export(archive_export::ExportOptions),
    /// Says whether the records of mails that were taken out were in the archive. Needs no archive
    Prove(archive_prove::ProveOptions),
    /// Archives mails out of files, mailboxes and Maildirs. No server may run
    Import(archive_import::ImportOptions),
    /// Makes the index anew that mail is searched with
    Reindex(reindex::ReindexOptions),
}

#[derive(Args, Debug)]
pub(super) struct PlaceOptions {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    pub(super) config: PathBuf,
    /// The directory of the archive, instead of the configured one
    #[arg(long, value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
    /// The key file of an encrypted archive, instead of the configured one
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct VerifyOptions {
    #[command(flatten)]
    place: PlaceOptions,
    /// A list of roots that was kept elsewhere; may be given several times
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Says nothing of keys: this is a copy that was made without them
    #[arg(long, conflicts_with = "key_file")]
    without_keys: bool,
}

const AFTER_HELP: &str = "\
To encrypt the archive make a key, keep a copy of it elsewhere, and name its file in archive.key_file:
  (umask 077; openssl rand -hex 32 > /etc/mailweir/archive.key)";

pub(super) fn run(command: &ArchiveCommand) -> anyhow::Result<ExitCode> {
    match &command.command {
        Verb::Verify(options) => run_verify(options),
        Verb::Search(options) => ask::search(options),
        Verb::Show(options) => ask::show(options),
        Verb::Accesses(options) => ask::accesses(options),
        Verb::Hold(options) => ask::hold(options),
        Verb::Erase(options) => ask::erase(options),
        Verb::Purge(options) => ask::purge(options),
        Verb::Restore(options) => ask::restore(options),
        Verb::Export(options) => archive_export::run(options),
        Verb::Prove(options) => archive_prove::run(options),
        Verb::Import(options) => archive_import::run(options),
        Verb::Reindex(options) => reindex::run(options),
    }
}

impl PlaceOptions {
    /// Reads the archive with the keys that there are.
    pub(super) fn reader(&self) -> anyhow::Result<Result<Reader, ExitCode>> {
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

fn run_verify(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    let reader = match options.place.reader()? {
        Ok(reader) => reader,
        Err(code) => return Ok(code),
    };
    let places = reader.places();
    let mut kept = Vec::new();
    for list in &options.roots {
        kept.extend(read_roots(list)?);
    }
    let keys = match reader.keys() {
        _ if options.without_keys => Keys::NotAsked,
        Some(keys) => Keys::Fit(keys),
        None => Keys::There,
    };
    let known = Known { roots: &kept, keys, ..Known::default() };
    let mut progress = Progress::begin();
    let mut show = |done, all| progress.show((done, all), || megabytes(all));
    let report = verify(places, known, &mut show);
    progress.clear();
    let report = report.context("the archive cannot be read")?;
    print_report(&report, places)?;
    Ok(if report.is_sound() { ExitCode::Done } else { ExitCode::Refused })
}

pub(super) fn read_roots(list: &Path) -> anyhow::Result<Vec<Root>> {
    let name = || list.display().to_string();
    fs::metadata(list).with_context(name)?;
    let lines = roots::read(list).with_context(name)?;
    lines.into_iter().map(|line| line.with_context(name)).collect()
}

fn print_report(report: &Report, places: &Places) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for finding in &report.findings {
        match (finding.segment, finding.at) {
            (0, _) => writeln!(out, "{}: {}", places.roots().display(), finding.what)?,
            (segment, None) => {
                writeln!(out, "{}: {}", places.segment(segment).display(), finding.what)?;
            }
            (segment, Some(at)) => {
                writeln!(out, "{} byte {at}: {}", places.segment(segment).display(), finding.what)?;
            }
        }
    }
    let Report { segments, records, erased, bytes, torn, .. } = report;
    writeln!(
        out,
        "{records} records in {segments} segments, {}; {erased} were erased and say so",
        megabytes(*bytes)
    )?;
    if *torn > 0 {
        writeln!(out, "the last {torn} bytes are being written, or never were to their end")?;
    }
    match report.findings.len() {
        0 => writeln!(out, "sound: everything is what was written"),
        1 => writeln!(out, "NOT SOUND: 1 finding"),
        many => writeln!(out, "NOT SOUND: {many} findings"),
    }
}
