//! `mailweir archive reindex`: the index of the archive made anew, by the server if one runs.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use anyhow::bail;
use clap::Args;

use super::super::{ExitCode, load, operator, progress::Progress, runtime};
use crate::{
    archiving::indexing::{self, Made},
    control::{
        self,
        operation::{Answer, Operation, Request},
    },
    count::counted,
    extraction::Program,
    store::Store,
};

#[derive(Args, Debug)]
pub(super) struct ReindexOptions {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    config: PathBuf,
}

pub(super) fn run(options: &ReindexOptions) -> anyhow::Result<ExitCode> {
    let config = match load(&options.config) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let Some(archive) = &config.archive else {
        bail!("nothing is archived: archive.enabled is not set");
    };
    if !archive.directory.join("segments").is_dir() {
        bail!("{}: there is no archive", archive.directory.display());
    }
    let mut progress = Progress::begin();
    if let Some(code) = ask(&Store::of(&config), &mut progress)? {
        return Ok(code);
    }
    let settings = indexing::Settings {
        archive: archive.directory.clone(),
        records: archive.reader(),
        memory: archive.index_memory,
        program: Program::this(),
    };
    let mut show = |done, all| show(&mut progress, done, all);
    // Whoever closed standard error does not want to hear it.
    let mut warn = |text: String| drop(writeln!(io::stderr(), "mailweir: {text}"));
    let made = indexing::make(&settings, archive.options(), &mut warn, &mut show);
    progress.clear();
    let Made { reached, unread } = made?;
    writeln!(io::stdout(), "{}", made_up_to(reached))?;
    if unread > 0 {
        let mails = counted(unread, "mail");
        writeln!(io::stdout(), "{mails} could not be read; look for has:unread")?;
    }
    Ok(ExitCode::Done)
}

/// Asks the server; `None`: none runs.
fn ask(store: &Store, progress: &mut Progress) -> anyhow::Result<Option<ExitCode>> {
    let request = Request { by: operator(), operation: Operation::Reindex };
    let mut code = ExitCode::Done;
    let tell = |answer| {
        match answer {
            Answer::Reindexing { done, all, is_made: false } => show(progress, done, all),
            Answer::Reindexing { done, is_made: true, .. } => {
                progress.clear();
                writeln!(io::stdout(), "{}", made_up_to(done))?;
            }
            Answer::Failed { reason } => {
                progress.clear();
                code = ExitCode::Refused;
                writeln!(io::stderr(), "mailweir: {reason}")?;
            }
            _ => {}
        }
        Ok(())
    };
    let answered = runtime()?.block_on(control::ask_if_running(store, &request, tell))?;
    Ok(answered.then_some(code))
}

fn made_up_to(reached: u64) -> String {
    format!("the index was made anew, up to record {reached}")
}

fn show(progress: &mut Progress, done: u64, all: u64) {
    progress.show((done, all), || counted(all, "record"));
}
