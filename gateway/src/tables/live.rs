//! One table and the files it comes from.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use mailweir_tables::{Loaded, Matching, Spec, Table, TableError, Warning};

use super::stamp::{self, Stamp};

/// A table that follows its files. While they cannot be used, what they said last stays in force:
/// a rule that was there a moment ago must not be missing without a word (`attacks.md` I2).
#[derive(Debug)]
pub struct LiveTable {
    spec: Spec,
    matching: Matching,
    current: ArcSwap<Table>,
    seen: Mutex<Seen>,
}

/// What the looks at the files have shown.
#[derive(Debug)]
struct Seen {
    files: Vec<PathBuf>,
    /// As they were when they were last read, for good or ill.
    read: Vec<Stamp>,
    /// As they were at the last look.
    last: Vec<Stamp>,
    /// How many looks in a row have seen them so.
    rested: u32,
}

impl LiveTable {
    /// Reads the table.
    pub(super) fn open(
        spec: &Spec,
        matching: Matching,
        warn: &dyn Fn(String),
    ) -> Result<Self, TableError> {
        let (loaded, read) = load(spec, matching)?;
        tell(&loaded.warnings, warn);
        let seen = Seen { files: loaded.files, last: read.clone(), read, rested: 0 };
        let (spec, current) = (spec.clone(), ArcSwap::from_pointee(loaded.table));
        Ok(Self { spec, matching, current, seen: Mutex::new(seen) })
    }

    /// What the table says now. Somebody who asks more than once for the same mail keeps it.
    #[must_use]
    pub fn current(&self) -> Arc<Table> {
        self.current.load_full()
    }

    /// Looks at the files, and reads them again if they have changed and rest. Whether the table
    /// is another one now.
    pub(super) fn look(&self, notice: &dyn Fn(String), warn: &dyn Fn(String)) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now: Vec<Stamp> = seen.files.iter().map(|file| Stamp::of(file)).collect();
        seen.rested = if now == seen.last { seen.rested + 1 } else { 0 };
        seen.last.clone_from(&now);
        if now == seen.read || seen.rested < looks_until_whole(&seen.read, &now) {
            return false;
        }
        let name = self.spec.name();
        match load(&self.spec, self.matching) {
            Ok((loaded, read)) => {
                tell(&loaded.warnings, warn);
                self.current.store(Arc::new(loaded.table));
                *seen = Seen { files: loaded.files, last: read.clone(), read, rested: 0 };
                notice(format!("{name}: changed, and read again"));
                true
            }
            Err(error) => {
                seen.read = now;
                warn(format!("{name}: what it said before stays in force: {error}"));
                false
            }
        }
    }
}

/// How many looks in a row must see the same before files count as whole. One that was put in the
/// place of another is whole at once. One that is written anew in its place may be empty, or have a
/// part of its lines, while its writer pauses: half a table would let mail through.
fn looks_until_whole(before: &[Stamp], now: &[Stamp]) -> u32 {
    let pairs = before.iter().zip(now);
    pairs.map(|(before, now)| before.looks_until_whole(now)).max().unwrap_or(1)
}

/// The table, and its files as they were before they were read: a change meanwhile is seen later.
fn load(spec: &Spec, matching: Matching) -> Result<(Loaded, Vec<Stamp>), TableError> {
    let mut stamps = Vec::new();
    let loaded = Table::load(spec, matching, &mut |path| {
        stamps.push((path.to_owned(), Stamp::of(path)));
        stamp::read(path)
    })?;
    let stamp = |file: &PathBuf| {
        stamps.iter().find(|(path, _)| path == file).map_or(Stamp::Absent, |(_, stamp)| *stamp)
    };
    let read = loaded.files.iter().map(stamp).collect();
    Ok((loaded, read))
}

fn tell(warnings: &[Warning], warn: &dyn Fn(String)) {
    warnings.iter().take(MOST_TOLD).for_each(|warning| warn(warning.to_string()));
    if let more @ 1.. = warnings.len().saturating_sub(MOST_TOLD)
        && let Some(warning) = warnings.first()
    {
        warn(format!("{}: {more} more lines have mistakes", warning.table));
    }
}

/// Of a file that is no table at all, not every line is named.
const MOST_TOLD: usize = 20;
