//! Where the index lies: `index` in the archive's directory; `index.new` while another one is made, which then
//! takes its place.
//!
//! | there is | what happened | at the start |
//! |---|---|---|
//! | `index` | | it is used |
//! | `index`, `index.new` | the end came while another one was made | that goes on |
//! | `index.old`, `index.new` | the end came between the two renames | the second one is made |
//! | `index.old`, `index` | the end came before the old one was removed | it is removed |

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// The places of the index of an archive.
#[derive(Clone, Debug)]
pub(super) struct Directories {
    archive: PathBuf,
}

impl Directories {
    pub(super) fn new(archive: &Path) -> Self {
        Self { archive: archive.to_owned() }
    }

    /// The index that is used.
    pub(super) fn index(&self) -> PathBuf {
        self.archive.join("index")
    }

    /// The one that is being made.
    pub(super) fn new_one(&self) -> PathBuf {
        self.archive.join("index.new")
    }

    fn old_one(&self) -> PathBuf {
        self.archive.join("index.old")
    }

    /// Brings to its end a swap that was begun before.
    pub(super) fn end_swap(&self) -> io::Result<()> {
        if self.old_one().exists() && !self.index().exists() && self.new_one().exists() {
            fs::rename(self.new_one(), self.index())?;
        }
        Ok(())
    }

    /// Removes the old one, once the new one is in its place also after a crash.
    pub(super) fn remove_old_one(&self) -> io::Result<()> {
        if !self.old_one().exists() {
            return Ok(());
        }
        File::open(&self.archive)?.sync_all()?;
        remove(&self.old_one())
    }

    /// Puts the new one in the place of the old one, which is to be removed then. Nobody writes either; who reads goes on.
    ///
    /// # Errors
    /// The new one is not in its place.
    pub(super) fn swap(&self) -> io::Result<()> {
        // A whole new one is there before this name is: so it tells how far this came.
        remove(&self.old_one())?;
        match fs::rename(self.index(), self.old_one()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::rename(self.new_one(), self.index())
    }

    /// Removes whatever index there is.
    pub(super) fn remove_all(&self) -> io::Result<()> {
        [self.index(), self.new_one(), self.old_one()].iter().try_for_each(|one| remove(one))
    }

    /// Throws away what was made of a new one.
    pub(super) fn remove_new_one(&self) -> io::Result<()> {
        remove(&self.new_one())
    }
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directories with a file that says which one it was.
    fn with(names: &[&str]) -> (tempfile::TempDir, Directories) {
        let place = tempfile::tempdir().unwrap();
        for name in names {
            fs::create_dir(place.path().join(name)).unwrap();
            fs::write(place.path().join(name).join("name"), name).unwrap();
        }
        let directories = Directories::new(place.path());
        (place, directories)
    }

    /// What is there, by the names that it had.
    fn found(place: &tempfile::TempDir) -> Vec<(String, String)> {
        let mut found: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                (
                    path.file_name().unwrap().to_str().unwrap().to_owned(),
                    fs::read_to_string(path.join("name")).unwrap(),
                )
            })
            .collect();
        found.sort();
        found
    }

    fn only(name: &str) -> Vec<(String, String)> {
        vec![("index".to_owned(), name.to_owned())]
    }

    #[test]
    fn the_new_one_takes_the_place_of_the_old_one() {
        for before in
            [&["index", "index.new"][..], &["index.new"], &["index", "index.new", "index.old"]]
        {
            let (place, directories) = with(before);
            directories.swap().and_then(|()| directories.remove_old_one()).unwrap();
            assert_eq!(found(&place), only("index.new"), "{before:?}");
        }
    }

    #[test]
    fn what_was_begun_comes_to_its_end() {
        let cases = [
            (&["index.old", "index.new"][..], only("index.new")),
            (&["index.old", "index"], only("index")),
            (&["index"], only("index")),
            (&[], vec![]),
        ];
        for (before, after) in cases {
            let (place, directories) = with(before);
            directories.end_swap().and_then(|()| directories.remove_old_one()).unwrap();
            assert_eq!(found(&place), after, "{before:?}");
        }
        let (place, directories) = with(&["index", "index.new"]);
        directories.end_swap().and_then(|()| directories.remove_old_one()).unwrap();
        assert_eq!(found(&place).len(), 2, "it goes on being made");
    }
}
