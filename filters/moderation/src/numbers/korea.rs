//! Korean resident registration numbers.

use super::Run;

/// `YYMMDD-SNNNNNC`: a day of birth, the century and sex, and until October 2020 a place, a serial and a
/// check digit. Numbers given since then are random behind the seventh digit: for people born since
/// then the form is all there is.
pub(super) fn is_resident_number(run: &Run<'_>) -> bool {
    let is_grouped = matches!(run.groups.as_slice(), [birth, _] if birth.len() == 6);
    if run.groups.len() != 1 && !is_grouped {
        return false;
    }
    let Some(digits) = run.digits() else { return false };
    let Ok(digits) = <[u32; 13]>::try_from(digits) else { return false };
    let Some(century) = century(digits[6]) else { return false };
    let (year, month, day) = (
        century + digits[0] * 10 + digits[1],
        digits[2] * 10 + digits[3],
        digits[4] * 10 + digits[5],
    );
    let is_date = (1..=12).contains(&month) && (1..=days(year, month)).contains(&day);
    let is_new = (year, month) >= (2020, 10);
    is_date && (has_check_digit(&digits) || is_new && is_grouped)
}

/// What the seventh digit says of the year of birth: 1 to 4 citizens, 5 to 8 foreigners, 9 and 0 the
/// century before the last.
const fn century(digit: u32) -> Option<u32> {
    match digit {
        1 | 2 | 5 | 6 => Some(1900),
        3 | 4 | 7 | 8 => Some(2000),
        9 | 0 => Some(1800),
        _ => None,
    }
}

const fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// For foreigners the sum is shifted by two.
fn has_check_digit(digits: &[u32; 13]) -> bool {
    const WEIGHTS: [u32; 12] = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5];
    let sum: u32 = WEIGHTS.iter().zip(digits).map(|(weight, digit)| weight * digit).sum();
    let check = (11 - sum % 11) % 10;
    let is_foreign = matches!(digits[6], 5..=8);
    let expected = if is_foreign { (check + 2) % 10 } else { check };
    digits[12] == expected
}
