//! Password hashes and password files made by the tools that people make them with.
//!
//! Each function runs one tool; ask [`tools::require`] for `doveadm`, `htpasswd`, `openssl`,
//! `slappasswd`, `perl` (for crypt(3)), `python3` (for SCRAM) or `useradd` before.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::tools;

/// What `doveadm pw` makes of a password: `{SCHEME}text`. Schemes are those of `doveadm pw -l`.
#[must_use]
pub fn doveadm_pw(scheme: &str, password: &str) -> String {
    run("doveadm", &["pw", "-s", scheme, "-u", "ann@example.org", "-p", password])
}

/// What `slappasswd` makes of a password: `{SCHEME}text`, `{SSHA256}` and its like too.
#[must_use]
pub fn slappasswd(scheme: &str, password: &str) -> String {
    let scheme = format!("{{{scheme}}}");
    run("slappasswd", &["-o", "module-load=pw-sha2", "-h", &scheme, "-s", password])
}

/// What `openssl passwd` makes of a password with, say, `-apr1`, `-6` or `-1`.
#[must_use]
pub fn openssl_passwd(function: &str, password: &str) -> String {
    run("openssl", &["passwd", function, password])
}

/// What crypt(3) of the system makes of a password with this setting, such as `$y$j9T$salt`.
///
/// # Panics
/// If the system's crypt(3) does not know the setting.
#[must_use]
pub fn crypt(setting: &str, password: &str) -> String {
    let hash = run("perl", &["-e", "print crypt($ARGV[0], $ARGV[1])", password, setting]);
    assert!(hash.starts_with('$'), "crypt(3) refuses {setting}");
    hash
}

/// The answer to a challenge of CRAM-MD5, in hexadecimal, by `openssl dgst`.
#[must_use]
pub fn hmac_md5(password: &str, challenge: &Path) -> String {
    let file = challenge.to_str().expect("a path in UTF-8");
    let said = run("openssl", &["dgst", "-md5", "-hmac", password, file]);
    said.rsplit(' ').next().expect("a digest").to_owned()
}

/// The keys of SCRAM for `SHA-1`, `SHA-256` or `SHA-512` as Dovecot writes them, without `{SCHEME}`,
/// by Python's hashlib: `doveadm pw` does not know SHA-512.
#[must_use]
pub fn scram_keys(hash: &str, password: &str) -> String {
    run("python3", &["-I", "-c", SCRAM_KEYS, hash, password])
}

/// Adds a user to the htpasswd file, or changes the password. `function` is an option of htpasswd,
/// such as `-B`, `-m`, `-s`, `-2` or `-5`. The file is made if it is not there.
pub fn htpasswd(file: &Path, function: &str, user: &str, password: &str) {
    let path = file.to_str().expect("a path in UTF-8");
    let create = if file.exists() { "-b" } else { "-cb" };
    run("htpasswd", &[create, function, path, user, password]);
}

/// Deletes a user from the htpasswd file.
pub fn htpasswd_delete(file: &Path, user: &str) {
    run("htpasswd", &["-D", file.to_str().expect("a path in UTF-8"), user]);
}

/// A shadow(5) file in `home`, made by Debian's `useradd`: users with their hashes, in this order.
/// Its path is `home/etc/shadow`. Needs root.
pub fn shadow(home: &Path, users: &[(&str, &str)]) {
    let etc = home.join("etc");
    std::fs::create_dir(&etc).expect("a directory");
    for file in ["passwd", "shadow", "group", "gshadow"] {
        std::fs::write(etc.join(file), "").expect("an empty file");
    }
    let home = home.to_str().expect("a path in UTF-8");
    for (user, hash) in users {
        run("useradd", &["-P", home, "-M", "-p", hash, user]);
    }
}

/// Changes a user of [`shadow`] with options of `usermod`: `-L` locks, `-e 2030-01-01` expires.
pub fn usermod(home: &Path, options: &[&str], user: &str) {
    let home = home.to_str().expect("a path in UTF-8");
    run("usermod", &[&["-P", home], options, &[user]].concat());
}

/// What a tool says on standard output, without the line's end.
fn run(tool: &str, arguments: &[&str]) -> String {
    let program = tools::find(tool).unwrap_or_else(|| panic!("{tool} is not installed"));
    let ran = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let ran = ran.unwrap_or_else(|error| panic!("{tool}: {error}"));
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{tool} {arguments:?} ended with {}: {complaint}", ran.status);
    String::from_utf8(ran.stdout).expect("UTF-8").trim_end().to_owned()
}

const SCRAM_KEYS: &str = "
import base64, hashlib, hmac, os, sys
name, password = sys.argv[1].replace('-', '').lower(), sys.argv[2].encode()
salt = os.urandom(16)
salted = hashlib.pbkdf2_hmac(name, password, salt, 4096)
stored = hashlib.new(name, hmac.digest(salted, b'Client Key', name)).digest()
server = hmac.digest(salted, b'Server Key', name)
print('4096', *(base64.b64encode(part).decode() for part in (salt, stored, server)), sep=',')
";
