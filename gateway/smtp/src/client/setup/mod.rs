//! From the first byte to the first mail: greeting, EHLO, STARTTLS, AUTH.
//!
//! One file per state. A state holds what is true then; a reply consumes it and gives the next
//! one. Commands go in lockstep: until the peer is known nothing is pipelined.

mod auth;
mod greeting;
mod hello;
mod starttls;

use mailweir_mail::Reply;

use self::{auth::Auth, greeting::Greeting, hello::Hello, starttls::StartTls};
use super::{
    capabilities::Capabilities,
    outcome::{Cause, Closed},
    phase::Phase,
    settings::{Settings, TlsPolicy},
    transaction::Breakdown,
};

/// Where the set-up of a connection stands.
pub(super) enum Setup {
    Greeting(Greeting),
    Hello(Hello),
    StartTls(StartTls),
    /// The driver shakes hands.
    Handshake,
    Auth(Auth),
}

/// Where a reply leads to.
pub(super) enum Next {
    Wait(Setup),
    Ready(Capabilities),
    Closed(Closed),
}

/// What all states see.
pub(super) struct Context<'a> {
    pub(super) settings: &'a Settings,
    pub(super) peer: &'a str,
    pub(super) out: &'a mut Vec<u8>,
}

/// What lies under the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Channel {
    Clear,
    Tls,
}

impl Setup {
    pub(super) const fn new(tls: TlsPolicy) -> Self {
        Self::Greeting(Greeting::new(match tls {
            TlsPolicy::Implicit => Channel::Tls,
            TlsPolicy::None | TlsPolicy::Opportunistic | TlsPolicy::Required => Channel::Clear,
        }))
    }

    pub(super) fn reply(self, reply: Reply, context: &mut Context<'_>) -> Next {
        match self {
            Self::Greeting(state) => state.reply(reply, context),
            Self::Hello(state) => state.reply(reply, context),
            Self::StartTls(state) => state.reply(reply, context),
            Self::Handshake => nonsense(&Breakdown::UNSOLICITED, Phase::StartTls, context),
            Self::Auth(state) => state.reply(reply, context),
        }
    }

    /// The handshake is done. All that the peer said before is forgotten (RFC 3207 section 4.2).
    pub(super) fn tls_started(self, context: &mut Context<'_>) -> Self {
        match self {
            Self::Handshake => Hello::begin(Channel::Tls, context),
            other => other,
        }
    }

    pub(super) const fn phase(&self) -> Phase {
        match self {
            Self::Greeting(_) => Phase::Greeting,
            Self::Hello(_) => Phase::Hello,
            Self::StartTls(_) | Self::Handshake => Phase::StartTls,
            Self::Auth(_) => Phase::Auth,
        }
    }
}

/// The peer said no.
const fn refused(reply: Reply, phase: Phase) -> Next {
    Next::Closed(Closed::Faulty { reply, cause: Cause::Replied(phase) })
}

/// The peer does not offer what our settings ask for.
const fn unfit(reply: Reply) -> Next {
    Next::Closed(Closed::Faulty { reply, cause: Cause::Local })
}

fn nonsense(what: &Breakdown, phase: Phase, context: &Context<'_>) -> Next {
    let (reply, cause) = what.during(phase, context.peer);
    Next::Closed(Closed::Faulty { reply, cause })
}
