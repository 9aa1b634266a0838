//! Files in the midst of a text: uuencode (POSIX), with its base64 form.
//!
//! The text keeps their lines, since only some programs take them for files.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::super::headers::HeaderDecoder;
use super::super::transfer::Base64;
use super::super::visible::visible_within;
use super::{Context, Part, PartId};

/// Looks for files in the decoded bytes of a text.
pub(super) struct UuFinder {
    depth: usize,
    line: Vec<u8>,
    is_too_long: bool,
    open: Option<File>,
}

struct File {
    id: PartId,
    /// `begin-base64`.
    base64: Option<Base64>,
}

impl UuFinder {
    pub(super) fn new(depth: usize) -> Self {
        Self { depth, line: Vec::new(), is_too_long: false, open: None }
    }

    pub(super) fn feed(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = self.skip(rest);
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (piece, later) = rest.split_at(end);
            rest = later;
            let room = LONGEST_LINE.saturating_sub(self.line.len());
            self.is_too_long |= piece.len() > room;
            self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
            if piece.ends_with(b"\n") {
                self.end_line(context);
            }
        }
    }

    /// Where a line begins and no file is open: what is left behind the lines that begin none.
    fn skip<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        if self.open.is_some() || self.is_too_long || !self.line.is_empty() {
            return bytes;
        }
        let end = BEGIN.find(bytes).unwrap_or(bytes.len());
        let lines = memchr::memrchr(b'\n', bytes.get(..end).unwrap_or(bytes));
        bytes.get(lines.map_or(0, |at| at + 1)..).unwrap_or_default()
    }

    pub(super) fn finish(mut self, context: &mut Context<'_>) {
        self.end_line(context);
        if let Some(file) = self.open {
            context.end(file.id);
        }
    }

    fn end_line(&mut self, context: &mut Context<'_>) {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::take(&mut self.is_too_long) {
            self.take_line(line.trim_ascii_end(), context);
        }
        line.clear();
        self.line = line;
    }

    fn take_line(&mut self, line: &[u8], context: &mut Context<'_>) {
        let Some(mut file) = self.open.take() else {
            self.open = self.begin(line, context);
            return;
        };
        let is_end = if file.base64.is_some() { line == b"====" } else { line == b"end" };
        if is_end {
            context.end(file.id);
            return;
        }
        let mut decoded = Vec::new();
        match &mut file.base64 {
            Some(decoder) => decoder.feed(line, &mut decoded),
            None => decode(line, &mut decoded),
        }
        context.data(file.id, &decoded);
        self.open = Some(file);
    }

    /// `begin 644 name`.
    fn begin(&self, line: &[u8], context: &mut Context<'_>) -> Option<File> {
        let rest = line.strip_prefix(b"begin")?;
        let (rest, is_base64) = match rest.strip_prefix(b"-base64") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
        let digits = rest.iter().take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        let name = rest.get(digits..)?.strip_prefix(b" ")?.trim_ascii();
        if !(3..=5).contains(&digits) || name.is_empty() || !context.has_room() {
            return None;
        }
        let id = context.start(self.part(name, &context.shared.decoder));
        Some(File { id, base64: is_base64.then(Base64::default) })
    }

    fn part(&self, name: &[u8], decoder: &HeaderDecoder) -> Part {
        let names = decoder
            .texts(name)
            .iter()
            .map(|name| visible_within(name, LONGEST_LINE).into_owned())
            .collect();
        Part {
            id: PartId(0),
            depth: self.depth + 1,
            is_container: false,
            content_type: "application/octet-stream".to_owned(),
            charset: None,
            is_flowed: false,
            deletes_space: false,
            disposition: Some("attachment".to_owned()),
            names,
        }
    }
}

/// One line: a length, then four characters for three bytes each.
fn decode(line: &[u8], decoded: &mut Vec<u8>) {
    let Some((first, groups)) = line.split_first() else { return };
    let length = usize::from(first.wrapping_sub(b' ') & 0x3f);
    let start = decoded.len();
    for group in groups.chunks(4) {
        // Blanks at the end of a line get lost; they stand for zero.
        let mut sextets = [0_u8; 4];
        for (sextet, byte) in sextets.iter_mut().zip(group) {
            *sextet = byte.wrapping_sub(b' ') & 0x3f;
        }
        let [a, b, c, d] = sextets;
        decoded.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
    }
    decoded.truncate(start + length);
}

static BEGIN: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"begin"));

/// Lines of uuencode have 61 characters, names of files up to 255.
const LONGEST_LINE: usize = 512;
