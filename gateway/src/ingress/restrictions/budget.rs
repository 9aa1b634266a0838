//! How many questions to DNS one session may cause (`attacks.md` G4).

use std::sync::atomic::{AtomicU32, Ordering};

/// The questions that are left. Each recipient that was accepted brings all of them back, so that an
/// honest client may send any number of mails, and one that only makes us ask is stopped.
#[derive(Debug)]
pub(super) struct Budget(AtomicU32);

impl Budget {
    pub(super) const fn full() -> Self {
        Self(AtomicU32::new(QUESTIONS))
    }

    /// Takes one question. `false`: there is none left.
    pub(super) fn spend(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// Whether nothing may be asked any more. What was decided then may rest on an answer that was
    /// never asked for.
    pub(super) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    pub(super) fn refill(&self) {
        self.0.store(QUESTIONS, Ordering::Relaxed);
    }
}

/// Twenty block lists and a few domains of the usual kind need less than half of it.
const QUESTIONS: u32 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g4_a_session_that_brings_no_mail_runs_out_of_questions() {
        let budget = Budget::full();
        assert_eq!((0..1_000).filter(|_| budget.spend()).count(), 200);
        assert!(budget.is_spent());
        budget.refill();
        assert!(budget.spend() && !budget.is_spent());
    }
}
