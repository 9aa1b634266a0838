//! A local socket: made in the place of one that was left behind, and gone with its owner.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _},
        net::UnixStream as StdUnixStream,
    },
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

/// A local socket that we listen on. Dropping it removes its file.
pub(super) struct LocalSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Which file it is. Another one may have taken its place.
    file: (u64, u64),
}

impl LocalSocket {
    /// Makes the socket.
    ///
    /// # Errors
    /// Somebody listens there, something else is in the way, or what the system says.
    pub(super) fn bind(path: &Path, mode: u32) -> io::Result<Self> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        let file = identity(path)?;
        let socket = Self { listener, path: path.to_owned(), file };
        set_mode(path, mode)?;
        Ok(socket)
    }

    pub(super) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Gives a socket these permissions.
///
/// # Errors
/// What the system says.
pub(super) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Removes a socket that a process left behind that died, and nothing else.
fn remove_stale(path: &Path) -> io::Result<()> {
    match StdUnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            if fs::symlink_metadata(path)?.file_type().is_socket() {
                return fs::remove_file(path);
            }
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file is in the way"))
        }
        Err(error) => Err(error),
        Ok(_) => Err(io::ErrorKind::AddrInUse.into()),
    }
}
