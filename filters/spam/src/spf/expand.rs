//! What macros come to (RFC 7208 section 7.3), for names that are asked for and for explanations.
//!
//! Some of the values are a stranger's words. A name keeps no more of them than a name can have, an explanation no
//! more than [`MOST_EXPLANATION`] bytes, in printable ASCII.

use std::{
    borrow::Cow,
    net::{IpAddr, Ipv6Addr},
};

use super::{
    evaluate::Subject,
    macros::{Letter, Macro, MacroString, Piece},
};

/// What the macros of one record stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) subject: Subject<'a>,
    /// The domain whose record it is.
    pub(super) domain: &'a str,
    /// What `%{p}` stands for.
    pub(super) validated: &'a str,
}

impl MacroString {
    /// The name it comes to, without a dot at the end, cut from the left at a dot to [`MOST_NAME`] bytes.
    pub(super) fn name(&self, values: &Values<'_>) -> String {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => name.push_str(text),
                Piece::Macro(of) => name.push_str(&of.expand(values)),
            }
            keep_last(&mut name, KEPT);
        }
        let dotless = name.strip_suffix('.').unwrap_or(&name);
        cut_from_left(dotless).to_owned()
    }

    /// The text that it comes to: printable ASCII, of at most [`MOST_EXPLANATION`] bytes.
    pub(super) fn text(&self, values: &Values<'_>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            let more = match piece {
                Piece::Literal(literal) => Cow::Borrowed(&**literal),
                Piece::Macro(of) => Cow::Owned(of.expand(values)),
            };
            let room = MOST_EXPLANATION.saturating_sub(text.len());
            text.extend(more.chars().map(printable).take(room));
        }
        text
    }
}

impl Macro {
    fn expand(&self, values: &Values<'_>) -> String {
        let value = self.letter.value(values);
        let mut parts: Vec<&str> = value.split(|c| self.delimiters.contains(c)).collect();
        if self.is_reversed {
            parts.reverse();
        }
        let left_out = parts.len().saturating_sub(self.parts);
        let text = parts.split_off(left_out).join(".");
        if self.is_escaped { escaped(&text) } else { text }
    }
}

impl Letter {
    fn value<'a>(self, values: &Values<'a>) -> Cow<'a, str> {
        let Values { subject, domain, validated } = *values;
        match self {
            Self::Sender => format!("{}@{}", subject.local_part, subject.sender_domain).into(),
            Self::LocalPart => subject.local_part.into(),
            Self::SenderDomain => subject.sender_domain.into(),
            Self::Domain => domain.into(),
            Self::Address => match subject.client {
                IpAddr::V4(address) => address.to_string().into(),
                IpAddr::V6(address) => nibbles(address).into(),
            },
            Self::ValidatedName => validated.into(),
            Self::Family if subject.client.is_ipv4() => "in-addr".into(),
            Self::Family => "ip6".into(),
            Self::Helo => subject.helo.into(),
            Self::ReadableAddress => subject.client.to_string().into(),
            Self::Receiver if subject.ours.is_empty() => "unknown".into(),
            Self::Receiver => subject.ours.into(),
            Self::Time => subject.now.as_secs().to_string().into(),
        }
    }
}

/// In capitals, as the suite of openspf.org has them; DNS does not care.
fn nibbles(address: Ipv6Addr) -> String {
    let digits = format!("{:032X}", address.to_bits());
    let mut text = String::with_capacity(63);
    for digit in digits.chars() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// With all but the unreserved characters of URLs as `%` and two digits (RFC 3986 section 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Drops whole labels from the left until a name fits.
fn cut_from_left(mut name: &str) -> &str {
    while name.len() > MOST_NAME {
        match name.split_once('.') {
            Some((_, rest)) => name = rest,
            None => return name,
        }
    }
    name
}

fn keep_last(text: &mut String, most: usize) {
    let mut from = text.len().saturating_sub(most);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text.drain(..from);
}

const fn printable(c: char) -> char {
    if c.is_ascii_graphic() || c == ' ' { c } else { '?' }
}

/// RFC 7208 section 7.3.
const MOST_NAME: usize = 253;

/// What stands further left than this is cut off in the end: at least one dot more than a name has, and a dot that
/// stands behind it.
const KEPT: usize = 2 * MOST_NAME;

/// It is one line of an answer of SMTP, which has 512 bytes with its codes (RFC 5321 section 4.5.3.1.5), and room for
/// a sentence of ours.
pub const MOST_EXPLANATION: usize = 400;
