//! Signs mail as a domain would, in all forms, with Ed25519. Written apart from our own reading and
//! signing, in the plainest way there is, so that the two can disagree.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// A domain and its key `k`.
pub(crate) struct TestSigner {
    pub(crate) domain: String,
    pub(crate) key: Ed25519KeyPair,
    /// `c=`
    pub(crate) forms: &'static str,
    /// `h=`
    pub(crate) fields: String,
    /// `l=`
    pub(crate) limit: Option<usize>,
    /// Further tags, such as `x=1;`.
    pub(crate) tags: String,
}

impl TestSigner {
    pub(crate) fn of(domain: &str) -> Self {
        let seed: [u8; 32] = digest(&SHA256, domain.as_bytes()).as_ref().try_into().unwrap();
        Self {
            domain: domain.to_owned(),
            key: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(),
            forms: "relaxed/relaxed",
            fields: "from:to:subject".to_owned(),
            limit: None,
            tags: String::new(),
        }
    }

    pub(crate) fn key_name(&self) -> String {
        format!("k._domainkey.{}", self.domain)
    }

    pub(crate) fn record(&self) -> String {
        let key = BASE64_STANDARD.encode(self.key.public_key().as_ref());
        format!("v=DKIM1; k=ed25519; p={key}")
    }

    /// The mail with its signature on top.
    pub(crate) fn sign(&self, mail: &[u8]) -> Vec<u8> {
        let field = self.field("DKIM-Signature", "v=1;", mail);
        [field.as_bytes(), mail].concat()
    }

    /// A field with a signature of a mail.
    pub(crate) fn field(&self, name: &str, first: &str, mail: &[u8]) -> String {
        let mail = latin(mail);
        let (header, body) = mail.split_once("\r\n\r\n").unwrap();
        let (header_form, body_form) = self.forms.split_once('/').unwrap();
        let mut body = canonical_body(body, body_form);
        let limit = self.limit.map(|limit| format!(" l={limit};")).unwrap_or_default();
        body.truncate(self.limit.unwrap_or(usize::MAX));
        let body = BASE64_STANDARD.encode(digest(&SHA256, &bytes(&body)));
        let Self { domain, forms, fields, tags, .. } = self;
        let field = format!(
            "{name}: {first} a=ed25519-sha256; c={forms}; {tags} d={domain}; s=k;{limit}\r\n\
             \th={fields};\r\n\tbh={body}; b="
        );
        let mut left = unfolded(header);
        let mut signed = String::new();
        for name in fields.split(':') {
            let is_meant = |line: &String| {
                line.split(':').next().unwrap().trim_end().eq_ignore_ascii_case(name.trim())
            };
            if let Some(at) = left.iter().rposition(is_meant) {
                signed.push_str(&canonical_field(&left.remove(at), header_form));
                signed.push_str("\r\n");
            }
        }
        signed.push_str(&canonical_field(&field, header_form));
        format!("{field}{}\r\n", self.signature(&bytes(&signed)))
    }

    /// The signature of some bytes, in base64.
    pub(crate) fn signature(&self, signed: &[u8]) -> String {
        BASE64_STANDARD.encode(self.key.sign(digest(&SHA256, signed).as_ref()))
    }
}

/// The fields, each with its folds.
fn unfolded(header: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in header.split("\r\n") {
        match fields.last_mut() {
            Some(field) if line.starts_with([' ', '\t']) => *field += &format!("\r\n{line}"),
            _ => fields.push(line.to_owned()),
        }
    }
    fields
}

pub(crate) fn canonical_field(field: &str, form: &str) -> String {
    if form == "simple" {
        return field.to_owned();
    }
    let (name, value) = field.split_once(':').unwrap();
    let value = collapsed(&value.replace("\r\n", ""));
    format!("{}:{}", name.trim_end().to_ascii_lowercase(), value.trim_matches(' '))
}

pub(crate) fn canonical_body(body: &str, form: &str) -> String {
    let mut lines: Vec<String> = body.split("\r\n").map(str::to_owned).collect();
    if form == "relaxed" {
        for line in &mut lines {
            *line = collapsed(line).trim_end_matches(' ').to_owned();
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    match (lines.is_empty(), form) {
        (true, "simple") => "\r\n".to_owned(),
        (true, _) => String::new(),
        (false, _) => lines.join("\r\n") + "\r\n",
    }
}

/// Runs of blanks as one.
fn collapsed(text: &str) -> String {
    let mut short = String::new();
    for c in text.chars() {
        match c {
            ' ' | '\t' if short.ends_with(' ') => {}
            ' ' | '\t' => short.push(' '),
            _ => short.push(c),
        }
    }
    short
}

/// Bytes as characters, one for each.
pub(crate) fn latin(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

pub(crate) fn bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}
