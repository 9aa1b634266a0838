//! Address fields taken apart (RFC 5322 section 3.4), as leniently as people write them.
//!
//! The field is taken apart as it came, and only then decoded: an encoded name may hold commas.

use mailweir_content::decode::headers::HeaderDecoder;

use super::fields::readings;
use crate::Mailbox;

/// The mailboxes of an address field; members of groups too. A name with several readings is there
/// once for each.
pub(super) fn mailboxes(value: &[u8], decoder: &HeaderDecoder) -> Vec<Mailbox> {
    let mut mailboxes = Vec::new();
    for raw in split(value) {
        let address = readings(&raw.address, decoder).swap_remove(0);
        for name in readings(&raw.name, decoder) {
            let mailbox = Mailbox { name, address: address.clone() };
            if mailbox != Mailbox::default() && mailboxes.last() != Some(&mailbox) {
                mailboxes.push(mailbox);
            }
        }
    }
    mailboxes
}

/// One mailbox as its bytes are gathered.
#[derive(Default)]
struct Raw {
    name: Vec<u8>,
    address: Vec<u8>,
    comment: Vec<u8>,
    has_brackets: bool,
}

/// What a byte stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    Quoted,
    Brackets,
}

fn split(value: &[u8]) -> Vec<Raw> {
    let mut all = Vec::new();
    let mut raw = Raw::default();
    let (mut place, mut comments, mut is_escaped) = (Place::Outside, 0_usize, false);
    for &byte in value {
        let is_plain = std::mem::take(&mut is_escaped);
        match (place, byte) {
            (_, b'\r' | b'\n') => raw.put(place, comments, b' '),
            _ if is_plain => raw.put(place, comments, byte),
            (_, b'\\') if comments > 0 || place == Place::Quoted => is_escaped = true,
            (Place::Quoted, b'"') => place = Place::Outside,
            (Place::Quoted, _) => raw.put(place, comments, byte),
            (_, b'(') => comments += 1,
            (_, b')') if comments > 0 => comments -= 1,
            _ if comments > 0 => raw.put(place, comments, byte),
            (Place::Outside, b'"') => place = Place::Quoted,
            (Place::Outside, b'<') => {
                place = Place::Brackets;
                raw.has_brackets = true;
            }
            (Place::Brackets, b'>') => place = Place::Outside,
            (Place::Outside, b',' | b';') => all.extend(std::mem::take(&mut raw).whole()),
            // The name of a group.
            (Place::Outside, b':') => raw = Raw::default(),
            _ => raw.put(place, comments, byte),
        }
    }
    all.extend(raw.whole());
    all
}

impl Raw {
    fn put(&mut self, place: Place, comments: usize, byte: u8) {
        match place {
            _ if comments > 0 => self.comment.push(byte),
            Place::Brackets => self.address.push(byte),
            Place::Outside | Place::Quoted => self.name.push(byte),
        }
    }

    /// The mailbox, if there is anything of it.
    fn whole(mut self) -> Option<Self> {
        if !self.has_brackets {
            self.address = std::mem::replace(&mut self.name, std::mem::take(&mut self.comment));
        }
        // A route in front of the address (RFC 5322 section 4.4).
        if self.address.starts_with(b"@")
            && let Some(colon) = memchr::memrchr(b':', &self.address)
        {
            self.address.drain(..=colon);
        }
        if self.name.trim_ascii().is_empty() {
            self.name = std::mem::take(&mut self.comment);
        }
        for part in [&mut self.name, &mut self.address] {
            *part = part.trim_ascii().to_vec();
        }
        (!self.name.is_empty() || !self.address.is_empty()).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Vec<(String, String)> {
        let mailboxes = mailboxes(value.as_bytes(), &HeaderDecoder::default()).into_iter();
        mailboxes.map(|mailbox| (mailbox.name, mailbox.address)).collect()
    }

    #[test]
    fn names_and_addresses_are_taken_apart() {
        let cases: [(&str, &[(&str, &str)]); 12] = [
            ("a@b.example", &[("", "a@b.example")]),
            (" A B <a@b.example>, c@d", &[("A B", "a@b.example"), ("", "c@d")]),
            ("\"B, A\" <a@b>", &[("B, A", "a@b")]),
            ("\"Say \\\"hi\\\"\" <a@b>", &[("Say \"hi\"", "a@b")]),
            ("a@b (Anna (née B))", &[("Anna née B", "a@b")]),
            ("=?utf-8?Q?Kim=2C_Minsu?= <k@x>", &[("Kim, Minsu", "k@x")]),
            ("=?euc-kr?B?sejIxg==?= <k@x>", &[("김훈", "k@x")]),
            ("team: a@b, C <c@d>;, e@f", &[("", "a@b"), ("C", "c@d"), ("", "e@f")]),
            ("undisclosed-recipients:;", &[]),
            ("<@relay,@other:a@b>", &[("", "a@b")]),
            ("山田 <y@例え.jp>\r\n ,\r\n\t<z@x>", &[("山田", "y@例え.jp"), ("", "z@x")]),
            ("Nobody", &[("", "Nobody")]),
        ];
        for (value, wanted) in cases {
            let read = read(value);
            let read: Vec<(&str, &str)> =
                read.iter().map(|(name, address)| (name.as_str(), address.as_str())).collect();
            assert_eq!(read, wanted, "{value}");
        }
    }

    #[test]
    fn what_never_ends_is_read_to_its_end() {
        assert_eq!(read("\"a, b"), [(String::new(), "a, b".to_owned())]);
        assert_eq!(read("A <a@b, c"), [("A".to_owned(), "a@b, c".to_owned())]);
        assert!(read(&"(".repeat(100_000)).is_empty());
        assert_eq!(read(&"a@b,c@d,".repeat(10_000)).len(), 20_000);
    }
}
