//! The reader as its callers see it: what it holds, and how pieces are lent.
//!
//! What comes next is decided in `steps`, in values that lend nothing; only then is the piece made.

mod steps;

use std::ops::ControlFlow;

use super::{
    HeaderClass, Piece,
    entity::Entity,
    header::Header,
    limits::{MimeLimits, MimeTrouble},
    records::{Record, Records},
};

/// Reads a mail as Postfix's header and body checks do.
///
/// It holds one header, one line that straddles pieces, and the boundaries that are waited for: a
/// few kilobytes, and with Postfix's limits never more than about 600. Everything else is lent from
/// the input. The time is linear in the mail.
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

    /// Takes off `input` the whole lines that come next and are nothing but lines of a body: no boundary, nothing behind a
    /// header, nothing longer than a line may be. What [`next`](Self::next) would give one by one, for those who have
    /// nothing to ask of each.
    pub fn take_body<'i>(&mut self, input: &mut &'i [u8]) -> &'i [u8] {
        self.records.release();
        if self.place != Place::Body || self.mid_line || self.offset == 0 {
            return &[];
        }
        let content = *input;
        if let Some(lines) = self.records.take_lines(input) {
            self.count_all(lines);
        }
        while !input.starts_with(b"--")
            && let Some((_, text_len)) = self.records.take_line(input)
        {
            self.count(text_len);
        }
        content.get(..content.len() - input.len()).unwrap_or_default()
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
