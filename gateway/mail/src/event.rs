//! What happened: the single source of log lines, counters and the tracking page.
//!
//! A new event without a log line or a counter does not compile: everything that observes matches
//! on these enums without a wildcard arm. That is why they are exhaustive also for other crates.

use std::{net::SocketAddr, time::Duration};

use crate::{
    Address, Client, Enhanced, HoldReason, Login, Notify, Points, Protocol, QueueId, Reply,
    ReversePath, TlsSummary,
};

/// Something in the life of one mail.
#[derive(Clone, Debug, PartialEq)]
pub enum MailEvent {
    /// Accepted and durable: the peer was, or is about to be, told 250.
    Received(Box<Received>),
    /// Put on hold.
    Held {
        /// The mail.
        id: QueueId,
        /// Why.
        reason: HoldReason,
        /// Who or what did it.
        by: HeldBy,
    },
    /// A rule of the administrator's tables did something to a mail while it came in.
    RuleApplied(Box<RuleApplied>),
    /// It was found out whether it looks like spam, while it came in.
    Scored(Box<Scored>),
    /// Accepted in words only: a rule had it thrown away, and nothing was kept.
    Discarded {
        /// The id that the peer was told.
        id: QueueId,
        /// The rule, in words for people.
        reason: Box<str>,
        /// The transaction it came in.
        transaction: Box<TransactionSummary>,
    },
    /// Taken off hold.
    Released {
        /// The mail.
        id: QueueId,
        /// The person or program that did it.
        by: Box<str>,
    },
    /// Scheduled anew from the start.
    Requeued {
        /// The mail.
        id: QueueId,
        /// The person or program that did it.
        by: Box<str>,
    },
    /// Deleted by a named person.
    Deleted {
        /// The mail.
        id: QueueId,
        /// The person.
        by: Box<str>,
    },
    /// Given to the next hop for one recipient.
    Delivered(DeliveryReport),
    /// Not delivered now; it will be tried again.
    Deferred(DeliveryReport),
    /// Refused for good for one recipient.
    Bounced(DeliveryReport),
    /// Too old: given up for one recipient.
    Expired(DeliveryReport),
    /// A next hop was asked whether it would take mail for a recipient; none was sent (Postfix's
    /// address verification). The id is that of no queued mail.
    Probed {
        /// What it said.
        report: DeliveryReport,
        /// What that means.
        status: ProbeStatus,
    },
    /// The next hop had the whole mail, and its answer was lost: it may arrive twice.
    AnswerLost {
        /// The mail.
        id: QueueId,
        /// The next hop as `name[address]:port`.
        relay: Box<str>,
    },
    /// A non-delivery, delay or success report was queued.
    Reported {
        /// The mail that the report is about.
        id: QueueId,
        /// The report.
        report: QueueId,
        /// What it reports.
        kind: ReportKind,
    },
    /// All recipients are done; nothing of the mail is left in the queue.
    Removed {
        /// The mail.
        id: QueueId,
    },
    /// What is stored cannot be read. It is kept for `rescue`.
    Corrupt {
        /// The mail.
        id: QueueId,
        /// What is wrong.
        reason: Box<str>,
    },
}

/// A mail that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The queued mail.
    pub id: QueueId,
    /// The label of the listener it came in by, or `report` for our own mail.
    pub listener: Box<str>,
    /// The peer.
    pub client: Client,
    /// Who logged in, if anybody.
    pub login: Option<Login>,
    /// The Message-ID header, angle brackets included, if there is one.
    pub message_id: Option<Box<str>>,
    /// Envelope sender.
    pub sender: ReversePath,
    /// Bytes of content.
    pub size: u64,
    /// Number of recipients.
    pub recipients: usize,
}

/// How much a mail looks like spam, why, and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The mail.
    pub id: QueueId,
    /// The label of the listener.
    pub listener: Box<str>,
    /// The sum.
    pub score: Points,
    /// What the score is made of, what adds most first.
    pub reasons: Vec<ScoredBy>,
    /// What becomes of the mail by it.
    pub action: SpamAction,
    /// The transaction.
    pub transaction: TransactionSummary,
}

/// A part of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredBy {
    /// The name of the symbol.
    pub symbol: &'static str,
    /// What it adds.
    pub adds: Points,
    /// What was seen, on one line; may be empty.
    pub seen: Box<str>,
}

/// What becomes of a mail by its score, and by what else was found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpamAction {
    /// Nothing.
    Pass,
    /// It is marked.
    Tag,
    /// Its client shall come again.
    Greylist,
    /// It is put off, since name servers did not answer.
    Defer,
    /// It is held.
    Quarantine,
    /// It is refused.
    Reject,
    /// It is thrown away, and the client told that it was accepted.
    Discard,
}

impl SpamAction {
    /// Every action.
    pub const ALL: [Self; 7] = [
        Self::Pass,
        Self::Tag,
        Self::Greylist,
        Self::Defer,
        Self::Quarantine,
        Self::Reject,
        Self::Discard,
    ];

    /// The word of logs and counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Tag => "tag",
            Self::Greylist => "greylist",
            Self::Defer => "defer",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
            Self::Discard => "discard",
        }
    }
}

/// Who or what put a mail on hold.
#[derive(Clone, Debug, PartialEq)]
pub enum HeldBy {
    /// A rule, while the mail came in.
    Rule(Box<TransactionSummary>),
    /// An operator or a stage, later. The reason says who.
    Order,
}

/// What a rule did, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleApplied {
    /// The mail; `None` before there is one.
    pub id: Option<QueueId>,
    /// The label of the listener.
    pub listener: Box<str>,
    /// What was done.
    pub action: RuleAction,
    /// What the rule was about, such as `header Subject: hello` or `RCPT`; at most some 200 bytes of
    /// a line.
    pub about: Box<str>,
    /// The rule: `pcre:/etc/mailweir/header_checks, line 3`, or the name of a restriction.
    pub rule: Box<str>,
    /// What the rule says further: the text of the reply, the address, the next hop; may be empty.
    pub text: Box<str>,
    /// The transaction.
    pub transaction: TransactionSummary,
}

/// What a rule can do, by the word of Postfix's log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleAction {
    /// The mail is refused.
    Reject,
    /// The mail is put off.
    Defer,
    /// The mail is thrown away, and the client told that it was accepted.
    Discard,
    /// The mail is put on hold.
    Hold,
    /// The mail goes another way.
    Filter,
    /// The mail goes to another recipient.
    Redirect,
    /// The mail goes to one more recipient.
    Bcc,
    /// A line was taken out.
    Strip,
    /// A line was put in.
    Prepend,
    /// A line was replaced.
    Replace,
    /// It would have been refused, but the rule was told to warn only.
    RejectWarning,
    /// No more of the mail is looked at.
    Pass,
    /// Only said.
    Warn,
    /// Only said, less loudly.
    Info,
    /// A line was taken out, and the log says nothing of it.
    Ignore,
    /// The rules behind it are not asked, and the log says nothing of it.
    Dunno,
}

impl RuleAction {
    /// Every action.
    pub const ALL: [Self; 16] = [
        Self::Reject,
        Self::Defer,
        Self::Discard,
        Self::Hold,
        Self::Filter,
        Self::Redirect,
        Self::Bcc,
        Self::Strip,
        Self::Prepend,
        Self::Replace,
        Self::RejectWarning,
        Self::Pass,
        Self::Warn,
        Self::Info,
        Self::Ignore,
        Self::Dunno,
    ];

    /// The word that Postfix's lines have.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Defer => "defer",
            Self::Discard => "discard",
            Self::Hold => "hold",
            Self::Filter => "filter",
            Self::Redirect => "redirect",
            Self::Bcc => "bcc",
            Self::Strip => "strip",
            Self::Prepend => "prepend",
            Self::Replace => "replace",
            Self::RejectWarning => "reject_warning",
            Self::Pass => "pass",
            Self::Warn => "warning",
            Self::Info => "info",
            Self::Ignore => "ignore",
            Self::Dunno => "dunno",
        }
    }

    /// Whether it has no line in the log, as in Postfix. It is counted, and explained.
    #[must_use]
    pub const fn is_silent(self) -> bool {
        matches!(self, Self::Ignore | Self::Dunno)
    }
}

/// The transaction in which something was decided: what Postfix appends to such a line,
/// `from host[ip]: ...; from=<a> to=<b> proto=ESMTP helo=<h>`.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionSummary {
    /// The peer.
    pub client: Client,
    /// Envelope sender.
    pub sender: ReversePath,
    /// The first recipient.
    pub recipient: Option<Address>,
    /// Protocol in use.
    pub protocol: Protocol,
    /// What the peer called itself.
    pub helo: Box<str>,
}

/// What a report to the sender is about (RFC 3461 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportKind {
    /// The mail could not be delivered.
    Failure,
    /// The mail is late; it is still being tried.
    Delay,
    /// The mail was delivered, or relayed to a system that cannot report.
    Success,
}

impl ReportKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Failure, Self::Delay, Self::Success];

    /// The word that Postfix's bounce daemon logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failure => "non-delivery",
            Self::Delay => "delay",
            Self::Success => "success",
        }
    }

    /// Whether a sender wants to hear this about one of its recipients. The null sender never
    /// does: a report is not answered by a report (RFC 5321 section 4.5.5, `attacks.md` D6).
    #[must_use]
    pub const fn is_wanted(self, sender: &ReversePath, notify: Notify) -> bool {
        match (sender, self) {
            (ReversePath::Null, _) => false,
            (ReversePath::Mailbox(_), Self::Failure) => notify.wants_failure(),
            (ReversePath::Mailbox(_), Self::Delay) => notify.wants_delay(),
            (ReversePath::Mailbox(_), Self::Success) => notify.wants_success(),
        }
    }
}

/// One attempt for one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryReport {
    /// The mail.
    pub id: QueueId,
    /// The recipient.
    pub to: Address,
    /// What RCPT said, if it was another address (Postfix `orig_to`).
    pub original: Option<Address>,
    /// The next hop as `name[address]:port`; `None` if none was reached.
    pub relay: Option<Box<str>>,
    /// Where the time went.
    pub delays: Delays,
    /// The enhanced status code.
    pub dsn: Enhanced,
    /// The peer's reply, or our own words where no peer was reached.
    pub text: Box<str>,
}

/// What came of asking a next hop about a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeStatus {
    /// It would take mail.
    Deliverable,
    /// It never would.
    Undeliverable,
    /// Not known: it would not now, or could not be asked.
    Deferred,
}

impl ProbeStatus {
    /// The word for it in counters and in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliverable => "deliverable",
            Self::Undeliverable => "undeliverable",
            Self::Deferred => "deferred",
        }
    }
}

/// Where the time of a delivery went: Postfix's `delays=a/b/c/d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delays {
    /// From arrival to the queue.
    pub before_queue: Duration,
    /// In the queue.
    pub in_queue: Duration,
    /// Connecting, greeting and TLS.
    pub setup: Duration,
    /// Sending the mail.
    pub transmission: Duration,
}

impl Delays {
    /// The whole time since the mail arrived.
    #[must_use]
    pub const fn total(&self) -> Duration {
        self.before_queue
            .saturating_add(self.in_queue)
            .saturating_add(self.setup)
            .saturating_add(self.transmission)
    }
}

/// Something in an SMTP session, outside the life of one mail.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionEvent {
    /// A peer connected.
    Connected {
        /// The listener's label.
        listener: Box<str>,
        /// The peer.
        client: Client,
    },
    /// The session is over.
    Disconnected {
        /// The listener's label.
        listener: Box<str>,
        /// The peer.
        client: Client,
        /// What was asked and done, as Postfix logs it: `ehlo=1 mail=1 rcpt=1 commands=3`.
        tally: String,
    },
    /// The session was cut off in the middle of something.
    Lost {
        /// The listener's label.
        listener: Box<str>,
        /// The peer.
        client: Client,
        /// The command it left after: `CONNECT`, `EHLO`, `DATA`, ...
        after: &'static str,
        /// Why it ended there.
        cause: Cutoff,
    },
    /// The peer's address has a name, and the name does not have the address.
    NameUnconfirmed {
        /// The listener's label.
        listener: Box<str>,
        /// The peer.
        client: Client,
        /// The name that its address claims.
        name: Box<str>,
    },
    /// No connection to a next hop came about.
    ConnectFailed {
        /// The next hop as `name[address]:port`.
        peer: Box<str>,
        /// Why.
        failure: ConnectFailure,
    },
    /// A command or a mail was refused.
    Refused(Box<Refused>),
    /// A log-in failed.
    AuthFailed {
        /// The listener's label.
        listener: Box<str>,
        /// The peer.
        client: Client,
        /// The SASL mechanism.
        mechanism: Box<str>,
        /// Why, for the administrator. Never a credential.
        reason: Box<str>,
    },
    /// A TLS layer was agreed on.
    TlsAgreed {
        /// The peer as `name[address]`, with a port for a next hop.
        peer: Box<str>,
        /// Whether the peer came to us.
        inbound: bool,
        /// `Trusted`, `Untrusted`, `Verified` or `Anonymous`, as Postfix says it.
        trust: &'static str,
        /// What was agreed.
        summary: TlsSummary,
    },
    /// A TLS handshake failed.
    TlsFailed {
        /// The peer.
        peer: SocketAddr,
        /// Whether the peer came to us.
        inbound: bool,
        /// Why, in words.
        reason: Box<str>,
    },
    /// A mail server that asks us as a milter was told what becomes of a mail that it has.
    Judged {
        /// The label of the listener whose rules were asked.
        listener: Box<str>,
        /// In one word: `continue`, `quarantine`, `tempfail`, `reject`, `discard`.
        told: &'static str,
        /// Which mail, and why.
        text: Box<str>,
    },
    /// Something an administrator should look at.
    Warning {
        /// The part that warns: `smtpd`, `smtp`, `qmgr`, `master`, ...
        part: &'static str,
        /// What is wrong, and what to do.
        text: Box<str>,
    },
    /// Something worth a line that needs no action: started, reloaded, stopping.
    Notice {
        /// The part that speaks.
        part: &'static str,
        /// What happened.
        text: Box<str>,
    },
}

/// A command or a mail that was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The listener's label.
    pub listener: Box<str>,
    /// The peer.
    pub client: Client,
    /// The command: `CONNECT`, `MAIL`, `RCPT`, `DATA`, `END-OF-MESSAGE`, ...
    pub command: &'static str,
    /// What it was told.
    pub reply: Reply,
    /// Envelope sender, once known.
    pub sender: Option<ReversePath>,
    /// The recipient that was refused.
    pub recipient: Option<Address>,
    /// Protocol in use, once known.
    pub protocol: Option<Protocol>,
    /// What the peer called itself, once known.
    pub helo: Option<Box<str>>,
    /// The rule of the administrator that refused it, if one did.
    pub rule: Option<Box<str>>,
    /// The mail, if a rule about its content refused it. [`MailEvent::RuleApplied`] has told so then,
    /// and as in Postfix the text log has no second line.
    pub id: Option<QueueId>,
}

/// Why a session ended before its peer said QUIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cutoff {
    /// The peer left.
    LostConnection,
    /// The peer was silent or slow for too long.
    Timeout,
    /// The peer made too many mistakes (Postfix `smtpd_hard_error_limit`).
    TooManyErrors,
    /// The peer spoke out of turn (Postfix `smtpd_forbid_unauth_pipelining`).
    ImproperPipelining,
}

/// Why no connection to a next hop came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFailure {
    /// Nobody answered in time.
    TimedOut,
    /// Anything else, in words: `Connection refused`, `Network is unreachable`.
    Other(Box<str>),
}
