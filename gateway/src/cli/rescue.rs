//! `mailweir rescue`: every readable mail of a store as files, also from a damaged one.

use std::path::PathBuf;

use clap::Args;

use super::ExitCode;
use crate::app;

#[derive(Args, Debug)]
pub(super) struct Options {
    /// The data directory of the gateway; it must not be running
    #[arg(value_name = "DATA_DIR")]
    data_dir: PathBuf,
    /// The directory to write to; made if it is missing
    #[arg(value_name = "OUT")]
    out: PathBuf,
    /// The engine of the store, as configured
    #[arg(long, default_value = "fjall")]
    engine: String,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let report = mailweir_queue::rescue(
        &options.data_dir.join("queue"),
        app::engine(&options.engine)?,
        &options.out,
    )?;
    if options.json {
        let summary = serde_json::json!({
            "whole": report.whole,
            "doubtful": report.doubtful,
            "without_content": report.without_content,
            "problems": report.problems,
        });
        println!("{summary}");
    } else {
        for problem in &report.problems {
            eprintln!("mailweir: {problem}");
        }
        println!("{} whole mails written to {}", report.whole, options.out.display());
        println!("{} with a doubtful envelope", report.doubtful);
        println!("{} without their content", report.without_content);
    }
    Ok(if report.problems.is_empty() { ExitCode::Done } else { ExitCode::Refused })
}
