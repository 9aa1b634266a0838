//! What moderation costs: a hold beside an accept, the way from a decision to the next hop, and
//! lists, searches and decisions with many cases open.

use std::{
    fmt::Write as _,
    io,
    path::Path,
    time::{Duration, Instant},
};

use mailweir::{
    control::{
        self,
        operation::{Answer, Operation, Request},
    },
    store::Store,
};
use mailweir_mail::QueueId;
use mailweir_moderation::{deed::Deed, search::Query};
use tokio::runtime::{self, Runtime};

use super::{
    Figure, Settings,
    contestant::{Instance, Mailweir, NextHop},
    load,
};
use crate::{peers::SmtpSink, wait};

/// Runs all rows; `open_cases` of them wait while lists, searches and decisions are measured.
///
/// # Errors
/// If a server cannot be started, or mail does not arrive.
pub fn run(
    settings: &Settings,
    open_cases: u64,
    progress: &mut dyn FnMut(&str),
) -> io::Result<Report> {
    let binary = settings.mailweir.as_deref().ok_or_else(|| io::Error::other("no program"))?;
    let mut figures = hold_beside_accept(binary, settings, progress)?;
    figures.push(to_the_next_hop(binary, progress)?);
    figures.extend(with_many_open(binary, open_cases, progress)?);
    Ok(Report { figures })
}

/// The figures of a run.
#[derive(Clone, Debug)]
pub struct Report {
    figures: Vec<Figure>,
}

impl Report {
    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let head = format!("{:34} {:>10} {:>10} {:>8}  wanted\n", "", "", "Mailweir", "");
        self.figures.iter().fold(head, |text, figure| text + &figure.line())
    }

    /// The same figures with every round, one JSON object per line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        self.figures.iter().map(Figure::json).collect()
    }
}

/// The accept row with a rule that means none of the mails, and with one that holds them all.
fn hold_beside_accept(
    binary: &Path,
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> io::Result<Vec<Figure>> {
    let accepting = Mailweir::new(binary).with(&rule("senders = [\"nobody@sender.example\"]"));
    let holding = Mailweir::new(binary).with(&rule(""));
    let (mut accepted, mut held, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=settings.rounds {
        let accept = super::accept(&accepting, settings.seconds)?;
        let hold = super::accept(&holding, settings.seconds)?;
        progress(&format!(
            "hold {round}/{}:  accept {accept:.0}/s  hold {hold:.0}/s",
            settings.rounds
        ));
        accepted.push(accept);
        held.push(hold);
        costs.push(accept / hold);
    }
    Ok(vec![
        Figure::rate("accept, a rule looks", accepted),
        Figure::rate("hold", held),
        Figure::of("cost of a hold", "accepts", costs, "at most 1"),
    ])
}

/// From asking for a decision until the next hop has taken the mail; one after the other.
fn to_the_next_hop(binary: &Path, progress: &mut dyn FnMut(&str)) -> io::Result<Figure> {
    let sink = SmtpSink::start()?;
    let instance = Mailweir::new(binary).with(&rule("")).lay_out(NextHop::Sink(sink.address()))?;
    let program = instance.start()?;
    load::accept(instance.listener(), DECISIONS)?;
    let operator = Operator::of(&instance)?;
    settle(&sink)?;
    let mut times = Vec::new();
    for id in operator.find("", DECISIONS as usize)? {
        let awaited = sink.taken() + 1;
        let begun = Instant::now();
        operator.approve(id)?;
        let arrived = sink.wait_taken(awaited, wait::PATIENCE);
        let arrived = arrived.ok_or_else(|| io::Error::other(format!("{id} does not arrive")))?;
        times.push(milliseconds(arrived - begun));
    }
    program.stop()?;
    let figure = Figure::of("decision to next hop", "ms", times, "under 100");
    progress(&format!("{} decisions, median {:.1} ms", DECISIONS, figure.median()));
    Ok(figure)
}

/// Waits until no more notices arrive.
fn settle(sink: &SmtpSink) -> io::Result<()> {
    let mut taken = sink.taken();
    while sink.wait_taken(taken + 1, QUIET).is_some() {
        taken = sink.taken();
    }
    if taken == 0 { Err(io::Error::other("no notice arrives")) } else { Ok(()) }
}

/// Times at the server with many cases open.
fn with_many_open(
    binary: &Path,
    cases: u64,
    progress: &mut dyn FnMut(&str),
) -> io::Result<Vec<Figure>> {
    let instance = Mailweir::new(binary).with(&rule("")).lay_out(NextHop::Nowhere)?;
    let program = instance.start()?;
    let mut left = cases;
    while left > 0 {
        let now = left.min(A_BATCH);
        let rate = load::accept(instance.listener(), now)?;
        left -= now;
        progress(&format!("{} of {cases} cases are open ({rate:.0}/s)", cases - left));
    }
    program.stop()?;
    let begun = Instant::now();
    let program = instance.start()?;
    let start = milliseconds(begun.elapsed());
    let operator = Operator::of(&instance)?;
    let (mut list, mut search, mut decide) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..REPEATED {
        let begun = Instant::now();
        let ids = operator.find("", A_PAGE)?;
        list.push(milliseconds(begun.elapsed()));
        // Every case is looked at.
        let begun = Instant::now();
        operator.find("nowhere", A_PAGE)?;
        search.push(milliseconds(begun.elapsed()));
        let first = *ids.first().ok_or_else(|| io::Error::other("no case is open"))?;
        let begun = Instant::now();
        operator.approve(first)?;
        decide.push(milliseconds(begun.elapsed()));
    }
    program.stop()?;
    let name = |what: &str| format!("{what}, {cases} open");
    Ok(vec![
        Figure::once(&name("start"), "ms", start, ""),
        Figure::of(&name("list"), "ms", list, "under 100"),
        Figure::of(&name("search"), "ms", search, "under 100"),
        Figure::of(&name("decide"), "ms", decide, "under 100"),
    ])
}

/// An operator at the control socket.
struct Operator {
    store: Store,
    runtime: Runtime,
}

impl Operator {
    fn of(instance: &Instance) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store: Store::in_dir(&instance.data_dir()), runtime })
    }

    /// The first of the open cases that hold these words.
    fn find(&self, words: &str, limit: usize) -> io::Result<Vec<QueueId>> {
        let query = Query { words: words.into(), ..Query::default() };
        let answers = self.ask(Operation::Cases { query, limit })?;
        let id = |answer| match answer {
            Answer::Case { id, .. } => Some(id),
            _ => None,
        };
        Ok(answers.into_iter().filter_map(id).collect())
    }

    fn approve(&self, id: QueueId) -> io::Result<()> {
        let deed = Deed::Approve { comment: "".into(), only: None, at: None, trust_days: 0 };
        match self.ask(Operation::Decide { id, deed })?.pop() {
            Some(Answer::Changed { .. }) => Ok(()),
            other => Err(io::Error::other(format!("{id}: {other:?}"))),
        }
    }

    fn ask(&self, operation: Operation) -> io::Result<Vec<Answer>> {
        let request = Request { by: "bench".into(), operation };
        let mut answers = Vec::new();
        let told = control::ask_running(&self.store, &request, |answer| {
            answers.push(answer);
            Ok(())
        });
        self.runtime.block_on(told).map_err(|error| io::Error::other(format!("{error:#}")))?;
        Ok(answers)
    }
}

fn rule(condition: &str) -> String {
    let mut text = String::from("[[moderation.rule]]\nname = \"all\"\naction = \"approval\"\n");
    let _ = writeln!(text, "moderators = [\"moderator@bench.test.example\"]\n{condition}");
    text
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

const DECISIONS: u64 = 200;
const A_BATCH: u64 = 20_000;
const A_PAGE: usize = 100;
const REPEATED: usize = 50;

/// No notice for so long: there are no more.
const QUIET: Duration = Duration::from_secs(3);
