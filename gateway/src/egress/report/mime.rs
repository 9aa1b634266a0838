//! Putting a multipart mail together (RFC 2046), as far as reports need it.

/// A multipart mail that is being written.
pub(super) struct Multipart {
    header: String,
    body: Vec<u8>,
    boundary: String,
}

impl Multipart {
    /// Starts with a header that names `boundary`.
    pub(super) fn open(header: String, boundary: String) -> Self {
        let body = b"\r\nThis is a report in MIME format.\r\n".to_vec();
        Self { header, body, boundary }
    }

    /// Adds words for people. What is not ASCII is encoded, since readers are many.
    pub(super) fn add_text(&mut self, title: &str, text: &str) {
        if text.is_ascii() {
            self.part(title, "text/plain; charset=us-ascii", "7bit", text.as_bytes());
        } else {
            let encoded = quoted_printable(text);
            self.part(title, "text/plain; charset=utf-8", "quoted-printable", encoded.as_bytes());
        }
    }

    /// Adds a part as it is.
    pub(super) fn add(&mut self, title: &str, media_type: &str, body: &[u8]) {
        self.part(title, media_type, encoding(body), body);
    }

    /// The whole mail.
    pub(super) fn close(mut self) -> Vec<u8> {
        self.body.extend_from_slice(format!("\r\n--{}--\r\n", self.boundary).as_bytes());
        let encoding = encoding(&self.body);
        self.header.push_str("Content-Transfer-Encoding: ");
        self.header.push_str(encoding);
        self.header.push_str("\r\n");
        [self.header.into_bytes(), self.body].concat()
    }

    fn part(&mut self, title: &str, media_type: &str, encoding: &str, body: &[u8]) {
        let boundary = &self.boundary;
        let header = format!(
            "\r\n--{boundary}\r\n\
             Content-Description: {title}\r\n\
             Content-Type: {media_type}\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\n"
        );
        self.body.extend_from_slice(header.as_bytes());
        self.body.extend_from_slice(body);
    }
}

const fn encoding(body: &[u8]) -> &'static str {
    if body.is_ascii() { "7bit" } else { "8bit" }
}

/// Text with CRLF in quoted-printable (RFC 2045 section 6.7).
fn quoted_printable(text: &str) -> String {
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
}
