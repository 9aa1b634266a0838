//! What is asked of the archive by way of the server, or of the archive itself if none runs.

use std::{
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use anyhow::bail;
use clap::{Args, Subcommand};
use mailweir_archive::holds::Person;
use mailweir_mail::QueueId;

use super::{
    super::{ExitCode, load, operator, runtime},
    print::Printer,
};
use crate::{
    archiving::words::{Ask, Hold, Search, Told},
    clock,
    config::{self, Config},
    control::{
        self,
        operation::{Answer, Operation, Request},
    },
    store::Store,
    time_zone::TimeZone,
};

/// How the archive is asked.
#[derive(Args, Debug)]
struct Way {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    config: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
pub(super) struct SearchOptions {
    /// What to look for: words, "a phrase", from:, to:, subject:, date:2026-01..2026-03, status:failed and
    /// more; nothing: every mail
    #[arg(value_name = "QUERY")]
    query: Vec<String>,
    /// At most so many, the newest first
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    way: Way,
}

#[derive(Args, Debug)]
pub(super) struct ShowOptions {
    /// The queue id of the mail
    id: QueueId,
    #[command(flatten)]
    way: Way,
}

#[derive(Args, Debug)]
pub(super) struct HoldOptions {
    #[command(subcommand)]
    action: HoldAction,
}

#[derive(Debug, Subcommand)]
enum HoldAction {
    /// Lists legal holds
    List(WayOptions),
    /// Begins a legal hold, or has one mean more
    Add(AddOptions),
    /// Ends a legal hold
    Lift(LiftOptions),
}

#[derive(Args, Debug)]
struct WayOptions {
    #[command(flatten)]
    way: Way,
}

#[derive(Args, Debug)]
struct AddOptions {
    /// The name of the case
    case: Box<str>,
    /// The queue ids of mails
    ids: Vec<QueueId>,
    /// Why; it is kept in the archive
    #[arg(long, value_name = "TEXT")]
    reason: Box<str>,
    /// All mail that is found by this now
    #[arg(long, value_name = "QUERY")]
    query: Option<Box<str>>,
    /// All mail of this address, or of all addresses of a domain (@example.org), of yesterday and of tomorrow;
    /// may be given several times
    #[arg(long, value_name = "ADDRESS")]
    person: Vec<Person>,
    #[command(flatten)]
    way: Way,
}

#[derive(Args, Debug)]
struct LiftOptions {
    /// The name of the case
    case: Box<str>,
    /// Why; it is kept in the archive
    #[arg(long, value_name = "TEXT")]
    reason: Box<str>,
    #[command(flatten)]
    way: Way,
}

#[derive(Args, Debug)]
pub(super) struct EraseOptions {
    /// The queue ids of the mails
    #[arg(required = true)]
    ids: Vec<QueueId>,
    /// Who has a right to it, or the number of their request; it is kept in the archive
    #[arg(long, value_name = "TEXT")]
    reason: Box<str>,
    #[command(flatten)]
    way: Way,
}

#[derive(Args, Debug)]
pub(super) struct PurgeOptions {
    /// Only list what would be erased
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    way: Way,
}

pub(super) fn search(options: &SearchOptions) -> anyhow::Result<ExitCode> {
    let query: Box<str> = options.query.join(" ").into();
    let utc_offset = TimeZone::of_machine().offset(clock::now());
    let mut before = None;
    let mut left = options.limit;
    let mut printer = Printer::new(options.way.json);
    let Some(Archive { config, settings }) = Archive::of(&options.way)? else {
        return Ok(ExitCode::BadConfiguration);
    };
    while left > 0 {
        let search = Search { query: query.clone(), before, limit: left.min(PAGE), utc_offset };
        before = None;
        ask(&config, &settings, Ask::Search(search), |told| {
            match &told {
                Told::Mail(_) => left -= 1,
                Told::Found(found) => before = found.next,
                _ => {}
            }
            printer.print(&told)
        })?;
        if before.is_none() {
            break;
        }
    }
    printer.finish(before.is_some())
}

pub(super) fn show(ShowOptions { id, way }: &ShowOptions) -> anyhow::Result<ExitCode> {
    ask_once(way, Ask::Show { id: *id })
}

pub(super) fn hold(options: &HoldOptions) -> anyhow::Result<ExitCode> {
    match &options.action {
        HoldAction::List(WayOptions { way }) => ask_once(way, Ask::Holds),
        HoldAction::Add(AddOptions { case, ids, reason, query, person, way }) => {
            let (case, reason, query) = (case.clone(), reason.clone(), query.clone());
            let (ids, people) = (ids.clone(), person.clone());
            ask_once(way, Ask::Hold(Hold { case, reason, ids, query, people }))
        }
        HoldAction::Lift(LiftOptions { case, reason, way }) => {
            ask_once(way, Ask::Lift { case: case.clone(), reason: reason.clone() })
        }
    }
}

pub(super) fn erase(EraseOptions { ids, reason, way }: &EraseOptions) -> anyhow::Result<ExitCode> {
    ask_once(way, Ask::Erase { ids: ids.clone(), reason: reason.clone() })
}

pub(super) fn purge(PurgeOptions { dry_run, way }: &PurgeOptions) -> anyhow::Result<ExitCode> {
    ask_once(way, Ask::Purge { dry_run: *dry_run })
}

fn ask_once(way: &Way, wanted: Ask) -> anyhow::Result<ExitCode> {
    let Some(Archive { config, settings }) = Archive::of(way)? else {
        return Ok(ExitCode::BadConfiguration);
    };
    let mut printer = Printer::new(way.json);
    ask(&config, &settings, wanted, |told| printer.print(&told))?;
    printer.finish(false)
}

/// The archive that is meant.
struct Archive {
    config: Config,
    settings: config::Archive,
}

impl Archive {
    /// `None`: the configuration has errors, and they were printed.
    fn of(way: &Way) -> anyhow::Result<Option<Self>> {
        let Ok(config) = load(&way.config) else { return Ok(None) };
        let Some(settings) = config.archive.clone() else {
            bail!("nothing is archived: archive.enabled is not set");
        };
        Ok(Some(Self { config, settings }))
    }
}

fn ask(
    config: &Config,
    settings: &config::Archive,
    ask: Ask,
    mut tell: impl FnMut(Told) -> io::Result<()>,
) -> anyhow::Result<()> {
    let request = Request { by: operator(), operation: Operation::Archive(ask) };
    let answers = |answer| match answer {
        Answer::Archive(told) => tell(told),
        Answer::Failed { reason } => tell(Told::Failed { reason }),
        // Not asked for here.
        _ => Ok(()),
    };
    runtime()?.block_on(control::ask_archive(&Store::of(config), settings, &request, answers))
}

/// Whether a person reads what is printed.
pub(super) fn is_for_a_person() -> bool {
    io::stdout().is_terminal()
}

/// Mails that are asked for at once.
const PAGE: usize = 500;
