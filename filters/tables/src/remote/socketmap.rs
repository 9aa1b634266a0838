//! Sendmail's socketmap protocol: netstrings, `map key` there and `OK value` back.

use super::{Reply, ReplyError, SOCKETMAP_LIMIT, failed};

pub(super) fn request(map: &str, key: &[u8]) -> Vec<u8> {
    let mut request = format!("{}:{map} ", map.len() + 1 + key.len()).into_bytes();
    request.extend_from_slice(key);
    request.push(b',');
    request
}

pub(super) fn reply(input: &[u8]) -> Result<Option<(Reply, usize)>, ReplyError> {
    let Some((start, length)) = header(input)? else { return Ok(None) };
    let end = start + length;
    match (input.get(start..end), input.get(end)) {
        (Some(payload), Some(b',')) => Ok(Some((read(payload)?, end + 1))),
        (_, Some(_)) => Err(ReplyError::Malformed),
        (_, None) => Ok(None),
    }
}

/// Where the payload starts and how long it is.
fn header(input: &[u8]) -> Result<Option<(usize, usize)>, ReplyError> {
    let digits = input.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > SOCKETMAP_LIMIT.ilog10() as usize + 1 {
        return Err(ReplyError::TooLong);
    }
    match input.get(digits) {
        None => return Ok(None),
        Some(b':') if digits > 0 => {}
        Some(_) => return Err(ReplyError::Malformed),
    }
    let length = std::str::from_utf8(&input[..digits]).ok().and_then(|digits| digits.parse().ok());
    match length.ok_or(ReplyError::Malformed)? {
        length if length > SOCKETMAP_LIMIT => Err(ReplyError::TooLong),
        length => Ok(Some((digits + 1, length))),
    }
}

fn read(payload: &[u8]) -> Result<Reply, ReplyError> {
    if payload.contains(&0) {
        return Err(ReplyError::Malformed);
    }
    let (status, words) = match payload.iter().position(|&byte| byte == b' ') {
        Some(at) => (&payload[..at], Some(&payload[at + 1..])),
        None => (payload, None),
    };
    Ok(match (status, words) {
        (b"OK", Some(value)) => Reply::Found(value.to_owned()),
        // Postfix takes an OK without even a blank for an answer that there is nothing.
        (b"OK", None) | (b"NOTFOUND", _) => Reply::NotFound,
        (b"TEMP", words) => failed("temporary", words.unwrap_or_default()),
        (b"TIMEOUT", words) => failed("timeout", words.unwrap_or_default()),
        (b"PERM", words) => failed("permanent", words.unwrap_or_default()),
        (_, words) => failed("unknown", words.unwrap_or_default()),
    })
}
