//! The Date field (RFC 5322 section 3.3, and the obsolete forms of section 4.3). Bounded: comments
//! are counted and not descended into.

use mailweir_mail::Timestamp;

/// The time that a Date field says; `None` if it says none, or one before 1970.
pub(super) fn parse(value: &[u8]) -> Option<Timestamp> {
    let value = value.get(..LONGEST).unwrap_or(value);
    let plain = without_comments(value);
    let words = plain.split(|&byte| byte.is_ascii_whitespace() || byte == b',');
    let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
    let month_at = words.iter().position(|word| month(word).is_some())?;
    let day: u8 = number(words.get(month_at.checked_sub(1)?)?)?;
    let month = month(words.get(month_at)?)?;
    let year = year(words.get(month_at + 1)?)?;
    let (hour, minute, second) = time(words.get(month_at + 2)?)?;
    let (sign, east) = words.get(month_at + 3).map_or(('+', 0), |word| zone(word));
    let (zone_hour, zone_minute) = (east / 100, east % 100);
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{zone_hour:02}:{zone_minute:02}"
    )
    .parse()
    .ok()
}

fn without_comments(value: &[u8]) -> Vec<u8> {
    let (mut depth, mut is_escaped) = (0_usize, false);
    let mut kept = Vec::with_capacity(value.len());
    for &byte in value {
        match byte {
            _ if std::mem::take(&mut is_escaped) => {}
            b'\\' if depth > 0 => is_escaped = true,
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(byte),
            _ => {}
        }
        if byte == b'(' && depth == 1 {
            kept.push(b' ');
        }
    }
    kept
}

fn number<N: std::str::FromStr>(word: &[u8]) -> Option<N> {
    let is_number = word.len() <= 4 && word.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(word).ok().filter(|_| is_number)?.parse().ok()
}

fn month(word: &[u8]) -> Option<usize> {
    let name = word.get(..3)?;
    MONTHS.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(name)).map(|at| at + 1)
}

/// Two and three digits as RFC 5322 section 4.3 reads them.
fn year(word: &[u8]) -> Option<u16> {
    let year: u16 = number(word)?;
    Some(match word.len() {
        1 | 2 if year < 50 => year + 2000,
        1..=3 => year + 1900,
        _ => year,
    })
}

fn time(word: &[u8]) -> Option<(u8, u8, u8)> {
    let mut parts = word.split(|&byte| byte == b':' || byte == b'.');
    let (hour, minute) = (number(parts.next()?)?, number(parts.next()?)?);
    Some((hour, minute, parts.next().map_or(Some(0), number)?))
}

/// The sign and four digits. Names that RFC 5322 does not know are UTC, as it wants.
fn zone(word: &[u8]) -> (char, u16) {
    let digits =
        |rest: &[u8]| number::<u16>(rest).filter(|zone| zone / 100 < 24 && zone % 100 < 60);
    let named = |hours: u16, name: &[u8]| {
        // Eastern standard time is 5 hours west, with summer time 4.
        ('-', (hours - u16::from(name.get(1) == Some(&b'D'))) * 100)
    };
    match word.to_ascii_uppercase().as_slice() {
        [b'+', rest @ ..] => ('+', digits(rest).unwrap_or(0)),
        [b'-', rest @ ..] => ('-', digits(rest).unwrap_or(0)),
        name @ (b"EST" | b"EDT") => named(5, name),
        name @ (b"CST" | b"CDT") => named(6, name),
        name @ (b"MST" | b"MDT") => named(7, name),
        name @ (b"PST" | b"PDT") => named(8, name),
        b"JST" | b"KST" => ('+', 900),
        _ => ('+', 0),
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// No date is longer, comments included.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn dates_are_read_in_all_forms_that_mail_has() {
        let cases: [(&str, &str); 12] = [
            ("Fri, 20 Nov 2026 21:30:05 +0000", "2026-11-20T21:30:05"),
            ("Fri, 20 Nov 2026 21:30:05 +0900 (KST)", "2026-11-20T12:30:05"),
            ("20 Nov 2026 21:30 -0130", "2026-11-20T23:00:00"),
            ("Fri,20 NOV 26 21:30:05 GMT", "2026-11-20T21:30:05"),
            ("Fri, 20 November 1998 21:30:05 EST", "1998-11-21T02:30:05"),
            ("20 Nov 98 21:30:05 PDT", "1998-11-21T04:30:05"),
            ("20 Nov 101 21:30:05 +0000", "2001-11-20T21:30:05"),
            ("(a (b (c))) 20 (d\\)) Nov 2026 21:30:05 UT", "2026-11-20T21:30:05"),
            ("20 Nov 2026 21:30:60 +0000", "2026-11-20T21:31:00"),
            ("20 Nov 2026 21.30.05 X", "2026-11-20T21:30:05"),
            ("29 Feb 2024 00:00:00 +0100", "2024-02-28T23:00:00"),
            ("\r\n Fri, 20 Nov 2026\r\n 21:30:05 -9999", "2026-11-20T21:30:05"),
        ];
        for (text, wanted) in cases {
            let date = parse(text.as_bytes()).map(|date| date.rfc3339());
            assert_eq!(date.as_deref().and_then(|date| date.get(..19)), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let long = "(".repeat(1_000_000);
        for text in [
            "",
            "Nov",
            "Nov 2026",
            "31 Feb 2026 10:00 +0000",
            "1 Jan 1969 00:00:00 +0000",
            "20 Nov 99999 1:2:3",
            "20 Nov 2026 25:00",
            "0x14 Nov 2026 10:00",
            "20 Nov 2026",
            &long,
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:.40}");
        }
        assert_eq!(parse(b"\xff\xfe \xea\xb0 Nov"), None);
    }
}
