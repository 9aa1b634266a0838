//! One byte of a signed mail becomes another: in the body, in a signed field or in the signature. None that
//! a canonical form leaves out, so that no signature may hold any more.

use std::ops::Range;

use super::mails::parts;
use crate::chance::Chance;

/// The signed mails, each with one byte changed.
#[must_use]
pub fn changed(seed: u64, mails: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut chance = Chance::new(seed);
    mails.iter().map(|mail| with_another_byte(mail, &mut chance)).collect()
}

fn with_another_byte(mail: &[u8], chance: &mut Chance) -> Vec<u8> {
    let body = mail.len() - parts(mail).1.len()..mail.len();
    let place = match chance.below(8) {
        0 => tag(mail, b"bh="),
        1 => tag(mail, b"b="),
        2 => lowest(mail, "Subject").or_else(|| lowest(mail, "From")),
        3 => lowest(mail, "From"),
        _ => Some(body),
    };
    let in_place = place.map(|place| solid(mail, place)).filter(|places| !places.is_empty());
    // A body may be empty, and a field.
    let places = in_place.unwrap_or_else(|| solid(mail, lowest(mail, "From").unwrap()));
    let at = places[usize::try_from(chance.below(places.len() as u64)).unwrap()];
    let mut mail = mail.to_vec();
    mail[at] = if mail[at] == b'x' { b'y' } else { b'x' };
    mail
}

/// The bytes there that are no white space.
fn solid(mail: &[u8], place: Range<usize>) -> Vec<usize> {
    place.filter(|at| !mail[*at].is_ascii_whitespace()).collect()
}

/// The first byte of a tag of the signature on top: of the last ones of base64 not all bits count.
fn tag(mail: &[u8], name: &[u8]) -> Option<Range<usize>> {
    let is_tag = |at: &usize| mail[*at..].starts_with(name) && b"; \t".contains(&mail[at - 1]);
    let begin = (1..parts(mail).0.len()).find(is_tag)? + name.len();
    let at = (begin..mail.len()).find(|at| !mail[*at].is_ascii_whitespace())?;
    Some(at..at + 1)
}

/// What the lowest field of this name says. Who signs one of several signs that one.
fn lowest(mail: &[u8], name: &str) -> Option<Range<usize>> {
    let header = parts(mail).0;
    let begins = |at: &usize| {
        let line = &header[*at..];
        (*at == 0 || header[..*at].ends_with(b"\r\n"))
            && line.get(name.len()) == Some(&b':')
            && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    };
    let begin = (0..header.len()).rev().find(begins)? + name.len() + 1;
    let is_end = |at: &usize| {
        header[*at..].starts_with(b"\r\n") && !matches!(header.get(at + 2), Some(b' ' | b'\t'))
    };
    Some(begin..(begin..header.len()).find(is_end)?)
}
