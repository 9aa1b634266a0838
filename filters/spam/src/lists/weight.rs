//! What a listing weighs: a decimal number with a sign, kept as thousandths so that sums are exact.

use std::fmt;

/// A weight between -1000 and 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(i32);

/// This is no weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "behind * must stand a number from -1000 to 1000 with at most three digits behind the point"
)]
pub struct WeightError;

impl Weight {
    /// The weight of a list whose setting says none.
    pub const ONE: Self = Self(THOUSAND);

    /// Reads `2`, `-1.5`, `+3`.
    ///
    /// # Errors
    /// If it is no such number.
    pub fn parse(text: &str) -> Result<Self, WeightError> {
        let (sign, digits) = match text.split_at_checked(1) {
            Some(("-", digits)) => (-1, digits),
            Some(("+", digits)) => (1, digits),
            Some(_) | None => (1, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(WeightError),
            Some(parts) => parts,
            None => (digits, "0"),
        };
        let thousandths = number(whole, 4)? * THOUSAND + number(&format!("{fraction:0<3}"), 3)?;
        if thousandths <= MOST { Ok(Self(sign * thousandths)) } else { Err(WeightError) }
    }

    /// Thousandths.
    #[must_use]
    pub const fn thousandths(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Weight {
    /// As short as it can be written: `2`, `-1.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, thousand) = (self.0.unsigned_abs(), THOUSAND.unsigned_abs());
        let sign = if self.0 < 0 { "-" } else { "" };
        let fraction = format!(".{:03}", all % thousand);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{sign}{}{fraction}", all / thousand)
    }
}

/// A number of at most so many digits.
fn number(digits: &str, most: usize) -> Result<i32, WeightError> {
    let is_number =
        (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse().map_err(|_| WeightError) } else { Err(WeightError) }
}

const THOUSAND: i32 = 1_000;

/// More than any threshold can mean, and small enough for sums of all lists that anybody asks.
const MOST: i32 = 1_000 * THOUSAND;
