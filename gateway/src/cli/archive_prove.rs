//! `mailweir archive prove`: whether mails that were taken out of an archive were in it.
//!
//! It needs the manifest of the export and a list of roots that was kept elsewhere, and no archive.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use mailweir_archive::{
    export::manifest::{self, Checked},
    hash::{Hash, Hasher},
};
use mailweir_mail::compose::one_line;

use super::{ExitCode, archive::read_roots};

#[derive(Args, Debug)]
pub(super) struct ProveOptions {
    /// The manifest of an export; files that it names are compared, if they are beside it
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
    let Checked { proven, unproven, wrong, missing, .. } = &checked;
    for (seq, why) in wrong {
        writeln!(out, "record {seq}: NOT PROVEN: {why}")?;
    }
    for (seq, why) in unproven {
        writeln!(out, "record {seq}: it has no proof: {}", one_line(why, MOST))?;
    }
    for missing in missing {
        writeln!(
            out,
            "record {}: it was not taken out: {}",
            missing.seq,
            one_line(&missing.why, MOST)
        )?;
    }
    let others = wrong.len() + unproven.len();
    writeln!(out, "{} mails were in the archive, {others} are not proven", proven.len())?;
    writeln!(out, "{} files have the contents that the manifest names", compared.same)?;
    let is_sound = others == 0 && compared.others == 0;
    Ok(if is_sound { ExitCode::Done } else { ExitCode::Refused })
}

#[derive(Default)]
struct Compared {
    same: u64,
    others: u64,
}

/// Compares the files that are beside the manifest.
fn compare(checked: &Checked, manifest: &Path, out: &mut impl io::Write) -> io::Result<Compared> {
    let mut compared = Compared::default();
    for (name, hash) in &checked.files {
        // A manifest may come from anybody, and names no file elsewhere.
        let is_plain = Path::new(name).file_name() == Some(OsStr::new(name));
        let path = manifest.with_file_name(name);
        if !is_plain || !path.is_file() {
            continue;
        }
        if hash_of(&path)? == *hash {
            compared.same += 1;
        } else {
            compared.others += 1;
            writeln!(out, "{}: NOT WHAT the manifest names", one_line(name, MOST))?;
        }
    }
    Ok(compared)
}

fn hash_of(path: &Path) -> io::Result<Hash> {
    struct Hashing(Hasher);
    impl io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut into = Hashing(Hasher::new());
    io::copy(&mut File::open(path)?, &mut into)?;
    Ok(into.0.finish())
}

/// Characters of what a manifest says.
const MOST: usize = 200;
