//! From bytes to packets: four bytes of length, and as many that follow.

use super::super::Fault;

/// Divides bytes into packets, in pieces of any size. Keeps at most one packet.
#[derive(Debug)]
pub struct Packets {
    held: Vec<u8>,
    most: usize,
}

impl Packets {
    /// Packets of at most `most` bytes, their length not counted.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { held: Vec::new(), most }
    }

    /// Takes bytes up to the end of a packet and removes them from `input`. `None`: they were all taken, and more is
    /// needed. The packet begins with its type.
    ///
    /// # Errors
    /// It has no type or is too large. What comes behind makes no sense either.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.fill(LENGTH, input);
        let Some(size) = self.held.first_chunk::<LENGTH>() else { return Ok(None) };
        let size = u32::from_be_bytes(*size);
        let bytes = usize::try_from(size).unwrap_or(usize::MAX);
        if bytes == 0 {
            return Err(Fault::Empty);
        }
        if bytes > self.most {
            return Err(Fault::Oversized { size, most: self.most });
        }
        self.fill(LENGTH + bytes, input);
        if self.held.len() < LENGTH + bytes {
            return Ok(None);
        }
        let mut packet = std::mem::take(&mut self.held);
        packet.drain(..LENGTH);
        Ok(Some(packet))
    }

    /// Whether a packet has begun and is not complete.
    #[must_use]
    pub fn is_in_packet(&self) -> bool {
        !self.held.is_empty()
    }

    /// Memory grows with the bytes that came, not with those that are announced.
    fn fill(&mut self, until: usize, input: &mut &[u8]) {
        let missing = until.saturating_sub(self.held.len());
        let (taken, rest) = input.split_at(missing.min(input.len()));
        self.held.extend_from_slice(taken);
        *input = rest;
    }
}

/// Bytes of a length.
const LENGTH: usize = 4;
