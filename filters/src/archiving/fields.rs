//! Fields of a header by their names, read while the content flows past.
//!
//! Independent of how the content is split, and bounded: what stands behind the bound is not there for
//! rules.

use std::collections::BTreeMap;

use mailweir_content::decode::headers::HeaderDecoder;

/// Reads the fields that it was told of.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// What was found, in every plausible reading, by the name in lower case.
    found: BTreeMap<Box<str>, Vec<String>>,
    decoder: HeaderDecoder,
    position: Position,
    /// The field under way, with its folds, as far as there is room.
    field: Vec<u8>,
    /// Bytes of fields that may still be kept.
    room: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    /// At the beginning of a line of the header.
    #[default]
    LineBegin,
    /// Within one.
    Line,
    /// Behind the header.
    Body,
}

impl Fields {
    /// Reads fields of these names, in lower case.
    pub fn named(names: impl IntoIterator<Item = Box<str>>) -> Self {
        let found: BTreeMap<_, _> = names.into_iter().map(|name| (name, Vec::new())).collect();
        let position = if found.is_empty() { Position::Body } else { Position::LineBegin };
        Self { found, position, room: MOST_BYTES, ..Self::default() }
    }

    /// Takes the next piece of the mail. Nothing behind the header is looked at.
    pub fn feed(&mut self, mut piece: &[u8]) {
        while self.position != Position::Body
            && let Some(first) = piece.first()
        {
            if self.position == Position::LineBegin && !matches!(first, b' ' | b'\t') {
                self.end_field();
            }
            let end = memchr::memchr(b'\n', piece);
            let (part, rest) = piece.split_at(end.map_or(piece.len(), |at| at + 1));
            let room = LONGEST_FIELD.saturating_sub(self.field.len());
            self.field.extend_from_slice(&part[..part.len().min(room)]);
            self.position = match end {
                None => Position::Line,
                Some(_) if matches!(*self.field, [b'\n'] | [b'\r', b'\n']) => Position::Body,
                Some(_) => Position::LineBegin,
            };
            piece = rest;
        }
    }

    /// Takes the end of the mail.
    pub fn finish(&mut self) {
        self.end_field();
        self.position = Position::Body;
    }

    /// The values of the fields of a name in lower case, as people read them.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.found.get(name).into_iter().flatten().map(String::as_str)
    }

    fn end_field(&mut self) {
        let field = std::mem::take(&mut self.field);
        let Some(colon) = memchr::memchr(b':', &field) else { return };
        let name = String::from_utf8_lossy(field[..colon].trim_ascii_end()).to_ascii_lowercase();
        let Some(found) = self.found.get_mut(&*name) else { return };
        if field.len() <= self.room {
            self.room -= field.len();
            let readings = self.decoder.field(&field).into_iter();
            found.extend(readings.map(|reading| value(&reading).to_owned()));
        }
    }
}

/// What stands behind the name.
fn value(reading: &str) -> &str {
    reading.split_once(':').map_or("", |(_, value)| value.trim())
}

/// Bytes of a field that are looked at.
const LONGEST_FIELD: usize = 16 * 1024;

/// Bytes of all fields together.
const MOST_BYTES: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAIL: &str = "Received: x\r\nSubject: =?utf-8?B?6rSR6rOg?=\r\n =?utf-8?Q?_x?=\r\n\
        X-Cron-Env: <A=1>\r\nx-cron-env : <B=2>\r\nSubjects: no\r\n\r\nSubject: in the text\r\n";

    fn read(pieces: &[&[u8]]) -> Fields {
        let mut fields = Fields::named(["subject".into(), "x-cron-env".into(), "gone".into()]);
        pieces.iter().for_each(|piece| fields.feed(piece));
        fields.finish();
        fields
    }

    fn values<'a>(fields: &'a Fields, name: &str) -> Vec<&'a str> {
        fields.values(name).collect()
    }

    #[test]
    fn fields_are_read_as_people_read_them_and_only_in_the_header() {
        let fields = read(&[MAIL.as_bytes()]);
        assert_eq!(values(&fields, "subject"), ["광고 x"]);
        assert_eq!(values(&fields, "x-cron-env"), ["<A=1>", "<B=2>"]);
        assert_eq!(values(&fields, "gone"), [""; 0]);
        assert_eq!(values(&read(&[b"Subject: no end"]), "subject"), ["no end"]);
        assert_eq!(values(&read(&[b"\r\nSubject: x\r\n"]), "subject"), [""; 0]);
        assert_eq!(values(&Fields::named([]), "subject"), [""; 0]);
    }

    #[test]
    fn a_header_without_end_needs_constant_memory() {
        let mut fields = Fields::named(["subject".into()]);
        for _ in 0..9 {
            fields.feed(b"Subject: ");
            (0..100).for_each(|_| fields.feed(&[b'a'; 4_096]));
            fields.feed(b"\r\n");
        }
        assert!(fields.field.capacity() <= 2 * LONGEST_FIELD);
        let bytes: usize = fields.values("subject").map(str::len).sum();
        assert!(bytes > LONGEST_FIELD && bytes <= MOST_BYTES, "{bytes}");
    }

    proptest! {
        #[test]
        fn the_split_does_not_matter(at in 0..MAIL.len(), and in 0..MAIL.len()) {
            let (first, second) = (at.min(and), at.max(and));
            let mail = MAIL.as_bytes();
            let pieces = [&mail[..first], &mail[first..second], &mail[second..]];
            prop_assert_eq!(read(&pieces).found, read(&[mail]).found);
        }
    }
}
