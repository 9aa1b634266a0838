//! The field that says of a mail that it is archived: ours is believed, and what came with the mail is taken
//! out, since anybody can write it.

/// The field, as it stands above the header of mail that is archived.
pub const MARK: &[u8] = b"X-Archive-Status: Archived\r\n";

/// Takes fields of that name out of a header, while the content flows past. Independent of how it is split,
/// and bounded: what may still be such a name is held, and nothing else.
#[derive(Clone, Debug, Default)]
pub struct MarkRemover {
    place: Place,
    /// What may be the beginning of the name.
    held: Vec<u8>,
    /// Whether the field under way is taken out.
    takes_out: bool,
}

/// Where the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// At the beginning of the mail.
    #[default]
    Beginning,
    /// At the beginning of a line behind a field.
    Line,
    /// In the name of a field. `is_other`: it is another name, which is not held. `is_over`: white space stands
    /// behind it.
    Name { is_other: bool, is_over: bool },
    /// Behind the colon.
    Value,
    /// Behind the header.
    Body,
}

impl MarkRemover {
    /// Takes the next piece, and appends to `out` what goes on.
    pub fn feed(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for (at, byte) in piece.iter().enumerate() {
            if self.is_over() {
                out.extend_from_slice(piece.get(at..).unwrap_or_default());
                return;
            }
            self.take(*byte, out);
        }
    }

    /// Whether the header is over: what comes goes on as it is.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.place == Place::Body
    }

    /// Takes the end of the mail.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.held);
        self.place = Place::Body;
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.place {
            // More of the field.
            Place::Line if matches!(byte, b' ' | b'\t') => {
                self.place = Place::Value;
                self.put(byte, out);
            }
            Place::Beginning | Place::Line => {
                self.takes_out = false;
                match byte.is_ascii_graphic() && byte != b':' {
                    true => self.hold(byte, (false, false), out),
                    false => self.end_header(byte, out),
                }
            }
            Place::Name { is_other, is_over } => match byte {
                b':' => {
                    self.takes_out = !is_other && self.held.trim_ascii_end().len() == NAME.len();
                    match self.takes_out {
                        true => self.held.clear(),
                        false => out.append(&mut self.held),
                    }
                    self.place = Place::Value;
                    self.put(byte, out);
                }
                b' ' | b'\t' => self.hold(byte, (is_other, true), out),
                _ if byte.is_ascii_graphic() && !is_over => {
                    self.hold(byte, (is_other, false), out);
                }
                _ => self.end_header(byte, out),
            },
            Place::Value => {
                self.put(byte, out);
                if byte == b'\n' {
                    self.place = Place::Line;
                }
            }
            Place::Body => out.push(byte),
        }
    }

    fn put(&self, byte: u8, out: &mut Vec<u8>) {
        if !self.takes_out {
            out.push(byte);
        }
    }

    /// One more byte of a name.
    fn hold(&mut self, byte: u8, (is_other, is_over): (bool, bool), out: &mut Vec<u8>) {
        self.held.push(byte);
        let is_other = is_other || !may_be_name(&self.held);
        if is_other {
            out.append(&mut self.held);
        }
        self.place = Place::Name { is_other, is_over };
    }

    /// The line is no field.
    fn end_header(&mut self, byte: u8, out: &mut Vec<u8>) {
        out.append(&mut self.held);
        out.push(byte);
        self.place = Place::Body;
    }
}

/// Whether this is the beginning of the name, or the name and white space.
fn may_be_name(held: &[u8]) -> bool {
    let name = held.trim_ascii_end();
    let begins = NAME.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    let spaces = held.len() - name.len();
    begins && spaces <= MOST_SPACES && (spaces == 0 || name.len() == NAME.len())
}

const NAME: &[u8] = b"X-Archive-Status";

/// Between name and colon; nobody takes a line with more for a field.
const MOST_SPACES: usize = 998;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn removed(pieces: &[&[u8]]) -> String {
        let (mut remover, mut out) = (MarkRemover::default(), Vec::new());
        pieces.iter().for_each(|piece| remover.feed(piece, &mut out));
        remover.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_came_with_the_mail_is_taken_out_however_it_is_written() {
        let mail = "X-Archive-Status: Archived\r\nFrom: a\r\nx-archive-STATUS \t: no\r\n folded\r\n\t: x\r\n\
                    To: b\r\n folded\r\nX-Archive-Status:\r\n\r\nX-Archive-Status: in the text\r\n";
        let left = "From: a\r\nTo: b\r\n folded\r\n\r\nX-Archive-Status: in the text\r\n";
        assert_eq!(removed(&[mail.as_bytes()]), left);
        assert_eq!(removed(&[MARK]), "");
        assert_eq!(removed(&[b"X-Archive-Status: x\nTo: b\n\n"]), "To: b\n\n");
    }

    #[test]
    fn nothing_else_is_changed() {
        let long = format!("X-Archive-Status{}: x\r\n\r\n", " ".repeat(2_000));
        for mail in [
            "",
            "\r\n",
            "X-Archive-Status",
            "X-Archive-Status \r\nX-Archive-Status: behind the header\r\n",
            "X-Archive-Statu: x\r\nX-Archive-Status2: x\r\nX-X-Archive-Status: x\r\n\r\n",
            "Subject: X-Archive-Status: x\r\n X-Archive-Status: x\r\n\r\nX-Archive-Status: x",
            " X-Archive-Status: x\r\nX-Archive-Status: x\r\n",
            "no field\r\nX-Archive-Status: x\r\n",
            ": x\r\nX-Archive-Status: x\r\n",
            "X-Archive-Status x: y\r\nX-Archive-Status: x\r\n",
            &long,
        ] {
            assert_eq!(removed(&[mail.as_bytes()]), mail);
        }
    }

    #[test]
    fn a_name_without_end_needs_constant_memory() {
        let (mut remover, mut out) = (MarkRemover::default(), Vec::new());
        for _ in 0..1_000 {
            remover.feed(&[b' '; 64], &mut out);
            remover.feed(&[b'x'; 64], &mut out);
        }
        assert!(remover.held.capacity() <= 4_096 && out.len() == 128_000);
        let mut remover = MarkRemover::default();
        remover.feed(NAME, &mut out);
        (0..1_000).for_each(|_| remover.feed(&[b' '; 64], &mut out));
        assert!(remover.held.capacity() <= 4_096);
    }

    proptest! {
        #[test]
        fn the_split_does_not_matter(
            mail in "((X-Archive-Status|x-archive-status|X|)[ :]?|[ \\t:]|\\r?\\n|y){0,20}",
            at in 0..200_usize,
            and in 0..200_usize,
        ) {
            let mail = mail.as_bytes();
            let (first, second) = (at.min(and).min(mail.len()), at.max(and).min(mail.len()));
            let pieces = [&mail[..first], &mail[first..second], &mail[second..]];
            prop_assert_eq!(removed(&pieces), removed(&[mail]));
        }

        #[test]
        fn once_is_enough(mail in "((X-Archive-Status|X|)[ :]{0,2}|[ \\t:]|\\r?\\n|y){0,20}") {
            // What a removed field stood before may be more of the field above then.
            let once = removed(&[mail.as_bytes()]);
            prop_assert!(once.len() <= mail.len());
            prop_assert_eq!(removed(&[once.as_bytes()]), once);
        }
    }
}
