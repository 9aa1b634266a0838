//! `postmap -hmq -`: a mail on standard input, its headers and lines as keys.
//!
//! Read as mail is read on its way in, but for what only SMTP has: lines may be of any length, and
//! `From ` in front is no header. A line ends with LF or CRLF; to Postfix's postmap a CR is part
//! of the line.

use std::io::{Read, Write};

use mailweir_content::mime::{MimeLimits, MimeReader, Piece};

use super::{Fatal, options::Parts, questions::Tables};

/// Prints each header or line that has a value, and the value.
pub(super) async fn print_pairs(
    tables: &mut Tables<'_>,
    parts: Parts,
    mut mail: impl Read,
    out: &mut impl Write,
) -> Result<bool, Fatal> {
    let limits = MimeLimits {
        line_length: usize::MAX,
        mailbox_lines: false,
        mime: parts.mime,
        ..MimeLimits::default()
    };
    let mut reader = MimeReader::new(limits);
    let mut printer = Printer { tables, parts, lacks_empty_line: false, found: false };
    let mut buffer = vec![0; PIECE];
    loop {
        let length = mail.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        let mut input = &buffer[..length];
        while let Some(piece) = reader.next(&mut input) {
            printer.see(piece, out).await?;
        }
    }
    while let Some(piece) = reader.finish() {
        printer.see(piece, out).await?;
    }
    Ok(printer.found)
}

struct Printer<'p, 'r> {
    tables: &'p mut Tables<'r>,
    parts: Parts,
    /// The header ended without an empty line. Postfix puts one there, and looks it up.
    lacks_empty_line: bool,
    found: bool,
}

impl Printer<'_, '_> {
    async fn see(&mut self, piece: Piece<'_>, out: &mut impl Write) -> Result<(), Fatal> {
        if std::mem::take(&mut self.lacks_empty_line) && self.parts.body {
            self.found |= self.tables.print_pair(b"", out).await?;
        }
        self.lacks_empty_line = piece == Piece::HeaderEnd(b"");
        let key = match piece {
            Piece::Header { text, .. } if self.parts.headers => text,
            Piece::Body { text, .. } if self.parts.body => text,
            // Empty lines are keys here, which they are not for the checks.
            Piece::HeaderEnd(raw) | Piece::Unseen(raw) if self.parts.body && !raw.is_empty() => b"",
            _ => return Ok(()),
        };
        self.found |= self.tables.print_pair(key, out).await?;
        Ok(())
    }
}

const PIECE: usize = 64 << 10;
