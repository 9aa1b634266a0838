//! Processor time and memory of a server with all its processes, by proc(5).

use std::{collections::HashMap, fs};

use crate::program;

/// Seconds of processor time that these processes, and all below them, have used so far, those among them that have
/// ended.
pub(super) fn processor_seconds(roots: &[u32]) -> f64 {
    let processes = Processes::read();
    let ticks: u64 = processes.below(roots).iter().map(|process| process.ticks).sum();
    ticks as f64 / TICKS_PER_SECOND
}

/// The same of this process alone, without what it has started: the load and the name server.
pub(super) fn own_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = fields(&stat).and_then(|fields| ticks(fields.get(UTIME..UTIME + 2)?));
    ticks.unwrap_or(0) as f64 / TICKS_PER_SECOND
}

/// The most memory that each of them has had at once, added up; what they share counts more than once.
pub(super) fn peak_memory(roots: &[u32]) -> u64 {
    let processes = Processes::read();
    processes.below(roots).iter().map(|process| program::memory(process.id, "VmHWM:")).sum()
}

/// All there are.
struct Processes(Vec<Process>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    /// Its own, and those of children that it has waited for.
    ticks: u64,
}

impl Processes {
    fn read() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
        Self(stats.filter_map(|stat| Process::parse(&stat)).collect())
    }

    /// These, and what has come from them.
    fn below(&self, roots: &[u32]) -> Vec<Process> {
        let mut children: HashMap<u32, Vec<Process>> = HashMap::new();
        for process in &self.0 {
            children.entry(process.parent).or_default().push(*process);
        }
        let is_root = |process: &&Process| roots.contains(&process.id);
        let mut found: Vec<Process> = self.0.iter().filter(is_root).copied().collect();
        let mut next = 0;
        while let Some(process) = found.get(next) {
            let further = children.remove(&process.id).unwrap_or_default();
            found.extend(further.into_iter().filter(|process| !roots.contains(&process.id)));
            next += 1;
        }
        found
    }
}

impl Process {
    /// Of a line of `/proc/PID/stat`.
    fn parse(stat: &str) -> Option<Self> {
        let (id, _) = stat.split_once(' ')?;
        let fields = fields(stat)?;
        let ticks = ticks(fields.get(UTIME..UTIME + 4)?)?;
        Some(Self { id: id.parse().ok()?, parent: fields.get(1)?.parse().ok()?, ticks })
    }
}

/// What stands behind the name, which is in brackets and may have blanks and brackets itself.
fn fields(stat: &str) -> Option<Vec<&str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace().collect())
}

fn ticks(fields: &[&str]) -> Option<u64> {
    fields.iter().map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// The first of utime, stime, cutime and cstime, counted from behind the name.
const UTIME: usize = 11;

/// `USER_HZ`, which is the same wherever Linux runs.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_have_brackets_and_blanks() {
        let stat = "17 (a ) b 9) S 4 17 17 0 -1 4194560 9 9 9 9 100 20 3 4 20 0 1 0";
        assert_eq!(Process::parse(stat), Some(Process { id: 17, parent: 4, ticks: 127 }));
        assert_eq!(Process::parse("17 (a"), None);
    }

    #[test]
    fn all_below_a_root_are_counted_once() {
        let process = |id, parent| Process { id, parent, ticks: 1 };
        // 4 is below 2 and a root itself; 9 belongs to somebody else.
        let all = [process(4, 3), process(3, 2), process(2, 1), process(9, 1), process(5, 4)];
        let mut found: Vec<u32> =
            Processes(all.to_vec()).below(&[2, 4]).iter().map(|process| process.id).collect();
        found.sort_unstable();
        assert_eq!(found, [2, 3, 4, 5]);
    }
}
