//! Charsets of mail: from a label to UTF-8, streaming.
//!
//! The WHATWG encodings come from `encoding_rs`. Mail also uses what browsers gave up (ISO-2022-KR,
//! ISO-2022-CN, HZ, UTF-7, UTF-32, the larger ISO-2022-JP family); those are here. Bytes that mean
//! nothing become U+FFFD. What bytes mean that nobody labelled is `Fallbacks`.

mod fallbacks;
mod hz;
mod iso2022;
mod labels;
mod runs;
#[cfg(test)]
mod tests;
mod utf7;
mod wide;

pub use fallbacks::Fallbacks;

use encoding_rs::{CoderResult, Encoding};
use hz::Hz;
use iso2022::{Family, Iso2022};
use utf7::Utf7;
use wide::{Unit, Wide};

/// How bytes stand for characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(Kind);

impl Charset {
    /// UTF-8 (RFC 3629).
    pub const UTF_8: Self = Self(Kind::Whatwg(encoding_rs::UTF_8));

    /// The charset with this name, as the `charset` parameter or an encoded word has it: in any
    /// case, quoted or not, with or without an RFC 2231 language tag.
    ///
    /// `None` if the name is unknown, or says nothing about 8-bit bytes (`us-ascii`, `x-unknown`,
    /// `unknown-8bit`): then `Fallbacks` has to tell.
    #[must_use]
    pub fn for_label(label: &[u8]) -> Option<Self> {
        labels::find(label).map(Self)
    }

    /// A decoder at the start of a text.
    #[must_use]
    pub fn decoder(self) -> Decoder {
        Decoder(match self.0 {
            Kind::Whatwg(encoding) => State::Whatwg(encoding.new_decoder_with_bom_removal()),
            Kind::Iso2022(family) => State::Iso2022(Iso2022::new(family)),
            Kind::Hz => State::Hz(Hz::default()),
            Kind::Utf7 => State::Utf7(Utf7::default()),
            Kind::Wide(unit) => State::Wide(Wide::new(unit)),
        })
    }

    /// The whole text at once.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        let mut decoder = self.decoder();
        decoder.feed(bytes, &mut text);
        decoder.finish(&mut text);
        text
    }

    /// The whole text, if every byte of it means something.
    pub(super) fn decode_exactly(self, bytes: &[u8]) -> Option<String> {
        if let Kind::Whatwg(encoding) = self.0 {
            let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
            return text.map(std::borrow::Cow::into_owned);
        }
        Some(self.decode(bytes)).filter(|text| !text.contains(char::REPLACEMENT_CHARACTER))
    }
}

/// Turns bytes in pieces of any size into text. The same bytes give the same text however they are
/// split.
pub struct Decoder(State);

impl Decoder {
    /// Appends the text of these bytes. A character whose bytes are not all there yet comes with the
    /// next piece. At most 3 bytes of text per byte are appended, plus a constant.
    pub fn feed(&mut self, bytes: &[u8], text: &mut String) {
        match &mut self.0 {
            State::Whatwg(decoder) => append(decoder, bytes, false, text),
            State::Iso2022(decoder) => decoder.feed(bytes, text),
            State::Hz(decoder) => decoder.feed(bytes, text),
            State::Utf7(decoder) => decoder.feed(bytes, text),
            State::Wide(decoder) => decoder.feed(bytes, text),
        }
    }

    /// Appends what is left: U+FFFD for a character that was cut short.
    pub fn finish(self, text: &mut String) {
        match self.0 {
            State::Whatwg(mut decoder) => append(&mut decoder, b"", true, text),
            State::Iso2022(decoder) => decoder.finish(text),
            State::Hz(decoder) => decoder.finish(text),
            State::Utf7(decoder) => decoder.finish(text),
            State::Wide(decoder) => decoder.finish(text),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Whatwg(&'static Encoding),
    Iso2022(Family),
    Hz,
    Utf7,
    Wide(Unit),
}

enum State {
    Whatwg(encoding_rs::Decoder),
    Iso2022(Iso2022),
    Hz(Hz),
    Utf7(Utf7),
    Wide(Wide),
}

fn append(decoder: &mut encoding_rs::Decoder, bytes: &[u8], last: bool, text: &mut String) {
    let mut rest = bytes;
    loop {
        // decode_to_string fills only the capacity that is there; 32 bytes are room for progress.
        text.reserve(rest.len().max(32));
        let (result, read, _) = decoder.decode_to_string(rest, text, last);
        rest = rest.get(read..).unwrap_or_default();
        if matches!(result, CoderResult::InputEmpty) {
            return;
        }
    }
}
