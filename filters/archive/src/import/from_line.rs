//! The line that begins each mail of an mbox: `From ann@own.example Fri Nov 20 21:30:05 2026`.

use mailweir_mail::{Address, Timestamp};

use crate::header::{Date, is_shape};

/// What such a line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FromLine {
    /// Whom the mail was from, by its envelope; absent: no address stands there.
    pub sender: Option<Address>,
    /// When it was delivered; absent: no date stands there, or one without meaning.
    pub at: Option<Timestamp>,
    /// Whether the line has a date, be it right or wrong.
    pub(super) is_dated: bool,
}

impl FromLine {
    /// Reads a line, without its end. `None`: it begins otherwise.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line.strip_prefix(b"From ")?);
        let (sender, date) = split(&text);
        Some(Self {
            sender: Address::parse(sender.trim()).ok(),
            at: date.and_then(Date::read).and_then(Date::time),
            is_dated: date.is_some(),
        })
    }
}

/// The sender, in which spaces may stand, and the date.
fn split(text: &str) -> (&str, Option<&str>) {
    let mut starts = text.char_indices().filter(|(at, c)| {
        !c.is_whitespace() && text[..*at].chars().next_back().is_none_or(char::is_whitespace)
    });
    let date = starts.find(|(at, _)| is_shape(&text[*at..])).map(|(at, _)| at);
    match date {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sender_and_date_are_told_apart() {
        let time = Some(Timestamp::from_secs(1_795_210_205));
        let ann: Option<Address> = "ann@own.example".parse().ok();
        let quoted: Option<Address> = "\"a b\"@own.example".parse().ok();
        for (line, sender, at, is_dated) in [
            ("From ann@own.example Fri Nov 20 21:30:05 2026", &ann, time, true),
            ("From ann@own.example  Sat Nov 21 06:30:05 2026 +0900", &ann, time, true),
            ("From \"a b\"@own.example Fri Nov 20 21:30:05 2026", &quoted, time, true),
            ("From MAILER-DAEMON Fri Nov 20 21:30:05 2026", &None, time, true),
            ("From - Fri Nov 20 21:30:05 2026", &None, time, true),
            ("From ???@??? Fri Nov 20 21:30:05 2026", &None, time, true),
            ("From ann@own.example Fri Nov 20 21:30:05 1926", &ann, None, true),
            ("From ann@own.example", &ann, None, false),
            ("From here on all is well.", &None, None, false),
            ("From ", &None, None, false),
        ] {
            let expected = FromLine { sender: sender.clone(), at, is_dated };
            assert_eq!(FromLine::read(line.as_bytes()), Some(expected), "{line}");
        }
        assert_eq!(FromLine::read(b">From ann@own.example"), None);
        assert_eq!(FromLine::read(b"From: ann@own.example"), None);
        assert!(FromLine::read(b"From \xff\xfe Fri Nov 20 21:30:05 2026").unwrap().is_dated);
    }
}
