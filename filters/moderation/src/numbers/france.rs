//! French social security numbers.

use super::Run;

/// `S AA MM LLLLL OOO KK`: sex, year and month of birth, place (2A and 2B in Corsica), serial, key.
pub(super) fn is_nir(run: &Run<'_>) -> bool {
    let text = run.joined();
    if text.len() != 15 || !text.is_ascii() || !matches!(text.as_bytes()[0], b'1' | b'2') {
        return false;
    }
    let (number, key) = text.split_at(13);
    // The key of Corsica is that of departments 19 and 18.
    let number = match &number[5..7] {
        "2A" | "2a" => format!("{}19{}", &number[..5], &number[7..]),
        "2B" | "2b" => format!("{}18{}", &number[..5], &number[7..]),
        _ => number.to_owned(),
    };
    let month = number[3..5].parse::<u8>();
    let (Ok(month), Ok(number), Ok(key)) = (month, number.parse::<u64>(), key.parse::<u64>())
    else {
        return false;
    };
    // Over 12: the month is not known, or the number was given abroad.
    let is_month = matches!(month, 1..=12 | 20..=42 | 50..=99);
    is_month && key == 97 - number % 97
}
