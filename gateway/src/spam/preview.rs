//! What a person sees of a mail before anybody is to have it: the fields that people read, its text, and the names of what is
//! attached. Nothing is fetched, and nothing that a mail says reaches a terminal as it is.

use std::io::{self, Read};

use mailweir_content::decode::{charset::Fallbacks, parts::Part};
use mailweir_mail::compose::{is_harmful, one_line};
use mailweir_spam::reading::{Field, Limits, Listener, Reader, Source, Text, Trouble};

use super::quarantine::Preview;

/// Reads a mail, no more than [`MOST_READ`] of it.
///
/// # Errors
/// It cannot be read.
pub(crate) fn preview(mut content: impl Read) -> io::Result<Preview> {
    let mut reader = Reader::new(Limits::default(), Fallbacks::default());
    let mut sketch = Sketch { preview: Preview::default(), bytes: 0, of_part: None };
    let mut piece = vec![0; PIECE];
    let mut left = MOST_READ;
    loop {
        match content.read(&mut piece) {
            Ok(0) => break,
            Ok(_) if left == 0 => {
                sketch.preview.is_cut = true;
                break;
            }
            Ok(read) => {
                let wanted = read.min(left);
                reader.feed(piece.get(..wanted).unwrap_or_default(), &mut sketch);
                left -= wanted;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    reader.finish(&mut sketch);
    Ok(sketch.preview)
}

/// A preview that is made.
struct Sketch {
    preview: Preview,
    /// Bytes of text so far.
    bytes: usize,
    /// Where the last line came from.
    of_part: Option<Source>,
}

impl Sketch {
    fn add(&mut self, line: &str) {
        let Preview { lines, is_cut, .. } = &mut self.preview;
        if lines.len() >= MOST_LINES || self.bytes >= MOST_TEXT {
            *is_cut = true;
            return;
        }
        let line = shown(line, MOST_TEXT - self.bytes);
        self.bytes += line.len() + 1;
        lines.push(line.into());
    }
}

impl Listener for Sketch {
    fn field(&mut self, field: &Field<'_>) {
        let Preview { fields, is_cut, .. } = &mut self.preview;
        let name = FIELDS.iter().find(|name| field.depth == 0 && field.is(name));
        match name {
            Some(name) if fields.len() < MOST_FIELDS => {
                fields.push(((*name).into(), one_line(field.value, LONGEST_FIELD).into()));
            }
            Some(_) => *is_cut = true,
            None => {}
        }
    }

    fn part(&mut self, part: &Part) {
        self.of_part = None;
        let is_attached = part.disposition.as_deref() == Some("attachment");
        let is_text = part.content_type.starts_with("text/") && part.names.is_empty();
        if part.is_container || is_text && !is_attached {
            return;
        }
        let Preview { attachments, is_cut, .. } = &mut self.preview;
        if attachments.len() >= MOST_ATTACHMENTS {
            *is_cut = true;
            return;
        }
        let names = part.names.join(", ");
        let text = match names.is_empty() {
            true => part.content_type.clone(),
            false => format!("{names} ({})", part.content_type),
        };
        attachments.push(one_line(&text, LONGEST_FIELD).into());
    }

    fn text(&mut self, text: &Text<'_>) {
        if self.of_part.replace(text.source) != Some(text.source) {
            match text.source {
                Source::Plain => {}
                Source::Html => self.add("[HTML]"),
                Source::Hidden => self.add("[HTML that is not to be seen]"),
            }
        }
        self.add(text.line);
    }

    fn trouble(&mut self, trouble: Trouble) {
        match trouble {
            Trouble::LongText | Trouble::TooManyTexts | Trouble::TooManyFields => {
                self.preview.is_cut = true;
            }
            Trouble::Ambiguous(_) => {}
        }
    }
}

/// A line of at most so many bytes, with what would do something to a terminal written as its number.
fn shown(line: &str, most: usize) -> String {
    let mut shown = String::with_capacity(line.len().min(most));
    for c in line.chars() {
        if shown.len() >= most {
            break;
        }
        match is_harmful(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

/// What people read of a header, and who vouches for it.
const FIELDS: [&str; 11] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "List-Id",
    "Return-Path",
    "Authentication-Results",
];

/// Bytes of content: more than any text that a person looks at.
const MOST_READ: usize = 8 << 20;

/// Bytes of text, some four pages.
const MOST_TEXT: usize = 16 * 1024;

/// Lines of text.
const MOST_LINES: usize = 400;

/// Characters of a field, or of what is said of an attachment.
const LONGEST_FIELD: usize = 1_000;

/// Fields that are shown: a mail may have many of a name.
const MOST_FIELDS: usize = 40;

/// Attachments that are named.
const MOST_ATTACHMENTS: usize = 40;

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mail: &str) -> Preview {
        preview(mail.as_bytes()).unwrap()
    }

    #[test]
    fn a_person_sees_who_writes_what_and_what_is_attached() {
        let seen = of(
            "Received: from a\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@example.com>\r\nX-Other: x\r\n\
             subject: Hello\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
             Content-Type: text/html; charset=utf-8\r\n\r\n<p>Good <b>day</b><img src=\"http://example.net/seen.png\">\r\n\
             --b\r\nContent-Type: application/zip; name=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsDBA==\r\n--b--\r\n",
        );
        let field = |name: &str, value: &str| (name.into(), value.into());
        assert_eq!(
            seen.fields,
            [field("From", "J\u{fc}rgen <j@example.com>"), field("Subject", "Hello")]
        );
        assert_eq!(seen.lines, ["[HTML]".into(), "Good day".into()] as [Box<str>; 2]);
        assert_eq!(seen.attachments, ["a.zip (application/zip)".into()] as [Box<str>; 1]);
        assert!(!seen.is_cut);
    }

    #[test]
    fn h13_no_mail_commands_a_terminal() {
        let seen = of("Subject: a\x1b]0;x\x07 =?utf-8?q?=1B[2J=E2=80=AE?=\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\none\x1b[31m two\x07\u{202e}three\u{9b}2J\r\n");
        let all = format!("{seen:?}");
        assert!(all.contains("one") && all.contains("three"), "{all}");
        let texts = seen.lines.iter().chain(seen.fields.iter().map(|(_, value)| value));
        assert!(!texts.clone().any(|text| text.contains(is_harmful)), "{all}");
        assert_eq!(shown("a\x1bb\u{202e}", 100), "a\\u{1b}b\\u{202e}");
    }

    #[test]
    fn a_long_mail_is_cut_and_says_so() {
        let lines = "word ".repeat(20) + "\r\n";
        let seen = of(&format!("Subject: x\r\n\r\n{}", lines.repeat(1_000)));
        assert!(
            seen.is_cut && seen.lines.iter().map(|line| line.len()).sum::<usize>() <= MOST_TEXT
        );
        let seen = of(&format!("Subject: x\r\n\r\n{}", "x\r\n".repeat(MOST_LINES + 1)));
        assert!(seen.is_cut && seen.lines.len() == MOST_LINES);
        let seen = of(&format!("{}\r\nx\r\n", "To: x\r\n".repeat(MOST_FIELDS + 1)));
        assert!(seen.is_cut && seen.fields.len() == MOST_FIELDS);
        let part = "--b\r\nContent-Type: application/x\r\n\r\nx\r\n";
        let many = part.repeat(MOST_ATTACHMENTS + 1);
        let seen = of(&format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{many}"));
        assert!(seen.is_cut && seen.attachments.len() == MOST_ATTACHMENTS);
        let seen = of(&format!("Subject: x\r\n\r\n{}", "\r\n".repeat(MOST_READ)));
        assert!(seen.is_cut && seen.lines.is_empty());
    }
}
