//! Fields that the gateway alone writes are taken out of mail that comes in, since anybody can write them.

/// Takes the fields of a name out of a header, while the content flows past. Independent of how it is split,
/// and bounded: what may still be such a name is held, and what was taken out as far as somebody reads it.
#[derive(Clone, Debug)]
pub struct FieldRemover {
    name: &'static [u8],
    place: Place,
    /// The value of the first field that was taken out, as far as there is room.
    taken: Vec<u8>,
    /// How many were.
    count: u32,
    /// Bytes of a value that are kept.
    room: usize,
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

impl FieldRemover {
    /// Takes out fields of this name, which has no white space. `room`: bytes of the first one's value that
    /// [`Self::taken`] gives.
    #[must_use]
    pub const fn of(name: &'static str, room: usize) -> Self {
        Self {
            name: name.as_bytes(),
            place: Place::Beginning,
            taken: Vec::new(),
            count: 0,
            room,
            held: Vec::new(),
            takes_out: false,
        }
    }

    /// The value of the first field that was taken out, with its folds. `None`: there was none, or it is longer than
    /// there was room for.
    #[must_use]
    pub fn taken(&self) -> Option<&[u8]> {
        (self.count > 0 && self.taken.len() <= self.room).then_some(&self.taken)
    }

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
                    self.takes_out =
                        !is_other && self.held.trim_ascii_end().len() == self.name.len();
                    self.count += u32::from(self.takes_out);
                    match self.takes_out {
                        true => self.held.clear(),
                        false => out.append(&mut self.held),
                    }
                    self.place = Place::Value;
                    if !self.takes_out {
                        out.push(byte);
                    }
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

    fn put(&mut self, byte: u8, out: &mut Vec<u8>) {
        if !self.takes_out {
            out.push(byte);
        } else if self.count == 1 && self.taken.len() <= self.room {
            self.taken.push(byte);
        }
    }

    /// One more byte of a name.
    fn hold(&mut self, byte: u8, (is_other, is_over): (bool, bool), out: &mut Vec<u8>) {
        self.held.push(byte);
        let is_other = is_other || !may_be_name(&self.held, self.name);
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
fn may_be_name(held: &[u8], wanted: &[u8]) -> bool {
    let name = held.trim_ascii_end();
    let begins = wanted.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    let spaces = held.len() - name.len();
    begins && spaces <= MOST_SPACES && (spaces == 0 || name.len() == wanted.len())
}

/// Between name and colon; nobody takes a line with more for a field.
const MOST_SPACES: usize = 998;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: &str = "X-Archive-Status";

    fn removed(pieces: &[&[u8]]) -> String {
        let (mut remover, mut out) = (FieldRemover::of(NAME, 0), Vec::new());
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
        assert_eq!(removed(&[b"X-Archive-Status: Archived\r\n"]), "");
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
    fn what_the_first_field_said_is_told_if_there_is_room() {
        let mail = "From: a\r\nx-slip : one\r\n two\r\nX-Slip: three\r\n\r\nX-Slip: text\r\n";
        let taken = |mail: &str, room| {
            let (mut remover, mut out) = (FieldRemover::of("X-Slip", room), Vec::new());
            mail.as_bytes().chunks(3).for_each(|piece| remover.feed(piece, &mut out));
            remover.finish(&mut out);
            remover.taken().map(|value| String::from_utf8(value.to_vec()).unwrap())
        };
        assert_eq!(taken(mail, 100).unwrap(), " one\r\n two\r\n");
        assert_eq!(taken(mail, 12).unwrap(), " one\r\n two\r\n");
        assert_eq!(taken(mail, 11), None);
        assert_eq!(taken("From: a\r\n\r\nX-Slip: text\r\n", 100), None);
        let (mut remover, mut out) = (FieldRemover::of("X-Slip", 100), b"X-Slip:".to_vec());
        remover.feed(&out.clone(), &mut out);
        (0..1_000).for_each(|_| remover.feed(&[b'x'; 64], &mut out));
        assert!(remover.taken.capacity() <= 256 && remover.taken().is_none());
    }

    #[test]
    fn a_name_without_end_needs_constant_memory() {
        let (mut remover, mut out) = (FieldRemover::of(NAME, 0), Vec::new());
        for _ in 0..1_000 {
            remover.feed(&[b' '; 64], &mut out);
            remover.feed(&[b'x'; 64], &mut out);
        }
        assert!(remover.held.capacity() <= 4_096 && out.len() == 128_000);
        let mut remover = FieldRemover::of(NAME, 0);
        remover.feed(NAME.as_bytes(), &mut out);
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
