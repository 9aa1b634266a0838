//! What is asked of the archive by way of the server, or of the archive itself if none runs.

use std::{
    cell::RefCell,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    pin::pin,
    time::Duration,
};

use anyhow::bail;
use clap::{Args, Subcommand};
use mailweir_archive::{
    entry::{AccessDeed, Lift},
    frame::Seq,
    holds::Person,
    span::Span,
};
use mailweir_filters::archiving::Rules;
use mailweir_mail::{Address, QueueId};

use super::{
    super::{ExitCode, load, operator, progress::Progress, runtime},
    print::Printer,
};
use crate::{
    archiving::words::{Ask, Doubles, Hold, Reach, Search, Told},
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
pub(super) struct AccessesOptions {
    /// At most so many
    #[arg(short = 'n', long, value_name = "NUMBER", default_value_t = 50)]
    limit: usize,
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
    /// Ends a legal hold, or whatever legal hold a record is that cannot be read or was lost
    Lift(LiftOptions),
}

#[derive(Args, Debug)]
struct WayOptions {
    #[command(flatten)]
    way: Way,
}

#[derive(Args, Debug)]
struct AddOptions {
    /// The name of the legal hold, as that of its case
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
    /// The name of the legal hold
    #[arg(required_unless_present_any = ["record", "lost"])]
    case: Option<Box<str>>,
    /// Instead of a name: the number of a record that cannot be read and may be a legal hold, or of several
    /// (12..40), as `hold list` names them. You answer for it that they hold nothing any more
    #[arg(long, value_name = "NUMBER", conflicts_with = "case")]
    record: Option<Span>,
    /// Instead of a name: the number of a record that was lost and may have been a legal hold, or of several (12..40),
    /// as `hold list` names them. Others may have these numbers since, and are not meant. You answer for it that the
    /// lost ones hold nothing any more
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["case", "record"])]
    lost: Option<Span>,
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
pub(super) struct RestoreOptions {
    /// The queue id of the mail
    id: QueueId,
    /// To whom; may be given several times
    #[arg(long, required = true, value_name = "ADDRESS")]
    to: Vec<Address>,
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
    let Some(Archive { config, settings }) = Archive::of(&options.way.config)? else {
        return Ok(ExitCode::BadConfiguration);
    };
    while left > 0 {
        let search = Search {
            query: query.clone(),
            before,
            limit: left.min(PAGE),
            utc_offset,
            reach: Reach::AsItIs,
        };
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

pub(super) fn accesses(
    AccessesOptions { limit, way }: &AccessesOptions,
) -> anyhow::Result<ExitCode> {
    ask_once(way, Ask::Accesses { limit: *limit })
}

pub(super) fn hold(options: &HoldOptions) -> anyhow::Result<ExitCode> {
    match &options.action {
        HoldAction::List(WayOptions { way }) => ask_once(way, Ask::Holds),
        HoldAction::Add(AddOptions { case, ids, reason, query, person, way }) => {
            let (case, reason, query) = (case.clone(), reason.clone(), query.clone());
            let (ids, people) = (ids.clone(), person.clone());
            let utc_offset = TimeZone::of_machine().offset(clock::now());
            ask_once(way, Ask::Hold(Hold { case, reason, ids, query, utc_offset, people }))
        }
        HoldAction::Lift(LiftOptions { case, record, lost, reason, way }) => {
            let what = match (case.clone(), *record, *lost) {
                (_, _, Some(records)) => Lift::Lost(records),
                (_, Some(records), None) => Lift::Unread(records),
                (Some(case), None, None) => Lift::Case(case),
                (None, None, None) => {
                    bail!("name the legal hold, or the record that cannot be read or was lost")
                }
            };
            ask_once(way, Ask::Lift { what, reason: reason.clone() })
        }
    }
}

pub(super) fn erase(EraseOptions { ids, reason, way }: &EraseOptions) -> anyhow::Result<ExitCode> {
    ask_once(way, Ask::Erase { ids: ids.clone(), reason: reason.clone() })
}

pub(super) fn restore(RestoreOptions { id, to, way }: &RestoreOptions) -> anyhow::Result<ExitCode> {
    ask_once(way, Ask::Restore { id: *id, to: to.clone() })
}

pub(super) fn purge(PurgeOptions { dry_run, way }: &PurgeOptions) -> anyhow::Result<ExitCode> {
    ask_and_print(way, Ask::Purge { dry_run: *dry_run }, Printer::of_purge(way.json))
}

fn ask_once(way: &Way, wanted: Ask) -> anyhow::Result<ExitCode> {
    ask_and_print(way, wanted, Printer::new(way.json))
}

fn ask_and_print(way: &Way, wanted: Ask, mut printer: Printer) -> anyhow::Result<ExitCode> {
    let Some(Archive { config, settings }) = Archive::of(&way.config)? else {
        return Ok(ExitCode::BadConfiguration);
    };
    ask(&config, &settings, wanted, |told| printer.print(&told))?;
    printer.finish(false)
}

/// The archive that is meant.
pub(super) struct Archive {
    config: Config,
    settings: config::Archive,
}

impl Archive {
    /// `None`: the configuration has errors, and they were printed.
    pub(super) fn of(config: &Path) -> anyhow::Result<Option<Self>> {
        let Ok(config) = load(config) else { return Ok(None) };
        let Some(settings) = config.archive.clone() else {
            bail!("nothing is archived: archive.enabled is not set");
        };
        Ok(Some(Self { config, settings }))
    }

    /// The mails that are found, by their names; of all that are there now, and no more.
    ///
    /// # Errors
    /// The query makes no sense, the index does not have all mail, or the archive cannot be asked.
    pub(super) fn find(&self, query: &str) -> anyhow::Result<Vec<(Seq, QueueId)>> {
        let utc_offset = TimeZone::of_machine().offset(clock::now());
        let (mut mails, mut before) = (Vec::new(), None);
        loop {
            let search = Search {
                query: query.into(),
                before,
                limit: PAGE,
                utc_offset,
                reach: Reach::Whole,
            };
            before = None;
            self.ask_for(Ask::Search(search), |told| match told {
                Told::Mail(line) => mails.push((line.seq, line.id)),
                Told::Found(found) => before = found.next,
                _ => {}
            })?;
            if before.is_none() {
                return Ok(mails);
            }
        }
    }

    /// Writes down what is about to be done with the files of the archive.
    ///
    /// # Errors
    /// It cannot be written down: then it must not be done.
    pub(super) fn note(&self, deed: AccessDeed) -> anyhow::Result<()> {
        self.ask_for(Ask::Note { deed }, |_| {})
    }

    /// Brings mails in, until no more come.
    ///
    /// # Errors
    /// The archive cannot be asked, or it went away before all was done.
    pub(super) async fn import(
        &self,
        doubles: Doubles,
        mails: &mut control::Mails,
        mut tell: impl FnMut(Told),
    ) -> anyhow::Result<()> {
        let mut failed = None;
        let answers = |answer| {
            match answer {
                Answer::Archive(Told::Failed { reason }) | Answer::Failed { reason } => {
                    failed = Some(reason);
                }
                Answer::Archive(told) => tell(told),
                // Not asked for here.
                _ => {}
            }
            Ok(())
        };
        let (store, by) = (Store::of(&self.config), operator());
        control::import(&store, &self.settings, &by, doubles, mails, answers).await?;
        failed.map_or(Ok(()), |reason| Err(anyhow::anyhow!("{reason}")))
    }

    /// What is configured.
    pub(super) const fn config(&self) -> &Config {
        &self.config
    }

    /// The rules by which mail is kept.
    pub(super) const fn rules(&self) -> &Rules {
        &self.settings.rules
    }

    fn ask_for(&self, wanted: Ask, mut tell: impl FnMut(Told)) -> anyhow::Result<()> {
        let mut failed = None;
        ask(&self.config, &self.settings, wanted, |told| {
            match told {
                Told::Failed { reason } => failed = Some(reason),
                told => tell(told),
            }
            Ok(())
        })?;
        failed.map_or(Ok(()), |reason| Err(anyhow::anyhow!("{reason}")))
    }
}

fn ask(
    config: &Config,
    settings: &config::Archive,
    ask: Ask,
    mut tell: impl FnMut(Told) -> io::Result<()>,
) -> anyhow::Result<()> {
    let request = Request { by: operator(), operation: Operation::Archive(ask) };
    let progress = RefCell::new(Progress::begin_beside_a_pager());
    let answers = |answer| {
        progress.borrow_mut().clear();
        match answer {
            Answer::Archive(told) => tell(told),
            Answer::Failed { reason } => tell(Told::Failed { reason }),
            // Not asked for here.
            _ => Ok(()),
        }
    };
    let store = Store::of(config);
    let asked = control::ask_archive(&store, settings, &request, answers);
    runtime()?.block_on(waiting(asked, &progress))
}

/// Shows for how long an answer is waited for: how much is left to do, only the server knows.
async fn waiting<T>(answer: impl Future<Output = T>, progress: &RefCell<Progress>) -> T {
    let mut answer = pin!(answer);
    for second in 0_u64.. {
        if second > 1 {
            progress.borrow_mut().wait(second);
        }
        if let Ok(answer) = tokio::time::timeout(Duration::from_secs(1), &mut answer).await {
            return answer;
        }
    }
    answer.await
}

/// Whether a person reads what is printed.
pub(super) fn is_for_a_person() -> bool {
    io::stdout().is_terminal()
}

/// Mails that are asked for at once.
const PAGE: usize = 500;
