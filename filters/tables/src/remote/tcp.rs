//! Postfix's tcp_table(5) protocol: lines, `get key` there and `200 value` back, with `%XX` for
//! what is not printable.

use super::{Reply, ReplyError, TCP_LIMIT, failed};
use crate::text::is_space;

pub(super) fn request(key: &[u8]) -> Vec<u8> {
    let mut request = Vec::with_capacity(key.len() + 5);
    request.extend_from_slice(b"get ");
    for &byte in key {
        match byte {
            b'%' => request.extend_from_slice(b"%25"),
            b'!'..=b'~' => request.push(byte),
            _ => request.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    request.push(b'\n');
    request
}

pub(super) fn reply(input: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
    let seen = &input[..input.len().min(TCP_LIMIT)];
    match memchr::memchr(b'\n', seen) {
        Some(end) => Ok(Some((read(&seen[..end])?, end + 1))),
        None if seen.len() < TCP_LIMIT => Ok(None),
        None => Err(ReplyError::TooLong),
    }
}

fn read(line: &[u8]) -> Result<Reply, ReplyError> {
    let [class, second, third, space, text @ ..] = line else {
        return Err(ReplyError::Malformed);
    };
    if !(second.is_ascii_digit() && third.is_ascii_digit() && is_space(*space)) {
        return Err(ReplyError::Malformed);
    }
    let text = unquoted(text).ok_or(ReplyError::Malformed)?;
    match class {
        b'2' if text.contains(&0) => Err(ReplyError::Malformed),
        b'2' => Ok(Reply::Found(text)),
        b'4' => Ok(failed("temporary", &text)),
        b'5' => Ok(Reply::NotFound),
        _ => Err(ReplyError::Malformed),
    }
}

fn unquoted(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        plain.push(match byte {
            b'%' => digit(*rest.next()?)? << 4 | digit(*rest.next()?)?,
            byte => byte,
        });
    }
    Some(plain)
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}
