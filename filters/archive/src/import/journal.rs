//! Journal reports, as Exchange, Microsoft 365 and Google send them: a mail whose first part says who sent
//! another mail and who got it, hidden recipients too, and whose second part is that mail.
//!
//! ```text
//! Sender: ann@own.example
//! Message-ID: <1@own.example>
//! To: bob@far.example
//! Bcc: boss@own.example
//! To: carl@own.example, Expanded: list@own.example
//! ```
//!
//! What does not read so is no report, and is archived as the mail that it is: nothing is lost by it.

use mailweir_mail::{Address, Envelope, Recipient, ReversePath};

use crate::header::{Header, addresses};

/// A report that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    /// Who sent the mail and who got it.
    pub envelope: Envelope,
    /// The mail, byte for byte as the report has it.
    pub mail: &'a [u8],
}

/// Reads a report. `None`: it is none.
#[must_use]
pub fn read(content: &[u8]) -> Option<Report<'_>> {
    let header = Header::read(content);
    header.first("X-MS-Journal-Report")?;
    let kind = header.first("Content-Type")?;
    let is_mixed =
        kind.get(..15).is_some_and(|begin| begin.eq_ignore_ascii_case("multipart/mixed"));
    let boundary = boundary(kind).filter(|_| is_mixed)?;
    let mut parts = Parts::new(content, &boundary);
    let said = parts.next()?;
    let mail = parts.next()?;
    let is_mail = kind_of(mail).is_some_and(|kind| kind.eq_ignore_ascii_case("message/rfc822"));
    let is_plain = !["base64", "quoted-printable"].contains(&encoding(mail).as_str());
    let envelope = envelope(&text(said)?)?;
    Some(Report { envelope, mail: body(mail).filter(|_| is_mail && is_plain)? })
}

/// What the lines of the first part say. `None`: nobody got the mail.
fn envelope(text: &str) -> Option<Envelope> {
    let mut envelope = Envelope::from_sender(ReversePath::Null);
    for line in text.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("sender") {
            let sender = addresses(value).next();
            envelope.sender = sender.map_or(ReversePath::Null, ReversePath::Mailbox);
        } else if RECIPIENTS.iter().any(|field| field.eq_ignore_ascii_case(name))
            && envelope.recipients.len() < MOST_RECIPIENTS
        {
            envelope.recipients.extend(recipient(value));
        }
    }
    Some(envelope).filter(|envelope| !envelope.recipients.is_empty())
}

/// `carl@own.example, Expanded: list@own.example`.
fn recipient(value: &str) -> Option<Recipient> {
    let (address, notes) = value.split_once(',').unwrap_or((value, ""));
    let address = Address::parse(address.trim()).ok().or_else(|| addresses(address).next())?;
    let noted = notes.split(',').filter_map(|note| note.split_once(':'));
    let mut noted = noted.filter(|(name, _)| {
        ["expanded", "forwarded"].iter().any(|known| name.trim().eq_ignore_ascii_case(known))
    });
    let original = noted.find_map(|(_, value)| addresses(value).next());
    Some(Recipient { original, ..Recipient::new(address) })
}

/// The text of a part, decoded. `None`: in a way that none of these programs writes.
fn text(part: &[u8]) -> Option<String> {
    let body = body(part)?;
    let body = &body[..body.len().min(MOST_TEXT)];
    match encoding(part).as_str() {
        "" | "7bit" | "8bit" | "binary" => Some(String::from_utf8_lossy(body).into_owned()),
        "quoted-printable" => Some(String::from_utf8_lossy(&quoted_printable(body)).into_owned()),
        _ => None,
    }
}

fn kind_of(part: &[u8]) -> Option<String> {
    let header = Header::read(part);
    let kind = header.first("Content-Type")?;
    Some(kind.split(';').next()?.trim().to_owned())
}

fn encoding(part: &[u8]) -> String {
    let header = Header::read(part);
    header.first("Content-Transfer-Encoding").unwrap_or("").trim().to_ascii_lowercase()
}

/// What stands behind the empty line.
fn body(part: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")) {
        return Some(rest);
    }
    let mut at = 0;
    for line in part.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if matches!(line, b"\r\n" | b"\n") {
            return part.get(at..);
        }
    }
    None
}

/// The parameter of a multipart.
fn boundary(kind: &str) -> Option<String> {
    let at = kind.to_ascii_lowercase().find("boundary")?;
    let value = kind.get(at + "boundary".len()..)?.trim_start().strip_prefix('=')?.trim_start();
    let boundary = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => value.split([';', ' ', '\t']).next()?,
    };
    // RFC 2046 section 5.1.1.
    (1..=70).contains(&boundary.len()).then(|| boundary.to_owned())
}

/// The parts of a multipart, with their headers.
struct Parts<'a> {
    rest: &'a [u8],
    line: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn new(content: &'a [u8], boundary: &str) -> Self {
        let line = [b"--", boundary.as_bytes()].concat();
        let mut parts = Self { rest: content, line };
        // What stands before the first boundary is no part.
        parts.next();
        parts
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut at = 0;
        for line in self.rest.split_inclusive(|byte| *byte == b'\n') {
            let next = at + line.len();
            if let Some(behind) = line.strip_prefix(self.line.as_slice()) {
                // The line end before a boundary belongs to it.
                let part = &self.rest[..at];
                let part = part.strip_suffix(b"\n").unwrap_or(part);
                let part = part.strip_suffix(b"\r").unwrap_or(part);
                match behind.trim_ascii() {
                    b"" => self.rest = &self.rest[next..],
                    b"--" => self.rest = b"",
                    // The boundary of a multipart within, that begins alike.
                    _ => {
                        at = next;
                        continue;
                    }
                }
                return Some(part);
            }
            at = next;
        }
        None
    }
}

/// RFC 2045 section 6.7, in its simplest form.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        if *byte != b'=' {
            out.push(*byte);
            continue;
        }
        let digit =
            |place: usize| behind.get(place).and_then(|byte| char::from(*byte).to_digit(16));
        if let (Some(high), Some(low)) = (digit(0), digit(1)) {
            out.extend(u8::try_from(high * 16 + low));
            rest = &behind[2..];
        } else if let Some(next) =
            behind.strip_prefix(b"\r\n").or_else(|| behind.strip_prefix(b"\n"))
        {
            rest = next;
        } else {
            out.push(*byte);
        }
    }
    out
}

/// How lines with recipients begin. Exchange 2007 and later know the first, and tell the others apart if they can.
const RECIPIENTS: [&str; 4] = ["Recipient", "To", "Cc", "Bcc"];

/// As much of the first part as is read.
const MOST_TEXT: usize = 4 << 20;

/// As many recipients as are read.
const MOST_RECIPIENTS: usize = 50_000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAIL: &str = "From: ann@own.example\r\nTo: bob@far.example\r\nContent-Type: multipart/mixed;\r\n\
        \tboundary=\"b1-inner\"\r\n\r\n--b1-inner\r\n\r\nhello\r\n--b1-inner--\r\n";

    fn report(lines: &str, encoding: &str) -> String {
        format!(
            "From: <journal@own.example>\r\nTo: <archive@own.example>\r\nX-MS-Journal-Report: \r\n\
             Content-Type: multipart/mixed;\r\n\tboundary=\"b1\"\r\n\r\nThis is MIME.\r\n--b1\r\n\
             Content-Type: text/plain; charset=\"us-ascii\"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n\
             {lines}\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\n{MAIL}\r\n--b1--\r\n"
        )
    }

    fn people(report: &Report<'_>) -> Vec<(String, Option<String>)> {
        let text = |address: &Address| address.to_string();
        let pair = |one: &Recipient| (text(&one.address), one.original.as_ref().map(text));
        report.envelope.recipients.iter().map(pair).collect()
    }

    #[test]
    fn the_envelope_of_a_report_survives_and_its_mail_is_byte_for_byte() {
        let lines = "Sender: ann@own.example\r\nSubject: To: nobody@x.example\r\nMessage-ID: <1@own.example>\r\n\
            To: bob@far.example\r\nBcc: boss@own.example\r\n\
            To: carl@own.example, Expanded: list@own.example\r\nRecipient: d@x.example, Forwarded: e@x.example\r\n";
        let content = report(lines, "7bit");
        let read = read(content.as_bytes()).unwrap();
        assert_eq!(read.envelope.sender.as_str(), "ann@own.example");
        let expected = [
            ("bob@far.example", None),
            ("boss@own.example", None),
            ("carl@own.example", Some("list@own.example")),
            ("d@x.example", Some("e@x.example")),
        ];
        let expected = expected.map(|(to, by)| (to.to_owned(), by.map(str::to_owned)));
        assert_eq!(people(&read), expected);
        assert_eq!(String::from_utf8_lossy(read.mail), MAIL);
    }

    #[test]
    fn lines_may_be_quoted_printable_and_end_with_lf() {
        let lines = "Sender: ann=40own.example\r\nRecipient: bob@far=\r\n.example";
        let content = report(lines, "Quoted-Printable").replace("\r\n", "\n");
        let read = read(content.as_bytes()).unwrap();
        assert_eq!(read.envelope.sender.as_str(), "ann@own.example");
        assert_eq!(people(&read), [("bob@far.example".to_owned(), None)]);
        assert_eq!(String::from_utf8_lossy(read.mail), MAIL.replace("\r\n", "\n"));
    }

    #[test]
    fn what_is_no_report_is_left_as_it_is() {
        let whole = report("Sender: a@x.example\r\nRecipient: b@x.example", "7bit");
        assert!(read(whole.as_bytes()).is_some());
        for (from, to) in [
            ("X-MS-Journal-Report", "X-Other"),
            ("message/rfc822", "text/plain"),
            ("multipart/mixed;\r\n\tboundary=\"b1\"", "multipart/mixed"),
            ("Recipient: b@x.example", "nobody"),
            ("7bit", "base64"),
            ("\r\n--b1--", ""),
            (
                "Content-Type: message/rfc822\r\n",
                "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n",
            ),
        ] {
            assert_eq!(read(whole.replacen(from, to, 1).as_bytes()), None, "without {from}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(cut in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), byte: u8) {
            let mut content = report("Sender: a@x.example\r\nRecipient: b@x.example", "7bit").into_bytes();
            let place = place.index(content.len());
            content[place] = byte;
            let _ = read(&content);
            let _ = read(&content[..cut.index(content.len())]);
        }
    }
}
