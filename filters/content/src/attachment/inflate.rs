//! A deflate stream (RFC 1951) unpacked into the stream of what it holds, within the limits.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::{
    budget::{Permit, View},
    stream::Stream,
};

/// Deflated data being unpacked.
pub(super) struct Inflate {
    state: Decompress,
    out: Vec<u8>,
    content: Box<Stream>,
    permit: Permit,
}

/// What became of a piece of packed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All taken, and more may follow.
    More,
    /// The stream ended behind that many bytes.
    End(usize),
    /// Not deflate from somewhere on, or beyond a limit. Nothing more is unpacked.
    Stopped,
}

impl Inflate {
    /// Begins to unpack, unless a limit forbids it. The content is at this depth.
    pub(super) fn begin(depth: u8, view: &mut View<'_>) -> Option<Self> {
        if !view.may_descend(depth) {
            return None;
        }
        Some(Self::onto(Box::new(Stream::new(depth)), view.permit_inflater()?))
    }

    /// One more deflate stream of the same content, as gzip has it.
    pub(super) fn again(self) -> Self {
        Self::onto(self.content, self.permit)
    }

    fn onto(content: Box<Stream>, permit: Permit) -> Self {
        let state = Decompress::new(false);
        Self { state, out: vec![0; OUT], content, permit }
    }

    /// Unpacks more; what is found inside is found in `member`.
    pub(super) fn feed(&mut self, bytes: &[u8], member: &str, view: &mut View<'_>) -> Progress {
        let mut taken = 0;
        loop {
            let (total_in, total_out) = (self.state.total_in(), self.state.total_out());
            let rest = bytes.get(taken..).unwrap_or_default();
            let status = self.state.decompress(rest, &mut self.out, FlushDecompress::None);
            let made = self.state.total_out() - total_out;
            taken += usize::try_from(self.state.total_in() - total_in).unwrap_or(0);
            if let Some(out) = usize::try_from(made).ok().and_then(|made| self.out.get(..made)) {
                view.inside(member, |view| self.content.feed(out, view));
            }
            let within = view.charge(made);
            if !within || view.is_bomb(self.state.total_in(), self.state.total_out()) {
                return Progress::Stopped;
            }
            match status {
                Ok(Status::StreamEnd) => return Progress::End(taken),
                Ok(_) if made > 0 => {}
                Ok(_) if taken >= bytes.len() => return Progress::More,
                Ok(Status::Ok) if self.state.total_in() > total_in => {}
                Ok(_) | Err(_) => return Progress::Stopped,
            }
        }
    }

    /// What was unpacked is all there is.
    pub(super) fn finish(mut self, member: &str, view: &mut View<'_>) {
        view.inside(member, |view| self.content.finish(view));
    }

    pub(super) fn buffered(&self) -> usize {
        WINDOW + self.out.capacity() + self.content.buffered()
    }
}

impl fmt::Debug for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflate").field("unpacked", &self.state.total_out()).finish_non_exhaustive()
    }
}

/// How much is unpacked in one step.
const OUT: usize = 16 << 10;
/// What the state of one inflater takes: 32 KiB of window, and its tables.
const WINDOW: usize = 43 << 10;
