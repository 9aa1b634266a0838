//! The secret of an app password, and what is kept of it.
//!
//! Nobody chooses it: it is 160 random bits, which cannot be guessed at any speed. So one fast hash
//! without a salt is enough: there is no list of likely secrets to try, not even for who steals the
//! file, and no two are the same. A check costs a microsecond.

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::Password;

/// The secret of a new app password: 32 letters and digits in groups of four, such as
/// `0123-4567-89ab-...`. Wiped when dropped; `Debug` shows nothing of it.
///
/// None of the characters looks like another: there is no `i`, `l`, `o` or `u` among them
/// (Crockford's base 32). Capitals and small letters are the same, the groups may stand together
/// (32 characters for a device that takes no more), and `o`, `i` and `l` are read as the digits
/// that they look like.
#[must_use = "the secret is shown once, and kept nowhere"]
pub struct AppSecret(Zeroizing<String>);

impl AppSecret {
    /// A fresh one.
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self::of(&bytes))
    }

    fn of(bytes: &[u8; BYTES]) -> Self {
        let mut symbols = Zeroizing::new(String::with_capacity(SYMBOLS));
        for five in bytes.chunks_exact(5) {
            let bits = five.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            let group = (0..8).rev().map(|at| ALPHABET[(bits >> (5 * at)) as usize & 31]);
            symbols.extend(group.map(char::from));
        }
        Self(symbols)
    }

    /// The secret as it is shown, once: in groups of four.
    pub fn reveal(&self) -> Zeroizing<String> {
        // Room for all of it, so that no copy of a shorter part stays behind in memory.
        let mut shown = Zeroizing::new(String::with_capacity(SYMBOLS + SYMBOLS / GROUP));
        for (at, symbol) in self.0.char_indices() {
            if at > 0 && at % GROUP == 0 {
                shown.push('-');
            }
            shown.push(symbol);
        }
        shown
    }

    /// What is kept of it.
    pub(super) fn digest(&self) -> AppDigest {
        AppDigest::of_symbols(&self.0)
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(hidden)")
    }
}

/// The SHA-256 of a secret, of its 32 symbols as they are written without groups. Its text is that
/// of Dovecot's `{SHA256}`.
#[derive(Clone, Copy)]
pub(super) struct AppDigest([u8; 32]);

impl AppDigest {
    /// What would be kept of this password; `None` if it cannot be one that we made. Whoever writes
    /// the hash of a word of their own into the file does not get in by it.
    pub(super) fn of(password: &Password) -> Option<Self> {
        let mut symbols = Zeroizing::new(String::with_capacity(SYMBOLS));
        for typed in password.reveal().chars().filter(|typed| !matches!(typed, '-' | ' ')) {
            let symbol = match typed.to_ascii_lowercase() {
                'o' => '0',
                'i' | 'l' => '1',
                other => other,
            };
            let is_known = u8::try_from(symbol).is_ok_and(|symbol| ALPHABET.contains(&symbol));
            if !is_known || symbols.len() == SYMBOLS {
                return None;
            }
            symbols.push(symbol);
        }
        (symbols.len() == SYMBOLS).then(|| Self::of_symbols(&symbols))
    }

    /// Whether they are the same. The time shows nothing of either.
    pub(super) fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// Reads `{SHA256}` and base64.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let encoded = text.strip_prefix(SCHEME).ok_or(NO_DIGEST)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NO_DIGEST)?;
        bytes.try_into().map(Self).map_err(|_| NO_DIGEST)
    }

    /// The text for the users file, and for nothing else.
    pub(super) fn to_text(self) -> String {
        format!("{SCHEME}{}", STANDARD.encode(self.0))
    }

    fn of_symbols(symbols: &str) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, symbols.as_bytes()).as_ref());
        Self(bytes)
    }
}

const BYTES: usize = 20;
const SYMBOLS: usize = BYTES * 8 / 5;
const GROUP: usize = 4;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SCHEME: &str = "{SHA256}";
const NO_DIGEST: &str =
    "an app password has no {SHA256} hash, or a malformed one: it does not count";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_holds_all_its_bits_and_is_shown_in_groups() {
        let bytes: [u8; BYTES] = std::array::from_fn(|at| at as u8 * 13);
        assert_eq!(*AppSecret::of(&bytes).reveal(), "006h-m9sm-8575-pt3n-ga7s-sadp-rf8d-vtqq");
        let (one, two) = (AppSecret::random().unwrap(), AppSecret::random().unwrap());
        assert_ne!(*one.reveal(), *two.reveal());
        assert_eq!(one.reveal().len(), 39);
    }

    #[test]
    fn it_may_be_typed_in_capitals_without_groups_and_with_look_alikes() {
        let secret = AppSecret::of(&[
            0b0000_0000,
            0b0100_0000,
            1,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
            12,
            13,
            14,
            15,
            16,
            17,
            18,
        ]);
        let shown = secret.reveal();
        for typed in [
            shown.to_string(),
            shown.replace('-', ""),
            shown.to_uppercase(),
            shown.replace('-', " "),
            shown.replace('0', "o").replace('1', "l"),
            shown.replace('0', "O").replace('1', "I"),
        ] {
            assert!(digest_of(&typed).unwrap().is(&secret.digest()), "{typed}");
        }
        assert!(shown.contains('0') && shown.contains('1'), "{}", *shown);
        assert!(!digest_of(&shown.replacen('0', "2", 1)).unwrap().is(&secret.digest()));
    }

    #[test]
    fn what_we_cannot_have_made_has_no_digest() {
        let good = "0123456789abcdefghjkmnpqrstvwxyz";
        assert!(digest_of(good).is_some());
        for bad in ["correct horse", "0", &good[1..], &format!("{good}0"), &good.replace('z', "u")]
        {
            assert!(digest_of(bad).is_none(), "{bad}");
        }
        assert!(digest_of(&good.replace('z', "\u{e9}")).is_none());
    }

    #[test]
    fn a_digest_is_read_as_it_is_written_and_a_malformed_one_is_refused() {
        let digest = AppSecret::of(&[7; BYTES]).digest();
        let text = digest.to_text();
        assert!(text.starts_with("{SHA256}") && AppDigest::parse(&text).unwrap().is(&digest));
        for bad in ["", "{SHA256}", "{SHA}AAAA", "{SHA256}AAAA", &text[8..], &format!("{text}A")] {
            assert!(AppDigest::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn c7_debug_output_shows_no_secret() {
        assert_eq!(format!("{:?}", AppSecret::of(&[7; BYTES])), "AppSecret(hidden)");
    }

    fn digest_of(typed: &str) -> Option<AppDigest> {
        AppDigest::of(&Password::new(typed).unwrap())
    }
}
