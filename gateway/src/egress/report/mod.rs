//! Reports to senders: what was not delivered, what is late, what arrived.
//!
//! A pure function from a typed [`Report`] to a mail: `multipart/report` (RFC 6522) with words
//! for people, `message/delivery-status` (RFC 3464) for programs, and the original or its header.
//! Nothing here decides whether a report is due, and nothing queues it. A report has the null
//! sender and can only be made for a mail that had a sender: there is no bounce of a bounce
//! (`attacks.md` D6).

mod mime;
mod reasons;
mod returned;
mod status;
mod words;

#[cfg(test)]
mod tests;

use mailweir_mail::{
    Address, BodyType, Domain, Enhanced, Envelope, EnvelopeId, Notify, OriginalRecipient, QueueId,
    ReportKind, Return, ReversePath, Timestamp,
};

use self::{mime::Multipart, returned::Returned};

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
    /// It is an alias, and the mail goes on to its addresses (RFC 3464 `expanded`).
    Expanded,
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

    /// The report as a mail: header and body with CRLF, no line of ours over 998 bytes.
    #[must_use]
    pub fn compose(&self) -> Composed {
        let returned = Returned::of(self);
        let global = self.is_global(&returned);
        let words = words::text(self, returned.is_whole());
        let status = status::fields(self, global);
        let boundary = self.boundary(&[words.as_bytes(), status.as_bytes(), &returned.bytes]);
        let mut mail = Multipart::open(self.header(&boundary, global), boundary);
        mail.add_text("Notification", &words);
        let kind =
            if global { "message/global-delivery-status" } else { "message/delivery-status" };
        mail.add("Delivery report", kind, status.as_bytes());
        mail.add(returned.title(self.kind()), returned.media_type(global), &returned.bytes);
        let content = mail.close();
        Composed { envelope: self.envelope(&content), content }
    }

    /// From the null sender, so that nothing ever answers it.
    fn envelope(&self, content: &[u8]) -> Envelope {
        let mut envelope = Envelope::from_sender(ReversePath::Null).to(self.sender.clone());
        envelope.smtputf8 = self.sender.needs_smtputf8();
        envelope.body =
            if content.is_ascii() { BodyType::SevenBit } else { BodyType::EightBitMime };
        for recipient in &mut envelope.recipients {
            recipient.notify = Notify::Never;
        }
        envelope
    }

    fn header(&self, boundary: &str, global: bool) -> String {
        let host = self.reporting_mta.as_ascii();
        let answered = self
            .original
            .message_id()
            .map_or_else(String::new, |id| format!("In-Reply-To: {id}\r\nReferences: {id}\r\n"));
        let kind = if global { "global-delivery-status" } else { "delivery-status" };
        format!(
            "Date: {date}\r\n\
             From: Mail Delivery System <MAILER-DAEMON@{host}>\r\n\
             To: <{to}>\r\n\
             Subject: {subject}\r\n\
             Message-ID: <{id}.{seed:016x}@{host}>\r\n\
             {answered}\
             Auto-Submitted: auto-replied\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type={kind};\r\n\
             \tboundary=\"{boundary}\"\r\n",
            date = self.now.rfc5322(),
            to = self.sender,
            subject = subject(self.kind()),
            id = self.id,
            seed = self.seed,
        )
    }

    /// A boundary that occurs in none of the parts.
    fn boundary(&self, parts: &[&[u8]]) -> String {
        let mut seed = self.seed;
        loop {
            let boundary = format!("=_{}_{seed:016x}", self.id);
            let taken = |part: &&[u8]| memmem(part, boundary.as_bytes());
            if !parts.iter().any(taken) {
                return boundary;
            }
            seed = seed.wrapping_add(1);
        }
    }

    /// Whether the parts for programs need the forms of RFC 6533. They travel by 8BITMIME; SMTPUTF8
    /// itself is needed only if the sender's address does.
    fn is_global(&self, returned: &Returned) -> bool {
        let foreign = |(attempt, _): (&Attempt<'_>, Action)| {
            let original = attempt.original.is_some_and(|original| !original.as_str().is_ascii());
            attempt.recipient.needs_smtputf8() || original
        };
        self.sender.needs_smtputf8()
            || (self.smtputf8 && !returned.header().is_ascii())
            || self.attempts().any(foreign)
    }

    /// All recipients and what became of each.
    fn attempts(&self) -> impl Iterator<Item = (&Attempt<'_>, Action)> {
        let (same, mixed): (&[Attempt<'_>], &[(Attempt<'_>, Onward)]) = match &self.outcome {
            Outcome::Failed(recipients) | Outcome::Delayed { recipients, .. } => (recipients, &[]),
            Outcome::Succeeded(recipients) => (&[], recipients),
        };
        let action = match self.outcome {
            Outcome::Delayed { retry_until, .. } => Action::Delayed { retry_until },
            Outcome::Failed(_) | Outcome::Succeeded(_) => Action::Failed,
        };
        let onward = |(attempt, onward)| (attempt, Action::Succeeded(onward));
        let mixed = mixed.iter().map(|(attempt, onward)| (attempt, *onward));
        same.iter().map(move |attempt| (attempt, action)).chain(mixed.map(onward))
    }
}

/// What became of one recipient.
#[derive(Clone, Copy)]
enum Action {
    Failed,
    Delayed { retry_until: Timestamp },
    Succeeded(Onward),
}

/// Postfix's subjects: people have filters for them.
const fn subject(kind: ReportKind) -> &'static str {
    match kind {
        ReportKind::Failure => "Undelivered Mail Returned to Sender",
        ReportKind::Delay => "Delayed Mail (still being retried)",
        ReportKind::Success => "Successful Mail Delivery Report",
    }
}

fn memmem(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Postfix's `bounce_size_limit`.
pub const DEFAULT_SIZE_LIMIT: usize = 50_000;
