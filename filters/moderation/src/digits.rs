//! SHA-256 as it is stored: hexadecimal digits, half of what 32 numbers take in JSON.

use std::borrow::Cow;

use mailweir_mail::hex;
use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

pub(crate) fn serialize<S: Serializer>(hash: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex::encode(hash))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
    let text = Cow::<'de, str>::deserialize(from)?;
    let hash = hex::decode(&text).and_then(|bytes| bytes.try_into().ok());
    hash.ok_or_else(|| D::Error::custom("this is no SHA-256 in hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use crate::token::{Token, TokenHash};

    #[test]
    fn a_hash_reads_back_and_nothing_shorter_or_longer_is_one() {
        let hash = Token::new([7; 32]).hash();
        let json = serde_json::to_string(&hash).unwrap();
        assert_eq!((json.len(), serde_json::from_str(&json).ok()), (66, Some(hash)));
        for bad in [json.replacen('"', "\"00", 1), format!("\"{}", &json[3..]), "\"\"".into()] {
            assert!(serde_json::from_str::<TokenHash>(&bad).is_err(), "{bad}");
        }
    }
}
