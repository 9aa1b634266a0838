//! What archiving costs: the relay row without an archive, with one, and with one that is encrypted, in turn within
//! each round; how fast the index catches up with mail that came faster than it; and an archive of many mails.

mod full;

use std::{
    fmt::Write as _,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use super::{
    Figure, Settings,
    contestant::{Contestant, Mailweir, NextHop, StockPostfix},
    figures::losses,
    load,
};
use crate::{peers::SmtpSink, wait};

/// Runs the rows beside Postfix, unless there is no round, and those of an archive of so many mails, unless there is none.
///
/// # Errors
/// If a server cannot be started, or mail does not arrive.
pub fn run(settings: &Settings, mails: u64, progress: &mut dyn FnMut(&str)) -> io::Result<Report> {
    let binary = settings.mailweir.as_deref().ok_or_else(|| io::Error::other("no program"))?;
    let mut figures = Vec::new();
    if settings.rounds > 0 {
        figures.extend(beside_postfix(binary, settings, progress)?);
        let catch_up = catch_up(binary, settings.seconds)?;
        progress(&format!("the index catches up with {catch_up:.0} mails/s"));
        let wanted = "at least 500";
        figures.push(Figure::once("index catches up with", "mails/s", catch_up, wanted));
    }
    if mails > 0 {
        figures.extend(full::measure(mails, progress)?);
    }
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
        self.figures.iter().map(Figure::line).collect()
    }

    /// The same figures with every round, one JSON object per line.
    #[must_use]
    pub fn json_lines(&self) -> String {
        self.figures.iter().map(Figure::json).collect()
    }
}

fn beside_postfix(
    binary: &Path,
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> io::Result<[Figure; 4]> {
    let place = tempfile::tempdir()?;
    let key = key_file(place.path())?;
    let encrypted = format!("{ARCHIVE}key_file = {:?}\n", key.display().to_string());
    let plain = Mailweir::new(binary);
    let contestants: [(&str, &dyn Contestant); 4] = [
        ("Postfix", &StockPostfix::default()),
        ("plain", &plain),
        ("archived", &Mailweir::new(binary).with(ARCHIVE)),
        ("encrypted", &Mailweir::new(binary).with(&encrypted)),
    ];
    let mut rates = [const { Vec::new() }; 4];
    for round in 1..=settings.rounds {
        let mut line = format!("relay {round}/{}:", settings.rounds);
        for ((name, contestant), rates) in contestants.iter().zip(&mut rates) {
            let rate = load::relay(*contestant, settings.seconds)?;
            rates.push(rate);
            let _ = write!(line, "  {name} {rate:.0}/s");
        }
        progress(&line);
    }
    let [postfix, plain, archived, encrypted] = rates;
    let [cost, cost_encrypted] = [&archived, &encrypted].map(|rates| losses(&plain, rates));
    Ok([
        Figure::of("relay, Postfix", "mails/s", postfix, ""),
        Figure::of("relay, archived", "mails/s", archived, ""),
        Figure::of("cost of the archive", "%", cost, "under 25"),
        Figure::of("cost, encrypted", "%", cost_encrypted, "under 25"),
    ])
}

/// Mails a second from the last acknowledgement until the index has all of them, while no more come.
fn catch_up(binary: &Path, seconds: f64) -> io::Result<f64> {
    let sink = SmtpSink::start()?;
    let instance = Mailweir::new(binary).with(ARCHIVE).lay_out(NextHop::Sink(sink.address()))?;
    let program = instance.start()?;
    let mails = load::mails_for(2.0 * seconds, EXPECTED);
    load::accept(instance.listener(), mails)?;
    let (begun, behind_at_first) = (Instant::now(), behind(binary, &instance.configuration())?);
    let caught_up = wait::within(wait::PATIENCE, || {
        behind(binary, &instance.configuration()).is_ok_and(|behind| behind == 0).then_some(())
    });
    caught_up.ok_or_else(|| io::Error::other("the index does not catch up"))?;
    let seconds = begun.elapsed().as_secs_f64();
    program.stop()?;
    Ok(behind_at_first as f64 / seconds)
}

/// Mails that the index does not know yet.
fn behind(binary: &Path, configuration: &Path) -> io::Result<u64> {
    let asked = Command::new(binary)
        .args(["archive", "search", "--json", "-n", "1", "nothing-is-so", "-c"])
        .arg(configuration)
        .output()?;
    let text = String::from_utf8_lossy(&asked.stdout);
    let found =
        text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let behind = found.filter_map(|line| line["found"]["behind"].as_u64()).next();
    behind.ok_or_else(|| {
        io::Error::other(format!("{text}{}", String::from_utf8_lossy(&asked.stderr)))
    })
}

fn key_file(place: &Path) -> io::Result<PathBuf> {
    let path = place.join("archive.key");
    fs::write(&path, "5".repeat(64) + "\n")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
    Ok(path)
}

const ARCHIVE: &str = "[archive]\nenabled = true\n";

/// Mails a second that are accepted, roughly: it decides how many there are.
const EXPECTED: f64 = 2_000.0;
