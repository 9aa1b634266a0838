//! Mailweir itself as a process: the real binary, a real data directory, real signals.
//!
//! For what only a process can show (crashes, start-up time, memory); everything else is tested in
//! memory. The binary is looked for beside the running program, where cargo puts it; `./check` and
//! `./bench` build it first, since cargo builds no binary for another package's tests.
//! `MAILWEIR_BIN` names another one.

use std::{
    env, fs,
    io::{self, Read as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{tools, wait};

/// The binary, or `None` after one line that says why the test is skipped.
///
/// # Panics
/// If it is missing and skips are failures, as [`tools::skip`] says.
#[must_use]
pub fn require() -> Option<PathBuf> {
    let binary = find();
    let serves = binary.as_ref().is_some_and(|binary| {
        let output = Command::new(binary).arg("--version").output();
        output.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
    });
    if !serves {
        tools::skip("no mailweir program; build it with `cargo build --package mailweir`");
        return None;
    }
    binary
}

/// The binary beside the running program, if there is one.
#[must_use]
pub fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("MAILWEIR_BIN") {
        return Some(named.into());
    }
    let running = env::current_exe().ok()?;
    // target/debug/kill9, or target/debug/deps/some_test-0123456789abcdef
    let beside = running.ancestors().skip(1).take(2).map(|place| place.join("mailweir"));
    beside.into_iter().find(|file| file.is_file())
}

/// A running `mailweir serve`. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    listener: SocketAddr,
}

impl Program {
    /// Starts `serve` with this configuration file; what it logs goes to `log`, after what is there.
    ///
    /// # Errors
    /// If the binary cannot be started.
    pub fn start(
        binary: &Path,
        configuration: &Path,
        log: &Path,
        listener: SocketAddr,
    ) -> io::Result<Self> {
        let log = fs::OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(binary)
            .args(["serve", "-c"])
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self { child, listener })
    }

    /// Waits for the first byte of the banner.
    ///
    /// # Errors
    /// If the program ended, or says nothing within a minute.
    pub fn wait_listening(&mut self) -> io::Result<()> {
        let answer = wait::within(wait::PATIENCE, || match self.child.try_wait() {
            Ok(None) => greets(self.listener).then_some(Ok(())),
            Ok(Some(status)) => {
                Some(Err(io::Error::other(format!("mailweir ended with {status}"))))
            }
            Err(error) => Some(Err(error)),
        });
        answer.unwrap_or_else(|| Err(io::Error::other("mailweir does not listen")))
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in bytes (`VmRSS` of proc(5)); 0 if the process has ended.
    #[must_use]
    pub fn resident_bytes(&self) -> u64 {
        memory(self.id(), "VmRSS:")
    }

    /// The most resident memory so far in bytes (`VmHWM` of proc(5)).
    #[must_use]
    pub fn peak_resident_bytes(&self) -> u64 {
        memory(self.id(), "VmHWM:")
    }

    /// `kill -9`, and waits until the process is gone.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// SIGTERM, and waits for the orderly end.
    ///
    /// # Errors
    /// If it does not end within a minute, or ends badly.
    pub fn stop(mut self) -> io::Result<()> {
        let id = i32::try_from(self.id()).map_err(io::Error::other)?;
        if let Some(id) = rustix::process::Pid::from_raw(id) {
            rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
        }
        match wait::within(wait::PATIENCE, || self.child.try_wait().transpose()) {
            Some(Ok(status)) if status.success() => Ok(()),
            Some(Ok(status)) => Err(io::Error::other(format!("mailweir ended with {status}"))),
            Some(Err(error)) => Err(error),
            None => Err(io::Error::other("mailweir did not end after SIGTERM")),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn greets(listener: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(listener) else { return false };
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
        && stream.read_exact(&mut [0]).is_ok()
}

/// A field of its `status` in proc(5), in bytes; 0 if the process has ended.
pub(crate) fn memory(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
