//! Payment card numbers.

use super::Run;

/// A prefix and a length of a known network, and the check digit (ISO/IEC 7812-1, annex B).
pub(super) fn is_card_number(run: &Run<'_>) -> bool {
    let is_grouped = match run.groups.as_slice() {
        [_] => true,
        // 4-4-4-4 and its longer forms; 4-6-5 and 4-6-4.
        [first, rest @ ..] => {
            first.len() == 4
                && rest.len() <= 4
                && rest.iter().all(|group| (3..=6).contains(&group.len()))
        }
        [] => false,
    };
    let Some(digits) = run.digits().filter(|_| is_grouped) else { return false };
    is_of_network(&digits) && has_check_digit(&digits)
}

fn is_of_network(digits: &[u32]) -> bool {
    let prefix = |length: usize| digits.iter().take(length).fold(0, |sum, digit| sum * 10 + digit);
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    match digits.len() {
        13 => prefix(1) == 4,
        14 => matches!(three, 300..=305 | 309) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37),
        16 => {
            prefix(1) == 4
                || matches!(two, 51..=55 | 62 | 65 | 81)
                || matches!(three, 644..=649)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011)
                // Cards for use in Korea alone.
                || matches!(two, 90..=99)
        }
        17..=19 => two == 62 || prefix(1) == 4 && digits.len() == 19,
        _ => false,
    }
}

/// The sum by Luhn.
fn has_check_digit(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let place = digits.iter().rev().enumerate();
    let sum: u32 = place.map(|(at, &digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum();
    sum.is_multiple_of(10)
}
