//! Putting a multipart mail together (RFC 2046), as far as reports need it.

use mailweir_mail::compose::quoted_printable;

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
