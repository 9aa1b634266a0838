//! REPLYCODE: a reply as libmilter puts it together, of one line or several.

use mailweir_mail::{Enhanced, Reply};

use super::super::Fault;

/// Reads a reply. It is a 4xx or a 5xx; all its lines have the same codes, and the class of the one of RFC 3463, where
/// there is one, is that of the other. What would command a terminal or begin another line is not in its text.
pub(super) fn read(bytes: &[u8]) -> Result<Reply, Fault> {
    let bytes = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes).replace('\u{fffd}', "?");
    let lines: Vec<&str> = text.split("\r\n").collect();
    if lines.len() > MOST_LINES {
        return Err(Fault::Reply("it has too many lines"));
    }
    let last = lines.len() - 1;
    let mut said: Option<(u16, Option<Enhanced>)> = None;
    let mut texts = Vec::with_capacity(lines.len());
    for (at, line) in lines.into_iter().enumerate() {
        let (code, enhanced, text) = one_line(line, at < last)?;
        if said.is_some_and(|said| said != (code, enhanced)) {
            return Err(Fault::Reply("its lines have different codes"));
        }
        said = Some((code, enhanced));
        texts.push(shown(text)?);
    }
    let (code, enhanced) = said.ok_or(Fault::Reply("it is empty"))?;
    Ok(Reply { code, enhanced, text: texts.join("\n").into() })
}

/// Code, status code of RFC 3463, and text. `more`: another line follows.
fn one_line(line: &str, more: bool) -> Result<(u16, Option<Enhanced>, &str), Fault> {
    if line.len() > LONGEST_LINE {
        return Err(Fault::Reply("a line of it is too long"));
    }
    let (digits, rest) = line.split_at_checked(3).ok_or(Fault::Reply("it has no code"))?;
    let code = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok());
    let code = code.flatten().filter(|code| matches!(code, 400..=599));
    let code: u16 = code.ok_or(Fault::Reply("its code is no 4xx or 5xx"))?;
    let text = match (rest.as_bytes().first(), more) {
        (None, false) => "",
        (Some(b' '), false) | (Some(b'-'), true) => &rest[1..],
        // One line that says of itself that another follows: Postfix takes it as well.
        (Some(b'-'), false) => &rest[1..],
        _ => return Err(Fault::Reply("nothing divides its code from its text")),
    };
    let (word, behind) = text.split_once(' ').unwrap_or((text, ""));
    if !is_status(word) {
        return Ok((code, None, text));
    }
    let enhanced = word.parse().map_err(|()| Fault::Reply("its status code is none"))?;
    let Enhanced(class, ..) = enhanced;
    if u16::from(class) != code / 100 {
        return Err(Fault::Reply("its status code is of another class"));
    }
    Ok((code, Some(enhanced), behind))
}

/// Whether it is meant to be a status code: numbers divided by two dots.
fn is_status(word: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    word.split('.').count() == 3 && word.split('.').all(is_number)
}

/// Sendmail takes a reply for a format, so that libmilter's filters double what would begin a conversion.
fn shown(text: &str) -> Result<String, Fault> {
    if text.contains(['\r', '\n']) {
        return Err(Fault::Reply("a bare CR or LF is in it"));
    }
    let visible = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() => '?',
        c => c,
    };
    Ok(text.replace("%%", "%").chars().map(visible).collect())
}

/// The reply as libmilter puts it together. Its first lines are written, as many as a mail server takes.
pub(super) fn write(reply: &Reply) -> Vec<u8> {
    let lines: Vec<&str> = reply.text.split('\n').take(MOST_LINES).collect();
    let last = lines.len() - 1;
    let enhanced = reply.enhanced.map(|enhanced| format!("{enhanced} ")).unwrap_or_default();
    let line = |(at, text): (usize, &&str)| {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = text.replace('%', "%%");
        let room = LONGEST_LINE - reply_head(&enhanced);
        let cut = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let mark = if at < last { '-' } else { ' ' };
        format!("{}{mark}{enhanced}{}", reply.code, &text[..cut.unwrap_or(0)])
    };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n").into_bytes()
}

/// Bytes of a line before its text.
const fn reply_head(enhanced: &str) -> usize {
    4 + enhanced.len()
}

/// As in libmilter.
const MOST_LINES: usize = 32;

/// Bytes of a line: libmilter takes 980 of text.
const LONGEST_LINE: usize = 998;
