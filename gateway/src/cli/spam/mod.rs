//! `mailweir spam`: teach the classifier, see how much it knows, what a mail comes to and why, and what symbols weigh.
//!
//! The server is asked if one runs; if none does, what was learned and the configuration are read here.

mod print;
mod score;
mod teach;

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use bytes::Bytes;
use clap::{Args, Subcommand};
use tokio::sync::mpsc;

use super::{ExitCode, queue::json_line, store_args::StoreArgs};
use crate::{
    control::{self, operation::Answer},
    spam::{
        Scale,
        words::{Ask, LearnedClass, MOST_TAUGHT, Told, Wish},
    },
    store::Store,
};

#[derive(Args, Debug)]
pub(super) struct SpamCommand {
    #[command(flatten)]
    of: StoreArgs,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Learn mails out of files, mailboxes, Maildirs and directories; no mail is learned twice
    Learn(Learn),
    /// Take back what was learned of mails, whatever they were learned as
    Forget {
        #[command(flatten)]
        paths: Paths,
    },
    /// Show how much was learned
    Status,
    /// Show what a mail comes to by what it shows by itself, and why. Nobody is asked about it
    Check {
        /// A file with one mail, or - for standard input
        #[arg(value_name = "FILE|-")]
        file: PathBuf,
    },
    /// Show what all symbols weigh, after the `weights_file` of the configuration
    Symbols,
}

#[derive(Args, Debug)]
struct Learn {
    #[command(flatten)]
    class: ClassWord,
    #[command(flatten)]
    paths: Paths,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct ClassWord {
    /// They are spam
    #[arg(long)]
    spam: bool,
    /// They are good mail
    #[arg(long)]
    ham: bool,
}

#[derive(Args, Debug)]
struct Paths {
    /// Files, mailboxes (mbox), Maildirs, directories with files in them, or - for standard input
    #[arg(required = true, value_name = "PATH|-")]
    paths: Vec<PathBuf>,
}

impl ClassWord {
    const fn class(&self) -> LearnedClass {
        if self.spam { LearnedClass::Spam } else { LearnedClass::Ham }
    }
}

pub(super) fn run(command: &SpamCommand) -> anyhow::Result<ExitCode> {
    match &command.action {
        Action::Learn(Learn { class, paths }) => {
            teach::run(command, Wish::Learn(class.class()), &paths.paths)
        }
        Action::Forget { paths } => teach::run(command, Wish::Forget, &paths.paths),
        Action::Status => ask(command, Ask::Status, None),
        Action::Check { file } => ask(command, Ask::Check, Some(content(file)?)),
        Action::Symbols => ask(command, Ask::Symbols, None),
    }
}

/// Asks, with at most one mail.
fn ask(command: &SpamCommand, ask: Ask, mail: Option<Bytes>) -> anyhow::Result<ExitCode> {
    let (store, scale) = match place(command) {
        Ok(place) => place,
        Err(code) => return Ok(code),
    };
    let (to, mut mails) = mpsc::channel(1);
    if let Some(mail) = mail {
        // There is room for one.
        let _ = to.try_send(mail);
    }
    drop(to);
    let mut code = ExitCode::Done;
    let tell = |answer| {
        if show(command.of.json, answer)? == Shown::Refused {
            code = ExitCode::Refused;
        }
        Ok(())
    };
    let by = super::operator();
    super::runtime()?.block_on(control::ask_spam(&store, scale, &by, ask, &mut mails, tell))?;
    Ok(code)
}

/// Where the data are, and by what mail is weighed if no server runs.
fn place(command: &SpamCommand) -> Result<(Store, Arc<Scale>), ExitCode> {
    match &command.of.data_dir {
        None => {
            let config = super::load(&command.of.config)?;
            Ok((Store::of(&config), Arc::new(Scale::of(&config))))
        }
        Some(data_dir) if command.of.config.exists() => {
            let config = super::load(&command.of.config)?;
            Ok((Store::in_dir(data_dir), Arc::new(Scale::of(&config))))
        }
        // It needs no configuration.
        Some(data_dir) => Ok((Store::in_dir(data_dir), Arc::default())),
    }
}

/// What an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Told,
    Refused,
}

fn show(json: bool, answer: Answer) -> io::Result<Shown> {
    let mut out = io::stdout().lock();
    let told = match answer {
        Answer::Spam(told) => told,
        Answer::Failed { reason } => Told::Failed { reason },
        _ => return Ok(Shown::Told),
    };
    match told {
        Told::Failed { reason } => {
            match json {
                true => json_line(&mut out, &Told::Failed { reason })?,
                false => writeln!(io::stderr(), "mailweir: {reason}")?,
            }
            return Ok(Shown::Refused);
        }
        told if json => json_line(&mut out, &told)?,
        Told::Status(standing) => print::standing(&mut out, &standing)?,
        Told::Judged(explanation) => {
            score::explanation(&mut out, &explanation)?;
            print::judgement(&mut out, &explanation.classifier)?;
        }
        Told::Symbols(catalogue) => score::catalogue(&mut out, &catalogue)?,
        // That is for who teaches.
        Told::Taught(_) => {}
    }
    Ok(Shown::Told)
}

/// One mail.
fn content(file: &Path) -> anyhow::Result<Bytes> {
    let mut content = Vec::new();
    let most = MOST_TAUGHT + 1;
    let read = match is_standard_input(file) {
        true => io::stdin().lock().take(most).read_to_end(&mut content),
        false => File::open(file).and_then(|file| file.take(most).read_to_end(&mut content)),
    };
    let named = || file.display().to_string();
    read.with_context(named)?;
    let is_too_large = content.len() as u64 > MOST_TAUGHT;
    anyhow::ensure!(!is_too_large, "{}: {}", named(), teach::TOO_LARGE);
    anyhow::ensure!(!content.is_empty(), "{}: the mail is empty", named());
    Ok(content.into())
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}
