//! Encoded words (RFC 2047): nobody may hide an address in one.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{AT_SIGNS, FromDoubt};

/// No encoded word has an `@` in it, however it is read. Readers look for encoded words in quoted
/// strings and within addresses too, and join those that stand side by side; so every `=?` must
/// begin a word that is right by all the rules.
pub(super) fn check(text: &str) -> Result<(), FromDoubt> {
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let word = &rest[start + 2..];
        rest = EncodedWord::read(word)
            .filter(|word| !word.hides_an_address())
            .map_or_else(|| Err(FromDoubt::Unclear), |encoded| Ok(&word[encoded.length..]))?;
    }
    Ok(())
}

/// What stands between `=?` and `?=`.
struct EncodedWord {
    charset: Box<str>,
    decoded: Vec<u8>,
    /// With the `?=`.
    length: usize,
}

impl EncodedWord {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '?');
        let (charset, encoding, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let payload = &rest[..rest.find("?=")?];
        if !payload.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?') {
            return None;
        }
        let decoded = match encoding {
            "B" | "b" => STANDARD.decode(payload).ok()?,
            "Q" | "q" => quoted(payload.as_bytes())?,
            _ => return None,
        };
        // A language may stand behind the charset (RFC 2231 section 5).
        let charset = charset.split('*').next()?.to_ascii_lowercase().into();
        let length = text.len() - rest.len() + payload.len() + 2;
        Some(Self { charset, decoded, length })
    }

    fn hides_an_address(&self) -> bool {
        let as_ascii = CHARSETS.iter().any(|known| self.charset.starts_with(known));
        let text = String::from_utf8_lossy(&self.decoded);
        !as_ascii || text.contains(['@', '\0', '\r', '\n']) || text.contains(AT_SIGNS)
    }
}

fn quoted(payload: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(payload.len());
    let mut bytes = payload.iter();
    while let Some(&byte) = bytes.next() {
        decoded.push(match byte {
            b'_' => b' ',
            b'=' => hex(*bytes.next()?)? << 4 | hex(*bytes.next()?)?,
            other => other,
        });
    }
    Some(decoded)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// How the names of charsets begin in which an `@` is the byte 0x40. In the multi-byte ones of
/// these that byte may be half of another character: such a name is refused, which is the safe
/// side. In UTF-7, UTF-16 and EBCDIC an `@` has other bytes.
const CHARSETS: [&str; 16] = [
    "utf-8",
    "us-ascii",
    "ascii",
    "iso-8859-",
    "windows-125",
    "cp125",
    "koi8-",
    "iso-2022-jp",
    "euc-",
    "shift_jis",
    "gb2312",
    "gbk",
    "gb18030",
    "big5",
    "ks_c_5601",
    "tis-620",
];
