//! The two forms in which header and body are hashed, so that what mail servers do to white space on the
//! way does no harm (RFC 6376 section 3.4). Here is the form of fields; that of the body is in `body`.

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Canonical {
    /// As it came, but for empty lines at the end.
    Simple,
    /// White space as one blank, or none at the end of a line; names of fields in lower case.
    Relaxed,
}

impl Canonical {
    /// Those of header and body (`c=`).
    pub(super) fn pair(text: Option<&str>) -> Option<(Self, Self)> {
        let text = text.unwrap_or("simple/simple");
        let (header, body) = text.split_once('/').unwrap_or((text, "simple"));
        Some((Self::read(header)?, Self::read(body)?))
    }

    fn read(text: &str) -> Option<Self> {
        match text.trim_ascii().to_ascii_lowercase().as_str() {
            "simple" => Some(Self::Simple),
            "relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// Appends a field in this form, without a line end.
    pub(crate) fn field(self, raw: &[u8], out: &mut Vec<u8>) {
        if self == Self::Simple {
            out.extend_from_slice(raw);
            return;
        }
        let colon = memchr::memchr(b':', raw).unwrap_or(raw.len());
        let (name, value) = raw.split_at_checked(colon).unwrap_or((raw, &[]));
        out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
        out.push(b':');
        let value = value.get(1..).unwrap_or_default();
        let words = value.split(|byte| matches!(byte, b' ' | b'\t')).map(without_fold);
        for (number, word) in words.filter(|word| !word.is_empty()).enumerate() {
            if number > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
}

/// In a field white space stands behind each line end: it is a fold. A CR or LF alone is none; where somebody
/// reads it as a line end, another field begins.
fn without_fold(word: &[u8]) -> &[u8] {
    word.strip_suffix(b"\r\n").unwrap_or(word)
}
