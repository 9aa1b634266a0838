//! The stages of a connection at which a filter is asked.

use super::Steps;

/// A stage at which a filter is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Which version, actions and steps.
    Negotiation,
    /// A client has connected.
    Connect,
    /// HELO or EHLO.
    Helo,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// DATA.
    Data,
    /// A header field.
    Header,
    /// The end of the header.
    EndOfHeader,
    /// A part of the body.
    Body,
    /// The end of the mail: the one stage at which it may be changed.
    EndOfBody,
    /// A command that the server does not know.
    Unknown,
}

impl Stage {
    /// As libmilter calls the command.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Negotiation => "OPTNEG",
            Self::Connect => "CONNECT",
            Self::Helo => "HELO",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Header => "HEADER",
            Self::EndOfHeader => "EOH",
            Self::Body => "BODY",
            Self::EndOfBody => "BODYEOB",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The type of its command.
    pub(super) const fn letter(self) -> u8 {
        match self {
            Self::Negotiation => b'O',
            Self::Connect => b'C',
            Self::Helo => b'H',
            Self::Mail => b'M',
            Self::Rcpt => b'R',
            Self::Data => b'T',
            Self::Header => b'L',
            Self::EndOfHeader => b'N',
            Self::Body => b'B',
            Self::EndOfBody => b'E',
            Self::Unknown => b'U',
        }
    }

    /// The step that leaves it out.
    #[must_use]
    pub const fn left_out_by(self) -> Steps {
        match self {
            Self::Negotiation | Self::EndOfBody => Steps::NONE,
            Self::Connect => Steps::NOCONNECT,
            Self::Helo => Steps::NOHELO,
            Self::Mail => Steps::NOMAIL,
            Self::Rcpt => Steps::NORCPT,
            Self::Data => Steps::NODATA,
            Self::Header => Steps::NOHDRS,
            Self::EndOfHeader => Steps::NOEOH,
            Self::Body => Steps::NOBODY,
            Self::Unknown => Steps::NOUNKNOWN,
        }
    }

    /// The step by which it has no answer.
    #[must_use]
    pub const fn unanswered_by(self) -> Steps {
        match self {
            Self::Negotiation | Self::EndOfBody => Steps::NONE,
            Self::Connect => Steps::NR_CONN,
            Self::Helo => Steps::NR_HELO,
            Self::Mail => Steps::NR_MAIL,
            Self::Rcpt => Steps::NR_RCPT,
            Self::Data => Steps::NR_DATA,
            Self::Header => Steps::NR_HDR,
            Self::EndOfHeader => Steps::NR_EOH,
            Self::Body => Steps::NR_BODY,
            Self::Unknown => Steps::NR_UNKN,
        }
    }

    /// Whether it is about the connection and not about one mail.
    #[must_use]
    pub const fn is_of_connection(self) -> bool {
        matches!(self, Self::Negotiation | Self::Connect | Self::Helo | Self::Unknown)
    }

    /// Whether it may come more than once in a mail.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(self, Self::Rcpt | Self::Header | Self::Body)
    }
}
