//! A mail as the index wants it.

use std::net::IpAddr;

/// A mail of the archive. All texts are decoded; the index folds them itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Document<'a> {
    /// Its number in the archive, higher than that of any document before.
    pub seq: u64,
    /// When the archive took it, in seconds from 1970-01-01 UTC.
    pub time: i64,
    /// Bytes of the mail.
    pub size: u64,
    /// The subject.
    pub subject: &'a str,
    /// The body's parts and the text of attachments.
    pub text: &'a [&'a str],
    /// Names of attachments.
    pub files: &'a [&'a str],
    /// Whether there is an attachment, with a name or not.
    pub has_attachment: bool,
    /// Who sent it: of the envelope and of the header.
    pub from: &'a [Address<'a>],
    /// Recipients the header names in To.
    pub to: &'a [Address<'a>],
    /// Recipients the header names in Cc.
    pub cc: &'a [Address<'a>],
    /// Recipients of the envelope whom an address stands for that To names: found as those in To, but as hidden
    /// as those in Bcc.
    pub to_expanded: &'a [Address<'a>],
    /// The same of Cc.
    pub cc_expanded: &'a [Address<'a>],
    /// Recipients of the envelope that the header does not name.
    pub bcc: &'a [Address<'a>],
    /// Whose own mail it is: addresses, or names of log-ins, that may find it under
    /// [`Scope::Addresses`](super::Scope::Addresses). A sender that is proven, and every recipient of
    /// the envelope. What a header says is no proof: anybody can write anybody's name there.
    pub owners: &'a [&'a str],
    /// Who was logged in.
    pub login: Option<&'a str>,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// Message-ID, with or without brackets.
    pub message_id: Option<&'a str>,
    /// The queue's identifier.
    pub id: &'a str,
    /// From where to where.
    pub direction: Option<Direction>,
    /// Whether there is something in it that could not be read, so that searches may miss it.
    pub has_unread: bool,
}

/// A person with a mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Address<'a> {
    /// The name shown; may be empty.
    pub name: &'a str,
    /// `local@domain`.
    pub address: &'a str,
}

/// From where to where a mail went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From outside to us.
    In,
    /// From us to outside.
    Out,
    /// Among us.
    Internal,
    /// Of the gateway itself.
    Own,
}

impl Direction {
    /// As it is written in queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Internal => "internal",
            Self::Own => "own",
        }
    }
}
