//! A short memory of proofs that were found good, so that a busy client pays for a slow check once
//! in a while and not for each session.
//!
//! No password is kept: an entry is a keyed hash (BLAKE2b, a random key per process) of the
//! password together with what it was checked against. Another password makes another entry.

use std::{collections::HashMap, time::Duration};

use blake2::{
    Blake2bMac512,
    digest::{FixedOutput, KeyInit, Update},
};
use tokio::time::Instant;

/// Proofs seen lately, each with what it proved. Never holds more than [`MAX_PROOFS`].
#[derive(Debug)]
pub(crate) struct Proven<T> {
    lifetime: Duration,
    known: HashMap<Proof, (Instant, T)>,
}

/// What was checked, in 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Proof([u8; 32]);

/// The random key of this process's proofs.
pub(crate) struct ProofKey([u8; 64]);

impl<T: Clone> Proven<T> {
    /// An empty memory in which a proof lasts so long.
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self { lifetime, known: HashMap::new() }
    }

    /// What this very proof has proven lately.
    pub(crate) fn find(&self, proof: &Proof, now: Instant) -> Option<T> {
        let (expiry, proven) = self.known.get(proof)?;
        (now < *expiry).then(|| proven.clone())
    }

    /// Remembers a proof that was just made.
    pub(crate) fn remember(&mut self, proof: Proof, proven: T, now: Instant) {
        if self.lifetime.is_zero() {
            return;
        }
        if self.known.len() >= MAX_PROOFS {
            self.known.retain(|_, (expiry, _)| now < *expiry);
        }
        if self.known.len() >= MAX_PROOFS {
            self.known.clear();
        }
        self.known.insert(proof, (now + self.lifetime, proven));
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }
}

impl ProofKey {
    /// A fresh one.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut key = [0; 64];
        getrandom::fill(&mut key)?;
        Ok(Self(key))
    }

    /// The proof that all of these belong together, in this order.
    pub(crate) fn proof(&self, parts: &[&str]) -> Proof {
        let mut mac = Blake2bMac512::new(&self.0.into());
        for part in parts {
            // The lengths make it impossible that other texts give the same bytes.
            mac.update(&part.len().to_le_bytes());
            mac.update(part.as_bytes());
        }
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

    const LIFETIME: Duration = Duration::from_secs(300);

    #[test]
    fn a_proof_holds_for_one_password_one_stored_hash_and_its_lifetime() {
        let (now, key) = (Instant::now(), ProofKey::random().unwrap());
        let mut proven = Proven::new(LIFETIME);
        proven.remember(key.proof(&["stored", "right"]), "ann", now);
        let find = |parts: &[&str], after| proven.find(&key.proof(parts), now + after);
        assert_eq!(find(&["stored", "right"], Duration::from_secs(299)), Some("ann"));
        assert_eq!(find(&["stored", "right"], LIFETIME), None);
        assert_eq!(find(&["stored", "wrong"], Duration::ZERO), None);
        assert_eq!(find(&["another", "right"], Duration::ZERO), None);
        assert_eq!(find(&["store", "dright"], Duration::ZERO), None, "parts do not run together");
        let other_key = ProofKey::random().unwrap();
        assert_eq!(proven.find(&other_key.proof(&["stored", "right"]), now), None);
    }

    #[test]
    fn the_memory_is_bounded_and_may_be_none() {
        let now = Instant::now();
        let mut proven = Proven::new(LIFETIME);
        for i in 0..MAX_PROOFS + 5 {
            let mut proof = [0; 32];
            proof[..8].copy_from_slice(&i.to_le_bytes());
            proven.remember(Proof(proof), (), now);
            assert!(proven.known.len() <= MAX_PROOFS);
        }
        assert!(!proven.known.is_empty());
        let mut none = Proven::new(Duration::ZERO);
        none.remember(Proof([0; 32]), (), now);
        assert_eq!(none.find(&Proof([0; 32]), now), None);
    }
}
