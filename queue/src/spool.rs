//! Spool files: the content of one large mail each, and nothing else.
//!
//! A file is written under `spool/tmp`, synced, renamed to its place, and its directory synced;
//! only then may a record name it (`attacks.md` J2). The directories are there, synced, before the
//! first file is. Whatever is dropped on the way is removed. Only the owner may read: it is
//! people's mail, whoever made the queue's directory. All of this blocks: callers run it outside the runtime's own threads.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Seek as _, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use mailweir_mail::QueueId;

/// The spool directory.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    root: PathBuf,
}

impl Spool {
    /// The spool below the queue's directory; created if it is missing. What a crash left in
    /// `tmp` was never promised and is removed.
    pub(crate) fn open(queue: &Path) -> io::Result<Self> {
        let spool = Self { root: queue.join("spool") };
        create_private(&spool.root)?;
        create_private(&spool.tmp())?;
        for bucket in 0..BUCKETS {
            create_private(&spool.bucket(bucket))?;
        }
        for entry in fs::read_dir(spool.tmp())? {
            fs::remove_file(entry?.path())?;
        }
        sync_directory(queue)?;
        sync_directory(&spool.root)?;
        Ok(spool)
    }

    /// Begins a file.
    pub(crate) fn create(&self, id: QueueId) -> io::Result<Draft> {
        let path = self.tmp().join(id.to_string());
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Draft { file, path: Unfinished(path), target: self.path(id) })
    }

    /// Gives a file that lies in its place a second name, for another mail of the same content.
    pub(crate) fn name_again(&self, path: &Path, id: QueueId) -> io::Result<Placed> {
        let name = self.path(id);
        if fs::hard_link(path, &name).is_err() {
            // Some file systems have no second names, and say so in several ways (link(2)); the other mail
            // gets a copy. Whatever else is wrong is wrong with the copy, too.
            return self.copy(path, id);
        }
        let placed = Placed(Unfinished(name));
        sync_directory(placed.path().parent().unwrap_or(&self.root))?;
        Ok(placed)
    }

    fn copy(&self, path: &Path, id: QueueId) -> io::Result<Placed> {
        let mut draft = self.create(id)?;
        io::copy(&mut File::open(path)?, &mut draft.file)?;
        draft.finish()
    }

    /// Where the file of a mail lies: spread over 256 directories.
    pub(crate) fn path(&self, id: QueueId) -> PathBuf {
        self.bucket(id.arrival().as_micros() / 64 % BUCKETS).join(id.to_string())
    }

    fn bucket(&self, number: u64) -> PathBuf {
        self.root.join(format!("{number:02x}"))
    }

    /// Removes the file of a mail that is gone.
    pub(crate) fn remove(&self, id: QueueId) {
        // A file that stays is found as an orphan at the next start.
        let _ = fs::remove_file(self.path(id));
    }

    /// The files that lie in place, with their names. Files of other names are not ours.
    pub(crate) fn files(&self) -> io::Result<Vec<(QueueId, PathBuf)>> {
        let mut files = Vec::new();
        for bucket in fs::read_dir(&self.root)? {
            let bucket = bucket?.path();
            let name = bucket.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.len() != 2 || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
                continue;
            }
            for file in fs::read_dir(&bucket)? {
                let path = file?.path();
                let name = path.file_name().and_then(|name| name.to_str());
                files.extend(name.and_then(|name| name.parse().ok()).map(|id| (id, path.clone())));
            }
        }
        Ok(files)
    }

    /// Moves a file that no record names out of the way. It is not deleted: if the store was
    /// lost, it is all that is left of a mail, and `rescue` finds it.
    pub(crate) fn set_aside(&self, path: &Path) -> io::Result<()> {
        let orphans = self.orphans();
        create_private(&orphans)?;
        let name = path.file_name().unwrap_or_default();
        match fs::rename(path, orphans.join(name)) {
            // Somebody was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }

    /// Where files lie that no record names.
    pub(crate) fn orphans(&self) -> PathBuf {
        self.root.join("orphans")
    }

    fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }
}

/// A spool file that is being written.
#[derive(Debug)]
pub(crate) struct Draft {
    file: File,
    path: Unfinished,
    target: PathBuf,
}

/// A file that was being written, and is read once more.
#[derive(Debug)]
pub(crate) struct Former(Unfinished);

impl Former {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0.0
    }
}

impl Draft {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path.0
    }

    /// Leaves its name to another.
    pub(crate) fn into_former(self) -> io::Result<Former> {
        let former = Unfinished(self.path.0.with_extension("former"));
        // The old name is gone then; removing it again does nothing.
        fs::rename(&self.path.0, &former.0)?;
        Ok(Former(former))
    }

    /// Appends content.
    pub(crate) fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.write_all(content)
    }

    /// The same without its first bytes, and how many it had of them.
    pub(crate) fn without_first(self, bytes: u64) -> io::Result<(Self, u64)> {
        let Self { path, target, .. } = self;
        let mut whole = File::open(&path.0)?;
        let bytes = bytes.min(whole.metadata()?.len());
        whole.seek(SeekFrom::Start(bytes))?;
        let shorter = Unfinished(path.0.with_extension("shorter"));
        let file = File::options().write(true).create_new(true).mode(0o600).open(&shorter.0)?;
        io::copy(&mut whole, &mut &file)?;
        // The old name is gone then; removing it again does nothing.
        fs::rename(&shorter.0, &path.0)?;
        Ok((Self { file, path, target }, bytes))
    }

    /// Makes the file durable in its place.
    pub(crate) fn finish(self) -> io::Result<Placed> {
        self.file.sync_all()?;
        let directory = self.target.parent().unwrap_or(&self.target);
        fs::rename(&self.path.0, &self.target)?;
        let placed = Placed(Unfinished(self.target.clone()));
        // The old name is gone; removing it again does nothing.
        sync_directory(directory)?;
        Ok(placed)
    }
}

/// A spool file in its place that no record names yet.
#[derive(Debug)]
pub(crate) struct Placed(Unfinished);

impl Placed {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0.0
    }

    /// A record names the file now, or may: it stays.
    pub(crate) fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0.0)
    }
}

/// Removes the file when dropped.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = fs::remove_file(&self.0);
        }
    }
}

/// Creates a directory for the owner alone, if it is missing.
fn create_private(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Directories that the files are spread over.
const BUCKETS: u64 = 256;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use mailweir_mail::Timestamp;

    use super::*;

    #[test]
    fn a_file_lies_in_its_place_only_when_it_is_finished_j2() {
        let (_directory, spool) = spool();
        let mut draft = spool.create(ID).unwrap();
        draft.write(b"content").unwrap();
        assert!(spool.files().unwrap().is_empty());
        let path = draft.finish().unwrap().keep();
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(spool.files().unwrap(), [(ID, path)]);
        assert_eq!(fs::read_dir(spool.tmp()).unwrap().count(), 0);
    }

    #[test]
    fn every_directory_is_there_before_the_first_file_j2() {
        let (directory, spool) = spool();
        let buckets = || fs::read_dir(&spool.root).unwrap().count();
        assert_eq!(buckets(), 257, "with `tmp`");
        fs::remove_dir(spool.bucket(0xff)).unwrap();
        Spool::open(directory.path()).unwrap();
        assert_eq!(buckets(), 257);
    }

    #[test]
    fn only_the_owner_reads_what_is_spooled_whoever_made_the_queue_s_directory() {
        let (directory, spool) = spool();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let path = spool.create(ID).unwrap().finish().unwrap().keep();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        spool.set_aside(&path).unwrap();
        for directory in [&spool.root, &spool.tmp(), &spool.orphans(), &spool.bucket(0)] {
            assert_eq!(mode(directory), 0o700, "{directory:?}");
        }
    }

    #[test]
    fn whatever_is_dropped_leaves_nothing() {
        let (_directory, spool) = spool();
        drop(spool.create(ID).unwrap());
        assert_eq!(fs::read_dir(spool.tmp()).unwrap().count(), 0);
        drop(spool.create(ID).unwrap().finish().unwrap());
        assert!(spool.files().unwrap().is_empty());
    }

    #[test]
    fn a_second_name_or_a_copy_outlives_the_first_and_leaves_nothing_when_dropped() {
        type Again = fn(&Spool, &Path, QueueId) -> io::Result<Placed>;
        let again: [Again; 2] = [Spool::name_again, Spool::copy];
        for again in again {
            let (_directory, spool) = spool();
            let mut draft = spool.create(ID).unwrap();
            draft.write(b"content").unwrap();
            let first = draft.finish().unwrap();
            drop(again(&spool, first.path(), OTHER).unwrap());
            assert_eq!(spool.files().unwrap(), [(ID, first.path().to_owned())]);
            let second = again(&spool, first.path(), OTHER).unwrap().keep();
            drop(first);
            assert_eq!(spool.files().unwrap(), [(OTHER, second.clone())]);
            assert_eq!(fs::read(second).unwrap(), b"content");
        }
    }

    #[test]
    fn what_a_crash_left_half_written_is_removed_at_start_j3() {
        let (directory, spool) = spool();
        fs::write(spool.tmp().join(ID.to_string()), "half").unwrap();
        Spool::open(directory.path()).unwrap();
        assert_eq!(fs::read_dir(spool.tmp()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_without_a_record_is_set_aside_and_kept() {
        let (_directory, spool) = spool();
        let path = spool.create(ID).unwrap().finish().unwrap().keep();
        spool.set_aside(&path).unwrap();
        assert!(spool.files().unwrap().is_empty());
        assert!(spool.orphans().join(ID.to_string()).exists());
        spool.set_aside(&path).unwrap();
    }

    fn spool() -> (tempfile::TempDir, Spool) {
        let directory = tempfile::tempdir().unwrap();
        let spool = Spool::open(directory.path()).unwrap();
        (directory, spool)
    }

    const ID: QueueId = QueueId::new(Timestamp::from_secs(1_795_210_205), 7);
    const OTHER: QueueId = QueueId::new(Timestamp::from_secs(1_795_210_205), 8);
}
