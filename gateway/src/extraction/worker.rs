//! The child: reads a mail, says what is in it, and so on until its input ends.

use std::io::{self, StdoutLock, Write as _};

use anyhow::Context as _;
use mailweir_extract::extract;

use super::{Hello, confine::confine, frame, limits};

/// What the program is called with to be a child.
pub(crate) const WORD: &str = "extract-worker";

/// Reads mails from standard input and writes what is in them to standard output.
///
/// # Errors
/// It cannot be confined; the one who called has gone, or does not speak as it should.
pub(crate) fn run() -> anyhow::Result<()> {
    let confinement = confine().context("the limits of this process cannot be set")?;
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let limits = limits();
    say(&mut output, &Hello { confinement })?;
    while let Some(mail) = frame::read(&mut input, limits.mail)? {
        say(&mut output, &extract(&mail, &limits))?;
    }
    Ok(())
}

/// In one write.
fn say(output: &mut StdoutLock<'_>, said: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    frame::write(&mut bytes, &rmp_serde::to_vec(said)?)?;
    output.write_all(&bytes)?;
    // It keeps back what stands behind the last line end.
    Ok(output.flush()?)
}
