//! Servers that do not run as root run as the user that Debian made for them.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
    process::Command,
};

use crate::tools;

/// `program`, to be run as `user` if the tests run as root, else as who runs the tests.
pub(crate) fn command_as(user: &str, program: &Path) -> Command {
    let root = rustix::process::geteuid().is_root();
    let mut command = if root { Command::new("setpriv") } else { Command::new(program) };
    if root {
        let options = ["--reuid", user, "--regid", user, "--init-groups", "--reset-env", "--"];
        command.args(options).arg(program);
    }
    command
}

/// Gives `path` to `user`, and to nobody else, if the tests run as root.
pub(crate) fn give(path: &Path, user: &str) {
    if rustix::process::geteuid().is_root() {
        let (id, group) = ids(user);
        chown(path, Some(id), Some(group)).expect("a file that root gives away");
    }
}

/// Lets every user go through the directory at `path`.
pub(crate) fn open(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a directory of ours");
}

fn ids(user: &str) -> (u32, u32) {
    let id = |option| {
        let mut id = Command::new(tools::find("id").expect("id, of coreutils"));
        let said = id.args([option, user]).output().expect("id runs");
        let text = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        text.parse().unwrap_or_else(|_| panic!("there is no user {user}"))
    };
    (id("-u"), id("-g"))
}
