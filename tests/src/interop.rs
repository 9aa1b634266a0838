//! Programs of others that tests run against.
//!
//! On a developer's machine a missing program skips its test with one line; in CI, where they are
//! all installed, it fails the test.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

/// Whether `program` can be run. Prints one line if not.
///
/// # Panics
/// Under `CI=true` if it cannot.
#[must_use]
pub fn installed(program: &str) -> bool {
    let found = Command::new("sh")
        .args(["-c", "command -v -- \"$1\"", "sh", program])
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{program} is not installed");
        eprintln!("skipped: {program} is not installed");
    }
    found
}

/// Runs a program on some input and returns what it prints.
///
/// # Panics
/// If it cannot be run or reports failure; says what it wrote to its standard error.
#[must_use]
pub fn run(command: &mut Command, input: Vec<u8>) -> String {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdin = child.stdin.take();
    // A program may answer before it has read everything; it is its output that is judged.
    let feeder = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    drop(feeder.join());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
