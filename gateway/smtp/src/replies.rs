//! Every reply text of the server, in one file.
//!
//! Codes and words are Postfix's, since log tools and fail2ban know them. A refusal is a value
//! until here; what the administrator must know besides stands in the log, not in the reply.

use std::{fmt, io::Write as _, num::NonZeroU32, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailweir_mail::{Address, Client, Domain, Enhanced, Protocol, QueueId, Reply, ReversePath};

/// Why something is refused, as the driver says it. [`Refusal::reply`] turns it into words.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// 554 5.7.1: a stranger wants us to relay.
    RelayDenied(Address),
    /// 550 5.1.1: a served domain has no such user, by this table.
    UnknownRecipient(Address, RecipientTable),
    /// 550 5.1.1: nobody reads what comes to this address, but replies to notices.
    NoticesOnly(Address),
    /// 550 5.1.6: the user has moved, and where to, in the words of a table.
    RecipientMoved(Address, Box<str>),
    /// 550 with this status: a table says that no mail can be delivered there, and why.
    RecipientUndeliverable(Address, Enhanced, Box<str>),
    /// 554 5.7.1: the recipient may not be sent to, and why.
    RecipientRejected(Address, Box<str>),
    /// 554 5.7.1: the sender may not send, and why.
    SenderRejected(ReversePath, Box<str>),
    /// 553 5.7.1: the login (second) may not use this sender.
    SenderNotOwned(ReversePath, Box<str>),
    /// 553 5.7.1: the sender has an owner, who has not logged in here.
    SenderNotLoggedIn(ReversePath),
    /// 550 5.7.1: the From header names an address (first) that the login (second) may not use.
    FromNotOwned(Address, Box<str>),
    /// 550 5.7.1: the From header cannot be read beyond doubt, and why, as a sentence about "it".
    FromUnclear(Box<str>),
    /// 450 4.7.1: the login (first) has sent enough for now, and how much that is.
    SentEnough(Box<str>, Box<str>),
    /// 450 4.1.8: the sender's domain does not exist (or cannot be looked up now).
    SenderDomainUnknown(Address),
    /// 504 5.5.2: the greeting is no full host name.
    HelloNotQualified(Box<str>),
    /// 554 5.7.1: this client is not welcome here.
    ClientRejected(Client),
    /// 450 4.7.1: the client's address has no name.
    ClientUnnamed(Client),
    /// 530 5.7.0: log in first.
    AuthRequired,
    /// 530 5.7.0: encrypt first.
    TlsRequired,
    /// 535 5.7.8: the one answer to every failed log-in (`attacks.md` C1).
    AuthFailed,
    /// 454 4.7.0: log-ins cannot be checked now.
    AuthTemporary,
    /// 450 4.7.1: too many log-in attempts from this client.
    TooManyLogins(Client),
    /// 452 4.3.1: no room.
    InsufficientStorage,
    /// 451 4.3.0: the queue cannot take the mail now.
    QueueUnavailable,
    /// 451 4.3.0: the archive cannot take the mail now.
    ArchiveUnavailable,
    /// 451 4.3.0: a table of rules cannot be asked now.
    TableUnavailable,
    /// 451 4.7.1: a filter of other people has failed, and mail waits for it.
    FilterUnavailable,
    /// 550 5.7.1: a filter of other people has failed, and no mail is taken without it.
    FilterFailed,
    /// A filter hands back what nobody waits for here, and why.
    NotAwaited(NotAwaited),
    /// What was found out about who sent the mail, and what it is.
    Unwanted(Unwanted),
    /// 421 4.7.0: too many sessions of this client.
    TooManyConnections(Client),
    /// 450 4.7.1: too many mails of this client.
    TooMuchMail(Client),
    /// 451 4.7.1: a stranger has to come again, and why.
    NotYet(NotYet),
    /// 552 5.3.4: the mail is larger than we take.
    MessageTooLarge,
    /// 554 5.4.6: the mail has passed too many servers (Postfix `hopcount_limit`).
    LoopDetected,
    /// 421 4.3.2: we have too much to do.
    Overloaded,
    /// 421 4.3.2: we are stopping.
    ShuttingDown,
    /// 451 4.3.0: a mistake of ours.
    Internal,
    /// What a rule of the administrator says.
    Rule(Reply),
}

/// Which users are known by which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientTable {
    /// Those of the domains that we relay for (Postfix `relay_recipient_maps`).
    Relay,
    /// Those of domains that have aliases only (Postfix `virtual_alias_maps`).
    VirtualAlias,
    /// The notices that were sent: such a reply address is on none of them.
    Notices,
}

impl RecipientTable {
    const fn says_unknown(self) -> &'static str {
        match self {
            Self::Relay => "User unknown in relay recipient table",
            Self::VirtualAlias => "User unknown in virtual alias table",
            Self::Notices => "User unknown",
        }
    }
}

const NOTICES_ONLY: &str =
    "This address only sends notices: use the links in the notice, or reply to it";

impl Refusal {
    /// Whether it says nothing against the peer: the first recipient too many of a large mail, and those that have to
    /// wait, must not end the session before those that are left can have it.
    pub(crate) const fn is_no_error(&self) -> bool {
        matches!(self, Self::SentEnough(..) | Self::NotYet(_))
    }

    /// The words. `hostname` is ours: replies that close the connection say who speaks.
    #[must_use]
    pub fn reply(&self, hostname: &Domain) -> Reply {
        use Refusal as R;
        match self {
            R::RelayDenied(to) => text(554, (5, 7, 1), format!("<{to}>: Relay access denied")),
            R::UnknownRecipient(to, table) => {
                recipient(to, Enhanced(5, 1, 1), table.says_unknown())
            }
            R::NoticesOnly(to) => recipient(to, Enhanced(5, 1, 1), NOTICES_ONLY),
            R::RecipientMoved(to, place) => {
                recipient(to, Enhanced(5, 1, 6), &format!("User has moved to {place}"))
            }
            R::RecipientUndeliverable(to, status, why) => recipient(to, *status, why),
            R::RecipientRejected(to, why) => {
                rejected(554, (5, 7, 1), to.as_str(), "Recipient address", why)
            }
            R::SenderRejected(from, why) => {
                rejected(554, (5, 7, 1), from.as_str(), "Sender address", why)
            }
            R::SenderNotOwned(from, user) => {
                let why = format!("not owned by user {user}");
                rejected(553, (5, 7, 1), from.as_str(), "Sender address", &why)
            }
            R::SenderNotLoggedIn(from) => {
                rejected(553, (5, 7, 1), from.as_str(), "Sender address", "not logged in")
            }
            R::FromNotOwned(from, user) => {
                let why = format!("not owned by user {user}");
                rejected(550, (5, 7, 1), shown(from), "From header", &why)
            }
            R::FromUnclear(why) => text(550, (5, 7, 1), format!("From header rejected: {why}")),
            R::SentEnough(user, limit) => {
                let why = format!("{limit}, try again later");
                rejected(450, (4, 7, 1), user, "Login name", &why)
            }
            R::SenderDomainUnknown(from) => {
                rejected(450, (4, 1, 8), from.as_str(), "Sender address", "Domain not found")
            }
            R::HelloNotQualified(name) => {
                rejected(504, (5, 5, 2), name, "Helo command", "need fully-qualified hostname")
            }
            R::ClientRejected(client) => {
                text(554, (5, 7, 1), format!("<{client}>: Client host rejected: Access denied"))
            }
            R::ClientUnnamed(client) => client_unnamed(client),
            R::AuthRequired => fixed(530, (5, 7, 0), "Authentication required"),
            R::TlsRequired => fixed(530, (5, 7, 0), "Must issue a STARTTLS command first"),
            R::AuthFailed => fixed(535, (5, 7, 8), "Error: authentication failed"),
            R::AuthTemporary => fixed(454, (4, 7, 0), "Temporary authentication failure"),
            R::TooManyLogins(client) => {
                text(450, (4, 7, 1), format!("Error: too many AUTH commands from {}", client.ip()))
            }
            R::InsufficientStorage => fixed(452, (4, 3, 1), "Insufficient system storage"),
            R::QueueUnavailable => fixed(451, (4, 3, 0), "Queue file write error"),
            R::ArchiveUnavailable => fixed(451, (4, 3, 0), "Archive write error"),
            R::TableUnavailable => fixed(451, (4, 3, 0), "Temporary lookup failure"),
            R::FilterUnavailable => fixed(451, (4, 7, 1), "Service unavailable - try again later"),
            R::FilterFailed => fixed(550, (5, 7, 1), "Service unavailable"),
            R::NotAwaited(why) => why.reply(),
            R::Unwanted(why) => why.reply(),
            R::TooManyConnections(client) => too_many_connections(client, hostname),
            R::TooMuchMail(client) => {
                text(450, (4, 7, 1), format!("Error: too much mail from {}", client.ip()))
            }
            R::NotYet(why) => why.reply(),
            R::MessageTooLarge => fixed(552, (5, 3, 4), "Message size exceeds fixed limit"),
            R::LoopDetected => fixed(554, (5, 4, 6), "Error: too many hops"),
            R::Overloaded => text(
                421,
                (4, 3, 2),
                format!("{hostname} All server ports are busy - try again later"),
            ),
            R::ShuttingDown => {
                text(421, (4, 3, 2), format!("{hostname} Service shutting down - try again later"))
            }
            R::Internal => fixed(451, (4, 3, 0), "Internal server error - try again later"),
            R::Rule(reply) => reply.clone(),
        }
    }
}

/// What the session itself refuses: broken rules of the protocol, and limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    // The line.
    EmptyLine,
    LineTooLong,
    BareNewline,
    BadUtf8,
    ControlCharacter,
    NotSmtp,
    UnknownCommand,
    /// HELO or EHLO to an LMTP server.
    UseLhlo,
    NotImplemented,
    VrfyDisabled,
    /// Arguments do not fit; what they should be.
    Syntax(&'static str),
    HelloSyntax(&'static str),
    // The order.
    OutOfStep,
    NeedHello,
    NeedLhlo,
    NestedMail,
    MailAfterBdat,
    RcptAfterBdat,
    DataAfterBdat,
    NeedMail,
    NeedRcpt,
    NoRecipients,
    TransactionInProgress,
    AuthRequired,
    TlsRequired,
    // MAIL and RCPT.
    BadSender,
    BadRecipient,
    SenderNotQualified(Box<str>),
    RecipientNotQualified(Box<str>),
    NeedSmtputf8,
    BadSize,
    BadRet,
    BadEnvid,
    BadNotify,
    BadOrcpt,
    UnsupportedOption(Box<str>),
    RepeatedOption,
    // Content.
    MessageTooLarge,
    ContentTooLarge,
    ChunkTooLarge,
    BdatSyntax,
    // STARTTLS and AUTH.
    TlsActive,
    AuthDisabled,
    AuthNeedsTls,
    AlreadyAuthenticated,
    UnknownMechanism,
    BadBase64,
    AuthAborted,
    AuthTooLong,
    // XCLIENT and XFORWARD.
    Unauthorized,
    AttributeExpected,
    AttributeTooLong,
    UnknownAttribute(&'static str, Box<str>),
    BadAttribute(&'static str, Box<str>),
    // Limits.
    TooManyRecipients,
    TooManyErrors,
    Timeout,
}

impl Fault {
    pub(crate) fn reply(&self, hostname: &Domain) -> Reply {
        self.fixed_reply().unwrap_or_else(|| self.composed_reply(hostname))
    }

    /// The reply of a fault that says the same to everybody.
    fn fixed_reply(&self) -> Option<Reply> {
        use Fault as F;
        let (code, enhanced, words) = match self {
            F::EmptyLine => (500, (5, 5, 2), "Error: bad syntax"),
            F::LineTooLong => (500, (5, 2, 3), "Error: line too long"),
            F::BadUtf8 => (501, (5, 5, 2), "Error: bad UTF-8 syntax"),
            F::ControlCharacter => (501, (5, 5, 2), "Error: control character in command"),
            F::NotSmtp => (221, (2, 7, 0), "Error: I can break rules, too. Goodbye."),
            F::UseLhlo => (500, (5, 5, 1), "Error: command not recognized, use LHLO"),
            F::UnknownCommand => (500, (5, 5, 2), "Error: command not recognized"),
            F::NotImplemented => (502, (5, 5, 1), "Error: command not implemented"),
            F::VrfyDisabled => (502, (5, 5, 1), "VRFY command is disabled"),
            F::OutOfStep => (554, (5, 5, 0), "Error: SMTP protocol synchronization"),
            F::NeedHello => (503, (5, 5, 1), "Error: send HELO/EHLO first"),
            F::NeedLhlo => (503, (5, 5, 1), "Error: send LHLO first"),
            F::NestedMail => (503, (5, 5, 1), "Error: nested MAIL command"),
            F::MailAfterBdat => (503, (5, 5, 1), "Error: MAIL after BDAT"),
            F::RcptAfterBdat => (503, (5, 5, 1), "Error: RCPT after BDAT"),
            F::DataAfterBdat => (503, (5, 5, 1), "Error: DATA after BDAT"),
            F::NeedMail => (503, (5, 5, 1), "Error: need MAIL command"),
            F::NeedRcpt => (503, (5, 5, 1), "Error: need RCPT command"),
            F::NoRecipients => (554, (5, 5, 1), "Error: no valid recipients"),
            F::TransactionInProgress => (503, (5, 5, 1), "Error: MAIL transaction in progress"),
            F::AuthRequired => (530, (5, 7, 0), "Authentication required"),
            F::TlsRequired => (530, (5, 7, 0), "Must issue a STARTTLS command first"),
            F::BadSender => (501, (5, 1, 7), "Bad sender address syntax"),
            F::BadRecipient => (501, (5, 1, 3), "Bad recipient address syntax"),
            F::NeedSmtputf8 => (553, (5, 6, 7), "Must declare SMTPUTF8 to send unicode address"),
            F::BadSize => (501, (5, 5, 4), "Bad message size syntax"),
            F::BadRet => (501, (5, 5, 4), "Bad RET parameter syntax"),
            F::BadEnvid => (501, (5, 5, 4), "Bad ENVID parameter syntax"),
            F::BadNotify => (501, (5, 5, 4), "Error: Bad NOTIFY parameter syntax"),
            F::RepeatedOption => (501, (5, 5, 4), "Error: parameter given twice"),
            F::BadOrcpt => (501, (5, 5, 4), "Error: Bad ORCPT parameter syntax"),
            F::MessageTooLarge => (552, (5, 3, 4), "Message size exceeds fixed limit"),
            F::ContentTooLarge => (552, (5, 3, 4), "Message file too big"),
            F::ChunkTooLarge => (552, (5, 3, 4), "Chunk exceeds message size limit"),
            F::BdatSyntax => (521, (5, 5, 4), "Syntax: BDAT count [LAST]"),
            F::TlsActive => (554, (5, 5, 1), "Error: TLS already active"),
            F::AuthDisabled => (503, (5, 5, 1), "Error: authentication not enabled"),
            F::AuthNeedsTls => {
                (504, (5, 5, 4), "Encryption required for requested authentication mechanism")
            }
            F::AlreadyAuthenticated => (503, (5, 5, 1), "Error: already authenticated"),
            F::UnknownMechanism => (504, (5, 5, 4), "Error: authentication mechanism not offered"),
            F::BadBase64 => (501, (5, 5, 2), "Error: invalid base64"),
            F::AuthAborted => (501, (5, 7, 0), "Authentication aborted"),
            F::AuthTooLong => (500, (5, 5, 6), "SASL response limit exceeded"),
            F::Unauthorized => (550, (5, 7, 0), "Error: insufficient authorization"),
            F::AttributeExpected => (501, (5, 5, 4), "Error: attribute=value expected"),
            F::AttributeTooLong => (501, (5, 5, 4), "Error: attribute value too long"),
            F::TooManyRecipients => (452, (4, 5, 3), "Error: too many recipients"),
            F::BareNewline
            | F::Syntax(_)
            | F::HelloSyntax(_)
            | F::SenderNotQualified(_)
            | F::RecipientNotQualified(_)
            | F::UnsupportedOption(_)
            | F::UnknownAttribute(..)
            | F::BadAttribute(..)
            | F::TooManyErrors
            | F::Timeout => return None,
        };
        Some(fixed(code, enhanced, words))
    }

    /// The reply of a fault that names what is wrong, or who speaks.
    fn composed_reply(&self, hostname: &Domain) -> Reply {
        use Fault as F;
        match self {
            F::BareNewline => text(550, (5, 5, 2), format!("{hostname} Error: bare <LF> received")),
            F::Syntax(form) => text(501, (5, 5, 4), format!("Syntax: {form}")),
            F::HelloSyntax(verb) => {
                let words = format!("Syntax: {verb} hostname");
                Reply { code: 501, enhanced: None, text: words.into() }
            }
            F::SenderNotQualified(name) => {
                rejected(504, (5, 5, 2), name, "Sender address", "need fully-qualified address")
            }
            F::RecipientNotQualified(name) => {
                rejected(504, (5, 5, 2), name, "Recipient address", "need fully-qualified address")
            }
            F::UnsupportedOption(option) => {
                text(555, (5, 5, 4), format!("Unsupported option: {option}"))
            }
            F::UnknownAttribute(verb, name) => {
                text(501, (5, 5, 4), format!("Bad {verb} attribute name: {name}"))
            }
            F::BadAttribute(name, value) => {
                text(501, (5, 5, 4), format!("Bad {name} syntax: {value}"))
            }
            F::TooManyErrors => text(421, (4, 7, 0), format!("{hostname} Error: too many errors")),
            F::Timeout => text(421, (4, 4, 2), format!("{hostname} Error: timeout exceeded")),
            _ => Refusal::Internal.reply(hostname),
        }
    }
}

/// Why a stranger has to come again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotYet {
    /// It has not waited long enough to send to this recipient, and how long it still has to.
    Recipient(Address, Duration),
    /// The same, of the whole mail.
    Mail(Duration),
    /// Those of this network or domain have handed in so many mails within an hour.
    TooMuchMail(Box<str>, NonZeroU32),
}

impl NotYet {
    fn reply(&self) -> Reply {
        match self {
            Self::Recipient(to, wait) => {
                rejected(451, (4, 7, 1), to.as_str(), "Recipient address", &greylisted(*wait))
            }
            Self::Mail(wait) => text(451, (4, 7, 1), format!("Error: {}", greylisted(*wait))),
            Self::TooMuchMail(whose, most) => {
                let limit = format!("more than {most} an hour, try again later");
                text(451, (4, 7, 1), format!("Error: too much mail from {whose}: {limit}"))
            }
        }
    }
}

/// Full seconds: whoever comes so much later is not too early.
fn greylisted(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    format!("Greylisted, try again in {seconds} seconds")
}

/// Why nobody waits for a mail that a filter hands back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAwaited {
    /// 451 4.7.1: nothing says that it is one that a client waits for, or it was to come back elsewhere. What the filter has
    /// to say of it may be right once it is set right.
    Unknown,
    /// 451 4.7.1: it was handed back before.
    Twice,
    /// 550 5.7.1: its client has had an answer, or has left.
    Over,
}

impl NotAwaited {
    fn reply(self) -> Reply {
        match self {
            Self::Unknown => {
                fixed(451, (4, 7, 1), "Error: this is no mail that anybody waits for here")
            }
            Self::Twice => fixed(451, (4, 7, 1), "Error: this mail was handed back already"),
            Self::Over => fixed(550, (5, 7, 1), "Error: nobody waits for this mail any more"),
        }
    }
}

/// Why a mail is not taken by what was found out about who sent it, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwanted {
    /// 550 5.7.26 (RFC 7372 section 3.4): it fails the DMARC policy of this domain, which asks for refusal.
    Unauthorised(Domain),
    /// 451 4.4.3: name servers do not tell whether its author's domain has authorised it.
    Unclear,
    /// 550 5.7.1: it looks like spam.
    Spam,
    /// 550 5.7.1: it has known malware.
    Malware,
}

impl Unwanted {
    fn reply(&self) -> Reply {
        match self {
            Self::Unauthorised(author) => {
                let policy =
                    format!("Message rejected by the DMARC policy of {}", author.as_ascii());
                text(550, (5, 7, 26), policy)
            }
            Self::Unclear => {
                fixed(451, (4, 4, 3), "Temporary lookup failure of the author's domain")
            }
            Self::Spam => fixed(550, (5, 7, 1), "Message looks like spam"),
            Self::Malware => fixed(550, (5, 7, 1), "Message has known malware"),
        }
    }
}

/// Why a mail that another mail server has is put off there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotJudged {
    /// 451 4.7.1: a rule holds it, and it is not to be held there.
    Held,
    /// 451 4.3.0: more of its header would have to be changed there than we ask for.
    TooManyChanges,
    /// 451 4.3.0: a mistake of ours: nothing was said of it.
    NoOutcome,
}

impl NotJudged {
    /// What the client of the mail server hears.
    #[must_use]
    pub fn reply(self) -> Reply {
        match self {
            Self::Held => {
                fixed(451, (4, 7, 1), "This mail cannot go without an approval; try again later")
            }
            Self::TooManyChanges => fixed(451, (4, 3, 0), "Too many changes of the header"),
            Self::NoOutcome => {
                fixed(451, (4, 3, 0), "The mail could not be judged; try again later")
            }
        }
    }
}

/// A reply that says yes or "go on".
#[derive(Clone, Copy, Debug)]
pub(crate) enum Positive<'a> {
    Greeting(&'a Domain, Protocol),
    Hello(&'a Domain),
    Extended(&'a Domain, &'a [Option<Extension<'a>>]),
    Ok,
    SenderOk,
    RecipientOk,
    StartContent,
    ChunkOk(u64),
    Queued(QueueId, Next),
    QueuedChunks(QueueId, u64, Next),
    /// It was a reply to a notice, and nothing is sent on.
    ReplyTaken(QueueId),
    /// It came back from a filter, and whoever waited for it has it.
    HandedBack(QueueId),
    Verified,
    Help,
    Bye,
    StartTls,
    Challenge(&'a [u8]),
    LoggedIn,
}

/// What becomes of a mail that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is sent on.
    Sent,
    /// It waits for people: programs see it in the reply.
    Approval,
    /// It is sent on, but for some recipients: their mail, of this name, waits for people.
    Split(QueueId),
}

/// A line of the reply to EHLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension<'a> {
    Pipelining,
    Size(u64),
    StartTls,
    Auth(&'a [&'a str]),
    /// The form of a draft before RFC 2554.
    AuthEquals(&'a [&'a str]),
    Xclient,
    Xforward,
    EnhancedStatusCodes,
    EightBitMime,
    Dsn,
    Smtputf8,
    Chunking,
    /// RFC 9422.
    RecipientLimit(usize),
}

impl Positive<'_> {
    /// Appends the reply as it goes over the wire.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let fixed: &[u8] = match self {
            Self::Ok => b"250 2.0.0 Ok\r\n",
            Self::SenderOk => b"250 2.1.0 Ok\r\n",
            Self::RecipientOk => b"250 2.1.5 Ok\r\n",
            Self::StartContent => b"354 End data with <CR><LF>.<CR><LF>\r\n",
            Self::Verified => {
                b"252 2.0.0 Cannot VRFY user, but will accept message and attempt delivery\r\n"
            }
            Self::Help => {
                b"214 2.0.0 Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP \
                  VRFY HELP QUIT\r\n"
            }
            Self::Bye => b"221 2.0.0 Bye\r\n",
            Self::StartTls => b"220 2.0.0 Ready to start TLS\r\n",
            Self::LoggedIn => b"235 2.7.0 Authentication successful\r\n",
            Self::Greeting(..)
            | Self::Hello(_)
            | Self::Extended(..)
            | Self::ChunkOk(_)
            | Self::Queued(..)
            | Self::QueuedChunks(..)
            | Self::ReplyTaken(_)
            | Self::HandedBack(_)
            | Self::Challenge(_) => return self.write_composed(out),
        };
        out.extend_from_slice(fixed);
    }

    fn write_composed(self, out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _ = match self {
            Self::Greeting(hostname, protocol) => {
                let name = if protocol == Protocol::Lmtp { "LMTP" } else { "ESMTP" };
                write!(out, "220 {hostname} {name} Mailweir\r\n")
            }
            Self::Hello(hostname) => write!(out, "250 {hostname}\r\n"),
            Self::Extended(hostname, extensions) => {
                return write_extended(out, hostname, extensions);
            }
            Self::ChunkOk(bytes) => write!(out, "250 2.0.0 Ok: {bytes} bytes\r\n"),
            Self::Queued(id, next) => {
                write!(out, "250 2.0.0 Ok: queued as {id}{next}\r\n")
            }
            Self::QueuedChunks(id, bytes, next) => {
                write!(out, "250 2.0.0 Ok: {bytes} bytes queued as {id}{next}\r\n")
            }
            Self::ReplyTaken(id) => write!(out, "250 2.0.0 Ok: {id} taken as a reply\r\n"),
            Self::HandedBack(id) => write!(out, "250 2.0.0 Ok: {id} handed back\r\n"),
            Self::Challenge(challenge) => write!(out, "334 {}\r\n", STANDARD.encode(challenge)),
            _ => Ok(()),
        };
    }
}

/// What stands behind the name of the mail.
impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent => Ok(()),
            Self::Approval => f.write_str(" (held for approval)"),
            Self::Split(held) => write!(f, " and {held} ({held} held for approval)"),
        }
    }
}

fn write_extended(out: &mut Vec<u8>, hostname: &Domain, offers: &[Option<Extension<'_>>]) {
    let _ = write!(out, "250-{hostname}\r\n");
    let mut offers = offers.iter().flatten().peekable();
    while let Some(extension) = offers.next() {
        out.extend_from_slice(if offers.peek().is_some() { b"250-" } else { b"250 " });
        write_extension(out, *extension);
        out.extend_from_slice(b"\r\n");
    }
}

fn write_extension(out: &mut Vec<u8>, extension: Extension<'_>) {
    let words = match extension {
        Extension::Pipelining => "PIPELINING",
        Extension::Size(0) => "SIZE",
        Extension::Size(limit) => {
            let _ = write!(out, "SIZE {limit}");
            return;
        }
        Extension::StartTls => "STARTTLS",
        Extension::Auth(mechanisms) => {
            let _ = write!(out, "AUTH {}", mechanisms.join(" "));
            return;
        }
        Extension::AuthEquals(mechanisms) => {
            let _ = write!(out, "AUTH={}", mechanisms.join(" "));
            return;
        }
        Extension::Xclient => {
            "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT"
        }
        Extension::Xforward => "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT",
        Extension::EnhancedStatusCodes => "ENHANCEDSTATUSCODES",
        Extension::EightBitMime => "8BITMIME",
        Extension::Dsn => "DSN",
        Extension::Smtputf8 => "SMTPUTF8",
        Extension::Chunking => "CHUNKING",
        Extension::RecipientLimit(limit) => {
            let _ = write!(out, "LIMITS RCPTMAX={limit}");
            return;
        }
    };
    out.extend_from_slice(words.as_bytes());
}

/// Appends a reply as it goes over the wire: one line per line of its text (RFC 5321 section
/// 4.2.1), control characters as `?`, so that no text can forge a second reply.
pub(crate) fn write(reply: &Reply, out: &mut Vec<u8>) {
    let mut lines = reply.text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let mark = if lines.peek().is_some() { '-' } else { ' ' };
        let _ = write!(out, "{}{mark}", reply.code);
        if let Some(enhanced) = reply.enhanced {
            let _ = write!(out, "{enhanced} ");
        }
        let shown = cut(line, MAX_TEXT);
        out.extend(shown.bytes().map(|b| if b.is_ascii_control() { b'?' } else { b }));
        out.extend_from_slice(b"\r\n");
    }
}

/// An address out of a header, whose client need not have asked for SMTPUTF8.
fn shown(address: &Address) -> &str {
    if address.needs_smtputf8() { "another address" } else { address.as_str() }
}

fn cut(line: &str, limit: usize) -> &str {
    if line.len() <= limit { line } else { &line[..line.floor_char_boundary(limit)] }
}

fn client_unnamed(client: &Client) -> Reply {
    let why = format!("Client host rejected: cannot find your hostname, [{}]", client.ip());
    text(450, (4, 7, 1), why)
}

fn too_many_connections(client: &Client, hostname: &Domain) -> Reply {
    text(421, (4, 7, 0), format!("{hostname} Error: too many connections from {}", client.ip()))
}

fn fixed(code: u16, (class, subject, detail): (u8, u16, u16), words: &'static str) -> Reply {
    Reply::new(code, Enhanced(class, subject, detail), words)
}

fn text(code: u16, (class, subject, detail): (u8, u16, u16), words: String) -> Reply {
    Reply::with_text(code, Enhanced(class, subject, detail), words)
}

/// `<subject>: Sender address rejected: why`, the shape that Postfix gives to rejections.
/// What is wrong with a recipient as such.
fn recipient(to: &Address, Enhanced(class, subject, detail): Enhanced, why: &str) -> Reply {
    rejected(550, (class, subject, detail), to.as_str(), "Recipient address", why)
}

fn rejected(code: u16, enhanced: (u8, u16, u16), subject: &str, what: &str, why: &str) -> Reply {
    text(code, enhanced, format!("<{subject}>: {what} rejected: {why}"))
}

/// RFC 5321 section 4.5.3.1.5 allows 512 bytes for a line; some room for code and line end.
const MAX_TEXT: usize = 490;

#[cfg(test)]
mod tests;
