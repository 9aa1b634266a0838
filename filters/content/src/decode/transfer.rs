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
        for &byte in input {
            self.take(byte, output);
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
