//! Text as 7-bit lines (RFC 2045 section 6).

use base64::{Engine, engine::general_purpose::STANDARD};

/// How a text travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// Section 6.7: for text that is mostly ASCII.
    QuotedPrintable,
    /// Section 6.8: for text in other scripts.
    Base64,
}

impl TransferEncoding {
    /// The one that makes `text` shorter.
    #[must_use]
    pub fn shorter_for(text: &str) -> Self {
        let foreign = text.bytes().filter(|byte| !byte.is_ascii() || *byte == b'=').count();
        // Quoted-printable adds two bytes to each of these, base64 one to each three of all.
        if foreign * 6 <= text.len() { Self::QuotedPrintable } else { Self::Base64 }
    }

    /// Its name in a Content-Transfer-Encoding field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }

    /// Text with CRLF in this encoding: ASCII, in lines of at most 76 characters with CRLF between
    /// them.
    #[must_use]
    pub fn encode(self, text: &str) -> String {
        match self {
            Self::QuotedPrintable => quoted_printable(text),
            Self::Base64 => base64_lines(text),
        }
    }
}

/// Text with CRLF in quoted-printable (RFC 2045 section 6.7).
#[must_use]
pub fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for line in text.split_inclusive("\r\n") {
        let (content, end) = line.strip_suffix("\r\n").map_or((line, ""), |line| (line, "\r\n"));
        quoted_line(content, &mut out);
        out.push_str(end);
    }
    out
}

fn quoted_line(line: &str, out: &mut String) {
    let mut width = 0;
    for (at, byte) in line.bytes().enumerate() {
        let last = at + 1 == line.len();
        let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (byte == b' ' && !last);
        let cost = if plain { 1 } else { 3 };
        if width + cost > MAX_WIDTH - 1 {
            out.push_str("=\r\n");
            width = 0;
        }
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("={byte:02X}"));
        }
        width += cost;
    }
}

fn base64_lines(text: &str) -> String {
    let encoded = STANDARD.encode(text);
    let mut out = String::with_capacity(encoded.len() + encoded.len() / 38 + 2);
    for (at, c) in encoded.chars().enumerate() {
        if at > 0 && at % MAX_WIDTH == 0 {
            out.push_str("\r\n");
        }
        out.push(c);
    }
    out
}

/// Characters in an encoded line.
const MAX_WIDTH: usize = 76;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_printable_keeps_lines_short_and_protects_spaces_at_their_ends() {
        assert_eq!(quoted_printable("a=ü \r\nb"), "a=3D=C3=BC=20\r\nb");
        let long = quoted_printable(&"한".repeat(200));
        assert!(long.split("\r\n").all(|line| line.len() <= MAX_WIDTH));
        assert_eq!(long.replace("=\r\n", ""), "=ED=95=9C".repeat(200));
    }

    #[test]
    fn base64_keeps_lines_short() {
        let long = TransferEncoding::Base64.encode(&"한글\r\n".repeat(200));
        assert!(long.split("\r\n").all(|line| line.len() <= MAX_WIDTH && !line.is_empty()));
        assert_eq!(
            STANDARD.decode(long.replace("\r\n", "")).unwrap(),
            "한글\r\n".repeat(200).as_bytes()
        );
    }

    #[test]
    fn the_shorter_encoding_is_taken() {
        for text in ["plain words", "déjà décidé", "승인 요청", "承認依頼 ABC", "==========", ""]
        {
            let taken = TransferEncoding::shorter_for(text);
            let other = match taken {
                TransferEncoding::QuotedPrintable => TransferEncoding::Base64,
                TransferEncoding::Base64 => TransferEncoding::QuotedPrintable,
            };
            // Padding and the line breaks of long texts may turn the balance by a few bytes.
            assert!(taken.encode(text).len() <= other.encode(text).len() + 4, "{text}");
        }
    }
}
