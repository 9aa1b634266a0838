//! How far long work is, for whoever waits at a terminal. Others see nothing of it.

use std::{
    fs::File,
    io::{self, IsTerminal as _, Write},
    os::{fd::AsFd as _, unix::fs::FileTypeExt as _},
};

/// A line at the bottom of the terminal.
pub(super) struct Progress<W: Write = io::Stderr> {
    /// Absent: nobody looks.
    terminal: Option<W>,
    last: Option<Line>,
}

/// What the line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// So many thousandths are done.
    Done(u128),
    /// So many seconds have passed.
    Waiting(u64),
}

impl Progress {
    pub(super) fn begin() -> Self {
        let stderr = io::stderr();
        Self::on(stderr.is_terminal().then_some(stderr))
    }

    /// As [`Progress::begin`], but nothing is shown while what is printed goes into a pipe: a pager at its end has the
    /// terminal.
    pub(super) fn begin_beside_a_pager() -> Self {
        if is_piped() { Self::on(None) } else { Self::begin() }
    }
}

/// Whether standard output is a pipe.
fn is_piped() -> bool {
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let kind = stdout.and_then(|stdout| File::from(stdout).metadata());
    kind.is_ok_and(|kind| kind.file_type().is_fifo())
}

impl<W: Write> Progress<W> {
    const fn on(terminal: Option<W>) -> Self {
        Self { terminal, last: None }
    }

    /// Shows how much of all is done. `what` is asked for only if the line changes.
    pub(super) fn show(&mut self, (done, all): (u64, u64), what: impl FnOnce() -> String) {
        // Of nothing, all is done.
        let mille = (u128::from(done) * 1_000).checked_div(u128::from(all)).unwrap_or(1_000);
        self.say(Line::Done(mille), || format!("{:3} % of {}", mille / 10, what()));
    }

    /// Shows for how long somebody has waited, where nobody can tell how much is left.
    pub(super) fn wait(&mut self, seconds: u64) {
        self.say(Line::Waiting(seconds), || format!("waiting for {seconds} s"));
    }

    /// Makes room for other lines.
    pub(super) fn clear(&mut self) {
        if let (Some(terminal), Some(_)) = (&mut self.terminal, self.last.take()) {
            // Nobody is left to hear it if the terminal is gone.
            let _ = write!(terminal, "\r\x1b[K").and_then(|()| terminal.flush());
        }
    }

    fn say(&mut self, line: Line, text: impl FnOnce() -> String) {
        if let Some(terminal) = self.terminal.as_mut().filter(|_| self.last != Some(line)) {
            self.last = Some(line);
            let _ = write!(terminal, "\r\x1b[K{}", text()).and_then(|()| terminal.flush());
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Bytes, for people.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sees_each_step_once_and_nothing_in_the_end() {
        let mut seen = Vec::new();
        let mut progress = Progress::on(Some(&mut seen));
        for done in [0, 0, 500, 500, 1_000] {
            progress.show((done, 1_000), || "1000 mails".to_owned());
        }
        progress.clear();
        progress.clear();
        progress.wait(3);
        progress.wait(3);
        progress.show((0, 0), || "0 mails".to_owned());
        drop(progress);
        let lines = [
            "  0 % of 1000 mails",
            " 50 % of 1000 mails",
            "100 % of 1000 mails",
            "",
            "waiting for 3 s",
            "100 % of 0 mails",
            "",
        ];
        let expected: String = lines.iter().map(|line| format!("\r\x1b[K{line}")).collect();
        assert_eq!(String::from_utf8(seen).unwrap(), expected);
    }

    #[test]
    fn where_nobody_looks_nothing_is_made() {
        let mut progress = Progress::<Vec<u8>>::on(None);
        progress.show((1, 2), || panic!("nobody looks"));
        progress.wait(1);
        progress.clear();
    }
}
