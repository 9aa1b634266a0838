//! What we learn of a mail while its content flows past: nothing is kept but the answers.
//!
//! Counts `Received` lines (loops), finds the Message-ID (log), and notices bytes over 127 in the
//! header (delivery needs to know); and the From header, where a policy asks for it. Pure, constant
//! memory, independent of how the content is split.

use mailweir_mail::header_from::HeaderFrom;

/// Watches content go by, in pieces of any size, with CRLF line ends.
#[derive(Debug, Default)]
pub(super) struct ContentScan {
    position: Position,
    /// The part of the current header line that is needed: its name, or the Message-ID.
    line: Vec<u8>,
    received: u32,
    message_id: Option<Box<str>>,
    eight_bit_header: bool,
    /// Only where it is asked for.
    from: Option<HeaderFrom>,
}

/// Where in the content the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    /// In the header.
    #[default]
    Header,
    /// Behind the empty line.
    Body,
}

impl ContentScan {
    /// A scan that finds the From header too, if `from` says so.
    pub(super) fn new(from: bool) -> Self {
        Self { from: from.then(HeaderFrom::default), ..Self::default() }
    }

    /// Takes the next piece of content.
    pub(super) fn feed(&mut self, mut piece: &[u8]) {
        if let Some(from) = &mut self.from {
            from.feed(piece);
        }
        while self.position == Position::Header && !piece.is_empty() {
            let end = memchr::memchr(b'\n', piece);
            let (part, rest) = piece.split_at(end.map_or(piece.len(), |at| at + 1));
            let room = LINE_LIMIT.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            self.eight_bit_header |= !part.is_ascii();
            piece = rest;
            if end.is_some() {
                self.end_of_line();
            }
        }
    }

    /// How many `Received` headers the mail carries: the number of hops behind it.
    #[must_use]
    pub(super) fn hops(&self) -> u32 {
        self.received
    }

    /// The value of the first Message-ID header, angle brackets included.
    #[must_use]
    pub(super) fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref()
    }

    /// Whether a byte over 127 was seen in the header: such a mail needs SMTPUTF8 on its way.
    #[must_use]
    pub(super) const fn eight_bit_header(&self) -> bool {
        self.eight_bit_header
    }

    /// The From header, if it was asked for.
    #[must_use]
    pub(super) fn from(&self) -> Option<&HeaderFrom> {
        self.from.as_ref()
    }

    fn end_of_line(&mut self) {
        let line = self.line.trim_ascii_end();
        if line.is_empty() {
            self.position = Position::Body;
        } else if starts_with_name(line, b"received:") {
            self.received += 1;
        } else if self.message_id.is_none() && starts_with_name(line, b"message-id:") {
            let value = String::from_utf8_lossy(line[b"message-id:".len()..].trim_ascii());
            self.message_id = Some(value.replace(char::is_control, "?").into());
        }
        self.line.clear();
        if self.position == Position::Body {
            self.line = Vec::new();
        }
    }
}

fn starts_with_name(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// As much of a header line as is looked at; a Message-ID beyond that is cut in the log.
const LINE_LIMIT: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAIL: &[u8] = b"Received: one\r\n by two\r\nRECEIVED: three\r\nMessage-Id:  <a@b> \r\n\
        Subject: x\r\n\r\nReceived: not a header\r\nMessage-ID: <no@no>\r\n";

    fn scanned(pieces: &[&[u8]]) -> (u32, Option<String>) {
        let mut scan = ContentScan::default();
        pieces.iter().for_each(|piece| scan.feed(piece));
        (scan.hops(), scan.message_id().map(str::to_owned))
    }

    #[test]
    fn headers_are_counted_and_the_body_is_not() {
        assert_eq!(scanned(&[MAIL]), (2, Some("<a@b>".to_owned())));
    }

    #[test]
    fn bytes_over_127_are_told_apart_by_where_they_stand() {
        let in_header = |content: &[u8]| {
            let mut scan = ContentScan::default();
            scan.feed(content);
            scan.eight_bit_header()
        };
        assert!(in_header("Subject: é\r\n\r\n".as_bytes()));
        assert!(!in_header("Subject: e\r\n\r\né".as_bytes()));
    }

    #[test]
    fn a_header_line_without_end_needs_constant_memory() {
        let mut scan = ContentScan::default();
        for _ in 0..1_000 {
            scan.feed(&[b'a'; 4_096]);
        }
        assert!(scan.line.capacity() <= 2 * LINE_LIMIT);
    }

    proptest! {
        #[test]
        fn the_split_does_not_matter(at in 0..MAIL.len(), and in 0..MAIL.len()) {
            let (first, second) = (at.min(and), at.max(and));
            let pieces = [&MAIL[..first], &MAIL[first..second], &MAIL[second..]];
            prop_assert_eq!(scanned(&pieces), scanned(&[MAIL]));
        }
    }
}
