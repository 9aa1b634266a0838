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
        for &byte in input {
            let Some(sextet) = sextet(byte) else {
                if byte == b'=' {
                    (self.bits, self.count) = (0, 0);
                }
                continue;
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
            let is_plain = matches!(self.escape, Escape::None) && self.blanks.is_empty();
            let count = if is_plain {
                rest.iter().take_while(|byte| is_literal(**byte)).count()
            } else {
                0
            };
            if count > 0 {
                let (literal, behind) = rest.split_at(count);
                output.extend_from_slice(literal);
                rest = behind;
            } else {
                self.take(byte, output);
                rest = behind;
            }
        }
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

/// A byte that quoted-printable leaves alone wherever it stands.
fn is_literal(byte: u8) -> bool {
    !matches!(byte, b'=' | b' ' | b'\t' | b'\r' | b'\n')
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// The value of a character of the base64 alphabet (RFC 4648 section 4).
pub(super) fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

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
