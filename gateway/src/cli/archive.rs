//! `mailweir archive`: what the archive has of a mail, and whether it is what was written.
//!
//! It reads the archive beside a server that runs, and changes nothing; but for `import`.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use mailweir_archive::{
    Place, Places, Reader,
    entry::{self, Capture, Outcome},
    frame::{Head, Kind},
    records,
    roots::{self, Root},
    verify::{Known, Report, verify},
};
use mailweir_mail::QueueId;
use serde::Serialize;

use super::{ExitCode, archive_export, archive_import, archive_prove, load, queue::json_line};

/// Looks at the archive
#[derive(Args, Debug)]
pub(super) struct ArchiveCommand {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Says whether the archive is what was written, and where it is not
    Verify(VerifyOptions),
    /// Shows the envelope of a mail, where it came from, and what became of it
    Show(ShowOptions),
    /// Writes mails as they were accepted: one to standard output, or many as files with a manifest
    Export(archive_export::ExportOptions),
    /// Says whether mails that were taken out were in the archive. Needs no archive
    Prove(archive_prove::ProveOptions),
    /// Archives mails out of files, mailboxes and Maildirs. No server may run
    Import(archive_import::ImportOptions),
}

#[derive(Args, Debug)]
pub(super) struct PlaceOptions {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    pub(super) config: PathBuf,
    /// The directory of the archive, instead of the configured one
    #[arg(long, value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct VerifyOptions {
    #[command(flatten)]
    place: PlaceOptions,
    /// A list of roots that was kept elsewhere; may be given several times
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
}

#[derive(Args, Debug)]
struct MailOptions {
    /// The queue id of the mail
    id: QueueId,
    #[command(flatten)]
    place: PlaceOptions,
}

#[derive(Args, Debug)]
struct ShowOptions {
    #[command(flatten)]
    mail: MailOptions,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: &ArchiveCommand) -> anyhow::Result<ExitCode> {
    match &command.command {
        Verb::Verify(options) => run_verify(options),
        Verb::Show(options) => show(options),
        Verb::Export(options) => archive_export::run(options),
        Verb::Prove(options) => archive_prove::run(options),
        Verb::Import(options) => archive_import::run(options),
    }
}

impl PlaceOptions {
    pub(super) fn places(&self) -> anyhow::Result<Result<Places, ExitCode>> {
        let directory = match &self.directory {
            Some(directory) => directory.clone(),
            None => match load(&self.config) {
                Ok(config) => match config.archive {
                    Some(archive) => archive.directory,
                    None => bail!("nothing is archived: archive.enabled is not set"),
                },
                Err(code) => return Ok(Err(code)),
            },
        };
        let places = Places::new(&directory);
        if !places.segments().is_dir() {
            bail!("{}: there is no archive", directory.display());
        }
        Ok(Ok(places))
    }
}

fn run_verify(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    let places = match options.place.places()? {
        Ok(places) => places,
        Err(code) => return Ok(code),
    };
    let mut kept = Vec::new();
    for list in &options.roots {
        kept.extend(read_roots(list)?);
    }
    let shows = io::stderr().is_terminal();
    let mut progress = |done: u64, all: u64| {
        if shows {
            let percent = (100 * done).checked_div(all).unwrap_or(100);
            eprint!("\r{percent:3} % of {:.1} MB", megabytes(all));
        }
    };
    let report = verify(&places, Known { roots: &kept, last: 0 }, &mut progress);
    if shows {
        eprint!("\r\x1b[K");
    }
    let report = report.context("the archive cannot be read")?;
    print_report(&report, &places)?;
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
        "{records} records in {segments} segments, {:.1} MB; {erased} were erased and say so",
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

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// What the archive has of a mail.
#[derive(Serialize)]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    capture: Option<Capture>,
    outcomes: Vec<Outcome>,
}

fn show(ShowOptions { mail: options, json }: &ShowOptions) -> anyhow::Result<ExitCode> {
    let places = match options.place.places()? {
        Ok(places) => places,
        Err(code) => return Ok(code),
    };
    let reader = Reader::new(places.clone());
    let mut shown = Shown { capture: None, outcomes: Vec::new() };
    for (head, place) in found(&places, options.id)? {
        let summary =
            || -> anyhow::Result<Vec<u8>> { Ok(reader.read_sound(place)?.payload.summary()?) };
        match head.kind {
            Kind::Capture => shown.capture = Some(entry::decode(&summary()?)?),
            Kind::Outcome => shown.outcomes.push(entry::decode(&summary()?)?),
            Kind::Erased | Kind::Hold | Kind::Lifted | Kind::Access => {}
        }
    }
    let mut out = io::stdout().lock();
    match json {
        true => json_line(&mut out, &shown)?,
        false => shown.print(&mut out)?,
    }
    Ok(ExitCode::Done)
}

fn found(places: &Places, id: QueueId) -> anyhow::Result<Vec<(Head, Place)>> {
    let found = records::find(places, id).context("the archive cannot be read")?;
    if found.is_empty() {
        bail!("{id}: the archive has no such mail");
    }
    Ok(found)
}

impl Shown {
    fn print(&self, out: &mut impl io::Write) -> io::Result<()> {
        if let Some(Capture { id, envelope, origin, note, content, size }) = &self.capture {
            writeln!(out, "mail        {id}, {size} bytes, {}", note.direction.as_str())?;
            writeln!(out, "accepted    {} at {}", origin.arrival.rfc3339(), origin.listener)?;
            write!(out, "from        {} as {}", origin.client, origin.helo)?;
            match &origin.login {
                Some(login) => {
                    writeln!(out, ", logged in as {} ({})", login.user, login.mechanism)?
                }
                None => writeln!(out, ", not logged in")?,
            }
            if let Some(tls) = &origin.tls {
                writeln!(out, "TLS         {} {}", tls.version, tls.cipher)?;
            }
            writeln!(out, "sender      <{}>", envelope.sender)?;
            for recipient in &envelope.recipients {
                match &recipient.original {
                    Some(original) => {
                        writeln!(
                            out,
                            "recipient   <{}>, written to as <{original}>",
                            recipient.address
                        )?;
                    }
                    None => writeln!(out, "recipient   <{}>", recipient.address)?,
                }
            }
            if let Some(held) = &note.held {
                writeln!(out, "held        {held}")?;
            }
            let days = note
                .keep_days
                .map_or_else(|| "for ever".to_owned(), |days| format!("for {days} d"));
            let rule =
                note.rule.as_deref().map_or_else(String::new, |rule| format!(", by rule {rule}"));
            writeln!(out, "kept        {days}{rule}")?;
            writeln!(out, "SHA-256     {content}")?;
        }
        for Outcome { end, recipients, .. } in &self.outcomes {
            writeln!(out, "ended       {}", end.as_str())?;
            for (number, fared) in (1..).zip(recipients) {
                let how = if fared.delivered { "delivered" } else { "not delivered" };
                write!(out, "  recipient {number}: {how}")?;
                if let Some(at) = fared.at {
                    write!(out, " at {}", at.rfc3339())?;
                }
                if let Some(relay) = &fared.relay {
                    write!(out, ", {relay}")?;
                }
                match &fared.reply {
                    Some(reply) => writeln!(out, ": {reply}")?,
                    None => writeln!(out)?,
                }
            }
        }
        if self.outcomes.is_empty() {
            writeln!(out, "ended       not yet")?;
        }
        Ok(())
    }
}
