//! What an SMTP server replies.

use mailweir_mail::Reply;

use super::super::replies::LATER;

/// The first refusal among whole replies. What is no reply at all is taken for one.
pub(super) fn refusal(replied: &[u8]) -> Option<Reply> {
    let replied = String::from_utf8_lossy(replied);
    let mut lines = Vec::new();
    for line in replied.split_terminator("\r\n") {
        lines.push(line);
        if line.as_bytes().get(3) == Some(&b'-') {
            continue;
        }
        let reply = read(&lines).unwrap_or(LATER);
        if reply.code >= 400 {
            return Some(reply);
        }
        lines.clear();
    }
    (!lines.is_empty()).then_some(LATER)
}

/// A reply by its lines.
fn read(lines: &[&str]) -> Option<Reply> {
    let (mut said, mut texts) = (None, Vec::with_capacity(lines.len()));
    for line in lines {
        let (code, rest) = line.split_at_checked(3)?;
        let code = code.parse().ok().filter(|code| matches!(code, 200..=599))?;
        let text = rest.get(1..).unwrap_or_default();
        let (word, behind) = text.split_once(' ').unwrap_or((text, ""));
        let (enhanced, text) = word.parse().map_or((None, text), |status| (Some(status), behind));
        said = Some((code, enhanced));
        texts.push(text);
    }
    let (code, enhanced) = said?;
    Some(Reply { code, enhanced, text: texts.join("\n").into() })
}
