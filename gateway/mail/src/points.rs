//! Points of a score that says how much a mail looks like spam, in tenths.
//!
//! Whole numbers: sums do not depend on the order of what is added, and what is shown adds up to what was decided by.

use std::{fmt, iter::Sum};

/// Points of a score: tenths, between -100,000 and 100,000 points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Points(i32);

impl Points {
    /// None.
    pub const ZERO: Self = Self(0);

    /// From here on a mail is held, unless the administrator says otherwise.
    pub const QUARANTINE: Self = Self::from_tenths(80);

    /// So many tenths of a point.
    #[must_use]
    pub const fn from_tenths(tenths: i32) -> Self {
        let bounded = if tenths > MOST { MOST } else { tenths };
        Self(if bounded < -MOST { -MOST } else { bounded })
    }

    /// The nearest tenth, halves away from zero; what is no number is nothing.
    #[must_use]
    pub fn round(points: f64) -> Self {
        let bound = f64::from(MOST);
        let tenths = (points * 10.0).round().clamp(-bound, bound);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number within the bounds; NaN becomes 0"
        )]
        Self(tenths as i32)
    }

    /// Tenths of a point.
    #[must_use]
    pub const fn tenths(self) -> i32 {
        self.0
    }

    /// Points with their fraction.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self::from_tenths(self.0.saturating_add(other.0))
    }

    /// This without the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self::from_tenths(self.0.saturating_sub(other.0))
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(points: I) -> Self {
        points.fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let tenths = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{}", tenths / 10, tenths % 10))
    }
}

/// In tenths. Far beyond every threshold; thousands of findings cannot overflow it.
const MOST: i32 = 1_000_000;
