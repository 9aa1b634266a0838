//! What proves that a form was filled in on a page of ours, in the browser that had opened it.
//!
//! A nonce is random and good once, for an hour, for one token and one cookie. Pages that are opened
//! cost no memory: the nonce carries its end and a code over all of this (HMAC-SHA-256), and only those
//! that were used are kept, as many as a bounded table takes. After a restart all are over.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::{hmac, rand};
use mailweir_mail::hex;
use tokio::time::Instant;

/// Makes nonces, and takes each of them once.
pub(super) struct Nonces {
    key: hmac::Key,
    begin: Instant,
    used: Mutex<Used>,
}

/// Nonces that were used and are not over, by token: whoever has one token cannot fill the table for
/// others.
#[derive(Default)]
struct Used {
    by_token: BTreeMap<Box<str>, VecDeque<(u64, [u8; RANDOM])>>,
}

impl Nonces {
    /// With a fresh key. `None`: the system gives no random numbers.
    pub(super) fn new() -> Option<Self> {
        let mut key = [0; 32];
        rand::fill(&mut key).ok()?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        Some(Self { key, begin: Instant::now(), used: Mutex::default() })
    }

    /// A nonce for the page of `token` in the browser that has `cookie`; empty, and so never good, if
    /// the system gives no random numbers.
    pub(super) fn make(&self, token: &str, cookie: &str) -> String {
        let mut random = [0; RANDOM];
        if rand::fill(&mut random).is_err() {
            return String::new();
        }
        let end = self.now() + LIFETIME.as_secs();
        let mut nonce = end.to_be_bytes().to_vec();
        nonce.extend_from_slice(&random);
        let code = hmac::sign(&self.key, &signed(&nonce, token, cookie));
        nonce.extend_from_slice(code.as_ref());
        hex::encode(&nonce)
    }

    /// Whether `nonce` was made for this token and cookie, is not over, and was not used before. It is
    /// used from then on.
    pub(super) fn take(&self, nonce: &str, token: &str, cookie: &str) -> bool {
        let Some(nonce) = hex::decode(nonce).filter(|nonce| nonce.len() == END + RANDOM + CODE)
        else {
            return false;
        };
        let (body, code) = nonce.split_at(END + RANDOM);
        if hmac::verify(&self.key, &signed(body, token, cookie), code).is_err() {
            return false;
        }
        let (Some((end, _)), Some(random)) =
            (body.split_first_chunk::<END>(), body.last_chunk::<RANDOM>())
        else {
            return false;
        };
        let (now, end) = (self.now(), u64::from_be_bytes(*end));
        now < end
            && self
                .used
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(token, end, *random, now)
    }

    fn now(&self) -> u64 {
        self.begin.elapsed().as_secs()
    }
}

impl Used {
    /// Keeps that a nonce was used; `false`: it was before, or there is no room to remember it.
    fn add(&mut self, token: &str, end: u64, random: [u8; RANDOM], now: u64) -> bool {
        for nonces in self.by_token.values_mut() {
            nonces.retain(|(end, _)| now < *end);
        }
        self.by_token.retain(|_, nonces| !nonces.is_empty());
        if self.by_token.len() >= MOST_TOKENS && !self.by_token.contains_key(token) {
            return false;
        }
        let nonces = self.by_token.entry(token.into()).or_default();
        if nonces.len() >= MOST_USES || nonces.iter().any(|(_, used)| *used == random) {
            return false;
        }
        nonces.push_back((end, random));
        true
    }
}

/// The length of the token stands before it: no two pairs are written alike.
fn signed(body: &[u8], token: &str, cookie: &str) -> Vec<u8> {
    let length = (token.len() as u64).to_be_bytes();
    [body, &length, token.as_bytes(), cookie.as_bytes()].concat()
}

/// Random bytes as text; `None`: the system gives none.
pub(super) fn random() -> Option<String> {
    let mut bytes = [0; RANDOM];
    rand::fill(&mut bytes).ok()?;
    Some(hex::encode(&bytes))
}

/// Long enough to read a mail and to be called away; short enough that a page left open decides nothing
/// tomorrow.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// Bytes of the end.
const END: usize = 8;

/// Random bytes.
const RANDOM: usize = 16;

/// Bytes of the code.
const CODE: usize = 32;

/// Choices at the page of one token within [`LIFETIME`]. Nobody has so much to say.
const MOST_USES: usize = 100;

/// Tokens at whose pages something was chosen within [`LIFETIME`].
const MOST_TOKENS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn a_nonce_is_good_once_for_its_token_and_its_cookie() {
        let nonces = Nonces::new().unwrap();
        let nonce = nonces.make("token", "cookie");
        for (token, cookie) in [("other", "cookie"), ("token", "other"), ("tokenc", "ookie")] {
            assert!(!nonces.take(&nonce, token, cookie), "{token} {cookie}");
        }
        assert!(nonces.take(&nonce, "token", "cookie"));
        assert!(!nonces.take(&nonce, "token", "cookie"), "twice");
        assert!(!Nonces::new().unwrap().take(&nonce, "token", "cookie"), "of another start");
    }

    #[tokio::test(start_paused = true)]
    async fn a_nonce_ends_after_an_hour_and_is_forgotten_then() {
        let nonces = Nonces::new().unwrap();
        let (used, late) = (nonces.make("token", "cookie"), nonces.make("token", "cookie"));
        assert!(nonces.take(&used, "token", "cookie"));
        tokio::time::advance(HOUR).await;
        assert!(!nonces.take(&late, "token", "cookie"));
        let fresh = nonces.make("other", "cookie");
        assert!(nonces.take(&fresh, "other", "cookie"));
        assert_eq!(nonces.used.lock().unwrap().by_token.len(), 1, "the old ones are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_nonce_is_none() {
        let nonces = Nonces::new().unwrap();
        let good = nonces.make("token", "cookie");
        let flipped = if good.ends_with('0') { "1" } else { "0" };
        let forged = format!("{}{flipped}", &good[..good.len() - 1]);
        let longer = format!("ffffffff{}", &good[8..]);
        for bad in ["", "0", "zz", &good[2..], &forged, &longer, "é", &"0".repeat(112)] {
            assert!(!nonces.take(bad, "token", "cookie"), "{bad}");
        }
        assert!(nonces.take(&good, "token", "cookie"));
    }

    #[tokio::test(start_paused = true)]
    async fn one_token_cannot_fill_the_table_for_others() {
        let nonces = Nonces::new().unwrap();
        let take = |token: &str| nonces.take(&nonces.make(token, ""), token, "");
        assert_eq!((0..200).filter(|_| take("one")).count(), MOST_USES);
        assert!(take("another"));
    }
}
