//! The header of a mail of a local program: whom it names, what it lacks, and what goes out of it.
//!
//! All is pure. A field is a line with a name and a colon, and the lines behind it that begin with white space.

use mailweir_mail::{Domain, ReversePath, Timestamp, compose};

/// The fields of a header, as bytes with any line ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'h>(pub(super) &'h [u8]);

/// What is needed to complete a header.
pub(super) struct Stamp<'a> {
    pub(super) sender: &'a ReversePath,
    pub(super) full_name: &'a str,
    pub(super) hostname: &'a Domain,
    pub(super) now: Timestamp,
    /// Makes the Message-ID unlike all others.
    pub(super) seed: u64,
}

impl<'h> Header<'h> {
    /// The bodies of the fields that name recipients. Those of a mail that is sent again are in its Resent fields
    /// alone (RFC 5322 section 3.6.6).
    pub(super) fn recipient_bodies(self) -> impl Iterator<Item = &'h [u8]> {
        let wanted = if self.is_resent() { &RESENT_RECIPIENTS } else { &RECIPIENTS };
        self.fields().filter(|field| is_one_of(field, wanted)).map(body)
    }

    /// The header without those who get the mail unseen.
    pub(super) fn without_hidden(self) -> Vec<u8> {
        self.fields().filter(|field| !is_one_of(field, &HIDDEN)).flatten().copied().collect()
    }

    /// The fields that a mail must have and this one has not, with CRLF, to stand above it. If it is sent again, its
    /// Resent fields are meant.
    pub(super) fn missing(self, stamp: &Stamp<'_>) -> String {
        let prefix = if self.is_resent() { "Resent-" } else { "" };
        let lacks = |name: &str| {
            let name = format!("{prefix}{name}");
            let is_there = self.fields().any(|field| is_one_of(field, &[&name]));
            (!is_there).then_some(name)
        };
        let host = stamp.hostname.as_str();
        let mut text = String::new();
        if let Some(name) = lacks("Message-ID") {
            let (now, seed) = (stamp.now.as_micros(), stamp.seed);
            text.push_str(&format!("{name}: <{now}.{seed:016x}@{host}>\r\n"));
        }
        if let Some(name) = lacks("Date") {
            text.push_str(&format!("{name}: {}\r\n", stamp.now.rfc5322()));
        }
        if let Some(name) = lacks("From") {
            let nobody = || format!("MAILER-DAEMON@{host}");
            let address = stamp.sender.address().map_or_else(nobody, ToString::to_string);
            text.push_str(&compose::mailbox(&name, stamp.full_name, &address));
        }
        text
    }

    fn is_resent(self) -> bool {
        self.fields().any(|field| name(field).is_some_and(begins_resent))
    }

    fn fields(self) -> impl Iterator<Item = &'h [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (field, behind) = rest.split_at(end_of_field(rest));
            rest = behind;
            (!field.is_empty()).then_some(field)
        })
    }
}

/// Whether a line begins a field (RFC 5322 section 2.2, and white space before the colon: section 4.5).
pub(super) fn begins_field(line: &[u8]) -> bool {
    name(line).is_some()
}

fn end_of_field(header: &[u8]) -> usize {
    let ends = memchr::memchr_iter(b'\n', header).map(|at| at + 1);
    let mut ends = ends.filter(|&end| !matches!(header.get(end), Some(b' ' | b'\t')));
    ends.next().unwrap_or(header.len())
}

fn name(field: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', field)?;
    let name = field[..colon].trim_ascii_end();
    (!name.is_empty() && name.iter().all(u8::is_ascii_graphic)).then_some(name)
}

fn body(field: &[u8]) -> &[u8] {
    memchr::memchr(b':', field).map_or(&[], |colon| &field[colon + 1..])
}

fn is_one_of(field: &[u8], names: &[&str]) -> bool {
    name(field)
        .is_some_and(|name| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())))
}

fn begins_resent(name: &[u8]) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"resent-"))
}

const RECIPIENTS: [&str; 3] = ["To", "Cc", "Bcc"];
const RESENT_RECIPIENTS: [&str; 3] = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
const HIDDEN: [&str; 2] = ["Bcc", "Resent-Bcc"];

#[cfg(test)]
mod tests {
    use mailweir_mail::Address;

    use super::*;

    fn bodies(header: &str) -> Vec<&str> {
        let bodies = Header(header.as_bytes()).recipient_bodies();
        bodies.map(|body| std::str::from_utf8(body).unwrap()).collect()
    }

    fn missing(header: &str, sender: &ReversePath, full_name: &str) -> String {
        let stamp = Stamp {
            sender,
            full_name,
            hostname: &Domain::parse("gate.example").unwrap(),
            now: Timestamp::from_micros(1_700_000_000_000_000),
            seed: 10,
        };
        Header(header.as_bytes()).missing(&stamp)
    }

    fn bob() -> ReversePath {
        ReversePath::Mailbox(Address::parse("bob@gate.example").unwrap())
    }

    #[test]
    fn recipients_stand_in_their_fields_with_all_their_lines() {
        let header = "to: a@b,\n c@d\nX-To: x\nBCC : e@f\r\nSubject: To: y\nCc:\tg@h";
        assert_eq!(bodies(header), [" a@b,\n c@d\n", " e@f\r\n", "\tg@h"]);
    }

    #[test]
    fn of_a_mail_that_is_sent_again_only_resent_fields_name_recipients() {
        assert_eq!(bodies("To: a@b\nResent-To: c@d\nBcc: e@f\n"), [" c@d\n"]);
        assert!(bodies("To: a@b\nResent-Date: today\n").is_empty());
    }

    #[test]
    fn hidden_recipients_go_out_with_all_their_lines() {
        let header = Header(b"To: a@b\nBcc: x@y,\n\tz@z\nSubject: Bcc: stays\nresent-bcc: q@q\n");
        assert_eq!(header.without_hidden(), b"To: a@b\nSubject: Bcc: stays\n");
    }

    #[test]
    fn what_a_header_lacks_is_added() {
        let date = "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n";
        let id = "Message-ID: <1700000000000000.000000000000000a@gate.example>\r\n";
        let from = "From: Bob B <bob@gate.example>\r\n";
        assert_eq!(missing("Subject: x\n", &bob(), "Bob B"), format!("{id}{date}{from}"));
        assert_eq!(missing("", &bob(), "Bob B"), format!("{id}{date}{from}"));
        assert_eq!(missing("FROM: x\nmessage-id: y\n", &bob(), ""), date);
        assert_eq!(missing("From: x\nDate : y\nMessage-Id: z\n", &bob(), ""), "");
        let resent = missing("Resent-To: x\nDate: y\n", &bob(), "");
        assert!(resent.starts_with("Resent-Message-ID: <17"), "{resent}");
        assert!(resent.ends_with("\r\nResent-From: <bob@gate.example>\r\n"), "{resent}");
        let nobody = missing("Date: x\nMessage-ID: y\n", &ReversePath::Null, "");
        assert_eq!(nobody, "From: <MAILER-DAEMON@gate.example>\r\n");
    }

    #[test]
    fn a_line_without_a_name_begins_no_field() {
        for line in ["Subject: x", "X-1:", "a b: c", ": x", "hello", " To: x", "\u{d55c}: x", ""] {
            let expected = matches!(line, "Subject: x" | "X-1:");
            assert_eq!(begins_field(line.as_bytes()), expected, "{line:?}");
        }
    }
}
