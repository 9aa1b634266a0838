//! What a scanner has said so far, within a bound.

use super::{Fault, Program, Wrong, head::Head};

/// The bytes of an answer. Nothing of them is judged before the end, so that it does not matter in which pieces they
/// came.
#[derive(Debug)]
pub(super) struct Hearing {
    program: Program,
    most: usize,
    said: Vec<u8>,
    asked: bool,
    is_early: bool,
    is_too_long: bool,
}

impl Hearing {
    pub(super) const fn new(program: Program, most: usize) -> Self {
        Self { program, most, said: Vec::new(), asked: false, is_early: false, is_too_long: false }
    }

    /// The request is whole: from now on an answer counts.
    pub(super) const fn asked(&mut self) {
        self.asked = true;
    }

    pub(super) fn hear(&mut self, piece: &[u8]) -> Result<(), Fault> {
        self.is_early |= !self.asked && !piece.is_empty();
        let room = self.most - self.said.len();
        self.is_too_long |= piece.len() > room;
        self.said.extend_from_slice(&piece[..piece.len().min(room)]);
        self.bounded().map(drop).map_err(|wrong| wrong.by(self.program))
    }

    /// What `read` makes of all that was said. An answer that came too early counts only where `counts_early`.
    pub(super) fn end<T>(
        &self,
        read: impl Fn(&[u8]) -> Result<T, Wrong>,
        counts_early: impl Fn(&T) -> bool,
    ) -> Result<T, Fault> {
        let answer = match self.bounded() {
            Ok(b"") => Err(Wrong::Silent),
            said => said.and_then(read),
        };
        let answer = match answer {
            Ok(answer) if self.is_early && !counts_early(&answer) => Err(Wrong::Early),
            answer => answer,
        };
        answer.map_err(|wrong| wrong.by(self.program))
    }

    pub(super) fn said(&self) -> &[u8] {
        &self.said
    }

    fn bounded(&self) -> Result<&[u8], Wrong> {
        if self.is_too_long { Err(Wrong::TooLong(self.most)) } else { Ok(&self.said) }
    }
}

/// A mail whose size is said before it, and an answer whose size is said before it.
#[derive(Debug)]
pub(super) struct Exchange {
    head: Vec<u8>,
    left: u64,
    hearing: Hearing,
}

impl Exchange {
    /// A mail of so many bytes behind this head.
    pub(super) const fn new(program: Program, head: Vec<u8>, size: u64, most: usize) -> Self {
        Self { head, left: size, hearing: Hearing::new(program, most) }
    }

    pub(super) fn head(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head);
        self.piece(b"", out);
    }

    /// What is more than the mail's size is left out: it would be another request.
    pub(super) fn piece(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let taken = piece.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        out.extend_from_slice(&piece[..taken]);
        self.left -= taken as u64;
        if self.left == 0 {
            self.hearing.asked();
        }
    }

    pub(super) fn receive(&mut self, piece: &[u8]) -> Result<bool, Fault> {
        self.hearing.hear(piece)?;
        Ok(Head::is_followed_by_body(self.hearing.said()))
    }

    /// What `read` makes of the answer. One that came too early is none.
    pub(super) fn end<T>(self, read: impl Fn(&[u8]) -> Result<T, Wrong>) -> Result<T, Fault> {
        self.hearing.end(read, |_| false)
    }
}
