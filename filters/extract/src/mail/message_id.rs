//! The Message-ID field (RFC 5322 section 3.6.4).

/// The identifier with its brackets, or what stands there instead of one.
pub(super) fn parse(value: &[u8]) -> Option<String> {
    let value = value.get(..LONGEST).unwrap_or(value);
    let text = String::from_utf8_lossy(value);
    let text: String = text.chars().filter(|character| !character.is_control()).collect();
    let text = text.trim();
    let from = text.find('<').and_then(|at| text.get(at..));
    let between = from.and_then(|from| Some((from, from.find('>')?)));
    let id = between.and_then(|(from, end)| from.get(..=end)).unwrap_or(text);
    (!id.is_empty()).then(|| id.to_owned())
}

/// A line of a header has 998 bytes.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_identifier_is_taken_from_whatever_stands_around_it() {
        let cases: [(&[u8], Option<&str>); 6] = [
            (b" <a@b>", Some("<a@b>")),
            (b"\n\t<a@b> (comment)", Some("<a@b>")),
            (b" a@b\r\n", Some("a@b")),
            (b" <a@b", Some("<a@b")),
            (b"  ", None),
            (b"\xff<\0>", Some("<>")),
        ];
        for (value, wanted) in cases {
            assert_eq!(parse(value).as_deref(), wanted, "{}", value.escape_ascii());
        }
    }
}
