//! `mailweir spam learn` and `forget`: the files are read here, with the rights of who gives the command; what is in them goes
//! to the server, or to what was learned itself if none runs.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use bytes::Bytes;
use mailweir_archive::import::{Form, Found, Mails, Unread};
use mailweir_mail::compose::one_line;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::{
    super::{ExitCode, operator, progress::Progress, queue::json_line, runtime},
    Shown, SpamCommand, is_standard_input, show,
};
use crate::{
    control::{self, operation::Answer},
    count::{counted, grouped},
    spam::words::{Ask, MOST_TAUGHT, Taught, Told, Wish},
};

pub(super) fn run(
    command: &SpamCommand,
    wish: Wish,
    paths: &[PathBuf],
) -> anyhow::Result<ExitCode> {
    let store = match command.of.store() {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    let (paths, standard_input) = with_standard_input(paths)?;
    let screen = Screen::begin(command.of.json);
    // One is sent, one waits, one is read: they may be large.
    let (to, mut mails) = mpsc::channel(1);
    let reading = Reading { screen: screen.clone(), standard_input: named(&standard_input), to };
    let (mut taught, mut refused) = (None, false);
    let tell = |answer| {
        match answer {
            Answer::Spam(Told::Taught(sum)) => taught = Some(sum),
            answer => {
                screen.clear();
                refused |= show(command.of.json, answer)? == Shown::Refused;
            }
        }
        Ok(())
    };
    let (asked, unread) = runtime()?.block_on(async {
        let reading = tokio::task::spawn_blocking(move || reading.read(&paths));
        let by = operator();
        // Nothing is weighed here.
        let scale = Arc::default();
        let asked = control::ask_spam(&store, scale, &by, Ask::Teach(wish), &mut mails, tell).await;
        // If it has failed, nobody wants more.
        drop(mails);
        (asked, reading.await)
    });
    screen.clear();
    let unread = unread.context("the files were not read to their end")?;
    asked?;
    if let Some(taught) = taught {
        let mut out = io::stdout().lock();
        match command.of.json {
            true => json_line(&mut out, &Summary { taught, unreadable: unread })?,
            false => writeln!(out, "{}", summary(wish, taught, unread))?,
        }
    }
    Ok(if refused || unread > 0 { ExitCode::Refused } else { ExitCode::Done })
}

/// The last line, as JSON.
#[derive(serde::Serialize)]
struct Summary {
    #[serde(flatten)]
    taught: Taught,
    unreadable: u64,
}

fn summary(wish: Wish, taught: Taught, unread: u64) -> String {
    let Taught { changed, corrected, unchanged } = taught;
    let (mut text, known) = match wish {
        Wish::Learn(class) => {
            (format!("learned {} {}", grouped(changed), class.as_str()), "known already")
        }
        Wish::Forget => (format!("forgot {}", counted(changed, "mail")), "not known"),
    };
    let others =
        [(corrected, "of them known as the other"), (unchanged, known), (unread, "unreadable")];
    for (number, words) in others.into_iter().filter(|(number, _)| *number > 0) {
        text += &format!(", {} {words}", grouped(number));
    }
    text
}

/// Standard input as a file, where it is named: it may be a mail or a mailbox.
fn with_standard_input(paths: &[PathBuf]) -> anyhow::Result<(Vec<PathBuf>, Option<NamedTempFile>)> {
    if !paths.iter().any(|path| is_standard_input(path)) {
        return Ok((paths.to_vec(), None));
    }
    let mut file = NamedTempFile::new().context("a file for standard input")?;
    io::copy(&mut io::stdin().lock(), &mut file).context("standard input")?;
    let place = |path: &PathBuf| match is_standard_input(path) {
        true => file.path().to_owned(),
        false => path.clone(),
    };
    Ok((paths.iter().map(place).collect(), Some(file)))
}

fn named(file: &Option<NamedTempFile>) -> Option<PathBuf> {
    file.as_ref().map(|file| file.path().to_owned())
}

/// Reads files. Blocks.
struct Reading {
    screen: Screen,
    standard_input: Option<PathBuf>,
    to: mpsc::Sender<Bytes>,
}

impl Reading {
    /// Reads mails until no more are there, or nobody wants more. How many could not be read.
    fn read(self, paths: &[PathBuf]) -> u64 {
        let mut mails = Mails::of(paths, Form::EachFile);
        let (mut read, mut unread) = (0, 0);
        while let Some(next) = mails.next() {
            match content(next) {
                Ok(content) => {
                    if self.to.blocking_send(content).is_err() {
                        return unread;
                    }
                    read += 1;
                }
                Err((file, why)) => {
                    let is_input = self.standard_input.as_ref() == Some(&file);
                    let file = if is_input { Path::new("standard input") } else { &file };
                    self.screen.say(&format!("{}: {why}", file.display()));
                    unread += 1;
                }
            }
            let progress = mails.progress();
            self.screen.show((progress.done, progress.all), read);
        }
        unread
    }
}

/// A mail, or the file in which it cannot be read and why.
fn content(next: Result<Found, Unread>) -> Result<Bytes, (PathBuf, String)> {
    let Found { spot, content, .. } = next.map_err(|Unread { spot, why }| {
        let at = spot.at.map(|at| format!("byte {at}: ")).unwrap_or_default();
        (spot.file, format!("{at}{why}"))
    })?;
    match content.content(MOST_TAUGHT) {
        Ok(Some(content)) => Ok(content.into()),
        Ok(None) => Err((spot.file, TOO_LARGE.to_owned())),
        Err(error) => Err((spot.file, error.to_string())),
    }
}

/// What is seen at a terminal. Who reads files and who hears of the server share it.
#[derive(Clone)]
struct Screen(Arc<Mutex<Progress>>);

impl Screen {
    fn begin(json: bool) -> Self {
        let progress = if json { Progress::begin_beside_a_pager() } else { Progress::begin() };
        Self(Arc::new(Mutex::new(progress)))
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, read: (u64, u64), mails: u64) {
        self.lock().show(read, || counted(mails, "mail"));
    }

    fn say(&self, why: &str) {
        let mut progress = self.lock();
        progress.clear();
        // A file may have any name. Nobody is left to hear it if the terminal is gone.
        let _ = writeln!(io::stderr(), "mailweir: {}", one_line(why, 1_000));
    }

    fn clear(&self) {
        self.lock().clear();
    }
}

/// Why a mail is neither taught nor judged.
pub(super) const TOO_LARGE: &str = "the mail has more than 64 MiB";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spam::words::LearnedClass;

    #[test]
    fn the_last_line_says_what_has_come_of_all_mails() {
        let taught = Taught { changed: 1_250, corrected: 0, unchanged: 3 };
        let learned = |class, taught, unread| summary(Wish::Learn(class), taught, unread);
        assert_eq!(
            learned(LearnedClass::Ham, taught, 2),
            "learned 1,250 ham, 3 known already, 2 unreadable"
        );
        let corrected = Taught { changed: 2, corrected: 1, unchanged: 0 };
        assert_eq!(
            learned(LearnedClass::Spam, corrected, 0),
            "learned 2 spam, 1 of them known as the other"
        );
        assert_eq!(summary(Wish::Forget, taught, 0), "forgot 1250 mails, 3 not known");
        let json = serde_json::to_value(Summary { taught, unreadable: 2 }).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"changed": 1250, "corrected": 0, "unchanged": 3, "unreadable": 2})
        );
    }
}
