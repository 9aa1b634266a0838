//! `mailweir check`: all problems of a configuration at once, or what it sets up.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use super::ExitCode;
use crate::config::{self, Config};

pub(super) fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let checked = Config::load(path, std::env::vars_os());
    let text = |terminal: bool| config::report(path, &checked, super::colour(terminal));
    if checked.is_ok() {
        write!(io::stdout(), "{}", text(io::stdout().is_terminal()))?;
        return Ok(ExitCode::Done);
    }
    eprint!("{}", text(io::stderr().is_terminal()));
    Ok(ExitCode::BadConfiguration)
}
