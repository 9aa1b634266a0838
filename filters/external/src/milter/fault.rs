//! What the other end says that it must not say.

use mailweir_mail::AddressError;

/// What the other end says that it must not say, or what is asked out of turn. Nothing that it says from then on counts;
/// what becomes of the mail is for the administrator to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A packet has no type.
    #[error("an empty packet")]
    Empty,
    /// A packet is too large. Nothing of it was kept.
    #[error("a packet of {size} bytes, and {most} are allowed")]
    Oversized {
        /// As many bytes as it says.
        size: u32,
        /// As many as it may have.
        most: usize,
    },
    /// A packet is of no known type.
    #[error("a packet of the unknown type {:?}", char::from(*.0))]
    UnknownPacket(u8),
    /// A packet ends before what must be in it.
    #[error("{0} is cut short")]
    Short(&'static str),
    /// A text has no end.
    #[error("a text in {0} has no NUL at its end")]
    NoNul(&'static str),
    /// A packet goes on behind what belongs to it.
    #[error("{0} has bytes behind its end")]
    Excess(&'static str),
    /// A value cannot be.
    #[error("{0} has a value that cannot be: {1}")]
    Value(&'static str, &'static str),
    /// A reply for the client is none.
    #[error("REPLYCODE is no reply: {0}")]
    Reply(&'static str),
    /// The name of a field is none.
    #[error("{0} has a name that no header field can have")]
    FieldName(&'static str),
    /// An address is none.
    #[error("{packet}: {error}")]
    Address {
        /// Where it stands.
        packet: &'static str,
        /// What is wrong with it.
        error: AddressError,
    },
    /// The versions do not fit.
    #[error("it speaks version {0} of the protocol")]
    Version(u32),
    /// It will do what was not offered.
    #[error("it wants actions that were not offered: {0:#x}")]
    Actions(u32),
    /// It counts on steps that were not offered.
    #[error("it wants protocol steps that were not offered: {0:#x}")]
    Steps(u32),
    /// It does what it did not announce.
    #[error("{0}, which was not negotiated")]
    NotNegotiated(&'static str),
    /// It says what cannot be said at this stage.
    #[error("{packet} at {stage}")]
    Misplaced {
        /// What it says.
        packet: &'static str,
        /// When.
        stage: &'static str,
    },
    /// It says something, and nothing was asked.
    #[error("an answer where none is due")]
    Unasked,
    /// It asks for time without end.
    #[error("PROGRESS more than {0} times")]
    Progress(u32),
    /// It changes too much.
    #[error("more than {0} changes of a mail")]
    MostEdits(usize),
    /// A field is too long.
    #[error("a header field of more than {0} bytes")]
    LongField(usize),
    /// All its changes of header and envelope are too long.
    #[error("changes of more than {0} bytes")]
    LongEdits(usize),
    /// A body is too long.
    #[error("a new body of more than {0} bytes")]
    LongBody(usize),
    /// Too many macros.
    #[error("more macros than are kept")]
    MostMacros,
    /// It was given up, since it took too long or its connection ended.
    #[error("it was given up")]
    GivenUp,
    /// Something is asked before the answer to something else, or before what must come first. For the mail server's
    /// end this is our fault.
    #[error("{0} out of turn")]
    OutOfTurn(&'static str),
}
