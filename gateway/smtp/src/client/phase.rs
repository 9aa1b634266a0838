//! Where in the conversation something happened, in Postfix's words.

use std::time::Duration;

use super::settings::Timeouts;

/// A point of the conversation: what a reply answers, or what was going on when the peer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting for the greeting.
    Greeting,
    /// EHLO, HELO or LHLO.
    Hello,
    /// STARTTLS and the handshake.
    StartTls,
    /// AUTH.
    Auth,
    /// Between mails.
    Idle,
    /// RSET after a mail that was not sent.
    Rset,
    /// XFORWARD.
    Forward,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// Sending the content.
    Content,
    /// The final dot was sent.
    EndOfData,
}

impl Phase {
    /// What we were doing, for `lost connection with ... while ...`.
    #[must_use]
    pub const fn doing(self) -> &'static str {
        match self {
            Self::Greeting => "receiving the initial server greeting",
            Self::Hello => "performing the EHLO handshake",
            Self::StartTls => "performing the TLS handshake",
            Self::Auth => "performing SASL authentication",
            Self::Idle => "waiting for the next mail",
            Self::Rset => "sending RSET",
            Self::Forward => "sending XFORWARD",
            Self::Mail => "sending MAIL FROM",
            Self::Rcpt => "sending RCPT TO",
            Self::Data => "sending DATA command",
            Self::Content => "sending message body",
            Self::EndOfData => "sending end of data -- message may be sent more than once",
        }
    }

    /// What a reply answers, for `(in reply to RCPT TO command)`.
    #[must_use]
    pub const fn command(self) -> &'static str {
        match self {
            Self::Greeting => "initial connection",
            Self::Hello => "EHLO command",
            Self::StartTls => "STARTTLS command",
            Self::Auth => "AUTH command",
            Self::Idle => "no command",
            Self::Rset => "RSET command",
            Self::Forward => "XFORWARD command",
            Self::Mail => "MAIL FROM command",
            Self::Rcpt => "RCPT TO command",
            Self::Data => "DATA command",
            Self::Content => "message body",
            Self::EndOfData => "end of DATA command",
        }
    }

    /// How long to wait in this phase; between mails the driver decides.
    pub(super) const fn timeout(self, timeouts: &Timeouts) -> Option<Duration> {
        match self {
            Self::Greeting | Self::Hello | Self::Auth => Some(timeouts.helo),
            Self::StartTls => Some(timeouts.starttls),
            Self::Idle => None,
            Self::Rset => Some(timeouts.rset),
            Self::Forward | Self::Mail => Some(timeouts.mail),
            Self::Rcpt => Some(timeouts.rcpt),
            Self::Data => Some(timeouts.data_init),
            Self::Content => Some(timeouts.data_xfer),
            Self::EndOfData => Some(timeouts.data_done),
        }
    }
}
