//! A file system of its own that is as small as a scenario wants, and can be full or read-only.

use std::{
    ffi::CString,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use crate::tools;

/// A mounted file system. It is gone when this is dropped, with all that is in it.
#[derive(Debug)]
pub struct SmallDisk {
    place: PathBuf,
}

/// What a disk has none of any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scarce {
    /// Room for bytes.
    Space,
    /// Names for further files.
    Inodes,
}

impl SmallDisk {
    /// Has room for 4 MiB in 200 files, at a place where nothing is yet. `None` after one line that says why: only
    /// root may mount, and not everywhere.
    ///
    /// # Panics
    /// If there is something.
    #[must_use]
    pub fn mount(place: &Path) -> Option<Self> {
        fs::create_dir(place).expect("a place");
        let (size, flags) = (c"size=4m,nr_inodes=200,mode=700", MountFlags::empty());
        match mount("tmpfs", place, "tmpfs", flags, size) {
            Ok(()) => Some(Self { place: place.to_owned() }),
            Err(error) => {
                tools::note(&format!("a file system cannot be mounted: {error}"));
                None
            }
        }
    }

    /// Takes all that is left.
    ///
    /// # Panics
    /// If it fails otherwise.
    pub fn exhaust(&self, what: Scarce) {
        fs::create_dir(self.filling()).expect("a directory");
        let full = match what {
            Scarce::Space => self.fill(),
            Scarce::Inodes => self.crowd(),
        };
        let error = full.expect_err("a disk that is full");
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
    }

    /// Gives it back.
    ///
    /// # Panics
    /// If it cannot.
    pub fn relieve(&self) {
        fs::remove_dir_all(self.filling()).expect("what was filled");
    }

    /// Takes no more writes, or takes them again.
    ///
    /// # Panics
    /// If it cannot, as when a file is open for writing.
    pub fn set_read_only(&self, is_read_only: bool) {
        let flags = if is_read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        mount_remount(&self.place, flags, CString::default()).expect("a file system of ours");
    }

    fn fill(&self) -> io::Result<()> {
        let mut file = fs::File::create(self.filling().join("all"))?;
        let page = [0; 4_096];
        loop {
            file.write_all(&page)?;
        }
    }

    fn crowd(&self) -> io::Result<()> {
        for number in 0_u32.. {
            fs::File::create_new(self.filling().join(number.to_string()))?;
        }
        Ok(())
    }

    fn filling(&self) -> PathBuf {
        self.place.join("filling")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = unmount(&self.place, UnmountFlags::DETACH);
    }
}
