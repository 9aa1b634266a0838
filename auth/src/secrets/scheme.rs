//! The names of password schemes, as Dovecot and OpenLDAP write them.

use std::{fmt, str::FromStr};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use mailweir_mail::hex;
use zeroize::Zeroizing;

use crate::ScramHash;

/// A way to keep a password, such as `SSHA` or `BLF-CRYPT`.
///
/// The names are those of Dovecot (`doveadm pw -l`) and OpenLDAP (`slappasswd -h`), in any case.
/// As with Dovecot, `.b64` or `.hex` after a name says how the text is encoded where that is not
/// the usual way: `PLAIN.b64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheme {
    name: &'static str,
    pub(super) family: Family,
    pub(super) encoding: Option<Encoding>,
}

/// Schemes that are read and checked in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `$argon2id$...` or `$argon2i$...`.
    Argon2,
    /// What crypt(3) knows by its `$id$`.
    Crypt,
    /// A hash, without a salt or with one behind it.
    Digest(Digest, Salting),
    /// Dovecot's and OpenLDAP's `{MD5}`: `$1$` or a digest.
    Md5,
    /// Dovecot's `$1$salt$rounds$hash`.
    Pbkdf2,
    /// The password itself.
    Clear,
    /// The keys of SCRAM.
    Scram(ScramHash),
    /// The two MD5 states of CRAM-MD5.
    CramMd5,
}

/// The hash of a [`Family::Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

/// Whether a salt follows the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Salting {
    Unsalted,
    Salted,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Base64,
    Hex,
}

impl Scheme {
    /// Passwords in clear.
    pub const PLAIN: Self = Self { name: "PLAIN", family: Family::Clear, encoding: None };
    /// Hashes of crypt(3), told apart by their `$id$`.
    pub const CRYPT: Self = Self { name: "CRYPT", family: Family::Crypt, encoding: None };
}

impl FromStr for Scheme {
    type Err = UnknownScheme;

    fn from_str(text: &str) -> Result<Self, UnknownScheme> {
        let (name, suffix) = text.split_once('.').map_or((text, None), |(n, s)| (n, Some(s)));
        let encoding = match suffix {
            None => None,
            Some(suffix) if ["b64", "base64"].iter().any(|b| suffix.eq_ignore_ascii_case(b)) => {
                Some(Encoding::Base64)
            }
            Some(suffix) if suffix.eq_ignore_ascii_case("hex") => Some(Encoding::Hex),
            Some(_) => return Err(UnknownScheme),
        };
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let &(name, family) = known.ok_or(UnknownScheme)?;
        Ok(Self { name, family, encoding })
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        match self.encoding {
            None => Ok(()),
            Some(Encoding::Base64) => f.write_str(".b64"),
            Some(Encoding::Hex) => f.write_str(".hex"),
        }
    }
}

/// A name that is no scheme we can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown password scheme; expected a name such as PLAIN, CRYPT, SSHA or SHA512-CRYPT")]
pub struct UnknownScheme;

impl Encoding {
    /// The bytes of `text`. Padding of base64 may be missing, as some tools leave it out.
    pub(super) fn decode(self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = match self {
            Self::Base64 => BASE64.decode(text).ok(),
            Self::Hex => hex::decode(text),
        };
        bytes.map(Zeroizing::new)
    }
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const NAMES: &[(&str, Family)] = &[
    ("ARGON2", Family::Argon2),
    ("ARGON2ID", Family::Argon2),
    ("ARGON2I", Family::Argon2),
    ("BLF-CRYPT", Family::Crypt),
    ("SHA512-CRYPT", Family::Crypt),
    ("SHA256-CRYPT", Family::Crypt),
    ("MD5-CRYPT", Family::Crypt),
    ("CRYPT", Family::Crypt),
    ("SHA", Family::Digest(Digest::Sha1, Salting::Unsalted)),
    ("SHA1", Family::Digest(Digest::Sha1, Salting::Unsalted)),
    ("SHA256", Family::Digest(Digest::Sha256, Salting::Unsalted)),
    ("SHA512", Family::Digest(Digest::Sha512, Salting::Unsalted)),
    ("SSHA", Family::Digest(Digest::Sha1, Salting::Salted)),
    ("SSHA256", Family::Digest(Digest::Sha256, Salting::Salted)),
    ("SSHA512", Family::Digest(Digest::Sha512, Salting::Salted)),
    ("MD5", Family::Md5),
    ("PLAIN-MD5", Family::Digest(Digest::Md5, Salting::Unsalted)),
    ("LDAP-MD5", Family::Digest(Digest::Md5, Salting::Unsalted)),
    ("SMD5", Family::Digest(Digest::Md5, Salting::Salted)),
    ("PBKDF2", Family::Pbkdf2),
    ("PLAIN", Family::Clear),
    ("CLEAR", Family::Clear),
    ("CLEARTEXT", Family::Clear),
    ("SCRAM-SHA-1", Family::Scram(ScramHash::Sha1)),
    ("SCRAM-SHA-256", Family::Scram(ScramHash::Sha256)),
    ("SCRAM-SHA-512", Family::Scram(ScramHash::Sha512)),
    ("CRAM-MD5", Family::CramMd5),
    ("HMAC-MD5", Family::CramMd5),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_with_an_encoding() {
        for (text, shown) in [
            ("plain", "PLAIN"),
            ("Ssha512", "SSHA512"),
            ("sha256.HEX", "SHA256.hex"),
            ("PLAIN.B64", "PLAIN.b64"),
            ("plain.base64", "PLAIN.b64"),
        ] {
            assert_eq!(text.parse::<Scheme>().unwrap().to_string(), shown);
        }
        assert_eq!("PLAIN".parse(), Ok(Scheme::PLAIN));
        assert_eq!("crypt".parse(), Ok(Scheme::CRYPT));
        for bad in ["", "DES-CRYPT", "PLAIN.", "PLAIN.b32", ".hex", "PLAIN "] {
            assert_eq!(bad.parse::<Scheme>(), Err(UnknownScheme), "{bad:?}");
        }
    }

    #[test]
    fn bytes_are_read_from_hex_and_from_base64_with_or_without_padding() {
        let decode = |encoding: Encoding, text| encoding.decode(text).map(|bytes| bytes.to_vec());
        assert_eq!(decode(Encoding::Hex, "00fFa5"), Some(vec![0, 255, 0xa5]));
        for bad in ["0", "0g", "+1", "\u{e9}"] {
            assert_eq!(decode(Encoding::Hex, bad), None, "{bad:?}");
        }
        for text in ["YQ==", "YQ"] {
            assert_eq!(decode(Encoding::Base64, text), Some(b"a".to_vec()));
        }
        assert_eq!(decode(Encoding::Base64, "Y!"), None);
    }
}
