//! Mail of strangers that is fully checked: Mailweir, Rspamd and SpamAssassin on the same mails, in turn within each round. Rspamd is
//! measured twice: asked directly, and as milter of a Postfix, which does all that Mailweir does.

mod load;
mod mails;
mod mailweir;
mod names;
mod report;
mod rspamd;
mod sites;
mod spamassassin;
mod usage;

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::AtomicUsize,
    time::Duration,
};

use tempfile::TempDir;

pub use self::report::Report;
use self::{
    load::Done,
    mails::{Letter, Writer},
    names::Names,
    report::Row,
    rspamd::{Asked, Behind, Rspamd},
    spamassassin::{Site, Spamd, Tests},
};
use super::Settings;
use crate::{tools, wait};

/// A server that checks mail, with all that belongs to it.
trait Checker: Sync {
    fn name(&self) -> &'static str;
    /// How many mails it is handed at once.
    fn clients(&self) -> usize;
    /// Hands a mail in, and returns when it is answered.
    fn hand_in(&self, letter: &Letter) -> io::Result<()>;
    /// Returns when nothing is left to do for the mails that it has taken.
    fn settle(&self) -> io::Result<()>;
    /// Those that do the work; all below them belong to it.
    fn processes(&self) -> Vec<u32>;
    /// What it says of a mail with a good signature if it checks all that it should.
    fn proofs(&self) -> &'static [&'static str];
    /// What it has said so far: its log, or its last answer to such a mail.
    fn said(&self) -> String;
}

/// Runs all rows, in turn within each round.
///
/// # Errors
/// If a server is not there, does not start, or does not check what it should.
pub fn run(settings: &Settings, progress: &mut dyn FnMut(&str)) -> io::Result<Report> {
    let binary = settings.mailweir.as_deref().ok_or_else(|| io::Error::other("no program"))?;
    if !tools::require(&["postfix", "rspamd", "spamd", "sa-learn"]) {
        return Err(io::Error::other("Postfix, Rspamd and SpamAssassin are needed"));
    }
    progress("mails are written, classifiers learn, expressions are compiled");
    let writer = Writer::new()?;
    let names = Names::start(&writer.zone()?)?;
    let letters = writer.letters()?;
    let lessons = Lessons::write(&writer)?;
    let ours = mailweir::Mailweir::start(binary, &names, &lessons, progress)?;
    let rspamd = Rspamd::start(&names)?;
    let (asked, behind) = (Asked::new(&rspamd), Behind::start(&rspamd)?);
    let site = Site::set_up(&names, &lessons)?;
    let spamd = Spamd::start(&site, Tests::All)?;
    let local = Spamd::start(&site, Tests::Local)?;
    let checkers: [&dyn Checker; 5] = [&ours, &asked, &behind, &spamd, &local];

    let bench = Bench { letters, names, next: AtomicUsize::new(0) };
    for checker in checkers {
        bench.warm_up(checker)?;
    }
    let mut rows = checkers.map(|checker| Row::new(checker.name()));
    for round in 1..=settings.rounds {
        let mut line = format!("round {round}/{}:", settings.rounds);
        for place in turns(round) {
            let seen = bench.measure(checkers[place], settings.seconds)?;
            let _ = write!(line, "  {} {:.0}/s", checkers[place].name(), seen.rate);
            rows[place].add(&seen);
        }
        progress(&line);
    }
    let memory = usage::peak_memory(&ours.processes());
    Ok(Report::of(rows, memory))
}

/// The order of a round: every other one goes backwards, so that nobody is always behind the same one.
fn turns(round: usize) -> [usize; 5] {
    let mut order = [0, 1, 2, 3, 4];
    if round.is_multiple_of(2) {
        order.reverse();
    }
    order
}

struct Bench {
    letters: Vec<Letter>,
    names: Names,
    next: AtomicUsize,
}

/// What was seen of one server in one round.
struct Seen {
    /// Mails a second.
    rate: f64,
    /// Seconds of processor time for 1,000 mails.
    processor: f64,
    /// The same of the load and the name server, which are in this process.
    beside: f64,
    /// Questions to the name server for each mail.
    questions: f64,
}

impl Bench {
    /// So that every process is up; and the server has to show that it checks.
    fn warm_up(&self, checker: &dyn Checker) -> io::Result<()> {
        self.load(checker, WARM_UP)?;
        let proven = || {
            let said = checker.said();
            checker.proofs().iter().all(|proof| said.contains(proof)).then_some(())
        };
        wait::within(WARM_UP, proven).ok_or_else(|| {
            let said = checker.said();
            let missing: Vec<_> =
                checker.proofs().iter().filter(|proof| !said.contains(**proof)).collect();
            let last = said.get(said.ceil_char_boundary(said.len().saturating_sub(SHOWN))..);
            io::Error::other(format!(
                "{} does not say {missing:?}, but: {}",
                checker.name(),
                last.unwrap_or_default()
            ))
        })
    }

    fn measure(&self, checker: &dyn Checker, seconds: f64) -> io::Result<Seen> {
        // What the one before has left to be written is not of this one.
        rustix::fs::sync();
        let processes = checker.processes();
        let (used, asked) = (usage::processor_seconds(&processes), self.names.asked());
        let beside = usage::own_seconds();
        let done = self.load(checker, Duration::from_secs_f64(seconds))?;
        let mails = done.mails as f64;
        Ok(Seen {
            rate: mails / done.seconds,
            processor: (usage::processor_seconds(&processes) - used) / mails * 1_000.0,
            beside: (usage::own_seconds() - beside) / mails * 1_000.0,
            questions: (self.names.asked() - asked) as f64 / mails,
        })
    }

    fn load(&self, checker: &dyn Checker, time: Duration) -> io::Result<Done> {
        let hand_in = |letter: &Letter| checker.hand_in(letter);
        let done = load::load(&self.letters, &self.next, checker.clients(), time, hand_in)?;
        checker.settle()?;
        Ok(done)
    }
}

/// Mails that classifiers learn from.
struct Lessons(TempDir);

impl Lessons {
    fn write(writer: &Writer) -> io::Result<Self> {
        let this = Self(tempfile::tempdir()?);
        for folder in [this.ham(), this.spam()] {
            fs::create_dir(folder)?;
        }
        writer.train(&this.ham(), &this.spam(), LESSONS)?;
        Ok(this)
    }

    fn ham(&self) -> PathBuf {
        self.folder().join("ham")
    }

    fn spam(&self) -> PathBuf {
        self.folder().join("spam")
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// Mails of each kind.
const LESSONS: u64 = 500;

/// As many sessions as the other rows of the bench have.
const MAIL_CLIENTS: usize = 20;

const WARM_UP: Duration = Duration::from_secs(3);

/// Bytes of what a server said last.
const SHOWN: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_round_goes_backwards() {
        assert_eq!(turns(1), [0, 1, 2, 3, 4]);
        assert_eq!(turns(2), [4, 3, 2, 1, 0]);
    }
}
