//! The content of a held mail: its hash, and as much of it as a notice attaches.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::{Bytes, BytesMut};
use mailweir_mail::{BodyType, Envelope};
use mailweir_moderation::{
    case_file::Attach,
    notice::{Attached, Octets},
};
use mailweir_queue::{BodyError, Content};

/// SHA-256 of content.
pub(crate) struct Fingerprint(Context);

impl Fingerprint {
    pub(crate) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(self.0.finish().as_ref());
        hash
    }

    /// Of stored content, read piece by piece.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub(super) async fn read(content: &Content) -> Result<[u8; 32], BodyError> {
        let (mut fingerprint, mut reader) = (Self::new(), content.reader());
        while let Some(piece) = reader.next().await? {
            fingerprint.feed(&piece);
        }
        Ok(fingerprint.finish())
    }

    /// Of a whole content.
    #[cfg(test)]
    pub(super) fn of(content: &[u8]) -> [u8; 32] {
        let mut fingerprint = Self::new();
        fingerprint.feed(content);
        fingerprint.finish()
    }
}

/// What is put into a notice of a mail: as much as is wanted, and no more than a mailbox takes. Nothing
/// else is read.
///
/// # Errors
/// It cannot be read, or is damaged; behind the header nobody looks if only that is wanted.
pub(super) async fn attached(
    wanted: Attach,
    envelope: &Envelope,
    content: &Content,
) -> Result<(Attached, Bytes), BodyError> {
    Ok(match wanted {
        Attach::Nothing => (Attached::Nothing, Bytes::new()),
        Attach::Original if content.size() <= LARGEST as u64 => {
            let whole = read_until(content, |_| None).await?;
            (Attached::Mail(octets(envelope, &whole)), whole)
        }
        Attach::Original | Attach::Header => {
            let header = read_until(content, end_of_header).await?;
            (Attached::Header(octets(envelope, &header)), header)
        }
    })
}

/// The beginning up to where `end` says that it ends, and at most [`LARGEST`].
async fn read_until(
    content: &Content,
    end: impl Fn(&[u8]) -> Option<usize>,
) -> Result<Bytes, BodyError> {
    let mut reader = content.reader();
    let mut read = BytesMut::new();
    let mut seen = 0_usize;
    while let Some(piece) = reader.next().await? {
        read.extend_from_slice(&piece);
        // It may stand at the seam.
        let from = seen.saturating_sub(END.len());
        seen = read.len();
        if let Some(at) = read.get(from..).and_then(&end) {
            read.truncate(from + at);
            break;
        }
        if read.len() > LARGEST {
            break;
        }
    }
    read.truncate(LARGEST);
    Ok(read.freeze())
}

fn end_of_header(content: &[u8]) -> Option<usize> {
    memchr::memmem::find(content, END).map(|at| at + END.len())
}

fn octets(envelope: &Envelope, content: &[u8]) -> Octets {
    if content.is_ascii() {
        Octets::SevenBit
    } else if envelope.smtputf8 || envelope.body == BodyType::SevenBit {
        Octets::Global
    } else {
        Octets::EightBit
    }
}

/// Bytes of an original that a notice brings; of a larger one it brings the header.
const LARGEST: usize = 10 << 20;

/// Between header and body.
const END: &[u8] = b"\r\n\r\n";
