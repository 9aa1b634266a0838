//! What patterns that backtrack may cost one mail, all of them together (`attacks.md` I1).

use std::sync::atomic::{AtomicU64, Ordering};

/// The steps that the lookups of one mail have left for what is beyond linear.
///
/// A step is a place that PCRE2 may come back to, some 10 ns. What a lookup needs for each byte of
/// its key up to [`PatternSteps::FREE`] costs nothing here: it grows with the mail, as everything does.
/// What it takes beyond is taken from what is left, rounded up: to four times at most, or where a
/// pattern is asked at each place by itself, as if each took what the dearest does. When nothing is
/// left the lookup is no answer ([`LookupError::NoStepsLeft`](crate::LookupError::NoStepsLeft)). The same
/// lookups in the same order cost the same, whatever else runs.
#[derive(Debug)]
pub struct PatternSteps(AtomicU64);

impl PatternSteps {
    /// How many there are for one mail: half a second.
    pub const ALL: u64 = 1 << 26;

    /// For each byte of a key and pattern, without taking from what is left.
    pub const FREE: u64 = 256;

    /// For a lookup that belongs to no mail.
    pub const ALONE: u64 = 1 << 22;

    /// All of them: for a mail.
    #[must_use]
    pub const fn all() -> Self {
        Self::limited(Self::ALL)
    }

    /// So many.
    #[must_use]
    pub const fn limited(steps: u64) -> Self {
        Self(AtomicU64::new(steps))
    }

    /// How many are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Gives all of them back.
    pub fn refill(&self) {
        self.0.store(Self::ALL, Ordering::Relaxed);
    }

    /// Takes `steps`. `false`: there are not so many left, and none is taken.
    pub(crate) fn spend(&self, steps: u64) -> bool {
        let less = |left: u64| left.checked_sub(steps);
        steps == 0 || self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

impl Default for PatternSteps {
    fn default() -> Self {
        Self::all()
    }
}
