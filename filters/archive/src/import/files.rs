//! Which files hold mail, and in which form.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    Found, FromLine, Spot, Stretch, Unread, Why,
    mbox::{Mbox, Part},
};
use crate::header::Header;

/// The form in which mails are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As each file or directory looks: a Maildir has `cur` and `new`; of other directories, what ends with
    /// `.eml`, `.mbox` or `.mbx` is read, and the directories in them; an mbox begins with `From `.
    #[default]
    AsItLooks,
    /// As it looks, and of directories all files, whatever their names are.
    EachFile,
    /// A file is a mail. Of directories, those that end with `.eml`.
    Eml,
    /// A file has many mails. Of directories, those that begin with `From `.
    Mbox,
    /// A directory with `cur` and `new`, and folders in it that are such directories again (Maildir++). What is
    /// in `tmp` was never delivered.
    Maildir,
}

/// Goes through mails, in the order of the names of files.
pub struct Mails {
    form: Form,
    /// What is still to be read, the next one last.
    open: Vec<Open>,
    reading: Option<(PathBuf, Mbox<File>)>,
    /// What has come of the last file.
    ready: VecDeque<Result<Found, Unread>>,
    progress: Progress,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of files that were read.
    pub done: u64,
    /// Bytes of all files.
    pub all: u64,
}

/// A file or directory that is still to be read.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    depth: u32,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Somebody named it.
    Named,
    /// It was found in a directory.
    Found,
    /// It is a mail of a Maildir, or its `cur` and `new`.
    OfMaildir,
}

/// What a path is.
enum Thing {
    Mail(u64),
    Mailbox(u64),
    Directory(Vec<Open>),
    /// Nothing that was asked for.
    Other,
}

impl Mails {
    /// Goes through these files and directories. Looks at the sizes of all of them first.
    #[must_use]
    pub fn of(paths: &[PathBuf], form: Form) -> Self {
        let named = |path: &PathBuf| Open { path: path.clone(), depth: 0, what: What::Named };
        let open: Vec<Open> = paths.iter().rev().map(named).collect();
        let progress = Progress { done: 0, all: size(form, paths.iter().map(named).collect()) };
        Self { form, open, reading: None, ready: VecDeque::new(), progress }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let within = self.reading.as_ref().map_or(0, |(_, mbox)| mbox.position());
        let Progress { done, all } = self.progress;
        Progress { done: done + within, all: all.max(done + within) }
    }

    fn next_mail(&mut self) -> Option<Result<Found, Unread>> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Some(next);
            }
            if let Some((path, mut mbox)) = self.reading.take() {
                match mbox.next_part() {
                    Ok(Some(part)) => {
                        let next = of_part(&path, part);
                        self.reading = Some((path, mbox));
                        return Some(next);
                    }
                    Ok(None) => self.progress.done += mbox.position(),
                    // Where the disk has failed once, it is not asked for the rest of this file.
                    Err(error) => {
                        let at = Some(mbox.position());
                        return Some(Err(Unread {
                            spot: Spot { file: path, at },
                            why: error.into(),
                        }));
                    }
                }
                continue;
            }
            let next = self.open.pop()?;
            if let Err(why) = self.read(&next) {
                return Some(Err(Unread { spot: Spot { file: next.path, at: None }, why }));
            }
        }
    }

    fn read(&mut self, next: &Open) -> Result<(), Why> {
        match look(self.form, next)? {
            Thing::Mail(bytes) => {
                self.progress.done += bytes;
                self.ready.push_back(mail(&next.path, bytes));
            }
            Thing::Mailbox(_) => {
                let mbox = Mbox::new(File::open(&next.path)?)?;
                self.reading = Some((next.path.clone(), mbox));
            }
            Thing::Directory(mut within) => {
                within.reverse();
                self.open.append(&mut within);
            }
            Thing::Other => {}
        }
        Ok(())
    }
}

impl Iterator for Mails {
    type Item = Result<Found, Unread>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_mail()
    }
}

/// Bytes of all files that will be read. What cannot be looked at is told of later.
fn size(form: Form, mut open: Vec<Open>) -> u64 {
    let mut all = 0;
    while let Some(next) = open.pop() {
        match look(form, &next) {
            Ok(Thing::Mail(bytes) | Thing::Mailbox(bytes)) => all += bytes,
            Ok(Thing::Directory(mut within)) => open.append(&mut within),
            Ok(Thing::Other) | Err(_) => {}
        }
    }
    all
}

fn look(form: Form, open: &Open) -> Result<Thing, Why> {
    let Open { path, depth, what } = open;
    // What somebody names may be a link; what is found may not: it could lead anywhere, and in circles.
    let data = match what {
        What::Named => fs::metadata(path)?,
        What::Found | What::OfMaildir => fs::symlink_metadata(path)?,
    };
    if data.is_dir() {
        return directory(form, path, *depth, *what).map(Thing::Directory);
    }
    if !data.is_file() {
        let is_named = *what == What::Named;
        return if is_named { Err(Why::NoFile) } else { Ok(Thing::Other) };
    }
    let (mail, mailbox) = (Ok(Thing::Mail(data.len())), Ok(Thing::Mailbox(data.len())));
    match (form, what) {
        (_, What::OfMaildir) | (Form::Eml, What::Named) => mail,
        (Form::Mbox, What::Named) => mailbox,
        (Form::Maildir, _) => Ok(Thing::Other),
        (Form::Eml, What::Found) => {
            if ends(path, &["eml"]) {
                mail
            } else {
                Ok(Thing::Other)
            }
        }
        (Form::Mbox, What::Found) => {
            if is_mbox(path)? {
                mailbox
            } else {
                Ok(Thing::Other)
            }
        }
        (Form::AsItLooks, What::Found) if !ends(path, &["eml", "mbox", "mbx"]) => Ok(Thing::Other),
        (Form::AsItLooks | Form::EachFile, What::Named | What::Found) => {
            if is_mbox(path)? || ends(path, &["mbox", "mbx"]) { mailbox } else { mail }
        }
    }
}

/// What of a directory is to be read, in the order of names.
fn directory(form: Form, path: &Path, depth: u32, what: What) -> Result<Vec<Open>, Why> {
    if depth >= DEEPEST {
        return Err(Why::TooDeep);
    }
    let depth = depth + 1;
    let maildir = CURRENT_AND_NEW.map(|name| path.join(name));
    let is_maildir = what != What::OfMaildir && maildir.iter().all(|part| part.is_dir());
    if is_maildir && matches!(form, Form::AsItLooks | Form::EachFile | Form::Maildir) {
        let parts = maildir.map(|path| Open { path, depth, what: What::OfMaildir });
        let folders = names(path)?.into_iter().filter(is_folder);
        let folders = folders.map(|name| Open { path: path.join(name), depth, what: What::Found });
        return Ok(parts.into_iter().chain(folders.filter(|open| open.path.is_dir())).collect());
    }
    // Below `cur` and `new` are mails and nothing else.
    let is_hidden = |name: &OsString| name.as_encoded_bytes().starts_with(b".");
    let names = names(path)?.into_iter().filter(|name| !is_hidden(name));
    let within = names.map(|name| Open {
        path: path.join(name),
        depth,
        what: match what {
            What::OfMaildir => What::OfMaildir,
            What::Named | What::Found => What::Found,
        },
    });
    Ok(within.collect())
}

/// Whether this name within a Maildir can be another one.
fn is_folder(name: &OsString) -> bool {
    !["cur", "new", "tmp"].iter().any(|own| name == *own)
}

fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(directory)?;
    let mut names: Vec<OsString> =
        entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
    names.sort_unstable();
    Ok(names)
}

fn ends(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("");
    endings.iter().any(|wanted| wanted.eq_ignore_ascii_case(ending))
}

fn is_mbox(path: &Path) -> io::Result<bool> {
    let mut begin = [0; 5];
    let mut file = File::open(path)?;
    match file.read_exact(&mut begin) {
        Ok(()) => Ok(&begin == b"From "),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// A file that is a mail.
fn mail(path: &Path, bytes: u64) -> Result<Found, Unread> {
    let spot = Spot { file: path.to_owned(), at: None };
    let unread = |why| Unread { spot: spot.clone(), why };
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LOOK).read_to_end(&mut begin));
    read.map_err(|error| unread(error.into()))?;
    if begin.is_empty() {
        return Err(unread(Why::Empty));
    }
    if COMPRESSED.iter().any(|magic| begin.starts_with(magic)) {
        return Err(unread(Why::Compressed));
    }
    if Header::read(&begin).is_empty() {
        return Err(unread(Why::NoHeader));
    }
    let content = Stretch { file: path.to_owned(), at: 0, bytes, unquotes: false };
    Ok(Found { spot, hint: FromLine::default(), content })
}

/// A part of a mailbox.
fn of_part(path: &Path, part: Part) -> Result<Found, Unread> {
    let spot = |at| Spot { file: path.to_owned(), at: Some(at) };
    match part {
        Part::Other { at, bytes: _, why } => Err(Unread { spot: spot(at), why: why.into() }),
        Part::Mail(mail) => Ok(Found {
            spot: spot(mail.line),
            hint: mail.from,
            content: Stretch {
                file: path.to_owned(),
                at: mail.at,
                bytes: mail.bytes,
                unquotes: mail.unquotes,
            },
        }),
    }
}

const CURRENT_AND_NEW: [&str; 2] = ["cur", "new"];

/// Directories within each other.
const DEEPEST: u32 = 32;

/// As much of a file as must have a header field.
const LOOK: u64 = 64 * 1024;

/// gzip, Zstandard, bzip2, xz: what Dovecot writes.
const COMPRESSED: [&[u8]; 4] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ\0"];
