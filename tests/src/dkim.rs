//! Signs mail as a domain would (RFC 6376 in its relaxed form, with the keys of RFC 8463). Written apart
//! from the gateway's own reading, so that the two can disagree.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// A domain and its key.
pub struct Signer {
    domain: String,
    fields: String,
    tags: String,
    key: Ed25519KeyPair,
}

impl Signer {
    /// A signer for a domain, by the key `k`. It covers From, To and Subject.
    #[must_use]
    pub fn of(domain: &str) -> Self {
        let mut seed = [7; 32];
        seed[..domain.len().min(32)].copy_from_slice(&domain.as_bytes()[..domain.len().min(32)]);
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).expect("any seed is good");
        let (domain, tags) = (domain.to_owned(), String::new());
        Self { domain, fields: "from:to:subject".to_owned(), tags, key }
    }

    /// Covering these fields instead, such as `from:subject`.
    #[must_use]
    pub fn covering(mut self, fields: &str) -> Self {
        self.fields = fields.to_owned();
        self
    }

    /// With further tags, such as `x=1;`.
    #[must_use]
    pub fn saying(mut self, tags: &str) -> Self {
        self.tags = tags.to_owned();
        self
    }

    /// The line of a zone that publishes the key.
    #[must_use]
    pub fn record(&self) -> String {
        let key = BASE64_STANDARD.encode(self.key.public_key().as_ref());
        format!("k._domainkey.{} TXT v=DKIM1; k=ed25519; p={key}\n", self.domain)
    }

    /// The mail with its signature on top. Lines end with CRLF.
    #[must_use]
    pub fn sign(&self, mail: &str) -> String {
        let (header, body) = mail.split_once("\r\n\r\n").expect("header and body");
        let body = BASE64_STANDARD.encode(digest(&SHA256, relaxed_body(body).as_bytes()));
        let Self { domain, fields, tags, .. } = self;
        let field = format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; {tags} d={domain}; s=k;\r\n\
             \th={fields}; bh={body};\r\n\tb="
        );
        let mut signed = String::new();
        let unfolded = unfolded(header);
        for name in fields.split(':') {
            let is_meant = |line: &&String| line.split(':').next() == Some(name);
            if let Some(line) = unfolded.iter().rfind(is_meant) {
                signed.push_str(line);
                signed.push_str("\r\n");
            }
        }
        signed.push_str(&self::unfolded(&field).concat());
        let hash = digest(&SHA256, signed.as_bytes());
        let signature = BASE64_STANDARD.encode(self.key.sign(hash.as_ref()));
        format!("{field}{signature}\r\n{mail}")
    }
}

/// The fields in their relaxed form.
fn unfolded(header: &str) -> Vec<String> {
    let header = header.replace("\r\n ", " ").replace("\r\n\t", " ");
    let fields = header.split("\r\n").filter_map(|line| line.split_once(':'));
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    fields.map(|(name, value)| format!("{}:{}", name.trim().to_lowercase(), plain(value))).collect()
}

fn relaxed_body(body: &str) -> String {
    let blank = |c: char| c == ' ' || c == '\t';
    let lines = body.split("\r\n").map(|line| {
        let mut text = String::new();
        for c in line.trim_end_matches(blank).chars() {
            match blank(c) {
                true if text.ends_with(' ') => {}
                true => text.push(' '),
                false => text.push(c),
            }
        }
        text + "\r\n"
    });
    let text = lines.collect::<String>();
    let text = text.trim_end_matches("\r\n");
    if text.is_empty() { String::new() } else { format!("{text}\r\n") }
}
