//! SHA-256 as it is stored and shown: 64 hexadecimal digits in lower case, a third of what 32 numbers
//! take in JSON.

use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

/// The digits of a hash.
pub(crate) fn of(hash: &[u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    for byte in hash {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    text
}

pub(crate) fn serialize<S: Serializer>(hash: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&of(hash))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    read(&text).ok_or_else(|| D::Error::custom("this is no SHA-256 in hexadecimal digits"))
}

fn read(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| DIGITS.iter().position(|known| *known == digit));
        *byte = u8::try_from(high? << 4 | low?).ok()?;
    }
    Some(hash)
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_and_nothing_else_is_one() {
        let hash: [u8; 32] = std::array::from_fn(|at| (at * 37 + 200) as u8);
        let text = of(&hash);
        assert_eq!(&text[..6], "c8ed12");
        assert_eq!(read(&text), Some(hash));
        for bad in ["", &text[1..], &text[2..], &format!("{text}00"), &text.replace('c', "C")] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
