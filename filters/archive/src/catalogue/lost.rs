//! Records that were lost behind the end of the archive, until somebody answers for them: legal holds may have been
//! among them, and nothing else remembers that they were there. Their numbers are given again.
//!
//! A file beside the catalogue, which is begun anew when they are found missing: `12..40` in a line.

use std::{fs, io};

use crate::{archive::Places, disk::is_bad_block, frame::Seq, span::Span, whole};

/// Those that nobody has answered for. If the file is damaged, they may be any up to the last that there is.
///
/// # Errors
/// The file cannot be read now.
pub(super) fn read(places: &Places, last: Seq) -> io::Result<Vec<Span>> {
    let any = || vec![Span::between(1, last)];
    match fs::read(places.lost()) {
        Ok(content) => Ok(decode(&content).unwrap_or_else(any)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) if is_bad_block(&error) => Ok(any()),
        Err(error) => Err(error),
    }
}

/// `None`: nothing that was written.
fn decode(content: &[u8]) -> Option<Vec<Span>> {
    let lines = str::from_utf8(content).ok()?.strip_suffix('\n')?;
    lines.split('\n').map(|line| line.parse().ok()).collect()
}

/// Remembers these and no others. On the disk with this call.
///
/// # Errors
/// The disk failed.
pub fn write(places: &Places, lost: &[Span]) -> io::Result<()> {
    let lines: String = lost.iter().map(|records| format!("{records}\n")).collect();
    match lost {
        [] => whole::remove(&places.lost()),
        _ => whole::write(&places.lost(), lines.as_bytes()),
    }
}
