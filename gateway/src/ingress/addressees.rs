//! Whom the header of a mail names as its recipients, found while the content flows past: whoever
//! gets a mail and is not among them is a hidden recipient (Bcc).
//!
//! Pure, independent of how the content is split, and bounded: of a longer header the rest names
//! nobody, so that whoever stands there counts as hidden.

use std::collections::HashSet;

use mailweir_filters::rewriting::{AddressList, Words};
use mailweir_mail::{Address, Recipient};

/// Watches a mail go by.
#[derive(Debug, Default)]
pub(super) struct Addressees {
    place: Place,
    /// The name of the field under way, as long as it can be one of [`FIELDS`].
    name: Vec<u8>,
    /// The values of all fields that name recipients, a comma between them.
    values: Vec<u8>,
}

/// Where in the header the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// At the begin of a line. `kept`: it may go on with a field that names recipients.
    Line {
        kept: bool,
    },
    Name,
    Value {
        kept: bool,
    },
    Body,
    #[default]
    First,
}

impl Addressees {
    /// Takes the next piece of the mail. Nothing behind the header is looked at.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while self.place != Place::Body {
            rest = self.alike(rest);
            let Some((&byte, behind)) = rest.split_first() else { return };
            self.byte(byte);
            rest = behind;
        }
    }

    /// Those that it names. Read when somebody is to be shown the mail: most mail needs nobody.
    pub(super) fn names(&self) -> Named {
        let specs = AddressList::new(&self.values, Words::AreNames, MOST_TOKENS);
        Named(specs.filter_map(|spec| spec.address(&self.values)).map(|one| key(&one)).collect())
    }

    /// Takes the bytes that stand in the same place as the one before; gives those behind.
    fn alike<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let end = match self.place {
            Place::Name => memchr::memchr3(b':', b'\r', b'\n', bytes),
            Place::Value { kept: true } => memchr::memchr2(b'\r', b'\n', bytes),
            // Of other fields nothing but the end of the line says anything.
            Place::Value { kept: false } => memchr::memchr(b'\n', bytes),
            Place::First | Place::Line { .. } | Place::Body => Some(0),
        };
        let (alike, behind) = bytes.split_at(end.unwrap_or(bytes.len()));
        match self.place {
            Place::Name => self.name(alike),
            Place::Value { kept: true } => self.keep(alike),
            _ => {}
        }
        behind
    }

    fn byte(&mut self, byte: u8) {
        self.place = match (self.place, byte) {
            // The line feed behind it ends the line.
            (place, b'\r') => place,
            (Place::First | Place::Line { .. }, b'\n') => Place::Body,
            (Place::Name, b'\n') => Place::Line { kept: false },
            (Place::Value { kept }, b'\n') => Place::Line { kept },
            (Place::Line { kept: true }, b' ' | b'\t') => self.value(&[byte]),
            (Place::Line { kept: false }, b' ' | b'\t') => Place::Value { kept: false },
            (Place::First | Place::Line { .. }, _) => {
                self.name.clear();
                self.name(&[byte]);
                Place::Name
            }
            (Place::Name, b':') => self.value_begins(),
            // Those behind the first were taken together.
            (place @ (Place::Name | Place::Value { .. } | Place::Body), _) => place,
        };
    }

    /// Takes more of a name; of one that is longer than any of [`FIELDS`] the beginning.
    fn name(&mut self, more: &[u8]) {
        let room = (LONGEST_NAME + 1).saturating_sub(self.name.len());
        self.name.extend_from_slice(more.get(..room).unwrap_or(more));
    }

    fn value_begins(&mut self) -> Place {
        let name = self.name.trim_ascii_end();
        match FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field)) {
            true => self.value(b","),
            false => Place::Value { kept: false },
        }
    }

    fn value(&mut self, begin: &[u8]) -> Place {
        self.keep(begin);
        Place::Value { kept: true }
    }

    fn keep(&mut self, more: &[u8]) {
        if self.values.capacity() == 0 {
            self.values.reserve(USUAL_BYTES);
        }
        let room = MOST_BYTES - self.values.len();
        self.values.extend_from_slice(more.get(..room).unwrap_or(more));
    }
}

/// The addresses that stand in the header as recipients.
#[derive(Debug, Default)]
pub(super) struct Named(HashSet<String>);

impl Named {
    /// Whether nobody who reads the mail sees that this recipient has it. Seen is who is named as
    /// they are now or as the client wrote.
    pub(super) fn hide(&self, recipient: &Recipient) -> bool {
        let names = [Some(&recipient.address), recipient.original.as_ref()];
        !names.into_iter().flatten().any(|name| self.0.contains(&key(name)))
    }
}

/// People do not tell addresses apart by their case.
fn key(address: &Address) -> String {
    let (user, domain) = (address.unquoted_local_part(), address.domain().as_ascii());
    format!("{}@{domain}", user.to_lowercase())
}

/// RFC 5322 sections 3.6.3 and 3.6.6. Bcc is not one of them: where it was not taken out, it names
/// who was to be hidden.
const FIELDS: [&[u8]; 4] = [b"to", b"cc", b"resent-to", b"resent-cc"];

/// Of the name of a field, and white space behind it.
const LONGEST_NAME: usize = 16;

/// Of all values together: some thousands of recipients.
const MOST_BYTES: usize = 256 * 1024;

/// What the recipients of most mail fit into.
const USUAL_BYTES: usize = 128;

/// Words and signs; Postfix `header_address_token_limit` is 10240 for each field.
const MOST_TOKENS: usize = 40_960;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(pieces: &[&[u8]]) -> Named {
        let mut addressees = Addressees::default();
        pieces.iter().for_each(|piece| addressees.feed(piece));
        addressees.names()
    }

    fn hidden(mail: &str, address: &str) -> bool {
        named(&[mail.as_bytes()]).hide(&Recipient::new(address.parse().unwrap()))
    }

    const MAIL: &str = "Subject: x\r\nTO : \"b@x.example\" <A@X.example>, (c@x.example)\r\n \
        d@x.example\r\nCc: team: e@x.example;,\r\n\tf@x.example\r\nX-To: g@x.example\r\n\
        Bcc: h@x.example\r\nResent-To: i@x.example\r\nresent-cc: \"j k\"@x.example\r\n\
        To: l@x.example\r\n\r\nTo: m@x.example\r\n";

    #[test]
    fn who_stands_in_to_and_cc_is_seen_and_whoever_is_only_spoken_of_is_not() {
        for local in ["a", "d", "e", "f", "i", "\"j k\"", "l"] {
            assert!(!hidden(MAIL, &format!("{local}@x.example")), "{local}");
        }
        for local in ["b", "c", "g", "h", "m", "z"] {
            assert!(hidden(MAIL, &format!("{local}@x.example")), "{local}");
        }
        assert!(hidden("", "a@x.example"));
        assert!(hidden(" To: a@x.example\r\n\r\n", "a@x.example"));
    }

    #[test]
    fn an_alias_is_seen_by_the_name_that_was_written() {
        let list = Recipient {
            original: Some("a@x.example".parse().unwrap()),
            ..Recipient::new("z@y.example".parse().unwrap())
        };
        assert!(!named(&[MAIL.as_bytes()]).hide(&list));
    }

    #[test]
    fn a_header_without_end_needs_constant_memory() {
        let mut addressees = Addressees::default();
        addressees.feed(b"To: ");
        for _ in 0..1_000 {
            addressees.feed(&[b'a'; 4_096]);
        }
        assert!(addressees.values.capacity() <= 2 * MOST_BYTES);
        let mut addressees = Addressees::default();
        addressees.feed(&[b'a'; 100_000]);
        assert!(addressees.name.capacity() <= 4 * LONGEST_NAME);
    }

    proptest! {
        #[test]
        fn the_split_does_not_matter(at in 0..MAIL.len(), and in 0..MAIL.len()) {
            let (first, second) = (at.min(and), at.max(and));
            let mail = MAIL.as_bytes();
            let pieces = [&mail[..first], &mail[first..second], &mail[second..]];
            prop_assert_eq!(named(&pieces).0, named(&[mail]).0);
        }
    }
}
