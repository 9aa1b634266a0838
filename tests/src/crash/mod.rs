//! `kill -9` under load, again and again: what was acknowledged must arrive (attacks.md J1).
//!
//! Senders put mail in without a pause, a sink takes it, and between them `mailweir serve` is killed
//! at random moments and started again on the same data directory. At the end the queue must run
//! empty, and the [`Ledger`] says what was lost, doubled, torn or invented.
//!
//! It does not cut the power: what the kernel had not written yet survives here. The store's own
//! tests stop the disk at every sync.

mod archived;
mod content;
mod ledger;
pub mod moderated;
mod sender;
mod sink;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tempfile::TempDir;

pub use self::ledger::{Ledger, Report};
use self::{content::Found, sender::Sender, sink::Sink};
use crate::{chance::Chance, free_address, program::Program, wait};

/// What to do and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program under test.
    pub binary: PathBuf,
    /// How often it is killed.
    pub cycles: u32,
    /// Where chance begins; the same seed kills after the same pauses.
    pub seed: u64,
    /// Connections that send at once.
    pub senders: usize,
}

/// Runs all cycles and waits for the queue to drain. `progress` gets a line now and then.
///
/// # Errors
/// If the program does not start again after a kill, or does not end in order after the last.
pub fn run(settings: &Settings, progress: &mut dyn FnMut(String)) -> io::Result<Report> {
    let place = Place::new("[archive]\nenabled = true\nsegment_size = \"1 MiB\"\n")?;
    let archive = place.data_dir().join("archive");
    let ledger = Arc::new(Ledger::default());
    let book = Arc::clone(&ledger);
    let sink =
        Sink::start(place.sink, Arc::new(move |mail, recipients| note(&book, mail, recipients)))?;
    let senders = Senders::start(settings, place.listener, &ledger);
    let mut chance = Chance::new(settings.seed);

    for cycle in 1..=settings.cycles {
        let program = place.start(&settings.binary)?;
        kill_at_random(program, &mut chance).map_err(|error| place.explain(&error))?;
        sink.wait_quiet();
        ledger.next_life();
        if cycle % settings.cycles.div_ceil(20) == 0 {
            progress(format!("{cycle}/{} kills: {}", settings.cycles, ledger.judge().so_far()));
        }
    }

    let mut program = place.start(&settings.binary)?;
    program.wait_listening().map_err(|error| place.explain(&error))?;
    senders.stop();
    progress(format!("draining: {}", ledger.judge().so_far()));
    ledger.wait_drained(PATIENCE);
    archived::wait_complete(&archive, &ledger, PATIENCE)?;
    program.stop().map_err(|error| place.explain(&error))?;
    sink.wait_quiet();
    let broken = archived::broken(&archive, &ledger)?;
    let report = Report { archive: broken, ..ledger.judge() };
    if !report.is_sound() {
        progress(format!("kept for inspection: {}", place.keep().display()));
    }
    Ok(report)
}

/// The sink has a mail.
fn note(ledger: &Ledger, mail: &[String], recipients: &[String]) {
    match content::examine(mail) {
        Found::Whole(number) => {
            // Recipient 2 is <2@recipient.example>.
            let index = |recipient: &String| recipient.split_once('@')?.0.parse().ok();
            recipients.iter().filter_map(index).for_each(|index| ledger.arrive(number, index));
        }
        Found::Torn(_) => ledger.arrive_torn(),
        Found::Foreign => ledger.arrive_foreign(),
    }
}

/// Most kills come while it works; one in eight while it starts and recovers.
fn kill_at_random(mut program: Program, chance: &mut Chance) -> io::Result<()> {
    if chance.one_in(8) {
        wait::pause(Duration::from_micros(chance.below(60_000)));
        return program.kill();
    }
    program.wait_listening()?;
    wait::pause(Duration::from_micros(5_000 + chance.below(300_000)));
    program.kill()
}

/// The directory, the ports and the configuration of one run.
#[derive(Debug)]
struct Place {
    directory: TempDir,
    listener: SocketAddr,
    sink: SocketAddr,
}

impl Place {
    /// With further lines of the configuration.
    fn new(sections: &str) -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("kill9-").tempdir()?;
        let place = Self { directory, listener: free_address()?, sink: free_address()? };
        let root = place.directory.path();
        let Self { listener, sink, .. } = &place;
        let configuration = format!(
            r#"[server]
hostname = "kill9.test.example"
data_dir = "{data}"
[[listener]]
name = "in"
bind = ["{listener}"]
mode = "mx"
tls = "none"
networks = ["127.0.0.1/32"]
[[route]]
for = ["*"]
to = "smtp://{sink}"
tls = "none"
[queue]
minimal_backoff_time = "1s"
maximal_backoff_time = "1s"
[admin]
bind = []
{sections}
"#,
            data = place.data_dir().display(),
        );
        fs::write(root.join("mailweir.toml"), configuration)?;
        Ok(place)
    }

    fn start(&self, binary: &Path) -> io::Result<Program> {
        let root = self.directory.path();
        let (configuration, log) = (root.join("mailweir.toml"), root.join("log"));
        Program::start(binary, &configuration, &log, self.listener)
    }

    fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// The error with the end of the log, which says why.
    fn explain(&self, error: &io::Error) -> io::Error {
        let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        let lines: Vec<&str> = lines.into_iter().rev().collect();
        io::Error::other(format!("{error}; the log ends with:\n{}", lines.join("\n")))
    }

    fn keep(mut self) -> PathBuf {
        self.directory.disable_cleanup(true);
        self.directory.path().to_owned()
    }
}

/// The threads that send.
#[derive(Debug)]
struct Senders {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Senders {
    fn start(settings: &Settings, listener: SocketAddr, ledger: &Arc<Ledger>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..settings.senders as u64)
            .map(|number| {
                let chance = Chance::new(settings.seed.wrapping_add(number + 1));
                let sender = Sender::new(listener, Arc::clone(ledger), chance);
                let stop = Arc::clone(&stop);
                thread::spawn(move || sender.send_until(&stop))
            })
            .collect();
        Self { stop, threads }
    }

    fn stop(self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

/// How long the queue may stand still while it drains.
const PATIENCE: Duration = Duration::from_secs(60);
