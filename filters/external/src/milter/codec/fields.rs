//! What stands in a packet behind its type: numbers, texts that end with NUL, and bytes up to the end.

use super::super::Fault;

/// Reads a packet from the front.
pub(super) struct Fields<'a> {
    packet: &'static str,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn new(packet: &'static str, rest: &'a [u8]) -> Self {
        Self { packet, rest }
    }

    pub(super) const fn packet(&self) -> &'static str {
        self.packet
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Fault::Short(self.packet))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        self.take().map(|[byte]| byte)
    }

    pub(super) fn short(&mut self) -> Result<u16, Fault> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn long(&mut self) -> Result<u32, Fault> {
        self.take().map(u32::from_be_bytes)
    }

    /// Up to the next NUL, which is taken as well.
    pub(super) fn text(&mut self) -> Result<Box<[u8]>, Fault> {
        if self.rest.is_empty() {
            return Err(Fault::Short(self.packet));
        }
        let end = self.rest.iter().position(|byte| *byte == 0);
        let end = end.ok_or(Fault::NoNul(self.packet))?;
        let text = self.rest[..end].into();
        self.rest = &self.rest[end + 1..];
        Ok(text)
    }

    /// All texts that are left, at most [`MOST_TEXTS`].
    pub(super) fn texts(&mut self) -> Result<Vec<Box<[u8]>>, Fault> {
        let mut texts = Vec::new();
        while !self.rest.is_empty() {
            if texts.len() == MOST_TEXTS {
                return Err(Fault::Excess(self.packet));
            }
            texts.push(self.text()?);
        }
        Ok(texts)
    }

    /// All that is left.
    pub(super) fn bytes(&mut self) -> Box<[u8]> {
        std::mem::take(&mut self.rest).into()
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Fault> {
        if self.rest.is_empty() { Ok(()) } else { Err(Fault::Excess(self.packet)) }
    }
}

/// Writes one packet behind what is in `out`.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    pub(super) fn new(code: u8, out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0, 0, 0, 0, code]);
        Self { out, start }
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        self.out.extend_from_slice(bytes);
        self
    }

    pub(super) fn byte(self, byte: u8) -> Self {
        self.bytes(&[byte])
    }

    pub(super) fn long(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(super) fn short(self, number: u16) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    /// A NUL would end the text early, and what is behind it would be taken for something else: it becomes a space.
    pub(super) fn text(self, text: &[u8]) -> Self {
        let whole = text.iter().map(|byte| if *byte == 0 { b' ' } else { *byte });
        self.out.extend(whole.chain([0]));
        self
    }

    pub(super) fn texts(self, texts: &[Box<[u8]>]) -> Self {
        texts.iter().fold(self, |writer, text| writer.text(text))
    }

    pub(super) fn end(self) {
        let size = u32::try_from(self.out.len() - self.start - 4).unwrap_or(u32::MAX);
        self.out[self.start..self.start + 4].copy_from_slice(&size.to_be_bytes());
    }
}

/// Texts of one packet at most: a command of SMTP with its parameters, names and values of macros.
const MOST_TEXTS: usize = 512;
