//! Content in pieces of any size, cut into records: lines, and parts of lines that are too long, as
//! Postfix's smtpd cuts them (`smtp_get`, `line_length_limit`).
//!
//! A record that lies in the input is lent from there; one that straddles pieces is gathered, and
//! that is all that is ever held: at most one record.

use memchr::{memchr, memmem, memrchr};

use crate::bytes::Lines;

/// One record. Its bytes are in the input or held: [`Records::raw`] knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'i> {
    lent: Option<&'i [u8]>,
    text_len: usize,
    /// Whether the line goes on in the next record.
    pub(super) goes_on: bool,
}

/// Cuts and gathers records.
#[derive(Debug)]
pub(super) struct Records {
    limit: usize,
    held: Vec<u8>,
    /// `held` is a record, and no more belongs to it.
    held_whole: bool,
    /// `held` was given away: it is forgotten at the next call.
    held_taken: bool,
}

impl Records {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit: limit.max(1), held: Vec::new(), held_whole: false, held_taken: false }
    }

    /// Forgets the record that was taken last. Call it when nothing is lent any more.
    pub(super) fn release(&mut self) {
        if self.held_taken {
            self.held.clear();
            self.held_taken = false;
            self.held_whole = false;
        }
    }

    /// The first byte of the next record, if there is one.
    pub(super) fn first_byte(&self, input: &[u8]) -> Option<u8> {
        self.held.first().or(input.first()).copied()
    }

    /// The next record; it stays the next one until it is taken. `None`: more input is needed. At
    /// the `last` input what is left is a record too.
    pub(super) fn look<'i>(&mut self, input: &mut &'i [u8], last: bool) -> Option<Record<'i>> {
        if self.held.is_empty() {
            let whole = whole_length(input, self.limit)
                .or((last && !input.is_empty()).then_some(input.len()));
            if let Some(length) = whole {
                return Some(Record::of(&input[..length], Some(&input[..length])));
            }
        }
        self.gather(input);
        let is_whole = self.held_whole || (last && !self.held.is_empty());
        is_whole.then(|| Record::of(&self.held, None))
    }

    /// Takes the record that `look` gave just now off the input.
    pub(super) fn take<'i>(&mut self, record: &Record<'i>, input: &mut &'i [u8]) {
        match record.lent {
            Some(lent) => *input = &input[lent.len()..],
            None => self.held_taken = true,
        }
    }

    /// The bytes of a record that was looked at or taken last.
    pub(super) fn raw<'s, 'i: 's>(&'s self, record: &Record<'i>) -> &'s [u8] {
        record.lent.unwrap_or(&self.held)
    }

    /// The bytes of a record without the line end.
    pub(super) fn text<'s, 'i: 's>(&'s self, record: &Record<'i>) -> &'s [u8] {
        &self.raw(record)[..record.text_len]
    }

    /// Takes the next line off the input, `None` if it is not whole there: the usual case of `look`
    /// and `take` in one. Gives the line as it came and the length of its text.
    #[inline]
    pub(super) fn take_line<'i>(&self, input: &mut &'i [u8]) -> Option<(&'i [u8], usize)> {
        if !self.held.is_empty() {
            return None;
        }
        let end = memchr(b'\n', &input[..self.limit.min(input.len())])?;
        let (line, rest) = input.split_at(end + 1);
        *input = rest;
        Some((line, text_length(line)))
    }

    /// Takes off the input the whole lines before the first that begins as a boundary does, if each is a record. `None`: not so,
    /// or nobody knows without a look at each.
    pub(super) fn take_lines(&self, input: &mut &[u8]) -> Option<Lines> {
        if !self.held.is_empty() || input.starts_with(b"--") {
            return None;
        }
        let last = memmem::find(input, b"\n--").or_else(|| memrchr(b'\n', input))?;
        let (lines, rest) = input.split_at(last + 1);
        let taken = Lines::of(lines, self.limit)?;
        *input = rest;
        Some(taken)
    }

    /// Moves from the input what belongs to the record that is held. Only new bytes are searched.
    fn gather(&mut self, input: &mut &[u8]) {
        while !self.held_whole && !input.is_empty() {
            let room = self.limit.saturating_sub(self.held.len()).min(input.len());
            let searched = &input[..room];
            let moved = match memchr(b'\n', searched) {
                Some(at) => at + 1,
                // The limit came between CR and what must be looked at now.
                None if room == 0 && input[0] == b'\n' => 1,
                None => room,
            };
            self.held.extend_from_slice(&input[..moved]);
            *input = &input[moved..];
            self.held_whole = moved == 0
                || self.held.ends_with(b"\n")
                || (self.held.len() >= self.limit && !self.held.ends_with(b"\r"));
        }
    }
}

impl<'i> Record<'i> {
    /// The record of these bytes. Line ends are LF; all CR before one are part of it.
    fn of(raw: &[u8], lent: Option<&'i [u8]>) -> Self {
        Self { lent, text_len: text_length(raw), goes_on: !raw.ends_with(b"\n") }
    }

    /// Whether it is an empty line, or the empty end of a long one.
    pub(super) const fn is_empty(&self) -> bool {
        self.text_len == 0
    }
}

/// The length of a record without its line end.
fn text_length(raw: &[u8]) -> usize {
    let Some(mut line) = raw.strip_suffix(b"\n") else { return raw.len() };
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line.len()
}

/// The length of the record at the start of `input`, if all of it is there. A line end that the
/// limit would cut in two stays whole.
fn whole_length(input: &[u8], limit: usize) -> Option<usize> {
    let searched = &input[..limit.min(input.len())];
    if let Some(at) = memchr(b'\n', searched) {
        return Some(at + 1);
    }
    if searched.len() < limit {
        return None;
    }
    if !searched.ends_with(b"\r") {
        return Some(limit);
    }
    input.get(limit).map(|&next| if next == b'\n' { limit + 1 } else { limit })
}
