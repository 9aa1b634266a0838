//! Reports to senders: what was not delivered, what is late, what arrived.
//!
//! A pure function from a typed [`Report`] to a mail: `multipart/report` (RFC 6522) with words
//! for people, `message/delivery-status` (RFC 3464) for programs, and the original or its header.
//! Nothing here decides whether a report is due, and nothing queues it. A report has the null
//! sender and can only be made for a mail that had a sender: there is no bounce of a bounce
//! (`attacks.md` D6).

use mailweir_mail::{
    Address, Domain, Enhanced, Envelope, EnvelopeId, OriginalRecipient, QueueId, ReportKind,
    Return, ReversePath, Timestamp,
};

/// All that a report says. One report tells about all recipients of one kind (RFC 3464 section 2).
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// What happened, and to whom.
    pub outcome: Outcome<'a>,
    /// The name of this host.
    pub reporting_mta: &'a Domain,
    /// The mail that the report is about.
    pub id: QueueId,
    /// Its envelope sender, who gets the report.
    pub sender: &'a Address,
    /// When it arrived.
    pub arrival: Timestamp,
    /// The sender's name for the transmission.
    pub envid: Option<&'a EnvelopeId>,
    /// How much of the mail the sender wants back.
    pub ret: Option<Return>,
    /// Whether the mail was sent with SMTPUTF8.
    pub smtputf8: bool,
    /// What is known of its content.
    pub original: Original<'a>,
    /// The date of the report.
    pub now: Timestamp,
    /// Makes Message-ID and boundary unlike those of any other report; any random number.
    pub seed: u64,
    /// Upper bound for the part of the original that is returned, in bytes (Postfix
    /// `bounce_size_limit`, [`DEFAULT_SIZE_LIMIT`]).
    pub size_limit: usize,
}

/// What happened to the recipients.
#[derive(Clone, Debug)]
pub enum Outcome<'a> {
    /// Given up.
    Failed(Vec<Attempt<'a>>),
    /// Late.
    Delayed {
        /// When the mail will be given up.
        retry_until: Timestamp,
        /// Who still waits.
        recipients: Vec<Attempt<'a>>,
    },
    /// Passed on.
    Succeeded(Vec<(Attempt<'a>, Onward)>),
}

/// How far a successful delivery can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// It is in the mailbox.
    Delivered,
    /// It went to a system that does not report success.
    Relayed,
}

/// The last attempt for one recipient.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// Where the mail was to go in the end.
    pub recipient: &'a Address,
    /// The recipient as the sender first wrote it.
    pub original: Option<&'a OriginalRecipient>,
    /// The enhanced status code.
    pub status: Enhanced,
    /// Who said what.
    pub diagnostic: Diagnostic<'a>,
    /// When the attempt was made; `None` if there was none.
    pub last_attempt: Option<Timestamp>,
}

/// Who said what about a recipient.
#[derive(Clone, Copy, Debug)]
pub enum Diagnostic<'a> {
    /// A peer replied.
    Peer {
        /// Its host name.
        mta: &'a str,
        /// Its reply, code included.
        reply: &'a str,
    },
    /// We found out ourselves, in words.
    Local(&'a str),
}

/// The original mail, or its beginning.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// The content from its first byte on; at least the header.
    pub content: &'a [u8],
    /// The size of the whole content in bytes. If it is larger than `content`, only the header
    /// is returned.
    pub size: u64,
}

/// A report as it is queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// From the null sender to the sender of the original.
    pub envelope: Envelope,
    /// Header and body, with CRLF.
    pub content: Vec<u8>,
}

impl Report<'_> {
    /// The kind of the report.
    #[must_use]
    pub const fn kind(&self) -> ReportKind {
        match self.outcome {
            Outcome::Failed(_) => ReportKind::Failure,
            Outcome::Delayed { .. } => ReportKind::Delay,
            Outcome::Succeeded(_) => ReportKind::Success,
        }
    }

    /// The report as a mail.
    #[must_use]
    pub fn compose(&self) -> Composed {
        let envelope = Envelope::from_sender(ReversePath::Null).to(self.sender.clone());
        Composed { envelope, content: Vec::new() }
    }
}

/// Postfix's `bounce_size_limit`.
pub const DEFAULT_SIZE_LIMIT: usize = 50_000;
