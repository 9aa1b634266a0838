//! A content filter by pipe(8), where it lies, and what it costs without a server around it.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Instant, SystemTime},
};

use tempfile::TempDir;

use super::{CONCURRENCY, load::mails_for};

/// A directory in which anybody may write, with the script in it. The script works there.
pub(super) struct Script(TempDir);

impl Script {
    pub(super) fn new() -> io::Result<Self> {
        let place = tempfile::Builder::new().prefix("filter-").tempdir()?;
        fs::set_permissions(place.path(), Permissions::from_mode(0o777))?;
        Ok(Self(place))
    }

    pub(super) fn place(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.place().join("simple")
    }

    /// Writes it, of what `text` makes of its place.
    pub(super) fn write(&self, text: impl FnOnce(&Path) -> String) -> io::Result<()> {
        fs::write(self.path(), text(self.place()))?;
        fs::set_permissions(self.path(), Permissions::from_mode(0o755))
    }

    /// Does this, and sees to it that the script ran: it keeps its mails in its place, whose time moves on then.
    pub(super) fn looked_for<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let began = SystemTime::now();
        let done = work()?;
        match fs::metadata(self.place())?.modified()? > began {
            true => Ok(done),
            false => Err(io::Error::other("mail passes the script by")),
        }
    }

    /// Runs it for mail after mail, as many at once as a server does, and returns how many a second it takes.
    pub(super) fn alone(&self, seconds: f64, environment: &[(&str, &str)]) -> io::Result<f64> {
        let mail = self.place().join("mail.eml");
        fs::write(&mail, content())?;
        let trial = self.run_often(TRIAL, &mail, environment)?;
        self.run_often(mails_for(seconds, trial), &mail, environment)
    }

    fn run_often(&self, mails: u64, mail: &Path, environment: &[(&str, &str)]) -> io::Result<f64> {
        let begun = AtomicU64::new(0);
        let started = Instant::now();
        let worker = || {
            while begun.fetch_add(1, Ordering::Relaxed) < mails {
                self.run_once(mail, environment)?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..CONCURRENCY).map(|_| scope.spawn(worker)).collect();
            let panicked = |_| Err(io::Error::other("a worker panicked"));
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(panicked))
        })?;
        Ok(mails as f64 / started.elapsed().as_secs_f64())
    }

    /// As a server runs it.
    fn run_once(&self, mail: &Path, environment: &[(&str, &str)]) -> io::Result<()> {
        let ended = Command::new(self.path())
            .args(["-f", "source@sender.example", "--", "sink@recipient.example"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
            .envs(environment.iter().copied())
            .current_dir("/")
            .process_group(0)
            .uid(NOBODY)
            .gid(NOBODY)
            .stdin(File::open(mail)?)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if ended.success() {
            return Ok(());
        }
        Err(io::Error::other(format!("the script alone ended with {ended}")))
    }
}

/// Of the size and kind of those of the load.
fn content() -> String {
    let header = "From: <source@sender.example>\nTo: <sink@recipient.example>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n\
                  Message-Id: <1@sender.example>\n\n";
    header.to_owned() + &format!("{}\n", "X".repeat(78)).repeat(50)
}

const TRIAL: u64 = 200;

/// The user and the group that own nothing on Debian.
const NOBODY: u32 = 65_534;
