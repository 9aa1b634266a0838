//! Lists of tags: `name=value; name=value` (RFC 6376 section 3.2).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// A list that was read.
pub(crate) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    /// `None`: it is none, or has a tag twice.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let mut tags: Vec<(&str, &str)> = Vec::new();
        for tag in text.split(';') {
            if tag.trim_ascii().is_empty() {
                continue;
            }
            let (name, value) = tag.split_once('=')?;
            let (name, value) = (name.trim_ascii(), value.trim_ascii());
            let sound = name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !sound || tags.len() >= MOST || tags.iter().any(|(known, _)| *known == name) {
                return None;
            }
            tags.push((name, value));
        }
        Some(Self(tags))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The name of the first.
    pub(crate) fn first(&self) -> Option<&'a str> {
        self.0.first().map(|(name, _)| *name)
    }
}

/// Words between colons, without white space and in lower case.
pub(crate) fn words(list: &str) -> impl Iterator<Item = String> {
    list.split(':').map(|word| word.trim_ascii().to_ascii_lowercase())
}

/// Bytes in base64, with white space anywhere (RFC 6376 section 2.10).
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    LENIENT.decode(text).ok()
}

/// A number in decimal digits and nothing else.
pub(crate) fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// Some keys are published without the signs that fill up the last group.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A dozen are defined; what has so many is written to be looked through.
const MOST: usize = 50;
