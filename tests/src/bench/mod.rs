//! Postfix and Mailweir on the same machine, in the same run, under the same load.
//!
//! A benchmark and no test: nothing here fails because it was slow. `docs/benchmarks.md` says what
//! each row means; `./bench` builds the program and calls this.

pub mod archive;
mod contestant;
mod figures;
pub mod filters;
mod idle;
mod load;
pub mod logins;
mod machine;
pub mod moderation;
pub mod rules;
pub mod spam;

use std::{fmt::Write as _, io, path::PathBuf};

pub use self::figures::{Figure, Pair};
use self::{
    contestant::{Contestant, Mailweir, NextHop, StockPostfix},
    load::{ceiling, mails_for},
    machine::busy_share,
};

/// What to measure and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program; without it only Postfix and the ceiling are measured.
    pub mailweir: Option<PathBuf>,
    /// Rounds of each row; the median counts.
    pub rounds: usize,
    /// How long one round should take, in seconds; decides how many mails are sent.
    pub seconds: f64,
}

/// Runs all rows. `progress` gets a line per round.
///
/// # Errors
/// If a server or a peer cannot be started, or mail does not arrive.
pub fn run(settings: &Settings, progress: &mut dyn FnMut(&str)) -> io::Result<Report> {
    let postfix = StockPostfix::default();
    let mailweir = settings.mailweir.as_deref().map(Mailweir::new);
    let contestants: Vec<&dyn Contestant> = std::iter::once(&postfix as &dyn Contestant)
        .chain(mailweir.as_ref().map(|mailweir| mailweir as &dyn Contestant))
        .collect();

    let mut bench = Bench { settings, progress, busy_rounds: 0 };
    let ceiling = bench.ceiling()?;
    let relay = bench.race("relay", &contestants, relay)?;
    let accept = bench.race("accept", &contestants, accept)?;
    let busy_rounds = bench.busy_rounds;
    let alone = match &mailweir {
        Some(mailweir) => idle::measure(mailweir, progress)?,
        None => Vec::new(),
    };
    Ok(Report { ceiling, relay, accept, alone, busy_rounds })
}

/// From the start of the load until the sink has every mail.
fn relay(contestant: &dyn Contestant, seconds: f64) -> io::Result<f64> {
    load::relay(contestant, seconds)
}

/// From the start of the load until every mail is acknowledged; none is delivered meanwhile.
fn accept(contestant: &dyn Contestant, seconds: f64) -> io::Result<f64> {
    let server = contestant.start(NextHop::Nowhere)?;
    let mails = mails_for(seconds, load::accept(server.address(), load::TRIAL)?);
    let rate = load::accept(server.address(), mails)?;
    server.stop()?;
    Ok(rate)
}

type Row = fn(&dyn Contestant, f64) -> io::Result<f64>;

struct Bench<'a> {
    settings: &'a Settings,
    progress: &'a mut dyn FnMut(&str),
    busy_rounds: usize,
}

impl Bench<'_> {
    fn ceiling(&mut self) -> io::Result<Figure> {
        let mut rates = Vec::new();
        for _ in 0..self.settings.rounds {
            self.look_at_the_machine();
            rates.push(ceiling(self.settings.seconds)?);
        }
        let figure = Figure::rate("ceiling", rates);
        (self.progress)(&format!("ceiling: {figure}"));
        Ok(figure)
    }

    /// One row, the contestants in turn within each round, so that both meet the same machine.
    fn race(&mut self, row: &str, contestants: &[&dyn Contestant], run: Row) -> io::Result<Pair> {
        let mut rates = vec![Vec::new(); contestants.len()];
        for round in 1..=self.settings.rounds {
            self.look_at_the_machine();
            let mut line = format!("{row} {round}/{}:", self.settings.rounds);
            for (contestant, rates) in contestants.iter().zip(&mut rates) {
                let rate = run(*contestant, self.settings.seconds)?;
                rates.push(rate);
                let _ = write!(line, "  {} {rate:.0}/s", contestant.name());
            }
            (self.progress)(&line);
        }
        let mut rates = rates.into_iter();
        Ok(Pair::new(row, rates.next().unwrap_or_default(), rates.next()))
    }

    fn look_at_the_machine(&mut self) {
        let busy = busy_share();
        if busy > BUSY {
            self.busy_rounds += 1;
            let line =
                format!("warning: the machine is {:.0} % busy before this round", busy * 100.0);
            (self.progress)(&line);
        }
    }
}

/// All figures of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// `smtp-source` straight into `smtp-sink`.
    pub ceiling: Figure,
    /// Accepted, synced to disk, delivered.
    pub relay: Pair,
    /// Accepted and synced to disk.
    pub accept: Pair,
    /// Memory and start-up time of Mailweir.
    pub alone: Vec<Figure>,
    /// Rounds that began while something else kept the machine busy.
    pub busy_rounds: usize,
}

impl Report {
    /// The table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text =
            format!("{:34} {:>10} {:>10} {:>8}  wanted\n", "", "Postfix", "Mailweir", "ratio");
        text += &self.relay.line("relay, mails/s (median)", "at least 6x");
        text += &self.accept.line("accept alone, mails/s (median)", "at least 8x");
        let _ =
            writeln!(text, "{:34} {:>10.0}", "ceiling, mails/s (median)", self.ceiling.median());
        for figure in &self.alone {
            text += &figure.line();
        }
        if self.busy_rounds > 0 {
            let _ = writeln!(text, "warning: {} rounds began on a busy machine", self.busy_rounds);
        }
        text
    }

    /// The same figures with every round, one JSON object per line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let mut text = self.ceiling.json();
        text += &self.relay.json();
        text += &self.accept.json();
        self.alone.iter().for_each(|figure| text += &figure.json());
        text
    }
}

/// A quarter of one of two processors: figures move by more than their own spread from there.
const BUSY: f64 = 0.12;
