//! From records to headers and body lines: Postfix's `mime_state_update`, record by record.
//!
//! A step takes at most one record off the input, and may leave it for the step after.

use std::{mem, ops::ControlFlow};

use super::{MimeReader, Next, Phase, Place};
use crate::{
    bytes::Lines,
    mime::{
        HeaderClass,
        entity::{Boundary, Content},
        header,
        records::Record,
    },
};

impl MimeReader {
    pub(super) fn in_body<'i>(&mut self, input: &mut &'i [u8], last: bool) -> Flow<'i> {
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
    pub(super) fn count(&mut self, text_len: usize) -> u64 {
        let offset = self.offset;
        self.offset = offset.saturating_add(text_len as u64).saturating_add(1);
        offset
    }

    /// Counts many.
    pub(super) fn count_all(&mut self, lines: Lines) {
        self.offset = self.offset.saturating_add((lines.bytes + lines.count) as u64);
    }

    pub(super) fn between_headers<'i>(
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

    pub(super) fn in_header<'i>(
        &mut self,
        class: HeaderClass,
        input: &mut &'i [u8],
        last: bool,
    ) -> Flow<'i> {
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
}

/// What a step comes to: something to give, nothing before more input comes, or another step.
pub(super) type Flow<'i> = ControlFlow<Option<Next<'i>>>;

const STARVED: Flow<'static> = ControlFlow::Break(None);

const fn give(next: Next<'_>) -> Flow<'_> {
    ControlFlow::Break(Some(next))
}
