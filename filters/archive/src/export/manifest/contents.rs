//! Whether files have the contents that a manifest names.
//!
//! Of a mailbox, what was done to each mail is undone: CRLF stands behind every line again, and one `>` less
//! before `From `. Anything that export does not write is a difference, so that no byte of a file goes without
//! being compared, but what stands behind `From ` in the line before each mail.

use std::{
    fmt,
    io::{self, BufRead, Read, Write},
};

use crate::{
    frame::Seq,
    hash::{Hash, Hasher},
};

/// What a manifest says of the content of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// The number of its record.
    pub seq: Seq,
    /// The first byte of the line before it, if its file has many.
    pub byte: Option<u64>,
    /// Its bytes.
    pub size: u64,
    /// Its hash.
    pub sha256: Hash,
}

/// How a content differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlike {
    /// It is another one.
    Other,
    /// It is another one, or had line ends that a mailbox does not keep.
    LineEnds,
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Other => "NOT WHAT the manifest names",
            Self::LineEnds => {
                "NOT WHAT the manifest names, or it had lone LFs, which no mailbox keeps"
            }
        })
    }
}

/// Compares a file with what a manifest says of it, `named`, in the order of their bytes. Gives those that differ.
///
/// # Errors
/// The file cannot be read.
pub fn compare(file: impl BufRead, named: &[Content]) -> io::Result<Vec<(Seq, Unlike)>> {
    match named.first() {
        Some(Content { byte: Some(_), .. }) => compare_mailbox(file, named),
        _ => compare_whole(file, named),
    }
}

fn compare_whole(mut file: impl BufRead, named: &[Content]) -> io::Result<Vec<(Seq, Unlike)>> {
    let mut hashed = Hashed::default();
    io::copy(&mut file, &mut hashed)?;
    let (size, hash) = (hashed.size, hashed.hasher.finish());
    let is_other = |one: &&Content| (one.byte, one.size, one.sha256) != (None, size, hash);
    Ok(named.iter().filter(is_other).map(|one| (one.seq, Unlike::Other)).collect())
}

/// Each mail goes up to the next one, and the last to the end.
fn compare_mailbox(mut file: impl BufRead, named: &[Content]) -> io::Result<Vec<(Seq, Unlike)>> {
    let mut unlike = Vec::new();
    let mut at = 0;
    let ends = named.iter().skip(1).map(|next| next.byte.unwrap_or(u64::MAX)).chain([u64::MAX]);
    for (one, end) in named.iter().zip(ends) {
        let bytes = end.saturating_sub(at);
        let compared = Unquoted::read(file.by_ref().take(bytes))?.compare(one);
        // Nothing stands before the first.
        let compared = if one.byte == Some(at) { compared } else { Err(Unlike::Other) };
        unlike.extend(compared.err().map(|how| (one.seq, how)));
        at = end;
    }
    Ok(unlike)
}

/// What was written into it.
#[derive(Default)]
struct Hashed {
    hasher: Hasher,
    size: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A mail as it was before it came into a mailbox.
struct Unquoted {
    content: Hashed,
    buffer: Vec<u8>,
    /// Bytes of `From ` at the beginning of the line that are held back; `None`: it does not begin so.
    matched: Option<usize>,
    /// A `>` is held back, which goes if it is before `From `.
    is_marked: bool,
    /// Line ends that are held back: the last ones may not be of the mail.
    ends: usize,
    last: u8,
    lines: u64,
    /// There is what export does not write.
    is_foreign: bool,
}

impl Unquoted {
    fn read(mut part: impl BufRead) -> io::Result<Self> {
        let mut begin = Vec::new();
        part.by_ref().take(FROM.len() as u64).read_to_end(&mut begin)?;
        part.skip_until(b'\n')?;
        let mut unquoted = Self {
            content: Hashed::default(),
            buffer: Vec::new(),
            matched: Some(0),
            is_marked: false,
            ends: 0,
            last: b'\n',
            lines: 0,
            is_foreign: begin != FROM,
        };
        io::copy(&mut part, &mut unquoted)?;
        Ok(unquoted)
    }

    fn compare(mut self, named: &Content) -> Result<(), Unlike> {
        self.buffer.clear();
        self.is_text();
        let size = self.content.size + self.buffer.len() as u64;
        let end = match self.ends {
            1 if size == 0 => b"",
            // The mail did not end with a line end, and was given one.
            2 if self.last != b'\n' && size == named.size => b"",
            2 => CRLF,
            _ => return Err(Unlike::Other),
        };
        self.buffer.extend_from_slice(end);
        self.content.hasher.update(&self.buffer);
        // Of lone LFs the mailbox has CRs too many.
        let more = (size + CRLF.len() as u64).saturating_sub(named.size);
        let size = size + end.len() as u64;
        match self.content.hasher.finish() == named.sha256 {
            true if size == named.size && !self.is_foreign => Ok(()),
            false if (1..=self.lines).contains(&more) => Err(Unlike::LineEnds),
            _ => Err(Unlike::Other),
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.matched {
            Some(0) if byte == b'>' => {
                if std::mem::replace(&mut self.is_marked, true) {
                    self.put(b">");
                }
                return;
            }
            Some(matched) if Some(&byte) == FROM.get(matched) => {
                self.matched = Some(matched + 1);
                if matched + 1 == FROM.len() {
                    self.is_foreign |= !std::mem::take(&mut self.is_marked);
                    self.is_text();
                }
                return;
            }
            _ => self.is_text(),
        }
        match byte {
            b'\n' => self.line_end(),
            byte => self.put(&[byte]),
        }
    }

    fn is_text(&mut self) {
        let matched = self.matched.take().unwrap_or(0);
        if std::mem::take(&mut self.is_marked) {
            self.put(b">");
        }
        self.put(&FROM[..matched]);
    }

    fn line_end(&mut self) {
        self.matched = Some(0);
        self.lines += 1;
        if self.ends < 2 {
            self.ends += 1;
        } else {
            self.buffer.extend_from_slice(CRLF);
            self.last = b'\n';
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let Some(last) = bytes.last() else { return };
        for _ in 0..std::mem::take(&mut self.ends) {
            self.buffer.extend_from_slice(CRLF);
        }
        self.buffer.extend_from_slice(bytes);
        self.last = *last;
    }
}

impl Write for Unquoted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.clear();
        bytes.iter().for_each(|byte| self.byte(*byte));
        self.content.write_all(&self.buffer)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const FROM: &[u8] = b"From ";

const CRLF: &[u8] = b"\r\n";
