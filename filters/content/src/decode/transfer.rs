//! Content-Transfer-Encodings (RFC 2045 section 6), as lenient as mail programs are.

/// Base64. What is not of the alphabet is skipped, and padding in the midst only ends a group, so
/// that pieces encoded one by one and put together are read whole.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    count: u32,
}

impl Base64 {
    pub(super) fn feed(&mut self, input: &[u8], output: &mut Vec<u8>) {
        output.reserve(input.len() / 4 * 3 + 3);
        let mut rest = input;
        while let Some((&byte, behind)) = rest.split_first() {
            if self.count == 0 {
                let groups = whole_groups(rest, output);
                if !groups.is_empty() {
                    rest = rest.get(groups.len()..).unwrap_or_default();
                    continue;
                }
            }
            self.take(byte, output);
            rest = behind;
        }
    }

    fn take(&mut self, byte: u8, output: &mut Vec<u8>) {
        let Some(sextet) = sextet(byte) else {
            if byte == b'=' {
                (self.bits, self.count) = (0, 0);
            }
            return;
        };
        self.bits = (self.bits << 6) | u32::from(sextet);
        self.count += 6;
        if self.count >= 8 {
            self.count -= 8;
            output.push((self.bits >> self.count) as u8);
            self.bits &= (1 << self.count) - 1;
        }
    }
}

/// Decodes the groups of four characters at the beginning that are whole and of the alphabet. Gives them.
fn whole_groups<'i>(input: &'i [u8], output: &mut Vec<u8>) -> &'i [u8] {
    let (groups, _) = input.as_chunks::<4>();
    let mut count = 0;
    for group in groups {
        let [a, b, c, d] = group.map(|byte| SEXTETS[usize::from(byte)]);
        if a | b | c | d >= NO_SEXTET {
            break;
        }
        output.extend_from_slice(&[a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        count += 1;
    }
    input.get(..count * 4).unwrap_or_default()
}

/// Quoted-printable. A `=` that begins nothing stands for itself.
#[derive(Debug, Default)]
pub(super) struct QuotedPrintable {
    escape: Escape,
    /// Blanks whose meaning hangs on whether the line ends behind them.
    blanks: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Escape {
    #[default]
    None,
    /// `=`
    Begun,
    /// `=` and blanks, or CR: a soft line break if the line ends here.
    Soft,
    /// `=` and one hexadecimal digit.
    Digit(u8),
}

impl QuotedPrintable {
    pub(super) fn feed(&mut self, input: &[u8], output: &mut Vec<u8>) {
        let mut rest = input;
        while let Some((&byte, behind)) = rest.split_first() {
            if matches!(self.escape, Escape::None) {
                let end = memchr::memchr2(b'=', b'\n', rest).unwrap_or(rest.len());
                let (text, behind) = rest.split_at(end);
                self.text(text, output);
                if let Some(behind) =
                    self.whole_escape(behind, output).or((end > 0).then_some(behind))
                {
                    rest = behind;
                    continue;
                }
            }
            self.take(byte, output);
            rest = behind;
        }
    }

    /// What stands before the next escape or end of a line. Blanks at its end may be none of the text.
    fn text(&mut self, text: &[u8], output: &mut Vec<u8>) {
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r');
        let blanks = text.iter().rev().take_while(is_blank).count();
        let (text, blanks) = text.split_at(text.len() - blanks);
        if !text.is_empty() {
            output.append(&mut self.blanks);
            output.extend_from_slice(text);
        }
        blanks.iter().for_each(|blank| self.keep_blank(*blank, output));
    }

    /// Decodes an escape that is all there, as nearly all are. Gives what stands behind it.
    fn whole_escape<'i>(&mut self, text: &'i [u8], output: &mut Vec<u8>) -> Option<&'i [u8]> {
        let (byte, behind) = match text {
            [b'=', b'\r', b'\n', behind @ ..] => (None, behind),
            [b'=', high, low, behind @ ..] => (Some(hex(*high)? << 4 | hex(*low)?), behind),
            _ => return None,
        };
        output.append(&mut self.blanks);
        output.extend(byte);
        Some(behind)
    }

    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        if let Escape::Digit(digit) = std::mem::take(&mut self.escape) {
            output.extend([b'=', digit]);
        }
        self.blanks.clear();
    }

    fn take(&mut self, byte: u8, output: &mut Vec<u8>) {
        match (std::mem::take(&mut self.escape), byte) {
            (Escape::None, _) => self.plain(byte, output),
            (Escape::Begun | Escape::Soft, b'\n') => self.blanks.clear(),
            (Escape::Begun | Escape::Soft, b' ' | b'\t' | b'\r') => {
                self.keep_blank(byte, output);
                self.escape = Escape::Soft;
            }
            (Escape::Begun, _) if byte.is_ascii_hexdigit() => self.escape = Escape::Digit(byte),
            (Escape::Begun | Escape::Soft, _) => {
                output.push(b'=');
                self.plain(byte, output);
            }
            (Escape::Digit(first), _) => match (hex(first), hex(byte)) {
                (Some(high), Some(low)) => output.push(high << 4 | low),
                _ => {
                    output.extend([b'=', first]);
                    self.plain(byte, output);
                }
            },
        }
    }

    fn plain(&mut self, byte: u8, output: &mut Vec<u8>) {
        match byte {
            b' ' | b'\t' | b'\r' => return self.keep_blank(byte, output),
            // Rule 3: blanks at the end of a line were added on the way.
            b'\n' if self.blanks.last() == Some(&b'\r') => {
                self.blanks.clear();
                output.push(b'\r');
            }
            b'\n' => self.blanks.clear(),
            _ => output.append(&mut self.blanks),
        }
        match byte {
            b'=' => self.escape = Escape::Begun,
            _ => output.push(byte),
        }
    }

    fn keep_blank(&mut self, byte: u8, output: &mut Vec<u8>) {
        if self.blanks.len() >= MOST_BLANKS {
            output.append(&mut self.blanks);
        }
        self.blanks.push(byte);
    }
}

/// The value of a hexadecimal digit.
pub(super) const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// The value of a character of the base64 alphabet (RFC 4648 section 4).
pub(super) const fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// The values of all bytes, [`NO_SEXTET`] for those that have none.
const SEXTETS: [u8; 256] = {
    let mut sextets = [NO_SEXTET; 256];
    let mut byte = 0;
    while byte < sextets.len() {
        if let Some(sextet) = sextet(byte as u8) {
            sextets[byte] = sextet;
        }
        byte += 1;
    }
    sextets
};

/// More than any value.
const NO_SEXTET: u8 = 64;

/// A line of quoted-printable has 76 characters; more blanks than this in a row are content.
const MOST_BLANKS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted_printable(input: &[u8], size: usize) -> Vec<u8> {
        let (mut decoder, mut output) = (QuotedPrintable::default(), Vec::new());
        input.chunks(size).for_each(|piece| decoder.feed(piece, &mut output));
        decoder.finish(&mut output);
        output
    }

    fn base64(input: &[u8], size: usize) -> Vec<u8> {
        let (mut decoder, mut output) = (Base64::default(), Vec::new());
        input.chunks(size).for_each(|piece| decoder.feed(piece, &mut output));
        output
    }

    #[test]
    fn quoted_printable_is_read_as_leniently_as_programs_do() {
        let pairs: [(&[u8], &[u8]); 8] = [
            (b"a=3D=3d", b"a=="),
            (b"soft=\r\n break= \t\nend", b"soft breakend"),
            (b"blanks \t\r\nend  \nx", b"blanks\r\nend\nx"),
            (b"a b  c", b"a b  c"),
            (b"=XY =4", b"=XY =4"),
            (b"= x", b"= x"),
            (b"a=", b"a"),
            (b"trail  ", b"trail"),
        ];
        for (input, wanted) in pairs {
            assert_eq!(quoted_printable(input, 99), wanted, "{}", input.escape_ascii());
        }
        let blanks = b" ".repeat(5000);
        assert_eq!(quoted_printable(&[&blanks, b"x".as_slice()].concat(), 7).len(), 5001);
    }

    #[test]
    fn base64_is_read_as_leniently_as_programs_do() {
        for input in ["YWJj", "Y W\r\nJ!j", "YWI=Yw==", "YWJj=", "YWJjZ"] {
            assert_eq!(base64(input.as_bytes(), 99), b"abc", "{input}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_the_same_however_split(
            input in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'='), Just(b' '), Just(b'\r'), Just(b'\n'), Just(b'4')], 0..100),
            size in 1_usize..9,
        ) {
            prop_assert_eq!(quoted_printable(&input, size), quoted_printable(&input, 1000));
            prop_assert_eq!(base64(&input, size), base64(&input, 1000));
            prop_assert!(quoted_printable(&input, 1).len() <= input.len());
        }
    }
}
