//! Payloads as they are stored when they are encrypted: a random beginning, then chunks, each with a tag.
//!
//! The nonce of a chunk is that beginning, the number of the chunk, and whether it is the last (as in STREAM of
//! Hoang, Reyhanitabar, Rogaway and Vizár, CRYPTO 2015). So chunks can be read one by one, and what was changed, cut off,
//! put in another order or under another record does not open.

use std::io::{self, Read, Write};

use chacha20poly1305::{AeadInOut as _, KeyInit as _, Tag, XChaCha20Poly1305, XNonce};

use crate::{
    frame::{Kind, Seq},
    keys::RecordKey,
};

/// Encrypts what is written to it. What was written counts once it is finished.
pub(crate) struct Encrypt<W> {
    chunks: Chunks,
    out: W,
    waiting: Vec<u8>,
}

impl<W: Write> Encrypt<W> {
    /// For the payload of a record. Takes a beginning of its own: no two payloads have the same nonces, even
    /// those of a record that is offered twice.
    pub(crate) fn new(mut out: W, key: &RecordKey, of: Record) -> io::Result<Self> {
        let mut begin = [0; BEGIN];
        getrandom::fill(&mut begin)?;
        out.write_all(&begin)?;
        Ok(Self { chunks: Chunks::new(key, of, begin), out, waiting: Vec::new() })
    }

    /// With its last chunk.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.chunk(true)?;
        Ok(self.out)
    }

    fn chunk(&mut self, is_last: bool) -> io::Result<()> {
        let tag = self.chunks.encrypt(&mut self.waiting, is_last)?;
        self.out.write_all(&self.waiting)?;
        self.out.write_all(&tag)?;
        self.waiting.clear();
        Ok(())
    }
}

impl<W: Write> Write for Encrypt<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Only once more comes is it known that a full chunk is not the last.
        if self.waiting.len() == CHUNK && !bytes.is_empty() {
            self.chunk(false)?;
        }
        let most = bytes.len().min(CHUNK - self.waiting.len());
        self.waiting.extend_from_slice(&bytes[..most]);
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what [`Encrypt`] wrote. What does not open is an error of the kind `InvalidData`.
pub(crate) struct Decrypt<R> {
    input: R,
    key: RecordKey,
    of: Record,
    chunks: Option<Chunks>,
    /// Bytes that are still to be read of the input.
    left: u64,
    chunk: Vec<u8>,
    /// How much of the chunk was given away.
    given: usize,
}

impl<R: Read> Decrypt<R> {
    /// `stored`: how many bytes of the input belong to it.
    pub(crate) const fn new(input: R, key: RecordKey, of: Record, stored: u64) -> Self {
        Self { input, key, of, chunks: None, left: stored, chunk: Vec::new(), given: 0 }
    }

    /// The next chunk. `false` at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let chunks = match &mut self.chunks {
            Some(_) if self.left == 0 => return Ok(false),
            Some(chunks) => chunks,
            None => {
                let mut begin = [0; BEGIN];
                self.input.read_exact(&mut begin)?;
                self.left = self.left.checked_sub(BEGIN as u64).ok_or_else(not_whole)?;
                self.chunks.insert(Chunks::new(&self.key, self.of, begin))
            }
        };
        let most = (CHUNK + TAG) as u64;
        let len = self.left.min(most);
        let is_last = len == self.left;
        self.chunk.clear();
        self.given = 0;
        let read = self.input.by_ref().take(len).read_to_end(&mut self.chunk)?;
        if read as u64 != len {
            return Err(not_whole());
        }
        self.left -= len;
        chunks.decrypt(&mut self.chunk, is_last)?;
        Ok(true)
    }
}

impl<R: Read> Read for Decrypt<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let mut rest = &self.chunk[self.given..];
        let read = rest.read(buffer)?;
        self.given += read;
        Ok(read)
    }
}

/// The record that a payload belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    pub(crate) seq: Seq,
    pub(crate) kind: Kind,
}

/// The chunks of a payload, in their order.
struct Chunks {
    cipher: XChaCha20Poly1305,
    about: [u8; 9],
    begin: [u8; BEGIN],
    next: u32,
}

impl Chunks {
    fn new(key: &RecordKey, Record { seq, kind }: Record, begin: [u8; BEGIN]) -> Self {
        let [a, b, c, d, e, f, g, h] = seq.to_le_bytes();
        let about = [a, b, c, d, e, f, g, h, kind as u8];
        Self { cipher: XChaCha20Poly1305::new(key.bytes().into()), about, begin, next: 0 }
    }

    fn encrypt(&mut self, chunk: &mut [u8], is_last: bool) -> io::Result<Tag> {
        let nonce = self.nonce(is_last)?;
        let sealed = self.cipher.encrypt_inout_detached(&nonce, &self.about, chunk.into());
        sealed.map_err(|_| not_whole())
    }

    /// Takes the tag from the end.
    fn decrypt(&mut self, chunk: &mut Vec<u8>, is_last: bool) -> io::Result<()> {
        let nonce = self.nonce(is_last)?;
        let (text, tag) = chunk.split_last_chunk_mut::<TAG>().ok_or_else(not_whole)?;
        let tag = Tag::from(*tag);
        let opened = self.cipher.decrypt_inout_detached(&nonce, &self.about, text.into(), &tag);
        opened.map_err(|_| not_whole())?;
        chunk.truncate(chunk.len() - TAG);
        Ok(())
    }

    fn nonce(&mut self, is_last: bool) -> io::Result<XNonce> {
        let number = self.next;
        // 256 TiB.
        self.next = number.checked_add(1).ok_or_else(not_whole)?;
        let [a, b, c, d] = number.to_be_bytes();
        let end = [a, b, c, d, u8::from(is_last)];
        let mut nonce = XNonce::default();
        nonce.iter_mut().zip(self.begin.iter().chain(&end)).for_each(|(to, from)| *to = *from);
        Ok(nonce)
    }
}

fn not_whole() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Bytes of a chunk before it is encrypted.
const CHUNK: usize = 64 * 1024;

/// Bytes that a chunk grows by.
const TAG: usize = 16;

/// Random bytes at the beginning.
const BEGIN: usize = 19;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OF: Record = Record { seq: 7, kind: Kind::Capture };

    fn encrypt(key: &RecordKey, of: Record, text: &[u8], piece: usize) -> Vec<u8> {
        let mut encrypt = Encrypt::new(Vec::new(), key, of).unwrap();
        for piece in text.chunks(piece) {
            encrypt.write_all(piece).unwrap();
        }
        encrypt.finish().unwrap()
    }

    fn decrypt(key: &RecordKey, of: Record, stored: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        Decrypt::new(stored, key.clone(), of, stored.len() as u64).read_to_end(&mut text)?;
        Ok(text)
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at * 7 % 251) as u8).collect()
    }

    #[test]
    fn what_is_encrypted_can_be_read_with_its_key_and_for_its_record_only() {
        let [key, other] = [RecordKey::new([1; 32]), RecordKey::new([2; 32])];
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let stored = encrypt(&key, OF, &text(len), 1 + len / 3);
            assert_eq!(stored.len(), BEGIN + len + TAG * len.div_ceil(CHUNK).max(1));
            assert_eq!(decrypt(&key, OF, &stored).unwrap(), text(len), "{len} bytes");
            assert!(decrypt(&other, OF, &stored).is_err());
            assert!(decrypt(&key, Record { seq: 8, ..OF }, &stored).is_err());
            assert!(decrypt(&key, Record { kind: Kind::Outcome, ..OF }, &stored).is_err());
            assert_ne!(stored, encrypt(&key, OF, &text(len), 1 + len / 3), "never the same twice");
        }
    }

    #[test]
    fn chunks_that_are_cut_off_doubled_or_in_another_order_are_noticed() {
        let key = RecordKey::new([1; 32]);
        let stored = encrypt(&key, OF, &text(3 * CHUNK), CHUNK);
        let (begin, chunks) = stored.split_at(BEGIN);
        let chunks: Vec<_> = chunks.chunks(CHUNK + TAG).collect();
        let of = |order: &[usize]| {
            let chunks = order.iter().flat_map(|index| chunks[*index]).copied();
            begin.iter().copied().chain(chunks).collect::<Vec<_>>()
        };
        assert_eq!(of(&[0, 1, 2]), stored);
        for order in
            [&[0, 1][..], &[0], &[], &[1, 0, 2], &[0, 2, 1], &[0, 1, 1, 2], &[0, 1, 2, 2], &[1, 2]]
        {
            assert!(decrypt(&key, OF, &of(order)).is_err(), "{order:?}");
        }
        for cut in [0, 1, BEGIN, BEGIN + TAG, BEGIN + CHUNK, stored.len() - 1] {
            assert!(decrypt(&key, OF, &stored[..cut]).is_err(), "cut to {cut}");
        }
    }

    proptest! {
        #[test]
        fn every_change_is_noticed(
            len in 0..2 * CHUNK, place in any::<prop::sample::Index>(), by in 1u8..,
        ) {
            let key = RecordKey::new([1; 32]);
            let mut stored = encrypt(&key, OF, &text(len), 9_000);
            let place = place.index(stored.len());
            stored[place] ^= by;
            prop_assert!(decrypt(&key, OF, &stored).is_err());
        }
    }
}
