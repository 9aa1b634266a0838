//! What became of a recipient, of a mail, and of a connection.

use mailweir_mail::{Enhanced, Reply, ReplyClass};

use super::phase::Phase;

/// What became of one recipient in one transaction. Exactly one per recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Attempt {
    /// The peer took the mail for this recipient.
    Delivered {
        /// Its reply to the end of data.
        reply: Reply,
        /// Who owes the sender the reports it asked for.
        reports: Reports,
    },
    /// The peer would take mail for this recipient. It was a probe: none was sent.
    Accepted {
        /// Its reply to RCPT.
        reply: Reply,
    },
    /// Not now.
    Deferred {
        /// The peer's reply, or our words.
        reply: Reply,
        /// Where the reply comes from.
        cause: Cause,
    },
    /// Never.
    Failed {
        /// The peer's reply, or our words.
        reply: Reply,
        /// Where the reply comes from.
        cause: Cause,
    },
    /// The peer had the final dot and its answer was lost. To be treated as deferred; if the mail
    /// is sent again this recipient may get it twice (`attacks.md`, promise 2). To be logged.
    Uncertain {
        /// Our words.
        reply: Reply,
    },
    /// The peer takes no more recipients in this transaction (RFC 5321 section 4.5.3.1.10). To be
    /// sent at once in a further transaction; not an attempt of its own.
    Postponed {
        /// The peer's reply, or our words.
        reply: Reply,
    },
}

impl Attempt {
    /// The reply to show and to store.
    #[must_use]
    pub const fn reply(&self) -> &Reply {
        match self {
            Self::Delivered { reply, .. }
            | Self::Accepted { reply }
            | Self::Deferred { reply, .. }
            | Self::Failed { reply, .. }
            | Self::Uncertain { reply }
            | Self::Postponed { reply } => reply,
        }
    }

    /// Whether the recipient is done with.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Delivered { .. } | Self::Failed { .. })
    }

    /// What a refusal of RCPT means to a recipient: 552 is 452 there (RFC 5321 section 4.5.3.1.10).
    pub(super) fn refused_rcpt(mut reply: Reply) -> Self {
        if reply.code == 552 {
            reply.code = 452;
            reply.enhanced = reply.enhanced.map(|code| Enhanced(4, code.1, code.2));
        }
        Self::refused(reply, Cause::Replied(Phase::Rcpt))
    }

    /// What a reply other than success means to a recipient.
    pub(super) fn refused(reply: Reply, cause: Cause) -> Self {
        match reply.class() {
            ReplyClass::Permanent => Self::Failed { reply, cause },
            ReplyClass::Success | ReplyClass::Intermediate | ReplyClass::Transient => {
                Self::Deferred { reply, cause }
            }
        }
    }
}

/// Where a reply comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The peer said it, in this phase.
    Replied(Phase),
    /// The connection was lost, timed out, or made no sense, in this phase.
    Broken(Phase),
    /// We did not ask: the mail does not fit the peer, or our settings do not.
    Local,
}

/// Who owes the sender of a delivered mail the reports it asked for (RFC 3461 section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reports {
    /// The peer: it offers DSN and was told.
    PassedOn,
    /// We: the peer does not offer DSN. Who wanted a report of success gets one of "relayed".
    Ours,
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Closed {
    /// We left.
    Quit,
    /// The TLS handshake failed, and TLS was not required: connect again without.
    RetryInClear {
        /// What was wrong.
        reply: Reply,
    },
    /// The peer refused us, was lost, or made no sense; or it does not offer what we need.
    Faulty {
        /// The peer's reply, or our words.
        reply: Reply,
        /// Where the reply comes from.
        cause: Cause,
    },
}

impl Closed {
    /// What a mail gets that was to go over this connection, if there is no other host to try.
    ///
    /// As with Postfix, only a 5xx to EHLO and HELO is final. A 5xx greeting is not
    /// (`smtp_skip_5xx_greeting`), a refused log-in is not (`smtp_sasl_auth_soft_bounce`).
    pub fn attempt(&self) -> Attempt {
        match self {
            Self::Quit => Attempt::Deferred { reply: NO_TIME, cause: Cause::Local },
            Self::RetryInClear { reply } => {
                Attempt::Deferred { reply: reply.clone(), cause: Cause::Broken(Phase::StartTls) }
            }
            Self::Faulty { reply, cause: cause @ Cause::Replied(Phase::Hello) } => {
                Attempt::refused(reply.clone(), *cause)
            }
            Self::Faulty { reply, cause } => {
                Attempt::Deferred { reply: reply.clone(), cause: *cause }
            }
        }
    }
}

const NO_TIME: Reply =
    Reply::new(421, Enhanced(4, 3, 2), "the connection was closed before the mail's turn");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refused_ehlo_is_final_for_mail_that_was_not_tried() {
        let refusal = || Reply::plain(554, "go away");
        let closed = |cause| Closed::Faulty { reply: refusal(), cause };
        assert!(closed(Cause::Replied(Phase::Hello)).attempt().is_final());
        for phase in [Phase::Greeting, Phase::StartTls, Phase::Auth, Phase::Idle] {
            assert!(!closed(Cause::Replied(phase)).attempt().is_final(), "{phase:?}");
        }
        assert!(!closed(Cause::Local).attempt().is_final());
        assert!(!Closed::Quit.attempt().is_final());
        assert!(!Closed::RetryInClear { reply: refusal() }.attempt().is_final());
    }
}
