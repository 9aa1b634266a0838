//! Runs of two-byte characters in their 8-bit form, decoded together: the 7-bit charsets of East
//! Asia say with escapes what the EUC charsets say with the eighth bit.

use encoding_rs::Encoding;

/// Characters of one 8-bit encoding that wait for being decoded.
#[derive(Default)]
pub(super) struct Run {
    encoding: Option<&'static Encoding>,
    bytes: Vec<u8>,
}

impl Run {
    /// Adds the bytes of whole characters, or bytes of which nobody knows better.
    pub(super) fn push(&mut self, encoding: &'static Encoding, bytes: &[u8], text: &mut String) {
        if self.encoding != Some(encoding) || self.bytes.len() >= LONGEST {
            self.flush(text);
            self.encoding = Some(encoding);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Decodes what waits. To be called before any other text is appended.
    pub(super) fn flush(&mut self, text: &mut String) {
        if let Some(encoding) = self.encoding.take() {
            text.push_str(&encoding.decode_without_bom_handling(&self.bytes).0);
            self.bytes.clear();
        }
    }
}

/// Divisible by 2 and 3, so that only a run of unlabelled 8-bit bytes may be cut inside a character.
const LONGEST: usize = 1536;
