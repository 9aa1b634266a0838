//! What proves that somebody got a notice: 256 random bits in its links, and a code that is made of them in
//! the address that answers go to.
//!
//! Addresses stand in the logs of every host on the way, and so the code is good for answers alone, which
//! must be proven otherwise as well; nobody can make the token of it.
//!
//! Only the hash is kept. It is bound to one case, one person and one purpose, and it ends. A token is
//! no password: whoever has the notice has it, and so it shows that one mail and decides only about it.

use std::{fmt, str::FromStr};

use mailweir_mail::{Address, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A token. It stands in one notice and nowhere else, and shows itself in no log.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; 32]);

/// What stands in the address that answers to a notice go to. It opens no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerCode(Token);

/// What is kept of a token, or of an answer code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenHash(#[serde(with = "crate::digits")] [u8; 32]);

/// What a token of a case is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The hash of the token.
    pub token: TokenHash,
    /// The hash of its answer code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<TokenHash>,
    /// Whose it is.
    pub person: Address,
    /// What for.
    pub purpose: Purpose,
    /// It is good for nothing from then on.
    pub expires: Timestamp,
    /// When the notice was made that it stands in; `None`: an earlier version made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Timestamp>,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To see the mail, and to decide about it as a moderator.
    Decide,
    /// To see how one's own mail fares, and to take it back.
    Own,
}

impl Token {
    /// The token of 32 bytes, which must be random and secret.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0).into())
    }

    /// The code of answers to the same notice.
    #[must_use]
    pub fn answer_code(&self) -> AnswerCode {
        let code = Sha256::new().chain_update(b"mailweir answer\0").chain_update(self.0);
        AnswerCode(Self(code.finalize().into()))
    }
}

impl AnswerCode {
    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        self.0.hash()
    }
}

/// As a token is written.
impl fmt::Display for AnswerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AnswerCode {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        text.parse().map(Self)
    }
}

impl Grant {
    /// Whether it is still good at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}

/// 52 letters and digits of one case, since mail systems change the case of addresses (base32 of
/// RFC 4648, in lower case, without padding). With `approve+` in front it is within the 64 bytes of a
/// local part.
impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(LENGTH);
        for chunk in self.0.chunks(5) {
            let mut bits = [0; 8];
            bits[3..3 + chunk.len()].copy_from_slice(chunk);
            let bits = u64::from_be_bytes(bits);
            let digits = (chunk.len() * 8).div_ceil(5);
            text.extend(
                (0..digits).map(|at| char::from(ALPHABET[(bits >> (35 - 5 * at)) as usize & 31])),
            );
        }
        f.write_str(&text)
    }
}

/// Nothing of it: it may not stand in a log.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// The text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no token")]
pub struct NoToken;

impl FromStr for Token {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        if text.len() != LENGTH {
            return Err(NoToken);
        }
        let (mut token, mut at) = ([0; 32], 0);
        let (mut bits, mut have) = (0_u32, 0);
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == byte.to_ascii_lowercase());
            bits = bits << 5 | u32::try_from(digit.ok_or(NoToken)?).map_err(|_| NoToken)?;
            have += 5;
            if have >= 8 {
                have -= 8;
                *token.get_mut(at).ok_or(NoToken)? = (bits >> have) as u8;
                at += 1;
                bits &= (1 << have) - 1;
            }
        }
        // Of the last digit only one bit counts: others would be a second name of the same token.
        if bits == 0 { Ok(Self(token)) } else { Err(NoToken) }
    }
}

/// 256 bits, five at a time.
const LENGTH: usize = 52;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_written_as_rfc_4648_says_in_lower_case() {
        let mut random = [0; 32];
        random[..6].copy_from_slice(b"foobar");
        let text = Token::new(random).to_string();
        assert_eq!((&text[..9], text.len()), ("mzxw6ytbo", 52));
        assert_eq!(Token::new([255; 32]).to_string(), format!("{}q", "7".repeat(51)));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let good = Token::new([255; 32]).to_string();
        for bad in
            ["", &good[1..], &format!("{good}a"), &good.replace('q', "r"), &good.replace('q', "1")]
        {
            assert_eq!(bad.parse::<Token>(), Err(NoToken), "{bad}");
        }
        let umlaut = format!("ü{}", &good[2..]);
        assert_eq!(umlaut.parse::<Token>(), Err(NoToken));
    }

    #[test]
    fn only_the_hash_is_shown() {
        let token = Token::new([1; 32]);
        assert_eq!(format!("{token:?}"), "Token(..)");
        assert_ne!(token.hash(), Token::new([2; 32]).hash());
    }

    #[test]
    fn an_answer_code_is_no_token_and_reads_back() {
        let token = Token::new([1; 32]);
        let code = token.answer_code();
        assert_ne!(code.hash(), token.hash());
        assert_ne!(code.hash(), Token::new([2; 32]).answer_code().hash());
        assert_eq!(code.to_string().to_uppercase().parse(), Ok(code.clone()));
        assert_eq!(format!("{code:?}"), "AnswerCode(Token(..))");
    }

    proptest! {
        #[test]
        fn a_token_reads_back_in_any_case(random: [u8; 32]) {
            let token = Token::new(random);
            let text = token.to_string();
            prop_assert_eq!(&text.parse::<Token>(), &Ok(token.clone()));
            prop_assert_eq!(text.to_uppercase().parse::<Token>(), Ok(token));
        }
    }
}
