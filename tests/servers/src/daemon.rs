//! A server process that stays in the foreground.

use std::{
    fs::File,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::wait;

/// A running server. Dropping it kills it by its number and waits until it is gone.
///
/// A server that starts children of its own gets SIGTERM first, so that it can end them.
#[derive(Debug)]
pub struct Daemon(Child);

impl Daemon {
    /// Starts `command`, which must not fork away, and waits until `ready`. What it says goes to
    /// the file `log`.
    ///
    /// # Panics
    /// If it ends before it is ready, or is not ready within a minute; the message shows the log.
    #[must_use]
    pub fn start(command: &mut Command, log: &Path, mut ready: impl FnMut() -> bool) -> Self {
        let said = File::create(log).expect("a log file");
        let also = said.try_clone().expect("a log file");
        let child = command.stdin(Stdio::null()).stdout(also).stderr(said).spawn();
        let mut daemon = Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")));
        let ended = wait::within(wait::PATIENCE, || match daemon.0.try_wait() {
            Ok(None) => ready().then_some(None),
            Ok(Some(status)) => Some(Some(status)),
            Err(error) => panic!("{command:?}: {error}"),
        });
        let said = || String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
        match ended {
            Some(None) => daemon,
            Some(Some(status)) => panic!("{command:?} ended with {status}:\n{}", said()),
            None => panic!("{command:?} is not ready after {:?}:\n{}", wait::PATIENCE, said()),
        }
    }

    /// The number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGTERM, and waits until the process is gone; SIGKILL if that takes over a minute.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let id = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let (Some(id), Ok(None)) = (id, self.0.try_wait()) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
            let _ = wait::within(wait::PATIENCE, || self.0.try_wait().ok().flatten());
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
    }
}
