//! Where the mail goes on, edited. What is untouched is lent on as it came, in as few slices as
//! can be: lines that follow each other in the input are one slice.

use std::{future::Future, ops::Range};

/// Takes the content of a mail, in order.
///
/// A failure to write is kept by the implementation until the mail is to be committed: the checks
/// go on, since what they decide may be that nothing is kept.
pub trait Output: Send {
    /// Takes more content. The slice is lent: of the input, or made by a rule.
    fn write(&mut self, bytes: &[u8]) -> impl Future<Output = ()> + Send;
}

impl Output for Vec<u8> {
    async fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The part of a piece of input that goes on and has not been written yet.
#[derive(Debug)]
pub(super) struct Pending<'p> {
    piece: &'p [u8],
    range: Range<usize>,
}

impl<'p> Pending<'p> {
    pub(super) const fn new(piece: &'p [u8]) -> Self {
        Self { piece, range: 0..0 }
    }

    /// Lets `bytes` go on: later with what follows them in the piece, or at once if they are not
    /// lent from it.
    pub(super) async fn pass(&mut self, bytes: &[u8], out: &mut impl Output) {
        match self.locate(bytes) {
            _ if bytes.is_empty() => {}
            Some(range) if range.start == self.range.end => self.range.end = range.end,
            Some(range) => {
                self.flush(out).await;
                self.range = range;
            }
            None => self.insert(bytes, out).await,
        }
    }

    /// Writes `bytes`, behind what has gone on so far.
    pub(super) async fn insert(&mut self, bytes: &[u8], out: &mut impl Output) {
        self.flush(out).await;
        if !bytes.is_empty() {
            out.write(bytes).await;
        }
    }

    /// Writes what has gone on so far.
    pub(super) async fn flush(&mut self, out: &mut impl Output) {
        let range = std::mem::take(&mut self.range);
        if !range.is_empty() {
            out.write(&self.piece[range]).await;
        }
    }

    /// Where in the piece `bytes` are lent from.
    fn locate(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let start = bytes.as_ptr().addr().checked_sub(self.piece.as_ptr().addr())?;
        let end = start.checked_add(bytes.len())?;
        (end <= self.piece.len()).then_some(start..end)
    }
}
