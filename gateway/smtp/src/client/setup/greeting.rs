//! The peer speaks first: 220, or why not.

use mailweir_mail::{Reply, ReplyClass};

use super::{Channel, Context, Next, hello::Hello, refused};
use crate::client::phase::Phase;

/// Waiting for the greeting.
pub(in crate::client) struct Greeting {
    channel: Channel,
}

impl Greeting {
    pub(super) const fn new(channel: Channel) -> Self {
        Self { channel }
    }

    pub(super) fn reply(self, reply: Reply, context: &mut Context<'_>) -> Next {
        match reply.class() {
            ReplyClass::Success => Next::Wait(Hello::begin(self.channel, context)),
            ReplyClass::Intermediate | ReplyClass::Transient | ReplyClass::Permanent => {
                refused(reply, Phase::Greeting)
            }
        }
    }
}
