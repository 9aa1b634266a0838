//! The command line: one file per command, nothing but words here.

use std::{
    ffi::OsString,
    fs::DirBuilder,
    io::{self, IsTerminal as _},
    num::NonZero,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use mailweir_queue::give_way;
use tokio::runtime::Runtime;

use crate::config::{Colour, Config};

mod api_token;
mod archive;
mod auth;
mod ban;
mod chain_check;
mod check;
mod demo;
mod dkim;
mod explain;
mod moderation;
mod owner;
mod postmap;
mod progress;
mod quarantine;
mod queue;
mod rescue;
mod sendmail;
mod serve;
mod spam;
mod store_args;
mod terminal;
mod user;

/// A mail gateway in one program: accepts mail, makes it durable, passes it on
#[derive(Debug, Parser)]
#[command(name = "mailweir", version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

impl CommandLine {
    /// Reads the words of the command line; called as `postmap` or `sendmail`, the program is that. For `--help` and the like, and for words
    /// that make no sense, it prints what there is to say, and the program is done.
    ///
    /// # Errors
    /// How the program then ends.
    pub fn read() -> Result<Self, ExitCode> {
        let mut words = std::env::args_os();
        let program = words.next().unwrap_or_default();
        let is_called =
            |known: &str| Path::new(&program).file_name().is_some_and(|name| name == known);
        if is_called("postmap") {
            let words = PostmapWords { words: words.collect() };
            return Ok(Self { command: Command::Postmap(words) });
        }
        if is_called("sendmail") {
            let config = sendmail::installed_config();
            let words = SendmailWords { words: words.collect(), config };
            return Ok(Self { command: Command::Sendmail(words) });
        }
        // clap would take a `--` in front of its words for its own.
        if words.next().is_some_and(|word| word == "sendmail") {
            let words = SendmailWords { words: words.collect(), config: USUAL_CONFIG.into() };
            return Ok(Self { command: Command::Sendmail(words) });
        }
        Self::try_parse().map_err(|told| {
            // Nobody is left to hear it if the terminal is gone.
            let _ = told.print();
            if told.use_stderr() { ExitCode::WrongWords } else { ExitCode::Done }
        })
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// What went wrong, in words for the terminal.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Serve(config) => serve::run(&config.config),
            Command::Check(config) => check::run(&config.config),
            Command::Explain(options) => explain::run(&options),
            Command::ChainCheck(options) => chain_check::run(&options),
            Command::Demo(options) => demo::run(&options),
            Command::Queue(command) => queue::run(&command),
            Command::Quarantine(command) => quarantine::run(&command),
            Command::Spam(command) => spam::run(&command),
            Command::User(command) => user::run(&command),
            Command::Auth(command) => auth::run(&command),
            Command::Ban(command) => ban::run(&command),
            Command::Moderation(command) => moderation::run(&command),
            Command::Archive(command) => archive::run(&command),
            Command::ApiToken(options) => api_token::run(&options),
            Command::Dkim(command) => dkim::run(&command),
            Command::Rescue(options) => rescue::run(&options),
            Command::Postmap(words) => postmap::run(&words.words),
            Command::Sendmail(words) => sendmail::run(&words.words, &words.config),
            Command::ExtractWorker(options) => {
                crate::extraction::run(options.seconds).map(|()| ExitCode::Done)
            }
            Command::ProgramStarter => crate::starter::run().map(|()| ExitCode::Done),
        }
    }
}

/// How the program ends; the numbers above 1 are those of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// Done.
    Done = 0,
    /// Not done, or not for all mails: refused, not found, or failed.
    Refused = 1,
    /// The words of the command line make no sense (`EX_USAGE`).
    WrongWords = 64,
    /// The mail names no recipient, or one that is no address (`EX_DATAERR`).
    BadMail = 65,
    /// The server refused the mail (`EX_UNAVAILABLE`).
    Unavailable = 69,
    /// Standard input cannot be read (`EX_IOERR`).
    InputFailed = 74,
    /// Not now (`EX_TEMPFAIL`).
    TryLater = 75,
    /// The configuration has errors (`EX_CONFIG`).
    BadConfiguration = 78,
}

/// Loads the configuration; prints its problems, if it has any.
fn load(path: &Path) -> Result<Config, ExitCode> {
    let (problems, outcome) = match Config::load(path, std::env::vars_os()) {
        Ok((config, warnings)) => (warnings, Ok(config)),
        Err(problems) => (problems, Err(ExitCode::BadConfiguration)),
    };
    let colour = colour(io::stderr().is_terminal());
    for problem in &problems {
        eprint!("{}", problem.render(colour));
    }
    outcome
}

const fn colour(terminal: bool) -> Colour {
    if terminal { Colour::Terminal } else { Colour::Plain }
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
    name.filter(|name| !name.is_empty()).unwrap_or_else(user_of_process).into()
}

/// As the list of users of this machine says; containers and timers have no `USER`.
fn user_of_process() -> String {
    let id = rustix::process::getuid().as_raw();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id.to_string()).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| format!("uid {id}"))
}

/// One processor is left to the queue's own threads and to the kernel.
fn runtime() -> anyhow::Result<Runtime> {
    runtime_of(processors().saturating_sub(1).max(1))
}

/// The same for a server. Where mail is scored the queue's threads have little to do beside who reads it: all processors
/// work then.
fn runtime_for(config: &Config) -> anyhow::Result<Runtime> {
    if config.spam.is_some() { runtime_of(processors()) } else { runtime() }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// All threads give way, as the committer does: otherwise each packet of a peer on the same machine, and each sync, pushes aside
/// who is busy with mail (`docs/decisions/0009-batch.md`).
fn runtime_of(workers: usize) -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    Ok(builder.worker_threads(workers).on_thread_start(give_way).enable_all().build()?)
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(ConfigFile),
    /// Check the configuration and show what it sets up
    Check(ConfigFile),
    /// Show what today's rules would do to a mail, and why; nothing is sent
    Explain(explain::ExplainOptions),
    /// Show whether a mail came through trusted hosts only, hop by hop
    ChainCheck(chain_check::ChainCheckOptions),
    /// Try it out: a gateway that needs no configuration and sends nothing anywhere
    Demo(demo::Options),
    /// Look at and change queued mail
    Queue(queue::QueueCommand),
    /// Look at mail that was taken for spam or a forgery, let it go on or delete it
    Quarantine(quarantine::QuarantineCommand),
    /// Teach the spam checks what people want and what they do not, and see what a mail scores and why
    Spam(spam::SpamCommand),
    /// Manage the users that may log in
    User(user::UserCommand),
    /// Try the back ends of log-ins
    Auth(auth::AuthCommand),
    /// Show and lift the waits of those who failed to log in too often
    Ban(ban::BanCommand),
    /// Look at mail that waits for people, and decide about it
    Moderation(moderation::ModerationCommand),
    /// Find archived mail, take it out, bring it in, put legal holds on it or erase it, and prove that nothing was changed
    Archive(archive::ArchiveCommand),
    /// Make a token for a program that uses the API
    ApiToken(api_token::ApiTokenOptions),
    /// Make keys to sign mail with (DKIM), and see whether their records are published
    Dkim(dkim::DkimCommand),
    /// Save every readable mail of a queue as files, also from a damaged one
    Rescue(rescue::Options),
    /// Ask lookup tables as Postfix's postmap does
    #[command(disable_help_flag = true)]
    Postmap(PostmapWords),
    /// Send a mail of a local program as Postfix's sendmail does
    #[command(disable_help_flag = true)]
    Sendmail(SendmailWords),
    /// Read mails from standard input and write what is in them; the server calls this
    #[command(hide = true, name = crate::extraction::WORD)]
    ExtractWorker(ExtractWorkerOptions),
    /// Start programs for the server, which calls this
    #[command(hide = true, name = crate::starter::WORD)]
    ProgramStarter,
}

#[derive(Args, Debug)]
struct ExtractWorkerOptions {
    /// Seconds of processor time that a mail may take
    seconds: u32,
}

#[derive(Args, Debug)]
struct PostmapWords {
    /// As for postmap; --help tells more
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

#[derive(Args, Debug)]
struct SendmailWords {
    /// As for sendmail; --help tells more
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
    #[arg(skip = USUAL_CONFIG)]
    config: PathBuf,
}

#[derive(Args, Debug)]
struct ConfigFile {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    config: PathBuf,
}

/// The configuration file, unless another one is named.
const USUAL_CONFIG: &str = "mailweir.toml";

const AFTER_HELP: &str = "\
To see it work:  mailweir demo

Exit status:     0 done; 1 refused, not found or failed; 64 words that make no sense;
                 78 a configuration with errors";
