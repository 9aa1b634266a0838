//! Japanese Individual Numbers.

use super::Run;

/// Eleven digits and a check digit (ordinance 85 of 2014 of the ministry of internal affairs, article 5).
pub(super) fn is_my_number(run: &Run<'_>) -> bool {
    let is_grouped = match run.groups.as_slice() {
        [_] => true,
        [a, b, c] => [a, b, c].iter().all(|group| group.len() == 4),
        _ => false,
    };
    let Some(digits) = run.digits().filter(|_| is_grouped) else { return false };
    let Ok(digits) = <[u32; 12]>::try_from(digits) else { return false };
    let [first @ .., check] = digits;
    let is_one_digit = first.iter().all(|digit| *digit == first[0]);
    let weights = (1..=11).map(|place| if place <= 6 { place + 1 } else { place - 5 });
    let sum: u32 = first.iter().rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
    let expected = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    check == expected && !is_one_digit
}
