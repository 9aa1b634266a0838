//! The floor of free space below which no mail is taken in (Postfix `queue_minfree`).
//!
//! The file system is asked at most once a second; in between, its last answer stands.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Watches the free space of one file system.
pub(crate) struct FreeSpace {
    directory: Box<Path>,
    floor: u64,
    last: Mutex<Option<(Instant, u64)>>,
}

impl FreeSpace {
    /// Watches the file system of `directory`, of which `floor` bytes must stay free.
    pub(crate) fn new(directory: &Path, floor: u64) -> Self {
        Self { directory: directory.into(), floor, last: Mutex::new(None) }
    }

    /// Whether `wanted` more bytes leave the floor free.
    ///
    /// # Errors
    /// The bytes that are free, if that is too little.
    pub(crate) fn check(&self, wanted: u64) -> Result<(), u64> {
        let free = self.free();
        if free < self.floor.saturating_add(wanted) { Err(free) } else { Ok(()) }
    }

    fn free(&self) -> u64 {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((at, free)) if now.duration_since(at) < INTERVAL => free,
            _ => {
                let free = ask(&self.directory);
                *last = Some((now, free));
                free
            }
        }
    }
}

/// Bytes free for us. None are free where a file system counts inodes and has none left
/// (`attacks.md` J6). A file system that does not answer stops no mail: the write will tell.
fn ask(directory: &Path) -> u64 {
    match rustix::fs::statvfs(directory) {
        Ok(found) if found.f_files > 0 && found.f_favail == 0 => 0,
        Ok(found) => found.f_bavail.saturating_mul(found.f_frsize),
        Err(_) => u64::MAX,
    }
}

const INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn mail_that_would_eat_into_the_floor_is_refused_j5() {
        let directory = tempfile::tempdir().unwrap();
        let plenty = FreeSpace::new(directory.path(), 1);
        assert_eq!(plenty.check(1), Ok(()));
        assert!(plenty.check(u64::MAX / 2).is_err());
        assert!(FreeSpace::new(directory.path(), u64::MAX).check(0).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_file_system_is_asked_once_a_second() {
        let directory = tempfile::tempdir().unwrap();
        let space = FreeSpace::new(directory.path(), 0);
        *space.last.lock().unwrap() = Some((Instant::now(), 7));
        assert_eq!(space.check(8), Err(7));
        tokio::time::advance(INTERVAL).await;
        assert_eq!(space.check(8), Ok(()));
    }
}
