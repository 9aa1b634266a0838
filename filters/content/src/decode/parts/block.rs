//! A header, line by line: fields are told as they end, and those about MIME are kept.

use super::lines::Line;
use super::{Ambiguity, Context, Event};

/// The header of a mail or a part.
#[derive(Default)]
pub(super) struct Block {
    /// The field that may go on.
    field: Option<Vec<u8>>,
    /// The fields about MIME so far, without line ends.
    pub(super) mime: Vec<Vec<u8>>,
    has_fields: bool,
    /// Headers of ours and of others will stand on top of it: a first line that is no field does not
    /// end it for all programs.
    has_more_on_top: bool,
    /// Since a line that is no field.
    pub(super) garbled: Option<Garbled>,
}

/// What a strict program takes for the body.
pub(super) struct Garbled {
    /// How many of the fields stood before.
    pub(super) fields: usize,
    /// All lines since, as they came.
    pub(super) raw: Vec<u8>,
}

/// What a line is to a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A line of it.
    Yes,
    /// The empty line at its end.
    End,
    /// The body begins with this line.
    No,
}

impl Block {
    /// The header of the mail itself.
    pub(super) fn of_mail() -> Self {
        Self { has_more_on_top: true, ..Self::default() }
    }

    pub(super) fn take(
        &mut self,
        line: Line<'_>,
        depth: usize,
        context: &mut Context<'_>,
    ) -> Taken {
        if !line.is_start {
            self.extend(line.text);
            return self.keep_raw(line);
        }
        if line.text.is_empty() && !line.end.is_empty() {
            self.end_field(depth, context);
            self.keep_raw(line);
            return Taken::End;
        }
        if matches!(line.text, [b' ' | b'\t', ..]) && self.field.is_some() {
            self.extend(b"\n");
            self.extend(line.text);
        } else if is_field(line.text) {
            self.end_field(depth, context);
            self.has_fields = true;
            self.field = Some(line.text.to_vec());
        } else if !self.has_fields && is_mbox(line.text) {
            return Taken::Yes;
        } else if !self.has_fields && !self.has_more_on_top {
            return Taken::No;
        } else {
            self.end_field(depth, context);
            context.tell(Ambiguity::GarbledHeader);
            let fields = self.mime.len();
            self.garbled.get_or_insert_with(|| Garbled { fields, raw: Vec::new() });
        }
        self.keep_raw(line)
    }

    /// Whether a field was there.
    pub(super) fn has_fields(&self) -> bool {
        self.has_fields
    }

    /// The field at the end of the header is complete.
    pub(super) fn end_field(&mut self, depth: usize, context: &mut Context<'_>) {
        let Some(text) = self.field.take() else { return };
        (context.events)(Event::Header { depth, text: &text });
        let Some(name) = mime_name(&text) else { return };
        let alike = self.mime.iter().filter(|field| mime_name(field) == Some(name));
        let (count, size) =
            alike.fold((0, 0), |(count, size), field| (count + 1, size + field.len()));
        if self.mime.contains(&text) {
            return;
        }
        // What is said beyond that, some program may go by.
        if text.len() == LONGEST_FIELD || count == MOST_ALIKE || size >= LONGEST_FIELD {
            context.tell(Ambiguity::TooManyReadings);
        }
        if count < MOST_ALIKE && size < LONGEST_FIELD {
            self.mime.push(text);
        }
    }

    fn extend(&mut self, text: &[u8]) {
        if let Some(field) = &mut self.field {
            let room = LONGEST_FIELD.saturating_sub(field.len());
            field.extend_from_slice(text.get(..room).unwrap_or(text));
        }
    }

    /// Where the header is garbled, its lines are kept; too many of them are a body.
    fn keep_raw(&mut self, line: Line<'_>) -> Taken {
        let Some(garbled) = &mut self.garbled else { return Taken::Yes };
        if garbled.raw.len() > LONGEST_GARBLED {
            return Taken::No;
        }
        garbled.raw.extend_from_slice(line.text);
        garbled.raw.extend_from_slice(line.end);
        Taken::Yes
    }
}

/// The line that mbox files put before a mail is none of it.
fn is_mbox(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// A field name and a colon (RFC 5322 section 2.2; blanks before the colon as Postfix allows).
pub(super) fn is_field(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else { return false };
    let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// Which of the fields that describe a part this is. All others are of no use here, and must not
/// take the room of these.
fn mime_name(field: &[u8]) -> Option<&'static str> {
    let colon = memchr::memchr(b':', field)?;
    let name = field.get(..colon)?.trim_ascii_end();
    MIME_FIELDS.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

const MIME_FIELDS: [&str; 3] = ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"];
/// As `HeaderDecoder::field` reads; more than this is not kept of all fields of a name either.
const LONGEST_FIELD: usize = 128 * 1024;
/// Fields of one name.
const MOST_ALIKE: usize = 8;
/// A header that is garbled is no longer than this.
const LONGEST_GARBLED: usize = 64 * 1024;
