//! The two forms in which header and body are hashed, so that what mail servers do to white space on the
//! way does no harm (RFC 6376 section 3.4).

use aws_lc_rs::digest::{Context, SHA256};

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Canonical {
    /// As it came, but for empty lines at the end.
    Simple,
    /// White space as one blank, or none at the end of a line; names of fields in lower case.
    Relaxed,
}

impl Canonical {
    /// Those of header and body (`c=`).
    pub(super) fn pair(text: Option<&str>) -> Option<(Self, Self)> {
        let text = text.unwrap_or("simple/simple");
        let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
        Some((Self::read(header)?, Self::read(body)?))
    }

    fn read(text: &str) -> Option<Self> {
        match text.trim_ascii().to_ascii_lowercase().as_str() {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// Appends a field in this form, without a line end.
    pub(super) fn field(self, raw: &[u8], out: &mut Vec<u8>) {
        if self == Self::Simple {
            out.extend_from_slice(raw);
            return;
        }
        let colon = memchr::memchr(b':', raw).unwrap_or(raw.len());
        let (name, value) = raw.split_at(colon);
        out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
        out.push(b':');
        let value = value.get(1..).unwrap_or_default();
        let mut words = value.split(|byte| is_blank(*byte) || matches!(byte, b'\r' | b'\n'));
        let mut is_first = true;
        for word in words.by_ref().filter(|word| !word.is_empty()) {
            if !is_first {
                out.push(b' ');
            }
            is_first = false;
            out.extend_from_slice(word);
        }
    }
}

/// Hashes a body as it flows past.
pub(super) struct BodyHash {
    form: Canonical,
    hash: Context,
    /// On its way into the hash.
    out: Vec<u8>,
    /// Line ends that count only if something follows.
    ends: u64,
    /// A blank that counts only if something follows on the line.
    blank: bool,
    /// A CR whose LF has not come yet.
    cr: bool,
    is_empty: bool,
}

impl BodyHash {
    pub(super) fn new(form: Canonical) -> Self {
        let (hash, out) = (Context::new(&SHA256), Vec::with_capacity(PIECE));
        Self { form, hash, out, ends: 0, blank: false, cr: false, is_empty: true }
    }

    /// Takes the next piece.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        for &byte in piece {
            self.byte(byte);
        }
        if self.out.len() >= PIECE {
            self.flush();
        }
    }

    pub(super) fn finish(mut self) -> [u8; 32] {
        if std::mem::take(&mut self.cr) {
            self.put(b'\r');
        }
        // A simple body is never empty; a relaxed one is, if there is nothing in it.
        if !self.is_empty || self.form == Canonical::Simple {
            self.out.extend_from_slice(b"\r\n");
        }
        self.flush();
        let mut hash = [0; 32];
        hash.copy_from_slice(self.hash.finish().as_ref());
        hash
    }

    fn byte(&mut self, byte: u8) {
        if std::mem::take(&mut self.cr) {
            if byte == b'\n' {
                self.blank = false;
                self.ends += 1;
                return;
            }
            self.put(b'\r');
        }
        match byte {
            b'\r' => self.cr = true,
            _ if self.form == Canonical::Relaxed && is_blank(byte) => self.blank = true,
            _ => self.put(byte),
        }
    }

    fn put(&mut self, byte: u8) {
        for _ in 0..std::mem::take(&mut self.ends) {
            self.out.extend_from_slice(b"\r\n");
            if self.out.len() >= PIECE {
                self.flush();
            }
        }
        if std::mem::take(&mut self.blank) {
            self.out.push(b' ');
        }
        self.out.push(byte);
        self.is_empty = false;
    }

    fn flush(&mut self) {
        self.hash.update(&self.out);
        self.out.clear();
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Bytes that are hashed at once.
const PIECE: usize = 4_096;
