//! Lines of plain text, and the paragraphs of `format=flowed` (RFC 3676).
//!
//! Works on bytes, which may be of any charset that has ASCII in it: LF, blank and `>` are themselves
//! in all of those.

use super::long::take_piece;

/// Joins pieces to lines and lines to paragraphs.
pub(super) struct Flow {
    is_flowed: bool,
    deletes_space: bool,
    limit: usize,
    line: Vec<u8>,
    /// A paragraph that goes on, with how deep it is quoted.
    paragraph: Option<(usize, Vec<u8>)>,
}

impl Flow {
    pub(super) fn new(is_flowed: bool, deletes_space: bool, limit: usize) -> Self {
        Self { is_flowed, deletes_space, limit, line: Vec::new(), paragraph: None }
    }

    /// Whether the next byte begins a line, and each line is one for itself.
    pub(super) const fn is_between_lines(&self) -> bool {
        !self.is_flowed && self.line.is_empty()
    }

    pub(super) fn feed(&mut self, bytes: &[u8], give: &mut dyn FnMut(&[u8])) {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes);
            let (text, behind) = bytes.split_at(end.unwrap_or(bytes.len()));
            bytes = behind.get(1..).unwrap_or_default();
            let is_end = end.is_some();
            if is_end && !self.is_flowed && self.line.is_empty() && text.len() < self.limit {
                give(text.strip_suffix(b"\r").unwrap_or(text));
                continue;
            }
            let mut rest = text;
            while !rest.is_empty() {
                let room = self.limit - self.line.len();
                let (now, later) = rest.split_at(room.min(rest.len()));
                self.line.extend_from_slice(now);
                rest = later;
                if self.line.len() >= self.limit {
                    self.end_paragraph(give);
                    give(&take_piece(&mut self.line, self.limit));
                }
            }
            if is_end {
                self.end_line(give);
            }
        }
    }

    pub(super) fn finish(&mut self, give: &mut dyn FnMut(&[u8])) {
        self.end_line(give);
        self.end_paragraph(give);
    }

    fn end_line(&mut self, give: &mut dyn FnMut(&[u8])) {
        let mut line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\r").unwrap_or(&line);
        if self.is_flowed {
            self.flow(text, give);
        } else {
            give(text);
        }
        line.clear();
        self.line = line;
    }

    fn flow(&mut self, line: &[u8], give: &mut dyn FnMut(&[u8])) {
        let depth = line.iter().take_while(|&&byte| byte == b'>').count();
        let text = line.get(depth..).unwrap_or_default();
        let text = text.strip_prefix(b" ").unwrap_or(text);
        // RFC 3676 section 4.3: the line above a signature is none that goes on.
        let is_soft = text.ends_with(b" ") && text != b"-- ";
        let text = match is_soft && self.deletes_space {
            true => text.strip_suffix(b" ").unwrap_or(text),
            false => text,
        };
        if self.paragraph.as_ref().is_some_and(|(open, _)| *open != depth) {
            self.end_paragraph(give);
        }
        let (_, paragraph) = self.paragraph.get_or_insert_with(|| {
            let marks = line.get(..depth.min(DEEPEST_QUOTE)).unwrap_or_default();
            (depth, if depth > 0 { [marks, b" "].concat() } else { Vec::new() })
        });
        paragraph.extend_from_slice(text);
        while paragraph.len() >= self.limit {
            give(&take_piece(paragraph, self.limit));
        }
        if !is_soft {
            self.end_paragraph(give);
        }
    }

    fn end_paragraph(&mut self, give: &mut dyn FnMut(&[u8])) {
        if let Some((_, paragraph)) = self.paragraph.take() {
            give(&paragraph);
        }
    }
}

/// Deeper quotes are shown like this one.
const DEEPEST_QUOTE: usize = 64;
