//! `mailweir check`: all problems of a configuration at once, or what it sets up.

use std::path::Path;

use super::ExitCode;

pub(super) fn run(path: &Path) -> anyhow::Result<ExitCode> {
    match super::load(path) {
        Ok(config) => {
            print!("{}", config.describe());
            Ok(ExitCode::Done)
        }
        Err(code) => Ok(code),
    }
}
