//! What bytes mean that nobody labelled: raw 8-bit headers, text without a charset.
//!
//! Mail programs guess, each in its own way, and the sender's friends guess right: they have the same
//! language settings. So a rule must match if any plausible reading does. The readings are few:
//! UTF-8 alone if the bytes are UTF-8 (other texts hardly ever are), else each charset of a
//! configurable list under which every byte means something. Thus `/^\[광고\]/` matches a raw
//! EUC-KR subject, and a Latin-1 name is not hidden by it.

use super::iso2022::Family;
use super::{Charset, Kind};

/// The charsets to try on bytes without a label, the most likely first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallbacks(Vec<Charset>);

impl Fallbacks {
    /// These charsets, in this order. Those beyond the first `MOST` are not used.
    #[must_use]
    pub fn new(mut order: Vec<Charset>) -> Self {
        order.truncate(Self::MOST);
        Self(order)
    }

    /// How many charsets are tried at most.
    pub const MOST: usize = 8;

    /// All plausible readings, the most likely first; at least one, at most `MOST` and two more, no
    /// two alike. `declared` is what another part of the mail says its texts are in; it is tried first.
    #[must_use]
    pub fn readings(&self, bytes: &[u8], declared: Option<Charset>) -> Vec<String> {
        if bytes.is_ascii() {
            return self.seven_bit(bytes, declared);
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            return vec![text.to_owned()];
        }
        let mut readings = Vec::new();
        for reading in self.eight_bit(bytes, declared) {
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        if readings.is_empty() {
            readings.push(self.in_spite(bytes, declared));
        }
        readings
    }

    /// The most likely reading.
    #[must_use]
    pub fn best(&self, bytes: &[u8], declared: Option<Charset>) -> String {
        if bytes.is_ascii() {
            return self.seven_bit(bytes, declared).swap_remove(0);
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.to_owned();
        }
        let best = self.eight_bit(bytes, declared).next();
        best.unwrap_or_else(|| self.in_spite(bytes, declared))
    }

    /// The readings under which every byte means something, or most do for one charset. Each costs as much as the text is long.
    fn eight_bit(&self, bytes: &[u8], declared: Option<Charset>) -> impl Iterator<Item = String> {
        let damaged = is_mostly_utf8(bytes).then(|| String::from_utf8_lossy(bytes).into_owned());
        let tried = declared.into_iter().chain(self.0.iter().copied());
        damaged.into_iter().chain(tried.filter_map(|charset| charset.decode_exactly(bytes)))
    }

    /// The reading of bytes that no charset is right for.
    fn in_spite(&self, bytes: &[u8], declared: Option<Charset>) -> String {
        declared.or(self.0.first().copied()).unwrap_or(Charset::UTF_8).decode(bytes)
    }

    /// ASCII, unless escapes say that it is one of the 7-bit charsets.
    fn seven_bit(&self, bytes: &[u8], declared: Option<Charset>) -> Vec<String> {
        let plain = String::from_utf8_lossy(bytes).into_owned();
        let family = if memchr::memmem::find(bytes, b"\x1b$)C").is_some() {
            Family::Korean
        } else if memchr::memmem::find(bytes, b"\x1b$)").is_some() {
            Family::Chinese
        } else if memchr::memmem::find(bytes, b"\x1b$").is_some() {
            Family::Japanese
        } else if memchr::memchr2(0x0e, 0x1b, bytes).is_some() {
            let declared = declared.filter(|charset| matches!(charset.0, Kind::Iso2022(_)));
            return declared.map_or(vec![plain], |charset| vec![charset.decode(bytes)]);
        } else {
            return vec![plain];
        };
        vec![Charset(Kind::Iso2022(family)).decode(bytes), plain]
    }
}

/// Korean first, then Japanese, Chinese and Western European.
impl Default for Fallbacks {
    fn default() -> Self {
        let labels = ["euc-kr", "shift_jis", "gb18030", "big5", "windows-1252"];
        Self::new(labels.iter().filter_map(|label| Charset::for_label(label.as_bytes())).collect())
    }
}

/// UTF-8 that was cut or damaged: most characters beyond ASCII are whole.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        let beyond_ascii = chunk.valid().bytes().filter(|byte| *byte >= 0xc0).count();
        let lost = chunk.valid().matches(char::REPLACEMENT_CHARACTER).count();
        whole += beyond_ascii - lost;
        broken += lost + usize::from(!chunk.invalid().is_empty());
    }
    whole > broken
}
