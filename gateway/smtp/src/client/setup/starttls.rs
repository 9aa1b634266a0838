//! STARTTLS: whether it is needed, and what the peer says to it (RFC 3207).
//!
//! A reply that comes behind the 220 in clear is an attack (`attacks.md` B2); the connection
//! notices it, since only it sees what was read together.

use mailweir_mail::{Enhanced, Reply, ReplyClass};

use super::{Channel, Context, Next, Setup, auth::Auth, refused, unfit};
use crate::client::{capabilities::Capabilities, commands::put, phase::Phase, settings::TlsPolicy};

/// Waiting for the answer to STARTTLS.
pub(in crate::client) struct StartTls {
    /// What was offered in clear: of use only if we go on in clear.
    in_clear: Capabilities,
}

/// Asks for TLS, goes on without, or gives up, as the settings say.
pub(super) fn secure(offered: Capabilities, channel: Channel, context: &mut Context<'_>) -> Next {
    match (channel, context.settings.tls, offered.starttls) {
        (Channel::Clear, TlsPolicy::Opportunistic | TlsPolicy::Required, true) => {
            put(context.out, &["STARTTLS\r\n"]);
            Next::Wait(Setup::StartTls(StartTls { in_clear: offered }))
        }
        (Channel::Clear, TlsPolicy::Required, false) => unfit(not_offered(context.peer)),
        (Channel::Clear, TlsPolicy::None | TlsPolicy::Opportunistic | TlsPolicy::Implicit, _)
        | (Channel::Tls, _, _) => Auth::begin(offered, channel, context),
    }
}

impl StartTls {
    pub(super) fn reply(self, reply: Reply, context: &mut Context<'_>) -> Next {
        let required = context.settings.tls == TlsPolicy::Required;
        match reply.class() {
            ReplyClass::Success => Next::Wait(Setup::Handshake),
            ReplyClass::Transient | ReplyClass::Permanent if reply.code != 421 && !required => {
                Auth::begin(self.in_clear, Channel::Clear, context)
            }
            ReplyClass::Intermediate | ReplyClass::Transient | ReplyClass::Permanent => {
                refused(reply, Phase::StartTls)
            }
        }
    }
}

fn not_offered(peer: &str) -> Reply {
    let text = format!("TLS is required, but was not offered by host {peer}");
    Reply::with_text(454, Enhanced(4, 7, 4), text)
}
