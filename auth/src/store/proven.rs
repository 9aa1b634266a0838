//! A short memory of passwords that were proven, so that a busy client pays argon2 once in five
//! minutes and not for each session.
//!
//! No password is kept: an entry is a keyed hash (BLAKE2b, a random key per process) of the
//! password together with the stored hash it was proven against. Another password, or a changed
//! file, makes the entry unreachable at once.

use std::{collections::HashMap, time::Duration};

use blake2::{
    Blake2bMac512,
    digest::{FixedOutput, KeyInit, Update},
};
use tokio::time::Instant;

use crate::{Password, secrets::argon2id::StoredPassword};

/// How long a success is remembered.
pub(super) const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// Proofs seen lately. Never holds more than [`MAX_PROOFS`].
#[derive(Default)]
pub(super) struct Proven {
    expiry: HashMap<Proof, Instant>,
}

/// A password and the stored hash it is meant to match, in 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Proof([u8; 32]);

/// The random key of this process's proofs.
pub(super) struct ProofKey([u8; 64]);

impl Proven {
    /// Whether this very proof was made within [`LIFETIME`].
    pub(super) fn knows(&self, proof: &Proof, now: Instant) -> bool {
        self.expiry.get(proof).is_some_and(|&expiry| now < expiry)
    }

    /// Remembers a proof that was just made.
    pub(super) fn remember(&mut self, proof: Proof, now: Instant) {
        if self.expiry.len() >= MAX_PROOFS {
            self.expiry.retain(|_, expiry| now < *expiry);
        }
        if self.expiry.len() >= MAX_PROOFS {
            self.expiry.clear();
        }
        self.expiry.insert(proof, now + LIFETIME);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.expiry.clear();
    }
}

impl ProofKey {
    pub(super) fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; 64];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    pub(super) fn proof(&self, stored: &StoredPassword, password: &Password) -> Proof {
        let mut mac = Blake2bMac512::new(&self.0.into());
        mac.update(stored.as_str().as_bytes());
        // A stored hash has no NUL, so no other pair of texts gives the same bytes.
        mac.update(b"\0");
        mac.update(password.reveal().as_bytes());
        let digest: [u8; 64] = mac.finalize_fixed().into();
        let mut proof = [0; 32];
        proof.copy_from_slice(&digest[..32]);
        Proof(proof)
    }
}

const MAX_PROOFS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HashCost, NewPassword};

    #[test]
    fn a_proof_holds_for_one_password_one_stored_hash_and_five_minutes() {
        let (now, key) = (Instant::now(), ProofKey::random().unwrap());
        let (right, wrong) = (password("correct horse"), password("correct house"));
        let stored = stored();
        let mut proven = Proven::default();
        proven.remember(key.proof(&stored, &right), now);
        let knows = |stored: &StoredPassword, password, after| {
            proven.knows(&key.proof(stored, password), now + after)
        };
        assert!(knows(&stored, &right, Duration::from_secs(299)));
        assert!(!knows(&stored, &right, LIFETIME));
        assert!(!knows(&stored, &wrong, Duration::ZERO));
        assert!(!knows(&self::stored(), &right, Duration::ZERO), "another salt is another hash");
        let other_key = ProofKey::random().unwrap();
        assert!(!proven.knows(&other_key.proof(&stored, &right), now));
    }

    #[test]
    fn the_memory_is_bounded() {
        let now = Instant::now();
        let mut proven = Proven::default();
        for i in 0..MAX_PROOFS + 5 {
            let mut proof = [0; 32];
            proof[..8].copy_from_slice(&i.to_le_bytes());
            proven.remember(Proof(proof), now);
            assert!(proven.expiry.len() <= MAX_PROOFS);
        }
        assert!(!proven.expiry.is_empty());
    }

    fn stored() -> StoredPassword {
        let cost = HashCost { memory_kib: 8, passes: 1 };
        StoredPassword::of(&NewPassword::new("correct horse").unwrap(), cost).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }
}
