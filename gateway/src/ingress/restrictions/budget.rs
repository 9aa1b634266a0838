//! How many questions to DNS and policy servers one session may cause (`attacks.md` G4).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// The questions that are left. Each recipient that was accepted brings all of them back, so that an
/// honest client may send any number of mails, and one that only makes us ask is stopped.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU32,
    denied: AtomicBool,
}

impl Budget {
    pub(super) const fn full() -> Self {
        Self { left: AtomicU32::new(QUESTIONS), denied: AtomicBool::new(false) }
    }

    /// Takes one question. `false`: there is none left.
    pub(super) fn spend(&self) -> bool {
        let less = |left: u32| left.checked_sub(1);
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok();
        if !spent {
            self.denied.store(true, Ordering::Relaxed);
        }
        spent
    }

    /// Whether a question was denied since this was asked last: what was decided meanwhile rests on
    /// an answer that nobody has.
    pub(super) fn take_denied(&self) -> bool {
        self.denied.swap(false, Ordering::Relaxed)
    }

    pub(super) fn refill(&self) {
        self.left.store(QUESTIONS, Ordering::Relaxed);
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
        assert_eq!((0..200).filter(|_| budget.spend()).count(), 200);
        assert!(!budget.take_denied());
        assert!(!budget.spend() && budget.take_denied() && !budget.take_denied());
        budget.refill();
        assert!(budget.spend() && !budget.take_denied());
    }
}
