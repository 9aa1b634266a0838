//! The memory of a program while it runs, with that of the programs it started, by proc(5).

use std::{
    fs, io,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{peers::Said, program::memory, wait};

/// The most there was at once. Sampled: what comes and goes within some milliseconds is missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// Bytes that are the program's own (`RssAnon`).
    pub own: u64,
    /// The same with the pages of files that it has mapped (`VmRSS`), which the system takes back at need.
    pub resident: u64,
}

/// Runs a program that says little to its end.
///
/// # Errors
/// If it cannot be run.
pub fn watched(command: &mut Command) -> io::Result<(Said, Peak)> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut peak = Peak::default();
    while child.try_wait()?.is_none() {
        let now = of(child.id());
        peak.own = peak.own.max(now.own);
        peak.resident = peak.resident.max(now.resident);
        wait::pause(BETWEEN_SAMPLES);
    }
    Ok((Said::from_output(&child.wait_with_output()?), peak))
}

fn of(process: u32) -> Peak {
    let family = std::iter::once(process).chain(children(process));
    family.fold(Peak::default(), |sum, process| Peak {
        own: sum.own + memory(process, "RssAnon:"),
        resident: sum.resident + memory(process, "VmRSS:"),
    })
}

/// The processes that any thread of this one started.
fn children(process: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let ids = |list: String| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    lists.flat_map(ids).filter_map(|id| id.parse().ok()).collect()
}

const BETWEEN_SAMPLES: Duration = Duration::from_millis(10);
