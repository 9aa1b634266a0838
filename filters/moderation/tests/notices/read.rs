//! A reader of our own mails for tests: just enough MIME.

use base64::{Engine, engine::general_purpose::STANDARD};
use mailweir_mail::compose::decode_unstructured;

/// A mail or a part.
pub(super) struct Part {
    pub(super) header: String,
    pub(super) body: Vec<u8>,
}

impl Part {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let header = String::from_utf8(bytes[..end + 2].to_vec()).unwrap();
        Self { header, body: bytes[end + 4..].to_vec() }
    }

    /// The value of a field, unfolded.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let unfolded = self.header.replace("\r\n ", " ");
        let mut lines = unfolded.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))?;
        Some(value.to_owned())
    }

    pub(super) fn subject(&self) -> String {
        decode_unstructured(self.field("Subject").unwrap().as_bytes()).unwrap()
    }

    /// The parts of a multipart.
    pub(super) fn parts(&self) -> Vec<Part> {
        let kind = self.field("Content-Type").unwrap();
        let boundary = kind.split_once("boundary=\"").unwrap().1.strip_suffix('"').unwrap();
        let body = String::from_utf8_lossy(&self.body);
        let inside = body.split_once(&format!("\r\n--{boundary}--")).unwrap().0;
        let inside = format!("\r\n{inside}");
        let divider = format!("\r\n--{boundary}\r\n");
        let parts = inside.split(&divider).skip(1);
        parts.map(|part| Part::of(part.as_bytes())).collect()
    }

    /// The text of a part, decoded.
    pub(super) fn text(&self) -> String {
        let body = String::from_utf8(self.body.clone()).unwrap();
        let bytes = match self.field("Content-Transfer-Encoding").unwrap().as_str() {
            "base64" => STANDARD.decode(body.replace("\r\n", "")).unwrap(),
            "quoted-printable" => quoted_printable(&body),
            other => panic!("{other}"),
        };
        String::from_utf8(bytes).unwrap()
    }

    /// Text and HTML of a notice without an original.
    pub(super) fn both(&self) -> (String, String) {
        let parts = self.parts();
        assert_eq!(parts.len(), 2);
        (parts[0].text(), parts[1].text())
    }
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let (text, mut out) = (text.replace("=\r\n", ""), Vec::new());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'=' => {
                let hex = [bytes.next().unwrap(), bytes.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    out
}

/// What a browser shows of HTML, more or less: no tags, entities read, white space as one space.
pub(super) fn visible(html: &str) -> String {
    let (_, body) = html.split_once("<body").unwrap();
    let mut out = String::new();
    let mut is_tag = true;
    for c in body.chars() {
        match c {
            '<' => is_tag = true,
            '>' if is_tag => {
                is_tag = false;
                out.push(' ');
            }
            c if !is_tag => out.push(c),
            _ => {}
        }
    }
    let pairs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    let text = pairs.iter().fold(out, |text, (entity, sign)| text.replace(entity, sign));
    text.split([' ', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
