//! The command line: one file per command, nothing but words here.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::{app::Store, config::Config};

mod check;
mod demo;
mod queue;
mod rescue;
mod serve;
mod user;

/// An embedded all-in-one mail gateway: accepts mail, makes it durable, passes it on.
#[derive(Debug, Parser)]
#[command(name = "mailweir", version, arg_required_else_help = true)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

impl CommandLine {
    /// Does what was asked.
    ///
    /// # Errors
    /// What went wrong, in words for the terminal.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(config) => serve::run(&config.config),
            Command::Check(config) => check::run(&config.config),
            Command::Demo(options) => demo::run(&options),
            Command::Queue(command) => queue::run(&command),
            Command::User(command) => user::run(&command),
            Command::Rescue(options) => rescue::run(&options),
        }
    }
}

/// How the program ends: 0 done, 1 refused or not found, 64 wrong words, 78 bad configuration
/// (`sysexits.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// Not done: nothing found, or refused.
    Refused = 1,
    /// The configuration has errors.
    BadConfiguration = 78,
}

/// Loads the configuration; prints its problems, if it has any.
fn load(path: &Path) -> Result<Config, ExitCode> {
    let (problems, outcome) = match Config::load(path, std::env::vars_os()) {
        Ok((config, warnings)) => (warnings, Ok(config)),
        Err(problems) => (problems, Err(ExitCode::BadConfiguration)),
    };
    for problem in &problems {
        eprintln!("{problem}");
    }
    outcome
}

/// The store that a command works on: the configured one, or the one in `data_dir`.
fn store(config: &Path, data_dir: Option<&Path>) -> Result<Store, ExitCode> {
    match data_dir {
        Some(data_dir) => Ok(Store::in_dir(data_dir)),
        None => load(config).map(|config| Store::of(&config)),
    }
}

/// Makes a directory for data, for its owner alone, unless it is there.
fn make_data_dir(path: &Path) -> anyhow::Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("data directory {}", path.display()))
}

/// Who gives the command, for the log.
#[expect(clippy::disallowed_methods, reason = "the person at the terminal is no configuration")]
fn operator() -> Box<str> {
    let name =
        ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    name.unwrap_or_else(|| "the command line".to_owned()).into()
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(ConfigFile),
    /// Check the configuration and show what it sets up
    Check(ConfigFile),
    /// Run a gateway that needs no configuration, with a sink as next hop, to try things out
    Demo(demo::Options),
    /// Look at and change queued mail
    Queue(queue::QueueCommand),
    /// Manage the accounts of the own user store
    User(user::UserCommand),
    /// Write every readable mail of a store as .eml and .json, also from a damaged one
    Rescue(rescue::Options),
}

#[derive(Args, Debug)]
struct ConfigFile {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    config: PathBuf,
}
