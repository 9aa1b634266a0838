//! The content of a held mail: its hash, and as much of it as a notice attaches.

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use mailweir_mail::{BodyType, Envelope};
use mailweir_moderation::{
    case_file::Attach,
    notice::{Attached, Octets},
};
use mailweir_queue::{BodyError, Content};

/// SHA-256 of content that flows past.
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

/// What is put into a notice of a mail: as much as is wanted, and no more than a mailbox takes.
pub(super) fn attached(wanted: Attach, envelope: &Envelope, content: &Bytes) -> (Attached, Bytes) {
    let header = || {
        let end = memchr::memmem::find(content, b"\r\n\r\n").map_or(content.len(), |at| at + 4);
        content.slice(..end.min(LARGEST))
    };
    match wanted {
        Attach::Nothing => (Attached::Nothing, Bytes::new()),
        Attach::Original if content.len() <= LARGEST => {
            (Attached::Mail(octets(envelope, content)), content.clone())
        }
        Attach::Original | Attach::Header => {
            let header = header();
            (Attached::Header(octets(envelope, &header)), header)
        }
    }
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
