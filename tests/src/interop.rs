//! Programs of others that read what we write.

use std::{
    io::Write,
    process::{Command, Stdio},
    thread,
};

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
