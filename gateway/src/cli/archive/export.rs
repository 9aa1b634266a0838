//! `mailweir archive export`: mails out of the archive, as they were accepted; one to standard output, or
//! many as files with a manifest that proves them.
//!
//! It reads the archive beside a server that runs, once the archive has it in its records that it will.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    io::{self, Read as _, Write as _},
    path::PathBuf,
};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use mailweir_archive::{
    Place, Places, ReadError, Reader,
    entry::{self, AccessDeed, Capture, Outcome},
    export::{ExportError, Exporter, Form, Mail, Missing, Proofs, Said, Taken},
    frame::{Kind, Seq},
    records::Records,
};
use mailweir_mail::QueueId;

use super::{
    super::{
        ExitCode, operator,
        progress::{Progress, megabytes},
    },
    PlaceOptions, ask,
};
use crate::{
    clock,
    count::{agreeing, counted},
};

#[derive(Args, Debug)]
pub(super) struct ExportOptions {
    /// The queue ids of the mails
    #[arg(required_unless_present_any = ["all", "query"], value_name = "ID")]
    ids: Vec<QueueId>,
    /// All mails that a search finds
    #[arg(long, value_name = "QUERY", conflicts_with_all = ["ids", "all", "directory"], requires = "form")]
    query: Option<String>,
    /// All mails that the archive has
    #[arg(long, conflicts_with = "ids", requires = "form")]
    all: bool,
    /// Write them to --to: a directory of files, a mailbox, or a zip file. Without it, one mail goes to
    /// standard output
    #[arg(long = "as", value_name = "FORM", requires = "to")]
    form: Option<FormWord>,
    /// Where to; nothing may be there
    #[arg(long, value_name = "PATH", requires = "form")]
    to: Option<PathBuf>,
    /// Name no recipients in the manifest but those that the header names
    #[arg(long, requires = "form")]
    without_hidden: bool,
    #[command(flatten)]
    place: PlaceOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormWord {
    /// A directory with a file for each mail
    Eml,
    /// A mailbox (mboxrd), with its manifest beside it
    Mbox,
    /// A zip file with a file for each mail
    Zip,
}

/// A mail that is to be taken out.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    /// Its capture.
    capture: Place,
    /// The last that is known of its end.
    outcome: Option<Place>,
    /// The capture of the same mail before this one: that may be damaged, and the queue has brought the mail again.
    earlier: Option<Seq>,
}

/// Those that are to be taken out, by the numbers of their captures: in this order each segment is read once.
type Choice = BTreeMap<Seq, Chosen>;

pub(super) fn run(options: &ExportOptions) -> anyhow::Result<ExitCode> {
    let reader = match options.place.reader()? {
        Ok(reader) => reader,
        Err(code) => return Ok(code),
    };
    let archive = match options.place.directory.is_none() {
        false => None,
        true => match ask::Archive::of(&options.place.config)? {
            Some(archive) => Some(archive),
            None => return Ok(ExitCode::BadConfiguration),
        },
    };
    let hits = match (&options.query, &archive) {
        (Some(query), Some(archive)) => archive.find(query)?,
        _ => Vec::new(),
    };
    let ids = options.ids.iter().chain(hits.iter().map(|(_, id)| id)).copied().collect();
    let wanted = (!options.all).then_some(&ids);
    let mut choice = choose(reader.places(), wanted).context("the archive cannot be read")?;
    // Who wants all has all records that there are, also those of the same mail.
    if !options.all {
        choice.leave_one_of_each(&reader);
    }
    if let Some(id) = options.ids.iter().find(|id| !choice.by_id.contains_key(&id.to_key())) {
        bail!("{id}: the archive has no such mail");
    }
    // Of a copy of an archive nobody keeps the book.
    if let Some(archive) = &archive {
        let form = options.form.map_or("standard output", FormWord::as_str).into();
        archive.note(AccessDeed::Exported { form, mails: choice.chosen.len() as u64 })?;
    }
    let (Some(form), Some(to)) = (options.form, &options.to) else {
        return to_standard_output(&reader, &choice.chosen);
    };
    let query = match (options.all, &options.query) {
        (true, _) => "all".to_owned(),
        (false, Some(query)) => query.clone(),
        (false, None) => options.ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let (by, at, hidden) = (operator(), clock::now(), !options.without_hidden);
    let said = Said { by, at, query: query.into(), hidden };
    let exporter = Exporter::begin(form.into(), to, said)?;
    let lost = if options.all { choice.gaps.clone() } else { choice.lost(&hits) };
    let (taken, erased) = take_out(exporter, &reader, &choice.chosen, lost)?;
    println!("{}: {}", to.display(), summary(&taken, erased));
    // Who wants all mails wants those that there are.
    let not_there = if options.all { erased } else { 0 };
    Ok(if taken.missing == not_there { ExitCode::Done } else { ExitCode::Refused })
}

/// What was found of mails.
#[derive(Default)]
struct Found {
    chosen: Choice,
    by_id: HashMap<[u8; 12], Seq>,
    /// Records between others of which nothing can be read.
    gaps: Vec<Missing>,
}

impl Found {
    /// Leaves of each mail the first capture that can be read, or else the last.
    fn leave_one_of_each(&mut self, reader: &Reader) {
        for last in self.by_id.values() {
            let mut captures = vec![*last];
            while let Some(earlier) = captures.last().and_then(|seq| self.chosen.get(seq)?.earlier)
            {
                captures.push(earlier);
            }
            if captures.len() == 1 {
                continue;
            }
            let taken: Vec<_> = captures.iter().filter_map(|seq| self.chosen.remove(seq)).collect();
            let outcome = taken.iter().find_map(|one| one.outcome);
            let is_sound = |(_, one): &(&Seq, &Chosen)| reader.read_sound(one.capture).is_ok();
            let mut sound = captures.iter().zip(&taken).rev().filter(is_sound);
            if let Some((seq, one)) = sound.next().or_else(|| captures.iter().zip(&taken).next()) {
                self.chosen.insert(*seq, Chosen { outcome, ..*one });
            }
        }
    }

    /// Those that a search knows, and the archive does not show any more.
    fn lost(&self, hits: &[(Seq, QueueId)]) -> Vec<Missing> {
        let lost = hits.iter().filter(|(_, id)| !self.by_id.contains_key(&id.to_key()));
        let missing = |(seq, id): &(Seq, QueueId)| {
            let why = format!("{id}: its record is damaged or missing");
            Missing { seq: *seq, why }
        };
        lost.map(missing).collect()
    }
}

/// Finds mails by their ids; without ids, all. Reads the heads of all records.
fn choose(places: &Places, ids: Option<&HashSet<QueueId>>) -> io::Result<Found> {
    let ids: Option<HashSet<[u8; 12]>> = ids.map(|ids| ids.iter().map(|id| id.to_key()).collect());
    let (mut found, mut next) = (Found::default(), 1);
    let (mut progress, sizes) = (Progress::begin(), sizes(places)?);
    let all = sizes.values().sum();
    let (mut segment, mut before) = (0, 0);
    for record in Records::all(places)? {
        let (head, place) = record?;
        if place.segment != segment {
            segment = place.segment;
            before = sizes.range(..segment).map(|(_, size)| size).sum();
        }
        progress.show((before + place.at, all), || megabytes(all));
        if head.seq > next {
            found.gaps.push(gap(next, head.seq - 1));
        }
        next = next.max(head.seq + 1);
        if ids.as_ref().is_some_and(|ids| !ids.contains(&head.id)) {
            continue;
        }
        match head.kind {
            Kind::Capture => {
                let earlier = found.by_id.insert(head.id, head.seq);
                found.chosen.insert(head.seq, Chosen { capture: place, outcome: None, earlier });
            }
            Kind::Outcome => {
                let capture = found.by_id.get(&head.id);
                if let Some(chosen) = capture.and_then(|seq| found.chosen.get_mut(seq)) {
                    chosen.outcome = Some(place);
                }
            }
            Kind::Erased | Kind::Hold | Kind::Lifted | Kind::Access => {}
        }
    }
    Ok(found)
}

/// The bytes of segments, by their numbers.
fn sizes(places: &Places) -> io::Result<BTreeMap<u64, u64>> {
    let size = |segment| Ok((segment, fs::metadata(places.segment(segment))?.len()));
    places.numbers()?.into_iter().map(size).collect()
}

fn gap(first: Seq, last: Seq) -> Missing {
    let why = if first == last {
        "it is damaged or missing; it may be a mail".to_owned()
    } else {
        format!("records {first} to {last} are damaged or missing; mails may be among them")
    };
    Missing { seq: first, why }
}

fn to_standard_output(reader: &Reader, choice: &Choice) -> anyhow::Result<ExitCode> {
    let mut chosen = choice.values();
    let (Some(Chosen { capture, .. }), None) = (chosen.next(), chosen.next()) else {
        bail!("one mail goes to standard output; for more, say --as and --to");
    };
    let mut record = reader.read_sound(*capture)?;
    record.payload.summary()?;
    let mut out = io::stdout().lock();
    io::copy(&mut record.payload.by_ref(), &mut out)?;
    out.flush()?;
    Ok(ExitCode::Done)
}

/// Takes out mails. One that cannot be read stands in the manifest, and on standard error, and so do those that
/// are lost. Says also how many of them were erased.
fn take_out(
    mut exporter: Exporter,
    reader: &Reader,
    choice: &Choice,
    lost: Vec<Missing>,
) -> anyhow::Result<(Taken, u64)> {
    let mut proofs = Proofs::new(reader.places().clone());
    let mut progress = Progress::begin();
    let (all, mut erased) = (choice.len() as u64, 0);
    for (done, (seq, chosen)) in (0..).zip(choice) {
        progress.show((done, all), || counted(all, "mail"));
        match add(&mut exporter, reader, &mut proofs, *chosen) {
            Ok(()) => {}
            Err(NotAdded::Unreadable(why)) if is_erased(&why) => {
                erased += 1;
                exporter.miss(Missing { seq: *seq, why: "it was erased".to_owned() });
            }
            Err(NotAdded::Unreadable(why)) => {
                progress.clear();
                eprintln!("record {seq}: {why}");
                exporter.miss(Missing { seq: *seq, why: why.to_string() });
            }
            Err(NotAdded::Failed(error)) => return Err(error.into()),
        }
    }
    progress.clear();
    for missing in lost {
        eprintln!("record {}: {}", missing.seq, missing.why);
        exporter.miss(missing);
    }
    Ok((exporter.finish()?, erased))
}

fn is_erased(why: &anyhow::Error) -> bool {
    matches!(why.downcast_ref(), Some(ReadError::Erased { .. }))
}

/// A mail was not taken out.
enum NotAdded {
    /// It cannot be read. Others may.
    Unreadable(anyhow::Error),
    /// Nothing can be taken out any more.
    Failed(ExportError),
}

fn add(
    exporter: &mut Exporter,
    reader: &Reader,
    proofs: &mut Proofs,
    Chosen { capture: place, outcome, earlier: _ }: Chosen,
) -> Result<(), NotAdded> {
    let unreadable = |why: ReadError| NotAdded::Unreadable(why.into());
    let mut record = reader.read_sound(place).map_err(unreadable)?;
    let outcome = match outcome {
        Some(place) => Some(read_outcome(reader, place).map_err(NotAdded::Unreadable)?),
        None => None,
    };
    let summary = record.payload.summary().map_err(|why| unreadable(why.into()))?;
    let capture: Capture =
        entry::decode(&summary).map_err(|why| NotAdded::Unreadable(why.into()))?;
    let proof = proofs.of(&record.head, place.segment);
    let proof = proof.map_err(|why| NotAdded::Unreadable(why.into()))?;
    let mail = Mail { head: &record.head, capture: &capture, outcome: outcome.as_ref() };
    exporter.add(mail, proof, &mut record.payload).map_err(NotAdded::Failed)
}

fn read_outcome(reader: &Reader, place: Place) -> anyhow::Result<Outcome> {
    Ok(entry::decode(&reader.read_sound(place)?.payload.summary()?)?)
}

fn summary(Taken { mails, bytes, proven, missing }: &Taken, erased: u64) -> String {
    let mut text = format!("{}, {}", counted(*mails, "mail"), megabytes(*bytes));
    for (number, one, many) in [
        (erased, "was erased", "were erased"),
        (missing - erased, "could NOT be read", "could NOT be read"),
        (mails - proven, "has no proof yet", "have no proof yet"),
    ] {
        if number > 0 {
            text += &format!("; {}, as the manifest says", agreeing(number, one, many));
        }
    }
    text
}

impl FormWord {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Eml => "eml",
            Self::Mbox => "mbox",
            Self::Zip => "zip",
        }
    }
}

impl From<FormWord> for Form {
    fn from(word: FormWord) -> Self {
        match word {
            FormWord::Eml => Self::Eml,
            FormWord::Mbox => Self::Mbox,
            FormWord::Zip => Self::Zip,
        }
    }
}
