//! `mailweir check`: all problems of a configuration at once, or what it sets up.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

use super::ExitCode;
use crate::{
    config::{self, Config},
    login,
};

pub(super) fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let checked = Config::load(path, std::env::vars_os());
    let text = |terminal: bool| config::report(path, &checked, super::colour(terminal));
    if let Ok((config, _)) = &checked {
        // What only the back ends themselves can judge: queries, filters, what is in files.
        if let Err(error) = login::look(&config.auth, &|text| eprintln!("warning: {text}")) {
            eprintln!("error: {error:#}");
            return Ok(ExitCode::BadConfiguration);
        }
        write!(io::stdout(), "{}", text(io::stdout().is_terminal()))?;
        return Ok(ExitCode::Done);
    }
    eprint!("{}", text(io::stderr().is_terminal()));
    Ok(ExitCode::BadConfiguration)
}
