//! What a session wants from the program that drives it, and what it is told.

use std::fmt;

use mailweir_mail::{Login, QueueId, Recipient};

use crate::replies::Refusal;

/// The next thing to do. Do it, then call [`super::Session::next`] again.
#[derive(Debug, PartialEq)]
#[must_use]
pub enum Step<'a> {
    /// Read from the peer. All input so far is used up.
    Read,
    /// Send all of it. The replies of a pipelined group come as one.
    Write(&'a [u8]),
    /// Begin the TLS handshake as its server; then call [`super::Session::tls_started`].
    /// Input that came before is gone (RFC 3207 section 4.2).
    StartTls,
    /// The next piece of content: dots unstuffed, every line ended by CRLF.
    Content(&'a [u8]),
    /// Decide, and call [`super::Session::answer`].
    Ask(Question),
    /// Something begun before has come to nothing; drop what belongs to it. Nothing to answer.
    Abandoned(Unfinished),
    /// Close the connection.
    Close,
}

/// What the session asks. Who asks, and for which envelope, is read from the session
/// ([`super::Session::client`], [`super::Session::transaction`], ...).
///
/// `Debug` shows only how long log-in responses are: they hold passwords.
#[derive(Clone, PartialEq, Eq)]
pub enum Question {
    /// May this client talk to us? Asked before the greeting, and again after XCLIENT.
    /// `Proceed` or `Refuse`.
    Connect,
    /// Is this greeting good? See [`super::Session::helo`]. `Proceed` or `Refuse`.
    Hello,
    /// May this sender send? See [`super::Session::transaction`] and
    /// [`super::Session::declared_size`]. `Proceed` or `Refuse`.
    Sender,
    /// May it send to this recipient? The envelope does not hold it yet. `Proceed` or `Refuse`.
    Recipient(Recipient),
    /// Content comes next (DATA, or the first BDAT): open the intake. `Proceed` or `Refuse`.
    Content,
    /// The content is complete: commit it. The envelope can be taken
    /// ([`super::Session::take_envelope`]). `Accepted`, `Held`, `Discarded` or `Refuse`.
    EndOfData,
    /// A log-in begins. `Challenge`, `LoggedIn` or `Refuse`.
    AuthStart {
        /// The SASL mechanism, one of those offered, in upper case.
        mechanism: Box<str>,
        /// The initial response, decoded. `None` if there was none; empty if it was `=`.
        initial: Option<Vec<u8>>,
    },
    /// The peer answered the challenge, decoded. `Challenge`, `LoggedIn` or `Refuse`.
    AuthResponse(Vec<u8>),
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("Connect"),
            Self::Hello => f.write_str("Hello"),
            Self::Sender => f.write_str("Sender"),
            Self::Recipient(recipient) => f.debug_tuple("Recipient").field(recipient).finish(),
            Self::Content => f.write_str("Content"),
            Self::EndOfData => f.write_str("EndOfData"),
            Self::AuthStart { mechanism, initial } => f
                .debug_struct("AuthStart")
                .field("mechanism", mechanism)
                .field("initial", &initial.as_deref().map(Hidden))
                .finish(),
            Self::AuthResponse(response) => {
                f.debug_tuple("AuthResponse").field(&Hidden(response)).finish()
            }
        }
    }
}

/// Bytes that may hold a password: only their number is shown.
pub(super) struct Hidden<'a>(pub(super) &'a [u8]);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

/// What came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished {
    /// The mail whose intake was opened at [`Question::Content`].
    Content,
    /// The SASL exchange that began at [`Question::AuthStart`].
    Auth,
}

/// What the session is told after [`Step::Ask`].
///
/// An answer that does not fit the question refuses with 451 4.3.0: a mistake in the driver must
/// never become a 250.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Yes.
    Proceed,
    /// No, and what the peer hears. A 421 or 521 also closes.
    Refuse(Refusal),
    /// The mail is durable and has this name.
    Accepted(QueueId),
    /// The same, and it waits for people to approve it.
    Held(QueueId),
    /// The mail of this name was a reply to a notice. What it says is durable; nothing is sent on.
    ReplyTaken(QueueId),
    /// The mail came back from a filter, and the session that has waited for it since it had this name has it. Nothing is
    /// kept here.
    HandedBack(QueueId),
    /// It is two mails of one content, both durable.
    Split {
        /// The one that goes on.
        sent: QueueId,
        /// The one that waits for people to approve it.
        held: QueueId,
    },
    /// Nothing was kept, but the peer shall believe it (Postfix DISCARD).
    Discarded(QueueId),
    /// Nothing speaks against the mail, and nothing was kept: whoever drives the session only asks, and
    /// has the mail.
    Judged,
    /// The SASL server has another question.
    Challenge(Vec<u8>),
    /// The peer is who it says.
    LoggedIn(Login),
}
