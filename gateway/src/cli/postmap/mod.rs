//! `mailweir postmap`: asks tables as postmap(1) does, in its words and with its exit statuses.
//!
//! Also the program itself when it is called as `postmap`. Tables are read from their sources, so
//! there are no databases to make: that part of postmap is not here.

mod message;
mod options;
mod questions;

use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufReader, BufWriter, Write as _},
};

use mailweir_tables::Spec;

use self::{
    options::{Options, Task},
    questions::Tables,
};
use super::ExitCode;
use crate::tables::RemoteServers;

/// Why postmap ends at once: the text behind `postmap: fatal:`, or that whoever read what it
/// printed has seen enough.
#[derive(Debug, thiserror::Error)]
enum Fatal {
    #[error("{0}")]
    Said(String),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Runs with the words behind `postmap`.
pub(super) fn run(words: &[OsString]) -> anyhow::Result<ExitCode> {
    if words.first().is_some_and(|word| word == "--help") {
        write!(io::stdout(), "{HELP}")?;
        return Ok(ExitCode::Done);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(answer(words)) {
        Ok(true) => Ok(ExitCode::Done),
        Ok(false) => Ok(ExitCode::Refused),
        Err(Fatal::Io(error)) => Err(error.into()),
        Err(Fatal::Said(text)) => {
            eprintln!("postmap: fatal: {text}");
            Ok(ExitCode::Refused)
        }
    }
}

/// Whether anything was found.
async fn answer(words: &[OsString]) -> Result<bool, Fatal> {
    let Options { task, tables, folds, needs_utf8 } = Options::read(words)?;
    let remote = RemoteServers::default();
    let mut tables = Tables::new(tables, folds, needs_utf8, &remote);
    let mut out = BufWriter::new(io::stdout().lock());
    let found = match task {
        Task::Key(key) => tables.print_value(&key, &mut out).await,
        Task::Keys => tables.print_pairs(BufReader::new(stdin()?), &mut out).await,
        Task::Message(parts) => message::print_pairs(&mut tables, parts, stdin()?, &mut out).await,
        Task::Sequence => tables.print_all(&mut out),
        Task::Write(table) => Err(cannot_write(&table)),
    };
    out.flush()?;
    found
}

/// Standard input without the lock and the buffer of the library: it is read by one, in pieces of
/// its own.
fn stdin() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

fn cannot_write(table: &str) -> Fatal {
    let what = match Spec::parse(table) {
        Ok(_) => "there is no database to make or to change",
        Err(error) => return questions::bad_name(table, &error),
    };
    Fatal::Said(format!(
        "{table}: {what}: Mailweir reads the text itself, and again as soon as it changes; \
         -q asks a table, -s lists it"
    ))
}

const HELP: &str = "\
Ask lookup tables as Postfix's postmap does

Usage: mailweir postmap [-fu] -q KEY TABLE...     print the value of KEY in the first that has one
       mailweir postmap [-fu] -q - TABLE...       of each line of standard input
       mailweir postmap -hmq - TABLE... <MAIL      of each header: -h, with -m those of MIME parts
       mailweir postmap -bmq - TABLE... <MAIL      of each line of the body: -b
       mailweir postmap -s TABLE                   list keys and values

A TABLE is written type:name, such as pcre:/etc/mailweir/header_checks; hash: is what is meant
without a type. -f tells capital letters from small ones. Other options of postmap are taken and
change nothing; databases are neither made nor needed.

Exit status: 0 found; 1 not found, or an error
";
