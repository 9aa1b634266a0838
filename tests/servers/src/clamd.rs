//! ClamAV's scanner.

use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Command,
};

use tempfile::TempDir;

use crate::{Daemon, free_address, tools};

/// A private `clamd` on loopback whose only signature is that of the EICAR test file; needs the command `clamd`.
///
/// Its database is a directory of its own, so nothing is fetched and it starts at once.
#[derive(Debug)]
pub struct Clamd {
    _home: TempDir,
    address: SocketAddr,
    _daemon: Daemon,
}

impl Clamd {
    /// The name under which it finds [`Self::eicar`]. clamd adds the suffix to signatures that ClamAV has not signed.
    pub const FOUND: &'static str = "Eicar-Test-Signature.UNOFFICIAL";

    /// Its `StreamMaxLength`, in bytes.
    pub const MOST: u64 = 256 * 1024;

    /// Starts one.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let address = free_address().expect("a free port");
        let path = |name: &str| home.path().join(name);
        fs::create_dir(path("signatures")).expect("a directory for the signatures");
        fs::write(path("signatures/own.ndb"), signature()).expect("a signature");
        fs::write(path("clamd.conf"), configuration(home.path(), address)).expect("clamd.conf");
        let mut command = Command::new(tools::find("clamd").unwrap_or_else(|| "clamd".into()));
        command.arg("--config-file").arg(path("clamd.conf"));
        let ready = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, &path("log"), ready);
        Self { _home: home, address, _daemon: daemon }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A zip archive of one member that takes a password: no malware, but suspected as `Heuristics.Encrypted.Zip`.
    #[must_use]
    pub fn locked_archive() -> Vec<u8> {
        locked_archive()
    }

    /// The EICAR test file, which is harmless, and which scanners take for a virus. It stands in no file of ours.
    #[must_use]
    pub fn eicar() -> String {
        [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].concat()
    }
}

/// A zip archive of one member that takes a password, which [`Clamd`] suspects as `Heuristics.Encrypted.Zip`.
fn locked_archive() -> Vec<u8> {
    // Flags (encrypted), method (stored), time, date, checksum, sizes, length of the name, no extra field.
    let about = [
        &[1, 0, 0, 0, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44][..],
        &13_u32.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &[1, 0, 0, 0],
    ]
    .concat();
    let member = [b"PK\x03\x04\x14\0", &about[..], b"a", &[0x5a; 13]].concat();
    let entry = [b"PK\x01\x02\x14\0\x14\0", &about[..], &[0; 14], b"a"].concat();
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).expect("a short one").to_le_bytes();
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &size(&entry)[..], &size(&member), &[0; 2]];
    [member, entry, end.concat()].concat()
}

/// A line of an `.ndb` file: name, any kind of file, anywhere in it, these bytes.
fn signature() -> String {
    let mut line = "Eicar-Test-Signature:0:*:".to_owned();
    for byte in Clamd::eicar().bytes() {
        write!(line, "{byte:02x}").expect("a string");
    }
    line + "\n"
}

fn configuration(home: &Path, address: SocketAddr) -> String {
    let (home, most) = (home.display(), Clamd::MOST);
    format!(
        "Foreground yes\n\
         DatabaseDirectory {home}/signatures\n\
         TemporaryDirectory {home}\n\
         TCPAddr {}\n\
         TCPSocket {}\n\
         StreamMaxLength {most}\n\
         MaxThreads 2\n\
         SelfCheck 0\n\
         AlertEncryptedArchive yes\n",
        address.ip(),
        address.port()
    )
}
