//! What the tests need from the system: whether it is there, and what to do when it is not.
//!
//! A test begins with `if !tools::require(&["swaks"]) { return; }`. Where the tool is missing the
//! test ends at once and one line says so, on standard error and in the file that
//! `MAILWEIR_SKIPS` names (a runner hides what a passing test prints; `./check` shows that file).
//! With `MAILWEIR_REQUIRE_INTEROP=1`, as in CI, a missing tool fails the test.

use std::{
    env,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

/// Whether all of these commands can be run. `"postfix"`, `"dovecot"`, `"amavisd"` and
/// `"opendmarc"` also ask for root, which they need.
///
/// # Panics
/// If one cannot and `MAILWEIR_REQUIRE_INTEROP` is `1`.
#[must_use]
pub fn require(commands: &[&str]) -> bool {
    let missing: Vec<&str> = commands.iter().copied().filter_map(reason_missing).collect();
    if missing.is_empty() {
        return true;
    }
    skip(&missing.join(", "));
    false
}

/// Says in one line that the running test is skipped, and why.
///
/// # Panics
/// If skips are failures (`MAILWEIR_REQUIRE_INTEROP=1`).
pub fn skip(why: &str) {
    assert!(!skips_are_failures(), "{} would be skipped: {why}", running_test());
    note(why);
}

/// The folder of this name of the test data beside the repository, `../shared/testdata`. It belongs
/// to no repository and may be absent anywhere: then one line says so, and the test has less to
/// compare.
#[must_use]
pub fn test_data(name: &str) -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let around = repository.ancestors().skip(1).take(2);
    let mut found = around.map(|place| place.join("shared/testdata").join(name));
    let found = found.find(|folder| folder.is_dir());
    if found.is_none() {
        note(&format!("the test data {name} is not beside the repository"));
    }
    found
}

fn running_test() -> String {
    std::thread::current().name().unwrap_or("a test").to_owned()
}

/// Says in one line that the running test has less to show, or nothing, and why. Never a failure: it is for what the
/// machine does not allow, and no package brings.
pub fn note(why: &str) {
    let line = format!("skipped {}: {why}", running_test());
    eprintln!("{line}");
    let Some(file) = env::var_os("MAILWEIR_SKIPS") else { return };
    let file = OpenOptions::new().append(true).create(true).open(file);
    let _ = file.and_then(|mut file| writeln!(file, "{line}"));
}

/// Where a command is: in `PATH`, or where Debian puts what only administrators call and what each
/// version of PostgreSQL brings.
#[must_use]
pub fn find(command: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    let places = places.chain(postgresql_versions());
    places.map(|place| place.join(command)).find(|file| is_executable(file))
}

fn postgresql_versions() -> impl Iterator<Item = PathBuf> {
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin"))
}

fn reason_missing(command: &str) -> Option<&str> {
    if find(command).is_none() {
        return Some(command);
    }
    match command {
        "postfix" if !is_root() => Some("root, for postfix"),
        "dovecot" if !is_root() => Some("root, for dovecot"),
        "amavisd" if !is_root() => Some("root, for amavisd"),
        "opendmarc" if !is_root() => Some("root, for opendmarc"),
        _ => None,
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn skips_are_failures() -> bool {
    env::var("MAILWEIR_REQUIRE_INTEROP").is_ok_and(|value| value == "1")
}
