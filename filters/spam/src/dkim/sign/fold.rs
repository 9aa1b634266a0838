//! Puts a field together line by line.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// A field that is written from left to right, with a fold where a line would become too long.
pub(super) struct Folder {
    bytes: Vec<u8>,
    /// Characters on the last line.
    column: usize,
}

impl Folder {
    pub(super) fn new(name: &str) -> Self {
        Self { bytes: name.into(), column: name.len() }
    }

    /// A word with white space before it.
    pub(super) fn word(&mut self, word: &str) {
        match self.fits(word.len() + 1) {
            true => self.put(b" "),
            false => self.fold(),
        }
        self.put(word.as_bytes());
    }

    /// A word without white space before it, if that fits: only where white space says nothing.
    pub(super) fn glued(&mut self, word: &str) {
        if !self.fits(word.len()) {
            self.fold();
        }
        self.put(word.as_bytes());
    }

    /// Bytes in base64, with folds wherever a line is full.
    pub(super) fn base64(&mut self, bytes: &[u8]) {
        let text = BASE64_STANDARD.encode(bytes);
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            if !self.fits(1) {
                self.fold();
            }
            let room = WIDTH.saturating_sub(self.column);
            let (line, behind) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.put(line);
            rest = behind;
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.put(b"\r\n");
        self.bytes
    }

    const fn fits(&self, length: usize) -> bool {
        self.column + length <= WIDTH
    }

    fn fold(&mut self) {
        self.bytes.extend_from_slice(b"\r\n ");
        self.column = 1;
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.column += bytes.len();
    }
}

/// RFC 5322 section 2.1.1.
const WIDTH: usize = 78;
