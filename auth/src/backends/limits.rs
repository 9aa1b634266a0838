//! How many questions a server may be asked at a time.

use std::num::NonZeroUsize;

use crate::{Checks, HashLimits};

/// Bounds on the questions to one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Questions that wait for its answer at the same time.
    pub at_once: NonZeroUsize,
    /// Questions that wait until they can be put. One more is told that we are busy.
    pub waiting: usize,
}

impl RequestLimits {
    /// `at_once` questions, and `waiting` ones; one at a time if `at_once` is zero.
    pub(crate) const fn new(at_once: usize, waiting: usize) -> Self {
        let at_once = match NonZeroUsize::new(at_once) {
            Some(number) => number,
            None => NonZeroUsize::MIN,
        };
        Self { at_once, waiting }
    }

    /// The place where turns are waited for.
    pub(crate) fn gate(self) -> Checks {
        Checks::new(HashLimits { at_once: self.at_once, waiting: self.waiting })
    }
}
