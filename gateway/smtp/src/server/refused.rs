//! What was refused, for the log: one entry per command that got a 4yz or 5yz reply.

use mailweir_mail::{Address, Client, Reply, ReversePath};

/// A refused command or mail ([`super::Session::take_refusal`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    /// The command: `CONNECT`, `MAIL`, `RCPT`, `DATA`, `END-OF-MESSAGE`, ...
    pub command: &'static str,
    /// What the peer was told.
    pub reply: Reply,
    /// Envelope sender, once known.
    pub sender: Option<ReversePath>,
    /// The recipient that was refused.
    pub recipient: Option<Address>,
    /// Why.
    pub cause: Cause,
}

/// Why something was refused: the private half of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The driver said so.
    Policy,
    /// The command broke a rule of the protocol or a limit.
    Protocol,
    /// The peer talked when it had to wait (`attacks.md` A11).
    ImproperPipelining {
        /// The first bytes that came too early, escaped.
        input: Box<str>,
    },
    /// The peer does not speak SMTP (`attacks.md` A12).
    NotSmtp {
        /// The line, escaped and cut.
        line: Box<str>,
    },
    /// An address that cannot be read.
    IllegalAddress {
        /// The line, escaped and cut.
        line: Box<str>,
    },
    /// Too many errors without a mail between them.
    TooManyErrors,
    /// A line that ends in LF alone.
    BareNewline,
}

impl Refused {
    /// The warning that Postfix logs in this case, if it has one; fail2ban knows these words.
    #[must_use]
    pub fn warning(&self, client: &Client) -> Option<String> {
        let after = self.command;
        match &self.cause {
            Cause::Policy | Cause::Protocol => None,
            Cause::ImproperPipelining { input } => {
                Some(format!("improper command pipelining after {after} from {client}: {input}"))
            }
            Cause::NotSmtp { line } => Some(format!("non-SMTP command from {client}: {line}")),
            Cause::IllegalAddress { line } => {
                Some(format!("Illegal address syntax from {client} in {after} command: {line}"))
            }
            Cause::TooManyErrors => Some(format!("too many errors after {after} from {client}")),
            Cause::BareNewline => Some(format!("bare <LF> received after {after} from {client}")),
        }
    }
}
