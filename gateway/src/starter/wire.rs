//! What gateway and starter say to each other on a line: an [`Order`], an [`Answer`], then one byte each for [`WHOLE`],
//! where the mail was not whole before, and [`LAST`], and the other [`Answer`]. Orders and answers are frames: four bytes
//! of length, little-endian, and so many bytes.

use std::{io, path::PathBuf};

use rustix::io::Errno;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

/// A program to start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    /// All variables that it sees.
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) directory: PathBuf,
    /// The pipe has the whole mail; [`WHOLE`] is not said any more.
    pub(super) has_mail: bool,
}

impl Order {
    pub(crate) const fn new(
        program: String,
        arguments: Vec<String>,
        environment: Vec<(String, String)>,
        directory: PathBuf,
    ) -> Self {
        Self { program, arguments, environment, directory, has_mail: false }
    }
}

/// What the starter says of a program.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    /// It runs, and this is its number and that of its group.
    Started(i32),
    /// It does not, for this reason.
    NotStarted(String),
    /// It has ended, with this status, as wait(2) gives it.
    Ended(i32),
}

/// The gateway has written all of the mail.
pub(super) const WHOLE: u8 = b'w';

/// The gateway has read all that was printed, and wants the status and nothing else.
pub(super) const LAST: u8 = b'l';

/// An order in its frame.
///
/// # Errors
/// It is longer than what the system would take.
pub(super) fn frame(said: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; HEAD];
    rmp_serde::encode::write(&mut frame, said).map_err(io::Error::other)?;
    let length = frame.len() - HEAD;
    if length > MOST {
        return Err(Errno::TOOBIG.into());
    }
    frame[..HEAD].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(frame)
}

/// What the other side says next.
///
/// # Errors
/// It has gone, or makes no sense.
pub(super) async fn hear<S: DeserializeOwned>(
    line: &mut (impl AsyncRead + Unpin),
) -> io::Result<S> {
    let length = line.read_u32_le().await? as usize;
    if length > MOST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut said = vec![0; length];
    line.read_exact(&mut said).await?;
    rmp_serde::from_slice(&said).map_err(io::Error::other)
}

pub(super) async fn say(line: &mut UnixStream, said: &impl Serialize) -> io::Result<()> {
    line.write_all(&frame(said)?).await
}

const HEAD: usize = 4;

/// Bytes in a frame. Linux takes 6 MiB of arguments and environment at most.
const MOST: usize = 8 << 20;
