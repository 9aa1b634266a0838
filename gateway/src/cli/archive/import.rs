//! `mailweir archive import`: mails out of files, mailboxes and Maildirs, into the archive.
//!
//! It writes the archive itself, so no server may run. What is archived stays so if it is stopped half-way: begun
//! again, it leaves out what is there.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use mailweir_archive::{
    OpenError, Place, Reader,
    entry::{self, Capture, Direction, Erased, Note, Source},
    frame::Kind,
    hash::Hash,
    import::{Form, Found, Mails, envelope, journal},
    records::Records,
};
use mailweir_filters::archiving::{Facts, Rules};
use mailweir_mail::{Address, Envelope, QueueId, compose::one_line};
use serde::de::DeserializeOwned;

use super::super::{
    ExitCode, load, operator,
    progress::{Progress, megabytes},
};
use crate::{
    app,
    archiving::{self, shelf::Shelf},
    clock,
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
    let config = match load(&options.config) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let Some(settings) = &config.archive else {
        bail!("nothing is archived: archive.enabled is not set")
    };
    archiving::check_owner(&settings.directory, &config.server.data_dir)?;
    let shelf = match Shelf::open(settings, clock::now()) {
        Ok((shelf, _)) => shelf,
        Err(error @ OpenError::InUse(_)) => {
            return Err(error).context("an import needs the archive for itself: stop the server");
        }
        Err(error) => return Err(error.into()),
    };
    let judge = Judge { rules: settings.rules.clone(), served: app::served(&config) };
    let mut importer = Importer::new(shelf, judge, options.journal);
    if !options.again {
        importer.remember()?;
    }
    let form = options.form.map_or(Form::AsItLooks, Form::from);
    let counts = importer.take_in(Mails::of(&options.paths, form))?;
    println!("{}", counts.summary());
    Ok(if counts.unread == 0 { ExitCode::Done } else { ExitCode::Refused })
}

/// What an import has done.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    mails: u64,
    bytes: u64,
    /// There already.
    known: u64,
    /// Erased, once.
    erased: u64,
    /// Left out by rules.
    skipped: u64,
    unread: u64,
}

impl Counts {
    fn summary(&self) -> String {
        let Self { mails, bytes, known, erased, skipped, unread } = *self;
        let mut text = format!("{mails} mails archived, {}", megabytes(bytes));
        for (number, what) in [
            (known, "were there already"),
            (erased, "were erased here and stay so"),
            (skipped, "are left out by rules"),
            (unread, "could NOT be read"),
        ] {
            if number > 0 {
                text += &format!("; {number} {what}");
            }
        }
        text
    }
}

/// What rules say of imported mail.
struct Judge {
    rules: Rules,
    served: ServedDomains,
}

impl Judge {
    /// `None`: the mail is left out.
    fn note(&self, envelope: &Envelope, content: &[u8], source: Source) -> Option<Note> {
        // A sender of ours: whether they logged in, nobody knows any more.
        let sender = envelope.sender.address();
        let is_ours = sender.is_some_and(|sender| self.served.serve(sender.domain()));
        let direction = match envelope.recipients.is_empty() {
            true if is_ours => Direction::Outbound,
            _ => archiving::direction(envelope, is_ours, &self.served),
        };
        let mut fields = self.rules.fields();
        fields.feed(content);
        fields.finish();
        let size = content.len() as u64;
        let Envelope { sender, recipients, .. } = envelope;
        let facts = Facts { direction, sender, recipients, fields: &fields, size };
        let kept = self.rules.judge(&facts)?;
        let (rule, keep_days) = (kept.rule.map(Into::into), kept.term.days());
        Some(Note { direction, rule, keep_days, held: None, source })
    }
}

struct Importer {
    shelf: Shelf,
    judge: Judge,
    takes_journals: bool,
    by: Box<str>,
    /// What is there; absent: nobody asks.
    known: Option<Known>,
    group: Vec<(Capture, Vec<u8>)>,
    group_bytes: usize,
    /// Tells ids apart from each other, and from those of mail that the gateway accepted.
    serial: u32,
    counts: Counts,
    progress: Progress,
}

impl Importer {
    fn new(shelf: Shelf, judge: Judge, takes_journals: bool) -> Self {
        Self {
            shelf,
            judge,
            takes_journals,
            by: operator(),
            known: None,
            group: Vec::new(),
            group_bytes: 0,
            serial: FIRST_SERIAL,
            counts: Counts::default(),
            progress: Progress::begin(),
        }
    }

    /// Reads which contents are there.
    fn remember(&mut self) -> anyhow::Result<()> {
        let (mut known, all) = (Known::default(), self.shelf.last());
        for record in Records::all(self.shelf.places()).context("the archive cannot be read")? {
            let (head, place) = record.context("the archive cannot be read")?;
            self.progress.show((head.seq, all), || format!("{all} records that are there"));
            // What cannot be read is not known, and does not keep its mail from being archived again.
            match head.kind {
                Kind::Capture => {
                    if let Ok(capture) = read_capture(self.shelf.reader(), place) {
                        known.add(capture.content, place);
                    }
                }
                Kind::Erased => {
                    if let Ok(erased) = read_summary::<Erased>(self.shelf.reader(), place) {
                        known.erased.insert(erased.content);
                    }
                }
                Kind::Outcome | Kind::Hold | Kind::Lifted | Kind::Access => {}
            }
        }
        self.progress.clear();
        self.known = Some(known);
        Ok(())
    }

    fn take_in(mut self, mut mails: Mails) -> anyhow::Result<Counts> {
        while let Some(next) = mails.next() {
            let progress = mails.progress();
            let counts = self.counts;
            self.progress.show((progress.done, progress.all), || {
                format!("{}, {} mails", megabytes(progress.all), counts.mails)
            });
            let taken = match next {
                Ok(found) => self.take(&found).with_context(|| found.spot.to_string())?,
                Err(why) => Err(why.to_string()),
            };
            if let Err(why) = taken {
                self.progress.clear();
                // A file may have any name.
                eprintln!("{}", one_line(&why, 1_000));
                self.counts.unread += 1;
            }
        }
        self.write()?;
        self.shelf.seal(clock::now())?;
        self.progress.clear();
        Ok(self.counts)
    }

    /// Takes a mail into the group. Within: why it cannot be read.
    fn take(&mut self, found: &Found) -> anyhow::Result<Result<(), String>> {
        let unread = |why: &dyn std::fmt::Display| Ok(Err(format!("{}: {why}", found.spot)));
        let content = match found.content.content(MOST_CONTENT) {
            Ok(Some(content)) => content,
            Ok(None) => return unread(&format!("it has more than {}", megabytes(MOST_CONTENT))),
            Err(error) => return unread(&error),
        };
        let (envelope, content) = match self.takes_journals.then(|| journal::read(&content)) {
            Some(Some(report)) => (Some(report.envelope), report.mail),
            Some(None) => return unread(&"it is no journal report"),
            None => (None, content.as_slice()),
        };
        let assumed = envelope::assume(content, &found.hint);
        let envelope = envelope.unwrap_or(assumed.envelope);
        let hash = Hash::of(content);
        if self.known.as_ref().is_some_and(|known| known.erased.contains(&hash)) {
            self.counts.erased += 1;
            return Ok(Ok(()));
        }
        if self.is_known(hash, &envelope)? {
            self.counts.known += 1;
            return Ok(Ok(()));
        }
        let source = Source::Imported { by: self.by.clone(), from: found.spot.to_string().into() };
        let Some(note) = self.judge.note(&envelope, content, source) else {
            self.counts.skipped += 1;
            return Ok(Ok(()));
        };
        let now = clock::now();
        self.serial = self.serial.wrapping_add(1).max(FIRST_SERIAL);
        let capture = Capture {
            id: QueueId::new(now, self.serial),
            envelope,
            origin: envelope::origin(assumed.arrival, now),
            note,
            content: hash,
            size: content.len() as u64,
        };
        self.group_bytes += content.len();
        self.group.push((capture, content.to_vec()));
        if self.group.len() >= MOST_MAILS || self.group_bytes >= MOST_BYTES {
            self.write()?;
        }
        Ok(Ok(()))
    }

    /// Whether a mail of this content is there, or in the group, and names all these recipients. Two reports of
    /// one mail may name different ones.
    fn is_known(&mut self, hash: Hash, envelope: &Envelope) -> anyhow::Result<bool> {
        if self.known.is_some() && self.group.iter().any(|(other, _)| other.content == hash) {
            self.write()?;
        }
        let names_all = |capture: &Capture| {
            let there: HashSet<&Address> =
                capture.envelope.recipients.iter().map(|one| &one.address).collect();
            envelope.recipients.iter().all(|one| there.contains(&one.address))
        };
        let suspects = self.known.iter().flat_map(|known| known.places(hash));
        let mut captures =
            suspects.filter_map(|place| read_capture(self.shelf.reader(), place).ok());
        Ok(captures.any(|capture| capture.content == hash && names_all(&capture)))
    }

    /// Writes the group. With this, its mails are archived.
    fn write(&mut self) -> anyhow::Result<()> {
        let written = self.shelf.bring(&self.group, clock::now())?;
        self.counts.mails += written.len() as u64;
        self.counts.bytes += std::mem::take(&mut self.group_bytes) as u64;
        for (written, (capture, _)) in written.iter().zip(self.group.drain(..)) {
            if let Some(known) = &mut self.known {
                known.add(capture.content, written.place);
            }
        }
        Ok(())
    }
}

fn read_capture(reader: &Reader, place: Place) -> anyhow::Result<Capture> {
    read_summary(reader, place)
}

fn read_summary<S: DeserializeOwned>(reader: &Reader, place: Place) -> anyhow::Result<S> {
    Ok(entry::decode(&reader.read(place)?.payload.summary()?)?)
}

/// Where mails are, by the first bytes of the hashes of their contents: enough to suspect that one is there, and
/// little enough to keep it of many millions.
#[derive(Default)]
struct Known {
    first: HashMap<u64, Place>,
    /// Further ones of the same content.
    more: HashMap<u64, Vec<Place>>,
    /// Contents that were erased: who had a right to that has it still.
    erased: HashSet<Hash>,
}

impl Known {
    fn add(&mut self, content: Hash, place: Place) {
        let short = short(content);
        match self.first.entry(short) {
            Entry::Vacant(vacant) => {
                vacant.insert(place);
            }
            Entry::Occupied(_) => self.more.entry(short).or_default().push(place),
        }
    }

    fn places(&self, content: Hash) -> impl Iterator<Item = Place> {
        let short = short(content);
        let more = self.more.get(&short).into_iter().flatten();
        self.first.get(&short).into_iter().chain(more).copied()
    }
}

fn short(hash: Hash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
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

/// Mails in a group.
const MOST_MAILS: usize = 256;

/// Bytes of content in a group; one mail may have more.
const MOST_BYTES: usize = 32 << 20;

/// Bytes of a mail: it is held in memory while it is packed.
const MOST_CONTENT: u64 = 512 << 20;

/// No mail that the gateway accepts has a serial as high: it counts those of one microsecond.
const FIRST_SERIAL: u32 = 1 << 31;
