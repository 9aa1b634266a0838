//! The header of a mail, as far as the archive asks it: who it names, and when it was. Tolerant, since
//! it may have been written by anybody decades ago, and bounded: a lying mail costs no more than others.
//!
//! Nothing of this decides about mail that is accepted. There the envelope says who sent a mail and who gets it.

mod addresses;
mod date;

pub(crate) use addresses::{addresses, is_understood};
pub(crate) use date::{Date, is_shape};

use std::io::{self, Read};

/// The fields of a header, in their order.
#[derive(Debug, Default)]
pub(crate) struct Header {
    fields: Vec<Field>,
    is_cut: bool,
}

#[derive(Debug)]
struct Field {
    name: Box<str>,
    /// Unfolded. What is not UTF-8 stands as U+FFFD.
    value: String,
}

impl Header {
    /// Reads the header at the beginning of a mail, as much of it as is within [`MOST_BYTES`].
    pub(crate) fn read(mail: &[u8]) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut is_cut = mail.len() >= MOST_BYTES;
        for line in lines(&mail[..mail.len().min(MOST_BYTES)]) {
            match (line, fields.last_mut()) {
                ([], _) => {
                    is_cut = false;
                    break;
                }
                ([b' ' | b'\t', ..], Some(before)) => {
                    before.value.push_str(&String::from_utf8_lossy(line));
                }
                _ => {
                    fields.extend(field(line));
                    if fields.len() >= MOST_FIELDS {
                        is_cut = true;
                        break;
                    }
                }
            }
        }
        Self { fields, is_cut }
    }

    /// Whether it may have more fields than were read.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// The first field of this name.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.is(name)).map(|field| field.value.trim())
    }

    /// All fields of these names.
    pub(crate) fn all<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.named(|name| is_one_of(name, names))
    }

    /// All fields whose names are meant.
    pub(crate) fn named(&self, is_meant: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
        let fields = self.fields.iter().filter(move |field| is_meant(&field.name));
        fields.map(|field| field.value.trim())
    }

    /// Whether it has any field.
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// Whether a field has one of these names.
pub(crate) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|it| it.eq_ignore_ascii_case(name))
}

impl Field {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// As much of a mail as [`Header::read`] looks at, and the whole mail again.
pub(crate) fn peek<R: Read>(mut content: R) -> io::Result<(Vec<u8>, impl Read)> {
    let mut begin = Vec::new();
    content.by_ref().take(MOST_BYTES as u64).read_to_end(&mut begin)?;
    Ok((begin.clone(), io::Cursor::new(begin).chain(content)))
}

/// Whether a line is a field of a header (RFC 5322 section 2.2): a name and a colon.
pub(crate) fn is_field(line: &[u8]) -> bool {
    field(line).is_some()
}

fn field(line: &[u8]) -> Option<Field> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    // RFC 5322 section 4.5: white space may stand before the colon.
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|byte| matches!(byte, b'!'..=b'~'));
    let name = std::str::from_utf8(name).ok().filter(|_| is_name)?;
    let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
    Some(Field { name: name.into(), value: value.into_owned() })
}

/// Lines without their ends, CRLF or LF.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// As much of a header as is read.
pub(crate) const MOST_BYTES: usize = 256 * 1024;

/// As many fields as are read.
const MOST_FIELDS: usize = 4_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_found_whatever_their_line_ends_and_the_case_of_their_names() {
        let mail = b"Subject: one\r\n two\nTO : a@b.example\nno field\nto:\tc@d.example\r\n\r\nTo: body\r\n";
        let header = Header::read(mail);
        assert_eq!(header.first("subject"), Some("one two"));
        assert_eq!(header.all(&["To", "Cc"]).collect::<Vec<_>>(), ["a@b.example", "c@d.example"]);
        assert_eq!(header.first("Date"), None);
        assert!(Header::read(b"\r\nTo: body").is_empty() && Header::read(b"").is_empty());
    }

    #[test]
    fn a_header_without_end_is_read_no_further_than_its_bound() {
        let mut mail = b"A: ".to_vec();
        mail.resize(MOST_BYTES + 10, b'x');
        mail.extend_from_slice(b"\r\nTo: late@x.example\r\n");
        let header = Header::read(&mail);
        assert_eq!(header.first("to"), None);
        assert_eq!(header.first("a").map(str::len), Some(MOST_BYTES - 3));
        assert!(header.is_cut() && !Header::read(b"A: x\r\n\r\ny").is_cut());
        assert!(Header::read("A: x\n".repeat(MOST_FIELDS).as_bytes()).is_cut());
        let (begin, mut all) = peek(mail.as_slice()).unwrap();
        let mut again = Vec::new();
        all.read_to_end(&mut again).unwrap();
        assert_eq!(begin.len(), MOST_BYTES);
        assert!(again == mail);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(mail in prop::collection::vec(any::<u8>(), 0..500)) {
            let header = Header::read(&mail);
            header.fields.iter().for_each(|field| {
                let _ = addresses(&field.value).count();
                let _ = Date::read(&field.value).map(Date::time);
            });
        }
    }
}
