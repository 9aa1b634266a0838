//! What a server keeps for CRAM-MD5 (RFC 2195): HMAC-MD5 with the password already taken in.

use std::fmt::{self, Write as _};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use md5::{Digest as _, Md5, block_api::compress};
use zeroize::Zeroizing;

use crate::{Password, secrets::scheme::Encoding};

/// The two MD5 states that the password makes of HMAC's pads (RFC 2104), wiped when dropped.
///
/// They are as good as the password for CRAM-MD5, and for nothing else. `Debug` shows neither.
#[derive(Clone)]
pub struct CramMd5Keys {
    outer: Zeroizing<State>,
    inner: Zeroizing<State>,
}

impl CramMd5Keys {
    /// The states of a password.
    #[must_use]
    pub fn of(password: &Password) -> Self {
        let secret = password.reveal().as_bytes();
        let mut key = Zeroizing::new([0; BLOCK]);
        match secret.len() {
            0..=BLOCK => key[..secret.len()].copy_from_slice(secret),
            _ => key[..16].copy_from_slice(&Md5::digest(secret)),
        }
        let state = |pad: u8| {
            let mut state = Zeroizing::new(START);
            compress(&mut state, &[key.map(|byte| byte ^ pad)]);
            state
        };
        Self { outer: state(0x5c), inner: state(0x36) }
    }

    /// Keys of nobody, so that a claim of nobody's costs what one of somebody's costs. That they
    /// are known harms nobody, as long as what fits them proves nothing.
    #[must_use]
    pub(crate) fn nobody() -> Self {
        Self { outer: Zeroizing::new(START), inner: Zeroizing::new(START) }
    }

    /// Dovecot's text, as it is behind `{CRAM-MD5}`.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let words = self.outer.iter().chain(self.inner.iter());
        // All of it at once: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(64));
        for word in words {
            let _ = write!(*text, "{:08x}", word.swap_bytes());
        }
        text
    }

    /// Reads what [`Self::to_text`] writes.
    pub(crate) fn from_text(text: &str) -> Result<Self, &'static str> {
        Self::parse(None, text)
    }

    /// Reads Dovecot's 64 hexadecimal digits: the outer state, then the inner.
    pub(super) fn parse(encoding: Option<Encoding>, text: &str) -> Result<Self, &'static str> {
        let bytes = encoding.unwrap_or(Encoding::Hex).decode(text);
        let bytes = bytes.filter(|bytes| bytes.len() == 32);
        let bytes = bytes.ok_or("the keys of CRAM-MD5 are 64 hexadecimal digits")?;
        let state = |bytes: &[u8]| {
            let mut state = Zeroizing::new(START);
            for (word, bytes) in state.iter_mut().zip(bytes.as_chunks().0) {
                *word = u32::from_le_bytes(*bytes);
            }
            state
        };
        let (outer, inner) = bytes.split_at(16);
        Ok(Self { outer: state(outer), inner: state(inner) })
    }

    /// Whether `answer`, 32 hexadecimal digits, proves the password for `challenge`.
    #[must_use]
    pub fn prove(&self, challenge: &[u8], answer: &str) -> bool {
        let expected = finish(&self.outer, &*finish(&self.inner, challenge));
        let answer = Encoding::Hex.decode(answer);
        answer.is_some_and(|answer| verify_slices_are_equal(&answer, &*expected).is_ok())
    }

    /// Whether these are the states of `password`.
    pub(super) fn matches(&self, password: &Password) -> bool {
        let (found, bytes) = (Self::of(password), |state: &State| {
            let mut bytes = Zeroizing::new([0; 16]);
            for (to, word) in bytes.as_chunks_mut().0.iter_mut().zip(state) {
                *to = word.to_le_bytes();
            }
            bytes
        });
        let same = |a: &State, b: &State| verify_slices_are_equal(&*bytes(a), &*bytes(b)).is_ok();
        same(&self.outer, &found.outer) & same(&self.inner, &found.inner)
    }
}

impl fmt::Debug for CramMd5Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CramMd5Keys(hidden)")
    }
}

type State = [u32; 4];

/// Goes on from a state that has taken one block in, with `text` to the end (RFC 1321 section 3).
fn finish(state: &State, text: &[u8]) -> Zeroizing<[u8; 16]> {
    let mut state = Zeroizing::new(*state);
    let (blocks, rest) = text.as_chunks();
    compress(&mut state, blocks);
    let mut end = [[0; BLOCK]; 2];
    let bytes = end.as_flattened_mut();
    bytes[..rest.len()].copy_from_slice(rest);
    bytes[rest.len()] = 0x80;
    let needed = if rest.len() < BLOCK - 8 { 1 } else { 2 };
    let bits = ((BLOCK + text.len()) as u64).wrapping_mul(8);
    bytes[needed * BLOCK - 8..needed * BLOCK].copy_from_slice(&bits.to_le_bytes());
    compress(&mut state, &end[..needed]);
    let mut hash = Zeroizing::new([0; 16]);
    for (to, word) in hash.as_chunks_mut().0.iter_mut().zip(state.iter()) {
        *to = word.to_le_bytes();
    }
    hash
}

const BLOCK: usize = 64;
const START: State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 2195 section 2.
    #[test]
    fn the_answer_is_that_of_the_rfc() {
        let keys = CramMd5Keys::of(&Password::new("tanstaaftanstaaf").unwrap());
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert!(keys.prove(challenge, "b913a602c7eda7a495b4e6e7334d3890"));
        assert!(keys.prove(challenge, "B913A602C7EDA7A495B4E6E7334D3890"));
        assert!(!keys.prove(challenge, "b913a602c7eda7a495b4e6e7334d3891"));
        assert!(!keys.prove(b"<other>", "b913a602c7eda7a495b4e6e7334d3890"));
        for odd in ["", "b913", "no digits"] {
            assert!(!keys.prove(challenge, odd));
        }
    }

    /// `doveadm pw -s CRAM-MD5 -p tanstaaftanstaaf`.
    #[test]
    fn the_text_is_that_of_dovecot() {
        let keys = CramMd5Keys::of(&Password::new("tanstaaftanstaaf").unwrap());
        let text = keys.to_text();
        let dovecot = "d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b";
        assert_eq!(*text, dovecot);
        let read = CramMd5Keys::from_text(&text).unwrap();
        assert!(read.matches(&Password::new("tanstaaftanstaaf").unwrap()));
        assert!(!read.matches(&Password::new("tanstaaftanstaag").unwrap()));
    }

    /// Against MD5 itself, for each way in which a text can fill its last block.
    #[test]
    fn a_text_of_any_length_ends_as_md5_ends_it() {
        let pad = [7; BLOCK];
        let mut state = START;
        compress(&mut state, &[pad]);
        for length in 0..200 {
            let text = vec![b'x'; length];
            let expected: [u8; 16] =
                Md5::new().chain_update(pad).chain_update(&text).finalize().into();
            assert_eq!(*finish(&state, &text), expected, "{length}");
        }
    }
}
