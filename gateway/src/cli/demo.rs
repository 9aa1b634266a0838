//! `mailweir demo`: to see it work before reading anything.

use std::path::PathBuf;

use clap::Args;

use super::{ExitCode, serve};
use crate::demo;

#[derive(Args, Debug)]
pub(super) struct Options {
    /// Where to keep the queue; a temporary directory that is deleted at the end, if absent
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    // Deleted when nobody uses it any more.
    let temporary = tempfile::Builder::new().prefix("mailweir-demo-").tempdir()?;
    let data_dir = options.data_dir.as_deref().unwrap_or(temporary.path());
    serve::to_its_end(super::runtime()?, async {
        let signals = serve::Signals::catch()?;
        let app = demo::start(data_dir, serve::text_observer).await?;
        serve::until_stopped(app, signals, None).await;
        Ok(ExitCode::Done)
    })
}
