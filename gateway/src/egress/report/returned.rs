//! The part of a report that returns the original, or its header.
//!
//! The whole mail only goes back with a failure, if the sender did not ask for less (RFC 3461
//! section 4.3) and if it is small enough (`attacks.md` D8).

use mailweir_mail::{ReportKind, Return};

use super::{Original, Report};

/// What is returned.
pub(super) struct Returned {
    pub(super) bytes: Vec<u8>,
    whole: bool,
}

impl Returned {
    pub(super) fn of(report: &Report<'_>) -> Self {
        let whole = report.kind() == ReportKind::Failure
            && report.ret != Some(Return::Headers)
            && report.original.is_complete()
            && report.original.content.len() <= report.size_limit;
        let content = report.original.content;
        let bytes = if whole { content } else { header_of(content) };
        let mut bytes = with_crlf(bytes);
        if !whole {
            cut_at_line(&mut bytes, report.size_limit);
        }
        Self { bytes, whole }
    }

    /// Whether this is all of the original.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The header, as far as it is returned.
    pub(super) fn header(&self) -> &[u8] {
        header_of(&self.bytes)
    }

    pub(super) const fn title(&self, kind: ReportKind) -> &'static str {
        match (kind, self.whole) {
            (ReportKind::Failure, true) => "Undelivered message",
            (ReportKind::Failure, false) => "Undelivered message header",
            (ReportKind::Delay, _) => "Delayed message header",
            (ReportKind::Success, _) => "Delivered message header",
        }
    }

    pub(super) const fn media_type(&self, global: bool) -> &'static str {
        match (self.whole, global) {
            (true, false) => "message/rfc822",
            (true, true) => "message/global",
            (false, false) => "text/rfc822-headers",
            (false, true) => "message/global-headers",
        }
    }
}

impl<'a> Original<'a> {
    /// The Message-ID with its angle brackets, if it is one that can be quoted safely.
    pub(super) fn message_id(&self) -> Option<&'a str> {
        let id = std::str::from_utf8(self.field("message-id")?).ok()?;
        let (_, rest) = id.split_once('<')?;
        let (inner, _) = rest.split_once('>')?;
        let graphic = inner.bytes().all(|b| b.is_ascii_graphic() && b != b'<');
        let start = id.len() - rest.len() - 1;
        (graphic && (1..=MAX_MESSAGE_ID).contains(&inner.len()))
            .then(|| &id[start..start + inner.len() + 2])
    }

    /// The first field of this name, folded as it came, without the line end.
    pub(super) fn field(&self, name: &str) -> Option<&'a [u8]> {
        let mut lines = header_of(self.content).split_inclusive(|&byte| byte == b'\n').peekable();
        let mut at = 0;
        while let Some(line) = lines.next() {
            let start = at;
            at += line.len();
            while let Some(more) =
                lines.next_if(|line| line.starts_with(b" ") || line.starts_with(b"\t"))
            {
                at += more.len();
            }
            let field = &self.content[start..at];
            if let Some(value) = value_of(field, name) {
                return Some(value);
            }
        }
        None
    }

    const fn is_complete(&self) -> bool {
        self.size <= self.content.len() as u64
    }
}

fn value_of<'a>(field: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (found, rest) = field.split_at_checked(name.len())?;
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    found.eq_ignore_ascii_case(name.as_bytes()).then(|| value.trim_ascii())
}

/// Everything before the first empty line.
fn header_of(content: &[u8]) -> &[u8] {
    let mut at = 0;
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            return &content[..at];
        }
        at += line.len();
    }
    content
}

/// The same lines with CRLF, also after the last.
fn with_crlf(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 32);
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        out.extend(line.iter().map(|&byte| if byte == b'\r' { b' ' } else { byte }));
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn cut_at_line(bytes: &mut Vec<u8>, limit: usize) {
    if bytes.len() > limit {
        let end = bytes[..limit].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(end);
    }
}

/// Longer ones would need folding and name no real mail.
const MAX_MESSAGE_ID: usize = 250;

#[cfg(test)]
mod tests {
    use super::*;

    fn message_id(content: &str) -> Option<&str> {
        Original { content: content.as_bytes(), size: 0 }.message_id()
    }

    #[test]
    fn the_message_id_is_found_also_when_folded() {
        assert_eq!(message_id("A: b\r\nMESSAGE-id :\r\n <1@x>\r\n\r\nhi"), Some("<1@x>"));
        assert_eq!(message_id("Message-ID: <1@x> (comment)\n\n"), Some("<1@x>"));
    }

    #[test]
    fn a_message_id_that_would_break_our_header_is_left_out() {
        for bad in ["<a b@x>", "<>", "<a@x", "none", "<a\r\n b@x>", "<é@x>", "<<a@x>"] {
            assert_eq!(message_id(&format!("Message-ID: {bad}\r\n\r\n")), None, "{bad}");
        }
        assert_eq!(message_id("A: b\r\n\r\nMessage-ID: <1@x>\r\n"), None);
        assert_eq!(message_id(&format!("Message-ID: <{}@x>\r\n", "a".repeat(300))), None);
    }

    #[test]
    fn line_ends_become_crlf() {
        assert_eq!(with_crlf(b"a\nb\r\nc\rd"), b"a\r\nb\r\nc d\r\n");
    }
}
