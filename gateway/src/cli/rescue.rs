//! `mailweir rescue`: every readable mail of a store as files, also from a damaged one.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;

use super::ExitCode;
use crate::store;

#[derive(Args, Debug)]
pub(super) struct Options {
    /// The data directory of a gateway that is not running
    #[arg(value_name = "DATA_DIR")]
    data_dir: PathBuf,
    /// The directory to write <id>.eml and <id>.json to; made if it is missing
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// The engine of the store, as `queue.engine` names it
    #[arg(long, default_value = "fjall")]
    engine: String,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let report = mailweir_queue::rescue(
        &options.data_dir.join("queue"),
        store::engine(&options.engine)?,
        &options.out,
    )?;
    let mut out = io::stdout().lock();
    if options.json {
        let summary = serde_json::json!({
            "whole": report.whole,
            "doubtful": report.doubtful,
            "without_content": report.without_content,
            "problems": report.problems,
        });
        writeln!(out, "{summary}")?;
    } else {
        for problem in &report.problems {
            eprintln!("mailweir: {problem}");
        }
        writeln!(out, "{:>6}  whole, in {}", report.whole, options.out.display())?;
        writeln!(
            out,
            "{:>6}  doubtful: something could not be read, or has changed",
            report.doubtful
        )?;
        writeln!(out, "{:>6}  without content: only the envelope", report.without_content)?;
    }
    Ok(if report.problems.is_empty() { ExitCode::Done } else { ExitCode::Refused })
}
