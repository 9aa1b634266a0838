//! Programs of other people, started and ended by a small process.
//!
//! To start a program as another user, the system copies the page tables of the process that does it, and those of a
//! gateway at work are large. So a child of the gateway does it (`mailweir program-starter`), one for each user, which
//! is that user, has no page to be copied for it and may do no more than its programs. It holds nothing but a socket to
//! the gateway. Over that it gets, for each program, one byte and four descriptors: an end of a *line*, a socket pair
//! for this program alone; both ends of the pipe that the mail comes through, with the whole mail in it if that
//! is small; and the end of a pipe for what the program prints. What is said on the line stands in [`wire`].
//!
//! The starter kills a program, with its process group, when its line ends before it has: the limit is reached, a
//! delivery is cut off, or the gateway has died. Until the gateway has said that the mail is whole, the starter holds
//! the writing end of the mail's pipe too: so no program sees an end of a mail that it has not all of, whichever of the
//! two dies. It waits for a program only behind the last word or when it has killed it; until then the number of
//! the program is nobody else's.

mod link;
mod program;
mod wire;
mod worker;

pub(crate) use self::{
    link::Starter,
    program::{End, Lost, Program, Running},
    wire::Order,
    worker::{WORD, run},
};

/// The descriptors that belong to a program, in the order in which they travel.
#[derive(Debug)]
struct Streams<D> {
    /// The starter's end of the line.
    line: D,
    /// The mail, to read.
    mail: D,
    /// The other end of that, which keeps it open.
    rest: D,
    /// Where the program prints.
    output: D,
}

impl<D> Streams<D> {
    fn into_array(self) -> [D; STREAMS] {
        let Self { line, mail, rest, output } = self;
        [line, mail, rest, output]
    }

    fn from_array([line, mail, rest, output]: [D; STREAMS]) -> Self {
        Self { line, mail, rest, output }
    }
}

const STREAMS: usize = 4;
