//! The reader itself: from records to headers and body lines.
//!
//! Follows Postfix's `mime_state_update` record by record. It holds one header (bounded by
//! `header_size`), one record and the boundaries that are waited for; body lines that lie in the
//! input are lent from there.

use std::{mem, ops::ControlFlow};

use super::{
    HeaderClass, Piece,
    entity::{Boundary, Content, Entity},
    header::{self, Header},
    limits::{MimeLimits, MimeTrouble},
    records::{Record, Records},
};

/// Reads a mail as Postfix's header and body checks do.
///
/// ```
/// use mailweir_content::mime::{HeaderClass, MimeLimits, MimeReader, Piece};
///
/// let mut reader = MimeReader::new(MimeLimits::default());
/// let mut input: &[u8] = b"Subject : hi\r\n\tthere\r\n\r\nA line\r\n";
/// let mut seen = Vec::new();
/// while let Some(piece) = reader.next(&mut input) {
///     match piece {
///         Piece::Header { class: HeaderClass::Primary, text, .. } | Piece::Body { text, .. } => {
///             seen.push(String::from_utf8_lossy(text).into_owned());
///         }
///         _ => {}
///     }
/// }
/// while let Some(piece) = reader.finish() {
///     assert!(piece.raw().is_empty());
/// }
/// assert_eq!(seen, ["Subject: hi\n\tthere", "A line"]);
/// ```
#[derive(Debug)]
pub struct MimeReader {
    limits: MimeLimits,
    records: Records,
    header: Header,
    phase: Phase,
    place: Place,
    entity: Entity,
    /// The record before had no line end: the next one is the rest of its line.
    mid_line: bool,
    /// No line has come that is not from a mailbox.
    at_start: bool,
    offset: u64,
    trouble: MimeTrouble,
}

/// Where the next record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a header block of this class.
    Header(HeaderClass),
    Body,
}

/// How far the header that is read has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There is none.
    None,
    /// It is gathered.
    Open,
    /// It was given; what still belongs to it is not looked at.
    Rest,
}

/// What to give next, before it is clear from where its bytes are lent.
enum Next<'i> {
    Header(HeaderClass),
    HeaderRest(Record<'i>),
    HeaderEnd(Option<Record<'i>>),
    Body(Record<'i>, u64),
    Unseen(Record<'i>),
}

impl MimeReader {
    /// A reader at the start of a mail.
    #[must_use]
    pub fn new(limits: MimeLimits) -> Self {
        Self {
            records: Records::new(limits.line_length),
            at_start: limits.mailbox_lines,
            limits,
            header: Header::new(),
            phase: Phase::None,
            place: Place::Header(HeaderClass::Primary),
            entity: Entity::new(),
            mid_line: false,
            offset: 0,
            trouble: MimeTrouble::default(),
        }
    }

    /// The next piece, taken off `input`. `None`: more input is needed, and this one was used up.
    pub fn next<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Piece<'s>> {
        self.records.release();
        // Nearly all lines of nearly all mails: no boundary, and whole in the input.
        if self.place == Place::Body
            && !self.mid_line
            && !input.starts_with(b"--")
            && let Some((raw, text_len)) = self.records.take_line(input)
        {
            let offset = self.count(text_len);
            return Some(Piece::Body { text: &raw[..text_len], raw, offset });
        }
        let next = self.step(input, false)?;
        Some(self.piece(&next))
    }

    /// The next piece of what is left at the end of the mail. `None`: there is nothing left.
    pub fn finish(&mut self) -> Option<Piece<'_>> {
        self.records.release();
        let next = self.step(&mut &[][..], true)?;
        Some(self.piece(&next))
    }

    /// What was met so far.
    #[must_use]
    pub const fn trouble(&self) -> MimeTrouble {
        self.trouble
    }

    fn step<'i>(&mut self, input: &mut &'i [u8], last: bool) -> Option<Next<'i>> {
        loop {
            let flow = match (self.place, self.phase) {
                (Place::Body, _) => self.in_body(input, last),
                (Place::Header(class), Phase::None) => self.between_headers(class, input, last),
                (Place::Header(class), Phase::Open | Phase::Rest) => {
                    self.in_header(class, input, last)
                }
            };
            if let ControlFlow::Break(next) = flow {
                return next;
            }
        }
    }

    fn in_body<'i>(&mut self, input: &mut &'i [u8], last: bool) -> Flow<'i> {
        let Some(record) = self.records.look(input, last) else { return STARVED };
        self.records.take(&record, input);
        let text = self.records.text(&record);
        let boundary = if self.mid_line { None } else { self.entity.boundary(text) };
        let text_len = text.len();
        match boundary {
            None => {}
            // The count goes on: a boundary is a line of the segment before it.
            Some(Boundary::Part) => self.place = Place::Header(HeaderClass::Mime),
            Some(Boundary::End) => self.offset = 0,
        }
        self.mid_line = record.goes_on;
        let offset = self.count(text_len);
        give(Next::Body(record, offset))
    }

    /// Counts a body line; gives where it stands.
    fn count(&mut self, text_len: usize) -> u64 {
        let offset = self.offset;
        self.offset = offset.saturating_add(text_len as u64).saturating_add(1);
        offset
    }

    fn between_headers<'i>(
        &mut self,
        class: HeaderClass,
        input: &mut &'i [u8],
        last: bool,
    ) -> Flow<'i> {
        let Some(record) = self.records.look(input, last) else {
            return if last { self.end_of_mail(class) } else { STARVED };
        };
        if !self.start(&record) {
            return self.end_block(record, class, input);
        }
        self.phase = Phase::Open;
        self.mid_line = record.goes_on;
        self.records.take(&record, input);
        self.records.release();
        ControlFlow::Continue(())
    }

    fn in_header<'i>(&mut self, class: HeaderClass, input: &mut &'i [u8], last: bool) -> Flow<'i> {
        let first = self.records.first_byte(input);
        if first.is_none() && !last {
            return STARVED;
        }
        if !first.is_some_and(|first| self.mid_line || self.header.takes(first)) {
            return self.end_header(class);
        }
        let Some(record) = self.records.look(input, last) else { return STARVED };
        if self.phase == Phase::Open && self.header.is_full(&self.limits) {
            self.phase = Phase::Rest;
            self.trouble.header_cut = true;
            return give(self.read_header(class));
        }
        let is_rest_of_line = mem::replace(&mut self.mid_line, record.goes_on);
        self.records.take(&record, input);
        if self.phase == Phase::Rest {
            return give(Next::HeaderRest(record));
        }
        self.header.add(self.records.text(&record), self.records.raw(&record), is_rest_of_line);
        self.records.release();
        ControlFlow::Continue(())
    }

    /// Starts a header with the record, if it begins one.
    fn start(&mut self, record: &Record<'_>) -> bool {
        let (text, raw) = (self.records.text(record), self.records.raw(record));
        if self.at_start && header::is_mailbox_line(text) {
            self.header.start_mailbox_line(text, raw);
            return true;
        }
        self.at_start = false;
        let Some(name) = header::name_length(text) else { return false };
        self.header.start(name, text, raw);
        true
    }

    /// No more lines belong to the header.
    fn end_header<'i>(&mut self, class: HeaderClass) -> Flow<'i> {
        let is_given = self.phase == Phase::Rest;
        self.phase = Phase::None;
        self.mid_line = false;
        if is_given { ControlFlow::Continue(()) } else { give(self.read_header(class)) }
    }

    /// Takes from the header what it says of the body.
    fn read_header<'i>(&mut self, class: HeaderClass) -> Next<'i> {
        if self.limits.mime {
            if let Some(value) = self.header.value_of("Content-Type") {
                self.entity.content_type(value, &self.limits, &mut self.trouble);
            }
            if let Some(value) = self.header.value_of("Content-Transfer-Encoding") {
                self.entity.content_transfer_encoding(value);
            }
        }
        Next::Header(if self.header.is_about_mime() { HeaderClass::Mime } else { class })
    }

    /// Ends a block of headers with a record that is none: an empty line, or the first of a body
    /// without one, which is read again as such.
    fn end_block<'i>(
        &mut self,
        record: Record<'i>,
        class: HeaderClass,
        input: &mut &'i [u8],
    ) -> Flow<'i> {
        self.check_encoding_domain();
        self.place = Place::Body;
        self.offset = 0;
        let is_primary = class == HeaderClass::Primary;
        if !record.is_empty() {
            return if is_primary {
                give(Next::HeaderEnd(None))
            } else {
                ControlFlow::Continue(())
            };
        }
        if matches!(self.entity.enter(), Content::Mail | Content::GlobalMail) {
            self.place = Place::Header(HeaderClass::Nested);
        }
        // The empty line counts as the first of the body.
        self.offset = 1;
        self.mid_line = record.goes_on;
        self.records.take(&record, input);
        give(if is_primary { Next::HeaderEnd(Some(record)) } else { Next::Unseen(record) })
    }

    fn end_of_mail<'i>(&mut self, class: HeaderClass) -> Flow<'i> {
        self.check_encoding_domain();
        self.place = Place::Body;
        if class == HeaderClass::Primary { give(Next::HeaderEnd(None)) } else { STARVED }
    }

    fn check_encoding_domain(&mut self) {
        self.trouble.encoding_domain |= self.entity.breaks_encoding_domain();
    }

    fn piece<'s, 'i: 's>(&'s self, next: &Next<'i>) -> Piece<'s> {
        let raw = |record| self.records.raw(record);
        match next {
            Next::Header(class) => {
                Piece::Header { class: *class, text: self.header.text(), raw: self.header.raw() }
            }
            Next::HeaderRest(record) => Piece::HeaderRest(raw(record)),
            Next::HeaderEnd(record) => Piece::HeaderEnd(record.as_ref().map_or(&[], raw)),
            Next::Body(record, offset) => {
                Piece::Body { text: self.records.text(record), raw: raw(record), offset: *offset }
            }
            Next::Unseen(record) => Piece::Unseen(raw(record)),
        }
    }
}

/// What a step comes to: something to give, nothing before more input comes, or another step.
type Flow<'i> = ControlFlow<Option<Next<'i>>>;

const STARVED: Flow<'static> = ControlFlow::Break(None);

const fn give(next: Next<'_>) -> Flow<'_> {
    ControlFlow::Break(Some(next))
}
