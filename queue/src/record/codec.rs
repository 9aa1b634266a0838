//! The alphabet of records: numbers, texts and lists, and the frame around them.
//!
//! Numbers are LEB128, texts and lists begin with their length. Reading never panics and never
//! reserves more memory than the record is long.

use mailweir_mail::Timestamp;

use super::{Kind, RecordError};

/// Builds one framed record.
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn new(kind: Kind, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + capacity + END.len());
        bytes.resize(HEADER, 0);
        bytes[0] = kind.tag();
        Self { bytes }
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low seven bits are meant")]
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.byte(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8);
    }

    pub(super) fn time(&mut self, time: Timestamp) {
        self.bytes.extend_from_slice(&time.as_micros().to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes without their length: the rest of the record.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A text that may be absent: one byte says so.
    pub(super) fn optional(&mut self, text: Option<&str>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.text(text);
        }
    }

    pub(super) fn finish(mut self, format: u8) -> Vec<u8> {
        seal(&mut self.bytes);
        self.bytes[1] = format;
        self.bytes
    }
}

/// Fills in the header of `record`, whose first byte is the kind and whose payload begins at
/// [`HEADER`], and appends the end mark.
pub(super) fn seal(record: &mut Vec<u8>) {
    let checksum = crc32fast::hash(&record[HEADER..]);
    seal_with(record, checksum);
}

/// The same with the CRC-32 of the payload known already.
pub(super) fn seal_with(record: &mut Vec<u8>, checksum: u32) {
    let length = u32::try_from(record.len() - HEADER).unwrap_or(u32::MAX);
    record[1] = super::FIRST_FORMAT;
    record[2..6].copy_from_slice(&length.to_le_bytes());
    record[6..10].copy_from_slice(&checksum.to_le_bytes());
    record.extend_from_slice(&END);
}

/// The payload of a framed record, with its version, if the frame is whole.
pub(super) fn open(record: &[u8], kind: Kind) -> Result<(u8, &[u8]), RecordError> {
    let (header, rest) = record.split_first_chunk::<HEADER>().ok_or(RecordError::Torn)?;
    let [tag, version, l0, l1, l2, l3, c0, c1, c2, c3] = *header;
    if tag != kind.tag() {
        return Err(RecordError::NotThis);
    }
    if version == 0 || version > super::FORMAT {
        return Err(RecordError::UnknownVersion(version));
    }
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    let (payload, end) = rest.split_at_checked(length).ok_or(RecordError::Torn)?;
    if end != END {
        return Err(RecordError::Torn);
    }
    if crc32fast::hash(payload) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Err(RecordError::Checksum);
    }
    Ok((version, payload))
}

/// Reads a payload from its beginning.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    pub(super) fn byte(&mut self) -> Result<u8, RecordError> {
        let (byte, rest) = self.rest.split_first().ok_or(RecordError::Malformed)?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(super) fn number(&mut self) -> Result<u64, RecordError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(RecordError::Malformed);
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(RecordError::Malformed)
    }

    /// A number that fits a smaller type.
    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, RecordError> {
        T::try_from(self.number()?).map_err(|_| RecordError::Malformed)
    }

    /// The length of a list. A list cannot have more entries than bytes are left.
    pub(super) fn count(&mut self) -> Result<usize, RecordError> {
        let count: usize = self.small()?;
        if count > self.rest.len() { Err(RecordError::Malformed) } else { Ok(count) }
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, RecordError> {
        let (micros, rest) = self.rest.split_first_chunk().ok_or(RecordError::Malformed)?;
        self.rest = rest;
        Ok(Timestamp::from_micros(u64::from_le_bytes(*micros)))
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], RecordError> {
        let count = self.count()?;
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(RecordError::Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, RecordError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RecordError::Malformed)
    }

    pub(super) fn optional(&mut self) -> Result<Option<&'a str>, RecordError> {
        match self.byte()? {
            0 => Ok(None),
            1 => self.text().map(Some),
            _ => Err(RecordError::Malformed),
        }
    }

    /// Whether anything is left.
    pub(super) const fn has_more(&self) -> bool {
        !self.rest.is_empty()
    }

    /// Nothing may be left over.
    pub(super) fn end(&self) -> Result<(), RecordError> {
        if self.rest.is_empty() { Ok(()) } else { Err(RecordError::Malformed) }
    }
}

/// Bytes before the payload: kind, version, length, checksum.
pub(super) const HEADER: usize = 10;

/// Bytes after the payload.
pub(super) const END: [u8; 2] = [0x5a, 0xa5];
