//! demo
use clap::Args;

use super::ExitCode;

#[derive(Args, Debug)]
pub(super) struct Options {}

pub(super) fn run(_options: &Options) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::Done)
}
