//! An archive of synthetic mail, written by the archive's own crate: no server is needed, and none may run on it.

use std::{fs, io, path::Path};

use mailweir_archive::{
    Archive, Draft, Options,
    commit::Salt,
    entry::{self, Capture, Direction, Note, Source},
    hash::Hash,
    payload::Packer,
};
use mailweir_mail::{Client, Envelope, Origin, Protocol, ReversePath, Timestamp};

use super::{BEGIN, Mail, Mails};

/// What an archive was filled with.
#[derive(Clone, Copy, Debug)]
pub struct Filled {
    /// Bytes of the mails as they are sent.
    pub raw: u64,
    /// Bytes of the segments that hold them, with everything that belongs to a record.
    pub stored: u64,
}

/// Puts the first `count` mails into a new archive in a directory, which is made if it is not there, and seals it.
/// `keep_days`: for how long they are kept; absent: for ever. `progress` hears how many mails are in.
///
/// # Errors
/// If it cannot be written, or a server has it.
pub fn fill(
    directory: &Path,
    mails: &Mails,
    count: u64,
    keep_days: Option<u32>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Filled> {
    let now = Timestamp::from_secs(BEGIN);
    let opened = Archive::open(directory, Options::default(), now);
    let (mut archive, _) = opened.map_err(io::Error::other)?;
    let mut packer = Packer::new().map_err(io::Error::other)?;
    let mut raw = 0;
    for first in (0..count).step_by(GROUP) {
        let mut group = Vec::with_capacity(GROUP);
        let behind = (first + GROUP as u64).min(count);
        for number in first..behind {
            let mail = mails.get(number);
            let content = mail.content();
            raw += content.len() as u64;
            group.push(draft(&mail, content.as_bytes(), keep_days, &mut packer)?);
        }
        archive.append(group, now).map_err(io::Error::other)?;
        progress(behind);
    }
    archive.seal(now).map_err(io::Error::other)?;
    let segments = fs::read_dir(archive.places().segments())?;
    let sizes = segments.map(|file| Ok(file?.metadata()?.len()));
    Ok(Filled { raw, stored: sizes.sum::<io::Result<u64>>()? })
}

fn draft(
    mail: &Mail,
    content: &[u8],
    keep_days: Option<u32>,
    packer: &mut Packer,
) -> io::Result<Draft> {
    let capture = capture(mail, content, keep_days)?;
    let summary = entry::encode(&capture).map_err(io::Error::other)?;
    let payload = packer.pack(&summary, content).map_err(io::Error::other)?;
    Ok(Draft::of_capture(&capture, payload))
}

fn capture(mail: &Mail, content: &[u8], keep_days: Option<u32>) -> io::Result<Capture> {
    let address = |text: String| text.parse().map_err(io::Error::other);
    let sender = ReversePath::Mailbox(address(mail.sender())?);
    let everybody = address(super::address(7))?;
    let envelope = Envelope::from_sender(sender).to(address(mail.recipient())?).to(everybody);
    let origin = Origin {
        listener: "mx".into(),
        client: Client::unnamed(([192, 0, 2, 1], 25).into()),
        helo: "client.example".into(),
        protocol: Protocol::Esmtp,
        login: None,
        tls: None,
        forwarded: None,
        arrival: mail.arrival(),
    };
    let note = Note {
        direction: Direction::Inbound,
        rule: None,
        keep_days,
        held: None,
        source: Source::Accepted,
    };
    // As hard to compress as one that is random, and the same every time.
    let salt = Hash::of(&mail.number.to_le_bytes());
    let salt = Salt::from_bytes(*salt.as_bytes().first_chunk().unwrap_or(&[0; 16]));
    let (content, size) = (Hash::of(content), content.len() as u64);
    Ok(Capture { id: mail.id(), envelope, origin, note, content, salt, size })
}

/// Mails that are written together.
const GROUP: usize = 64;
