//! Where the mail goes on, edited. What is untouched is lent on as it came, in as few slices as
//! can be: lines that follow each other in the input are one slice.

use std::{future::Future, mem, ops::Range};

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

/// The way on for a piece of input. What may go on is written when something else comes between, or
/// at the end.
#[derive(Debug)]
pub(super) struct Onward<'p, 'o, O> {
    piece: &'p [u8],
    /// The part of the piece that goes on and is not written yet.
    pending: Range<usize>,
    out: &'o mut O,
}

impl<'p, 'o, O: Output> Onward<'p, 'o, O> {
    pub(super) const fn new(piece: &'p [u8], out: &'o mut O) -> Self {
        Self { piece, pending: 0..0, out }
    }

    /// Lets `bytes` go on: later with what follows them in the piece, or at once if they are not
    /// lent from it.
    pub(super) async fn pass(&mut self, bytes: &[u8]) {
        match self.locate(bytes) {
            _ if bytes.is_empty() => {}
            Some(range) if range.start == self.pending.end => self.pending.end = range.end,
            Some(range) => {
                self.flush().await;
                self.pending = range;
            }
            None => self.insert(bytes).await,
        }
    }

    /// Writes `bytes`, behind what has gone on so far.
    pub(super) async fn insert(&mut self, bytes: &[u8]) {
        self.flush().await;
        if !bytes.is_empty() {
            self.out.write(bytes).await;
        }
    }

    /// Writes what has gone on so far.
    pub(super) async fn flush(&mut self) {
        let range = mem::take(&mut self.pending);
        if !range.is_empty() {
            self.out.write(&self.piece[range]).await;
        }
    }

    /// All of the piece.
    pub(super) const fn piece(&self) -> &'p [u8] {
        self.piece
    }

    /// Whether `bytes` are a part of the piece.
    pub(super) fn is_lent(&self, bytes: &[u8]) -> bool {
        self.locate(bytes).is_some()
    }

    /// Where in the piece `bytes` are lent from.
    fn locate(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let start = bytes.as_ptr().addr().checked_sub(self.piece.as_ptr().addr())?;
        let end = start.checked_add(bytes.len())?;
        (end <= self.piece.len()).then_some(start..end)
    }
}
