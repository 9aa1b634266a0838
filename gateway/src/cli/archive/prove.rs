//! `mailweir archive prove`: whether the records of mails that were taken out of an archive were in it, and whether
//! files have what the manifest says.
//!
//! It needs the manifest of the export, its files beside it, a list of roots that was kept elsewhere, and no archive.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufReader, Read, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use mailweir_archive::{
    export::manifest::{self, Checked, Content, Unlike},
    frame::Seq,
};
use mailweir_mail::compose::one_line;

use super::{
    super::{
        ExitCode,
        progress::{Progress, megabytes},
    },
    verify::read_roots,
};
use crate::count::agreeing;

#[derive(Args, Debug)]
pub(super) struct ProveOptions {
    /// The manifest of an export, with the files that it names beside it
    manifest: PathBuf,
    /// A list of roots that was kept elsewhere; may be given several times
    #[arg(long, value_name = "FILE", required = true)]
    roots: Vec<PathBuf>,
}

pub(super) fn run(options: &ProveOptions) -> anyhow::Result<ExitCode> {
    let mut roots = Vec::new();
    for list in &options.roots {
        roots.extend(read_roots(list)?);
    }
    let name = || options.manifest.display().to_string();
    let file = File::open(&options.manifest).with_context(name)?;
    let checked = manifest::verify(file, &roots).with_context(name)?;
    let mut out = io::stdout().lock();
    let compared = compare(&checked, &options.manifest, &mut out)?;
    print_records(&checked, &mut out)?;
    let Compared { same, others, missing } = compared;
    let same = agreeing(same, "mail has the content", "mails have the contents");
    let not_same = agreeing(others, "does not", "do not");
    writeln!(out, "{same} that the manifest names, {not_same}")?;
    if missing > 0 {
        let missing = agreeing(missing, "file is missing, and was", "files are missing, and were");
        writeln!(out, "{missing} not compared")?;
    }
    writeln!(out, "{LIMITS}")?;
    let is_proven = checked.wrong.is_empty() && checked.unproven.is_empty();
    let is_sound = is_proven && others == 0 && missing == 0;
    Ok(if is_sound { ExitCode::Done } else { ExitCode::Refused })
}

fn print_records(checked: &Checked, out: &mut impl io::Write) -> io::Result<()> {
    let Checked { proven, unproven, wrong, missing, .. } = checked;
    for (seq, why) in wrong {
        writeln!(out, "record {seq}: NOT PROVEN: {why}")?;
    }
    for (seq, why) in unproven {
        writeln!(out, "record {seq}: it has no proof: {}", one_line(why, MOST))?;
    }
    for missing in missing {
        let why = one_line(&missing.why, MOST);
        writeln!(out, "record {}: it was not taken out: {why}", missing.seq)?;
    }
    let others = wrong.len() + unproven.len();
    let proven = agreeing(proven.len(), "record was", "records were");
    let others = agreeing(others, "is", "are");
    writeln!(out, "{proven} in the archive, {others} not proven")
}

/// What came of comparing files.
#[derive(Default)]
struct Compared {
    /// Mails that are what the manifest names.
    same: usize,
    /// Mails that are not, or cannot be read.
    others: usize,
    /// Files that are not there.
    missing: usize,
}

/// Compares the files that are beside the manifest.
fn compare(checked: &Checked, manifest: &Path, out: &mut impl io::Write) -> io::Result<Compared> {
    let mut compared = Compared::default();
    let mut watch = Watch { progress: Progress::begin(), done: 0, all: size(checked, manifest) };
    for (name, contents) in &checked.files {
        let shown = one_line(name, MOST);
        let look = look(manifest, name, contents, &mut watch);
        watch.progress.clear();
        let unlike = match look {
            Look::Compared(unlike) => {
                for (seq, how) in &unlike {
                    writeln!(out, "record {seq}, {shown}: {how}")?;
                }
                unlike.len()
            }
            Look::Missing => {
                writeln!(out, "{shown}: it is MISSING beside the manifest")?;
                compared.missing += 1;
                continue;
            }
            Look::Elsewhere => {
                writeln!(out, "{shown}: NOT OPENED: it would not be beside the manifest")?;
                contents.len()
            }
            Look::Unread(why) => {
                writeln!(out, "{shown}: it cannot be read: {why}")?;
                contents.len()
            }
        };
        compared.others += unlike;
        compared.same += contents.len() - unlike;
    }
    Ok(compared)
}

/// What is known of a file.
enum Look {
    Compared(Vec<(Seq, Unlike)>),
    Missing,
    Elsewhere,
    Unread(io::Error),
}

/// Bytes of files that are compared, of all.
struct Watch {
    progress: Progress,
    done: u64,
    all: u64,
}

/// A file that is read while somebody watches.
struct Watched<'a, R> {
    file: R,
    watch: &'a mut Watch,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        let Watch { progress, done, all } = self.watch;
        *done += read as u64;
        progress.show((*done, *all), || megabytes(*all));
        Ok(read)
    }
}

/// Bytes of all files that are there.
fn size(checked: &Checked, manifest: &Path) -> u64 {
    let plain = checked.files.keys().filter(|name| is_plain(name));
    plain.filter_map(|name| Some(manifest.with_file_name(name).metadata().ok()?.len())).sum()
}

fn look(manifest: &Path, name: &str, contents: &[Content], watch: &mut Watch) -> Look {
    if !is_plain(name) {
        return Look::Elsewhere;
    }
    let path = manifest.with_file_name(name);
    if !path.is_file() {
        return Look::Missing;
    }
    let file = File::open(&path).map(|file| BufReader::new(Watched { file, watch }));
    match file.and_then(|file| manifest::compare(file, contents)) {
        Ok(unlike) => Look::Compared(unlike),
        Err(why) => Look::Unread(why),
    }
}

/// Whether it is the name of a file, and no way to another directory. A manifest may come from anybody.
fn is_plain(name: &str) -> bool {
    Path::new(name).file_name() == Some(OsStr::new(name))
}

const LIMITS: &str = "\
proven of these records: number, queue id, when they were written, and the content of the mail
not proven, for the manifest is not signed: sender and recipients of the envelope, direction, when the mail was
accepted, and what became of it; whether they are true, the archive itself shows";

/// Characters of what a manifest says.
const MOST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_no_file_of_another_directory() {
        for name in ["1.eml", "..eml", "a b", "..\\x", "\u{e4}.mbox"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", ".", "..", "/", "../1.eml", "/etc/passwd", "a/1.eml", "1.eml/", "./1.eml"]
        {
            assert!(!is_plain(name), "{name}");
        }
    }
}
