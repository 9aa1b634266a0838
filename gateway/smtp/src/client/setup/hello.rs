//! We say who we are, the peer says what it offers.
//!
//! A peer that does not know EHLO is asked with HELO (RFC 5321 section 3.2); LMTP has LHLO only.

use mailweir_mail::{Reply, ReplyClass};

use super::{Channel, Context, Next, Setup, refused, starttls};
use crate::client::{capabilities::Capabilities, commands::put, phase::Phase, settings::Dialect};

/// Waiting for the answer to EHLO, HELO or LHLO.
pub(in crate::client) struct Hello {
    verb: Verb,
    channel: Channel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Ehlo,
    Helo,
    Lhlo,
}

impl Hello {
    pub(super) fn begin(channel: Channel, context: &mut Context<'_>) -> Setup {
        let verb = match context.settings.dialect {
            Dialect::Smtp => Verb::Ehlo,
            Dialect::Lmtp => Verb::Lhlo,
        };
        Self { verb, channel }.say(context)
    }

    pub(super) fn reply(self, reply: Reply, context: &mut Context<'_>) -> Next {
        match (reply.class(), self.verb) {
            (ReplyClass::Success, Verb::Helo) => {
                starttls::secure(Capabilities::default(), self.channel, context)
            }
            (ReplyClass::Success, Verb::Ehlo | Verb::Lhlo) => {
                starttls::secure(Capabilities::from_reply(&reply), self.channel, context)
            }
            (ReplyClass::Permanent, Verb::Ehlo) => {
                Next::Wait(Self { verb: Verb::Helo, ..self }.say(context))
            }
            (ReplyClass::Permanent | ReplyClass::Transient | ReplyClass::Intermediate, _) => {
                refused(reply, Phase::Hello)
            }
        }
    }

    fn say(self, context: &mut Context<'_>) -> Setup {
        let verb = match self.verb {
            Verb::Ehlo => "EHLO ",
            Verb::Helo => "HELO ",
            Verb::Lhlo => "LHLO ",
        };
        put(context.out, &[verb, context.settings.hostname.as_ascii(), "\r\n"]);
        Setup::Hello(self)
    }
}
