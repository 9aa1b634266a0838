//! The words of an SMTP client.

use mailweir_mail::Reply;

use super::super::replies::{BAD_RECIPIENT, BAD_SENDER};

/// EHLO. What no name can have becomes `?`.
pub(super) fn hello(name: &[u8]) -> Vec<u8> {
    let name = String::from_utf8_lossy(name);
    let visible = |c: char| if c.is_control() || c == '\u{fffd}' { '?' } else { c };
    let name: String = name.chars().map(visible).collect();
    format!("EHLO {name}\r\n").into_bytes()
}

/// MAIL, with what of its parameters matters to those who judge.
///
/// # Errors
/// It is no sender: this is the answer.
pub(super) fn sender(texts: &[Box<[u8]>], own_name: Option<&str>) -> Result<Vec<u8>, Reply> {
    let (path, parameters) = texts.split_first().ok_or(BAD_SENDER)?;
    let path = path_of(path, own_name).ok_or(BAD_SENDER)?;
    let mut command = format!("MAIL FROM:{path}");
    let mut known: Vec<&str> =
        parameters.iter().filter_map(|text| std::str::from_utf8(text).ok()).collect();
    known.retain(|parameter| matters(parameter));
    if !path.is_ascii() {
        known.push("SMTPUTF8");
    }
    for (at, parameter) in known.iter().enumerate() {
        let is_key_of = |other: &&str| key(other).eq_ignore_ascii_case(key(parameter));
        if !known[..at].iter().any(is_key_of) {
            command.extend([" ", parameter]);
        }
    }
    command.push_str("\r\n");
    Ok(command.into_bytes())
}

/// RCPT.
///
/// # Errors
/// It is no recipient: this is the answer.
pub(super) fn recipient(texts: &[Box<[u8]>], own_name: Option<&str>) -> Result<Vec<u8>, Reply> {
    let path = texts.first().and_then(|path| path_of(path, own_name)).ok_or(BAD_RECIPIENT)?;
    Ok(format!("RCPT TO:{path}\r\n").into_bytes())
}

/// BDAT: so many bytes of content follow, and more behind them.
pub(super) fn chunk(bytes: usize) -> Vec<u8> {
    format!("BDAT {bytes}\r\n").into_bytes()
}

/// The content is complete.
pub(super) const LAST_CHUNK: &[u8] = b"BDAT 0 LAST\r\n";

/// The mail is given up.
pub(super) const RSET: &[u8] = b"RSET\r\n";

/// The path in its brackets, if it can stand in a command.
fn path_of(text: &[u8], own_name: Option<&str>) -> Option<String> {
    let text = std::str::from_utf8(text).ok().filter(|text| !text.chars().any(char::is_control))?;
    let bare = text.strip_prefix('<').map_or(text, |rest| rest.strip_suffix('>').unwrap_or(rest));
    let own_name = own_name.filter(|name| {
        !bare.is_empty()
            && !bare.contains('@')
            && !name.contains(|c: char| c.is_control() || c.is_whitespace() || "<>".contains(c))
    });
    Some(match own_name {
        Some(name) => format!("<{bare}@{name}>"),
        None => format!("<{bare}>"),
    })
}

fn matters(parameter: &str) -> bool {
    let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    match key.to_ascii_uppercase().as_str() {
        "SIZE" => {
            (1..=20).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit())
        }
        "BODY" => is("7BIT") || is("8BITMIME"),
        "SMTPUTF8" => !parameter.contains('='),
        _ => false,
    }
}

fn key(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or_default()
}
