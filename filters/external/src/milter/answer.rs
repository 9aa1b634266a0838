//! What a filter says at a stage, before the mail is complete.

use mailweir_mail::Reply;

/// What a filter says at a stage, before the mail is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Continue,
    /// Go on, and ask no more: of this connection if it was said at CONNECT or HELO, of this mail if later.
    Accept,
    /// The client hears this reply, a 4xx or a 5xx. At CONNECT and HELO it is for all that the client will say, at RCPT
    /// for one recipient, for an unknown command for that alone, and otherwise for the mail.
    Refuse(Reply),
    /// The client hears this reply, and is disconnected.
    Close(Reply),
    /// The client hears that the mail is taken, and nothing is kept of it.
    Discard,
}

impl Answer {
    /// A refusal with a reply of the filter's own. 421 and 521 say that the connection is closed (RFC 5321 section 3.8,
    /// RFC 7504).
    #[must_use]
    pub fn refusal(reply: Reply) -> Self {
        if matches!(reply.code, 421 | 521) { Self::Close(reply) } else { Self::Refuse(reply) }
    }
}
