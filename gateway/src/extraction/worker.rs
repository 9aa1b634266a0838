//! The child: reads a mail, says what is in it, and so on until its input ends or it is old.

use std::{
    io::{self, StdoutLock, Write as _},
    time::Duration,
};

use anyhow::Context as _;
use mailweir_extract::extract;
use uapi::c;

use super::{Hello, confine::confine, frame, limits};

/// What the program is called with to be a child.
pub(crate) const WORD: &str = "extract-worker";

/// Reads mails from standard input and writes what is in them to standard output. Each may take so many seconds of
/// processor time.
///
/// # Errors
/// It cannot be confined; the one who called has gone, or does not speak as it should.
pub(crate) fn run(seconds: u32) -> anyhow::Result<()> {
    let a_mail = u64::from(seconds);
    // The kernel limits a whole life. Who has used half of it reads no other mail, so each has the other half at least.
    let confinement = confine(2 * a_mail).context("the limits of this process cannot be set")?;
    let is_old = || used().map(|used| used >= Duration::from_secs(a_mail));
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let limits = limits();
    say(&mut output, &Hello { confinement })?;
    while !is_old()?
        && let Some(mail) = frame::read(&mut input, limits.mail)?
    {
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

/// Processor time of this process.
fn used() -> io::Result<Duration> {
    let mut used = c::timespec { tv_sec: 0, tv_nsec: 0 };
    uapi::clock_gettime(c::CLOCK_PROCESS_CPUTIME_ID, &mut used)?;
    Ok(Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec.unsigned_abs() as u32))
}
