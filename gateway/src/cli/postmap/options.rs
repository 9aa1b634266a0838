//! The words behind `postmap`, read as postmap(1) reads them: options in front, letters together.

use std::{ffi::OsString, os::unix::ffi::OsStrExt as _};

use super::Fatal;

/// What is to be done, and with which tables.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) task: Task,
    /// As they are written; `hash:` stands in front where there was no type.
    pub(super) tables: Vec<String>,
    /// Whether capital letters are small ones too.
    pub(super) folds: bool,
    /// Whether keys that are not UTF-8 are refused.
    pub(super) needs_utf8: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// `-q KEY`.
    Key(Vec<u8>),
    /// `-q -`.
    Keys,
    /// `-hmq -` and its like.
    Message(Parts),
    /// `-s`.
    Sequence,
    /// Everything that would make or change this database.
    Write(String),
}

/// Which parts of a mail are keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) headers: bool,
    pub(super) body: bool,
    /// Whether headers of MIME parts are headers.
    pub(super) mime: bool,
}

/// The options as far as they were read.
#[derive(Default)]
struct Read {
    parts: Parts,
    query: Option<Vec<u8>>,
    delete: bool,
    sequence: bool,
    unfolded: bool,
    utf8: Utf8,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Utf8 {
    /// Asked of keys, not of mails.
    #[default]
    Usual,
    Always,
    Never,
}

impl Options {
    pub(super) fn read(words: &[OsString]) -> Result<Self, Fatal> {
        let mut read = Read::default();
        let mut words = words.iter().map(|word| word.as_bytes()).peekable();
        while let Some(letters) = words.next_if(|word| word.len() > 1 && word[0] == b'-') {
            if letters == b"--" {
                break;
            }
            let mut letters = letters[1..].iter();
            while let Some(&letter) = letters.next() {
                if !TAKE_ARGUMENT.contains(&letter) {
                    read.letter(letter)?;
                    continue;
                }
                let rest = letters.as_slice();
                let argument = if rest.is_empty() { words.next() } else { Some(rest) };
                read.argument(letter, argument)?;
                break;
            }
        }
        let tables = words.map(|table| with_type(&String::from_utf8_lossy(table))).collect();
        read.finish(tables)
    }
}

impl Read {
    fn letter(&mut self, letter: u8) -> Result<(), Fatal> {
        match letter {
            b'b' => self.parts.body = true,
            b'h' => self.parts.headers = true,
            b'm' => self.parts.mime = true,
            b'f' => self.unfolded = true,
            b'u' => self.utf8 = Utf8::Never,
            b'U' => self.utf8 = Utf8::Always,
            b's' if self.query.is_some() || self.delete => return Err(only_one("-s or -q or -d")),
            b's' => self.sequence = true,
            b'F' => {
                return Err(said("-F is not supported: the values of tables are not files here"));
            }
            // About making databases, and how much is said.
            b'i' | b'n' | b'N' | b'o' | b'p' | b'r' | b'v' | b'w' => {}
            _ => {
                eprintln!("postmap: invalid option -- '{}'", char::from(letter));
                return Err(said(USAGE));
            }
        }
        Ok(())
    }

    fn argument(&mut self, letter: u8, argument: Option<&[u8]>) -> Result<(), Fatal> {
        let Some(argument) = argument else {
            eprintln!("postmap: option requires an argument -- '{}'", char::from(letter));
            return Err(said(USAGE));
        };
        // The directory of Postfix's configuration (-c) has nothing for us.
        if letter == b'c' {
            return Ok(());
        }
        if self.sequence || self.query.is_some() || self.delete {
            return Err(only_one("-s -q or -d"));
        }
        match letter {
            b'q' => self.query = Some(argument.to_owned()),
            _ => self.delete = true,
        }
        Ok(())
    }

    fn finish(self, tables: Vec<String>) -> Result<Options, Fatal> {
        let Self { mut parts, query, sequence, unfolded, utf8, .. } = self;
        let from_input = query.as_deref() == Some(b"-");
        if parts != Parts::default() && !from_input {
            return Err(said("specify -b -h or -m only with \"-q -\""));
        }
        if parts == (Parts { mime: true, ..Parts::default() }) {
            eprintln!("postmap: warning: ignoring -m option without -b or -h");
            parts.mime = false;
        }
        let is_message = parts != Parts::default();
        let task = match query {
            None if sequence => Task::Sequence,
            None => Task::Write(tables.first().cloned().ok_or_else(|| said(USAGE))?),
            Some(_) if tables.is_empty() => return Err(said(USAGE)),
            Some(_) if is_message => Task::Message(parts),
            Some(_) if from_input => Task::Keys,
            Some(key) => Task::Key(key),
        };
        let needs_utf8 = match utf8 {
            Utf8::Usual => !is_message,
            Utf8::Always => true,
            Utf8::Never => false,
        };
        Ok(Options { task, tables, folds: !unfolded, needs_utf8 })
    }
}

/// Debian's `default_database_type`.
fn with_type(table: &str) -> String {
    if table.contains(':') { table.to_owned() } else { format!("hash:{table}") }
}

fn only_one(of: &str) -> Fatal {
    Fatal::Said(format!("specify only one of {of}"))
}

fn said(text: &str) -> Fatal {
    Fatal::Said(text.to_owned())
}

const TAKE_ARGUMENT: &[u8] = b"cdq";

const USAGE: &str = "usage: postmap [-bfFhimnNoprsuUvw] [-c config_dir] [-d key] [-q key] \
                     [map_type:]file...";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Options, String> {
        let words: Vec<_> = words.split(' ').map(OsString::from).collect();
        Options::read(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn letters_stand_together_or_apart_and_in_front() {
        for words in ["-hmq - t", "-h -m -q - t", "-hm -q- t", "-c /etc/postfix -hmq - t"] {
            let options = read(words).unwrap();
            let parts = Parts { headers: true, body: false, mime: true };
            assert_eq!(options.task, Task::Message(parts), "{words}");
            assert_eq!(options.tables, ["hash:t"], "{words}");
        }
        let options = read("-fvq a -- pcre:x -h").unwrap();
        assert_eq!((options.task, options.folds), (Task::Key(b"a".to_vec()), false));
        assert_eq!(options.tables, ["pcre:x", "hash:-h"]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (words, said) in [
            ("-s -q a t", "specify only one of -s -q or -d"),
            ("-q a -s t", "specify only one of -s or -q or -d"),
            ("-q a -d b t", "specify only one of -s -q or -d"),
            ("-hq a t", "specify -b -h or -m only with \"-q -\""),
            ("-q a", USAGE),
            ("-Z", USAGE),
            ("-c", USAGE),
        ] {
            assert_eq!(read(words).unwrap_err(), said, "{words}");
        }
        assert_eq!(read("-i t").unwrap().task, Task::Write("hash:t".into()));
        assert_eq!(read("-d a t").unwrap().task, Task::Write("hash:t".into()));
    }
}
