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
        let mut add = |text: String| {
            if !readings.contains(&text) {
                readings.push(text);
            }
        };
        let lossy = String::from_utf8_lossy(bytes);
        if is_mostly_utf8(&lossy) {
            add(lossy.into_owned());
        }
        let tried = declared.iter().chain(&self.0);
        tried.filter_map(|charset| charset.decode_exactly(bytes)).for_each(&mut add);
        if readings.is_empty() {
            let charset = declared.or(self.0.first().copied()).unwrap_or(Charset::UTF_8);
            readings.push(charset.decode(bytes));
        }
        readings
    }

    /// The most likely reading.
    #[must_use]
    pub fn best(&self, bytes: &[u8], declared: Option<Charset>) -> String {
        self.readings(bytes, declared).swap_remove(0)
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
fn is_mostly_utf8(lossy: &str) -> bool {
    let (mut whole, mut broken) = (0_usize, 0_usize);
    for character in lossy.chars().filter(|character| !character.is_ascii()) {
        match character {
            char::REPLACEMENT_CHARACTER => broken += 1,
            _ => whole += 1,
        }
    }
    whole > broken
}
