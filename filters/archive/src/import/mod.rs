//! Mails out of files: single ones (EML), mailboxes (mbox), Maildirs, and directories of these.
//!
//! What is found is a place, not bytes: a mailbox of 50 GB is gone through with little memory. The
//! content of a mail is what its file has, with CRLF behind every line and without the marks of mailboxes
//! ([`Wire`]). What cannot be read is named with file and byte, and passed over.
//!
//! A file says less of a mail than a session does. [`envelope`] has what is assumed in its place; a [`journal`]
//! report has the true envelope.

pub mod envelope;
mod files;
mod from_line;
pub mod journal;
pub mod mbox;
mod wire;

pub use files::{Form, Mails, Progress};
pub use from_line::FromLine;
pub use wire::Wire;

use std::{
    fmt,
    fs::File,
    io::{self, Read, Seek, SeekFrom, Take},
    path::PathBuf,
};

/// A mail that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it was found.
    pub spot: Spot,
    /// What the mailbox says of it, outside of the mail.
    pub hint: FromLine,
    /// The mail.
    pub content: Stretch,
}

/// A place in a file, for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The file, or a directory.
    pub file: PathBuf,
    /// The byte; absent: all of it is meant.
    pub at: Option<u64>,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{}, byte {at}", self.file.display()),
            None => write!(f, "{}", self.file.display()),
        }
    }
}

/// A part of a file that is the content of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    file: PathBuf,
    at: u64,
    bytes: u64,
    unquotes: bool,
}

impl Stretch {
    /// Reads the content.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(&self) -> io::Result<Wire<Take<File>>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.at))?;
        Ok(Wire::new(file.take(self.bytes), self.unquotes))
    }

    /// The whole content, if it is no more than `most` bytes; `None`: it is more.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn content(&self, most: u64) -> io::Result<Option<Vec<u8>>> {
        let mut content = Vec::new();
        self.open()?.take(most.saturating_add(1)).read_to_end(&mut content)?;
        Ok((content.len() as u64 <= most).then_some(content))
    }
}

/// Something that cannot be read, or is no mail. The others are.
#[derive(Debug, thiserror::Error)]
#[error("{spot}: {why}")]
pub struct Unread {
    /// Where.
    pub spot: Spot,
    /// Why.
    pub why: Why,
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// The disk failed, or nobody gave the right.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A part of a mailbox is no mail.
    #[error(transparent)]
    NoMail(#[from] mbox::NoMail),
    /// Nothing is in the file.
    #[error("the file is empty")]
    Empty,
    /// No line of its beginning is a header field.
    #[error("it is no mail: it has no header")]
    NoHeader,
    /// It is compressed, as some servers store mail.
    #[error("it is compressed; unpack it first")]
    Compressed,
    /// Neither file nor directory.
    #[error("it is neither file nor directory")]
    NoFile,
    /// Directories are too deep within each other.
    #[error("its directories are too deep")]
    TooDeep,
}

#[cfg(test)]
mod tests;
