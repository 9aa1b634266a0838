//! How far long work is, for whoever waits at a terminal. Others see nothing of it.

use std::io::{self, IsTerminal as _, Write as _};

/// A line at the bottom of the terminal.
pub(super) struct Progress {
    is_shown: bool,
    last: Option<u128>,
}

impl Progress {
    pub(super) fn begin() -> Self {
        Self { is_shown: io::stderr().is_terminal(), last: None }
    }

    /// Shows how much of all is done. `what` is asked for only if the line changes.
    pub(super) fn show(&mut self, (done, all): (u64, u64), what: impl FnOnce() -> String) {
        // Of nothing, all is done.
        let mille = (u128::from(done) * 1_000).checked_div(u128::from(all)).unwrap_or(1_000);
        if self.is_shown && self.last != Some(mille) {
            self.last = Some(mille);
            eprint!("\r\x1b[K{:3} % of {}", mille / 10, what());
        }
    }

    /// Makes room for other lines.
    pub(super) fn clear(&mut self) {
        if self.last.take().is_some() {
            eprint!("\r\x1b[K");
            // Nobody is left to hear it if the terminal is gone.
            let _ = io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Bytes, for people.
pub(super) fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
