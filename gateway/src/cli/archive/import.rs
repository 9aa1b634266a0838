//! `mailweir archive import`: mails out of files, mailboxes and Maildirs, into the archive.
//!
//! The files are read here, with the rights of who gives the command; what is in them goes to the server, or into the
//! archive itself if none runs. What is archived stays so if it is stopped half-way: begun again, it leaves out what
//! is there.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context as _;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use mailweir_archive::{
    entry::Direction,
    import::{Form, Found, Mails, envelope, journal},
};
use mailweir_filters::archiving::{Facts, Rules};
use mailweir_mail::{Envelope, compose::one_line};
use tokio::sync::mpsc;

use super::{
    super::{
        ExitCode,
        progress::{Progress, megabytes},
        runtime,
    },
    ask::Archive,
};
use crate::{
    app,
    archiving::{
        self,
        words::{Brought, Doubles, Imported, MOST_BROUGHT, Told},
    },
    count::{agreeing, counted},
    ingress::relay::ServedDomains,
};

#[derive(Args, Debug)]
pub(super) struct ImportOptions {
    /// Files and directories
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Take them all for this form, instead of looking
    #[arg(long = "as", value_name = "FORM")]
    form: Option<FormWord>,
    /// They are journal reports of Exchange or others: archive the mails in them, with the envelopes that the
    /// reports name
    #[arg(long)]
    journal: bool,
    /// Archive also what is there already
    #[arg(long)]
    again: bool,
    /// The configuration file
    #[arg(short, long, value_name = "FILE", default_value = "mailweir.toml")]
    config: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormWord {
    /// Each file is a mail; of directories, those that end with .eml
    Eml,
    /// Each file is a mailbox
    Mbox,
    /// Directories with `cur` and `new`
    Maildir,
}

pub(super) fn run(options: &ImportOptions) -> anyhow::Result<ExitCode> {
    let Some(archive) = Archive::of(&options.config)? else {
        return Ok(ExitCode::BadConfiguration);
    };
    let judge = Judge { rules: archive.rules().clone(), served: app::served(archive.config()) };
    let screen = Screen::begin();
    // One is sent, one waits, one is read: they may be large.
    let (to, mut waiting) = mpsc::channel(1);
    let import = Import { judge, takes_journals: options.journal, screen: screen.clone(), to };
    let form = options.form.map_or(Form::AsItLooks, Form::from);
    let mails = Mails::of(&options.paths, form);
    let doubles = if options.again { Doubles::TakeIn } else { Doubles::LeaveOut };
    let (taken, left) = runtime()?.block_on(async {
        let reading = tokio::task::spawn_blocking(move || import.read(mails));
        let tell = |told| screen.lock().hear(&told);
        let taken = archive.import(doubles, &mut waiting, tell).await;
        // If it has failed, nobody wants more.
        drop(waiting);
        (taken, reading.await)
    });
    let left = left.context("the files were not read to their end")?;
    let imported = screen.finish();
    if let Some(imported) = imported {
        println!("{}", summary(imported, left));
    }
    if let Err(error) = taken {
        return Err(if imported.is_some() { error.context(BEGIN_AGAIN) } else { error });
    }
    Ok(if left.unread == 0 { ExitCode::Done } else { ExitCode::Refused })
}

fn summary(imported: Imported, left: Left) -> String {
    let Imported { mails, bytes, known, erased } = imported;
    let mut text = format!("{} archived, {}", counted(mails, "mail"), megabytes(bytes));
    for (number, one, many) in [
        (known, "was there already", "were there already"),
        (erased, "was erased here and stays so", "were erased here and stay so"),
        (left.skipped, "is left out by rules", "are left out by rules"),
        (left.unread, "could NOT be read", "could NOT be read"),
    ] {
        if number > 0 {
            text += &format!("; {}", agreeing(number, one, many));
        }
    }
    text
}

/// What rules say of imported mail.
struct Judge {
    rules: Rules,
    served: ServedDomains,
}

impl Judge {
    /// What the archive is to know of a mail; `None`: it is left out.
    fn brought(&self, found: &Found, envelope: Envelope, content: &[u8]) -> Option<Brought> {
        // A sender of ours: whether they logged in, nobody knows any more.
        let sender = envelope.sender.address();
        let is_ours = sender.is_some_and(|sender| self.served.serve(sender.domain()));
        let direction = match envelope.recipients.is_empty() {
            true if is_ours => Direction::Outbound,
            _ => archiving::direction(&envelope, is_ours, &self.served),
        };
        let mut fields = self.rules.fields();
        fields.feed(content);
        fields.finish();
        let size = content.len() as u64;
        let Envelope { sender, recipients, .. } = &envelope;
        let facts = Facts { direction, sender, recipients, fields: &fields, size };
        let kept = self.rules.judge(&facts)?;
        let (rule, keep_days) = (kept.rule.map(Into::into), kept.term.days());
        let from = found.spot.to_string().into();
        Some(Brought { from, envelope, arrival: None, direction, rule, keep_days })
    }
}

/// Mails that were found and do not get to the archive.
#[derive(Clone, Copy, Debug, Default)]
struct Left {
    /// Left out by rules.
    skipped: u64,
    unread: u64,
}

/// Reads files. Blocks.
struct Import {
    judge: Judge,
    takes_journals: bool,
    screen: Screen,
    to: mpsc::Sender<(Brought, Bytes)>,
}

impl Import {
    /// Reads mails until no more are there, or nobody wants more.
    fn read(self, mut mails: Mails) -> Left {
        let mut left = Left::default();
        while let Some(next) = mails.next() {
            let progress = mails.progress();
            self.screen.lock().show_read((progress.done, progress.all));
            let mail = match next {
                Ok(found) => self.take(&found).map_err(|why| format!("{}: {why}", found.spot)),
                Err(why) => Err(why.to_string()),
            };
            match mail {
                Ok(Some(mail)) => {
                    if self.to.blocking_send(mail).is_err() {
                        return left;
                    }
                }
                Ok(None) => left.skipped += 1,
                Err(why) => {
                    self.screen.lock().say_unread(&why);
                    left.unread += 1;
                }
            }
        }
        left
    }

    /// `None`: it is left out. An error: why it cannot be read.
    fn take(&self, found: &Found) -> Result<Option<(Brought, Bytes)>, String> {
        let content = match found.content.content(MOST_BROUGHT) {
            Ok(Some(content)) => Bytes::from(content),
            Ok(None) => return Err(format!("it has more than {}", megabytes(MOST_BROUGHT))),
            Err(error) => return Err(error.to_string()),
        };
        let (named, content) = match self.takes_journals.then(|| journal::read(&content)) {
            Some(Some(report)) => (Some(report.envelope), content.slice_ref(report.mail)),
            Some(None) => return Err("it is no journal report".to_owned()),
            None => (None, content),
        };
        let assumed = envelope::assume(&content, &found.hint);
        let envelope = named.unwrap_or(assumed.envelope);
        let Some(brought) = self.judge.brought(found, envelope, &content) else { return Ok(None) };
        let brought = Brought { arrival: assumed.arrival, ..brought };
        if !brought.is_short() {
            let recipients = counted(brought.envelope.recipients.len(), "recipient");
            return Err(format!("it has {recipients}: too many to be archived"));
        }
        Ok(Some((brought, content)))
    }
}

/// What is seen at a terminal. Who reads files and who hears of the archive share it.
#[derive(Clone)]
struct Screen(Arc<Mutex<Shown>>);

struct Shown {
    progress: Progress,
    /// Bytes of files, and of all of them.
    read: (u64, u64),
    /// What is archived; absent: it is still looked what is there.
    imported: Option<Imported>,
}

impl Screen {
    fn begin() -> Self {
        let progress = Progress::begin();
        Self(Arc::new(Mutex::new(Shown { progress, read: (0, 0), imported: None })))
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was archived; `None`: it was not begun.
    fn finish(&self) -> Option<Imported> {
        let mut shown = self.lock();
        shown.progress.clear();
        shown.imported
    }
}

impl Shown {
    fn show_read(&mut self, read: (u64, u64)) {
        self.read = read;
        if let Some(Imported { mails, .. }) = self.imported {
            self.progress
                .show(read, || format!("{}, {}", megabytes(read.1), counted(mails, "mail")));
        }
    }

    fn say_unread(&mut self, why: &str) {
        self.progress.clear();
        // A file may have any name.
        eprintln!("{}", one_line(why, 1_000));
    }

    fn hear(&mut self, told: &Told) {
        match told {
            Told::Remembering { done, all } => {
                self.progress.show((*done, *all), || format!("{} there", counted(*all, "record")));
            }
            Told::Imported(imported) => {
                if self.imported.replace(*imported).is_none() {
                    self.progress.clear();
                }
                self.show_read(self.read);
            }
            _ => {}
        }
    }
}

impl From<FormWord> for Form {
    fn from(word: FormWord) -> Self {
        match word {
            FormWord::Eml => Self::Eml,
            FormWord::Mbox => Self::Mbox,
            FormWord::Maildir => Self::Maildir,
        }
    }
}

const BEGIN_AGAIN: &str =
    "the import has ended early; begun again, and without --again, it leaves out what is there";
