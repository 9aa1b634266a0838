//! `mailweir archive verify`: whether the archive is what was written.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use mailweir_archive::{
    Places,
    roots::{self, Root},
    verify::{Keys, Known, Report, verify},
};

use super::{
    super::{
        ExitCode,
        progress::{Progress, megabytes},
    },
    PlaceOptions,
};
use crate::count::{agreeing, counted};

#[derive(Args, Debug)]
pub(super) struct VerifyOptions {
    #[command(flatten)]
    place: PlaceOptions,
    /// A list of roots that was kept elsewhere; may be given several times
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Says nothing of keys: this is a copy that was made without them
    #[arg(long, conflicts_with = "key_file")]
    without_keys: bool,
}

pub(super) fn run(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    let reader = match options.place.reader()? {
        Ok(reader) => reader,
        Err(code) => return Ok(code),
    };
    let places = reader.places();
    let mut kept = Vec::new();
    for list in &options.roots {
        kept.extend(read_roots(list)?);
    }
    let keys = match reader.keys() {
        _ if options.without_keys => Keys::NotAsked,
        Some(keys) => Keys::Fit(keys),
        None => Keys::There,
    };
    let known = Known { roots: &kept, keys, ..Known::default() };
    let mut progress = Progress::begin();
    let mut show = |done, all| progress.show((done, all), || megabytes(all));
    let report = verify(places, known, &mut show);
    progress.clear();
    let report = report.context("the archive cannot be read")?;
    print_report(&report, places)?;
    Ok(if report.is_sound() { ExitCode::Done } else { ExitCode::Refused })
}

pub(super) fn read_roots(list: &Path) -> anyhow::Result<Vec<Root>> {
    let name = || list.display().to_string();
    fs::metadata(list).with_context(name)?;
    let lines = roots::read(list).with_context(name)?;
    lines.into_iter().map(|line| line.with_context(name)).collect()
}

fn print_report(report: &Report, places: &Places) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for finding in &report.findings {
        match (finding.segment, finding.at) {
            (0, _) => writeln!(out, "{}: {}", places.roots().display(), finding.what)?,
            (segment, None) => {
                writeln!(out, "{}: {}", places.segment(segment).display(), finding.what)?;
            }
            (segment, Some(at)) => {
                writeln!(out, "{} byte {at}: {}", places.segment(segment).display(), finding.what)?;
            }
        }
    }
    let Report { segments, records, erased, bytes, torn, .. } = report;
    let erased = agreeing(*erased, "was erased and says so", "were erased and say so");
    let (records, segments) = (counted(*records, "record"), counted(*segments, "segment"));
    writeln!(out, "{records} in {segments}, {}; {erased}", megabytes(*bytes))?;
    if *torn > 0 {
        writeln!(out, "the last {torn} bytes are being written, or never were to their end")?;
    }
    match report.findings.len() {
        0 => writeln!(out, "sound: everything is what was written"),
        many => writeln!(out, "NOT SOUND: {}", counted(many, "finding")),
    }
}
