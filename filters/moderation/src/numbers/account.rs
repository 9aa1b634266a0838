//! International bank account numbers.

use super::Run;

/// A country, two check digits and what the country gives, 15 to 34 characters (ISO 13616).
pub(super) fn is_iban(run: &Run<'_>) -> bool {
    let text = run.joined().to_ascii_uppercase();
    let bytes = text.as_bytes();
    let is_form = matches!(bytes, [a, b, c, d, ..]
        if a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit());
    let is_grouped = match run.groups.as_slice() {
        [_] => true,
        [all @ .., last] => {
            all.iter().all(|group| group.len() == 4) && (1..=4).contains(&last.len())
        }
        [] => false,
    };
    let is_length = match text.get(..2).map(length) {
        Some(Some(length)) => text.len() == length,
        Some(None) => (15..=34).contains(&text.len()),
        None => false,
    };
    is_form && is_grouped && is_length && remainder(bytes) == Some(1)
}

/// Of the whole, the first four characters behind the others, letters as 10 to 35 (ISO/IEC 7064).
fn remainder(bytes: &[u8]) -> Option<u32> {
    let (head, tail) = bytes.split_at_checked(4)?;
    tail.iter().chain(head).try_fold(0, |rest, &byte| {
        let value = char::from(byte).to_digit(36)?;
        Some(if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 })
    })
}

/// How long those of a country are. Of others any length will do.
fn length(country: &str) -> Option<usize> {
    Some(match country {
        "NO" => 15,
        "BE" => 16,
        "DK" | "FI" | "NL" => 18,
        "AT" | "LU" | "LT" => 20,
        "CH" => 21,
        "DE" | "GB" | "IE" => 22,
        "ES" | "SE" | "PT" | "CZ" => 24,
        "FR" | "IT" | "GR" => 27,
        "PL" | "HU" => 28,
        _ => return None,
    })
}
