//! Why a conversation cannot go on, and how that is put into a reply.

use mailweir_mail::{Enhanced, Reply};

use crate::client::{outcome::Cause, phase::Phase, reply::ReplyError, step::Loss};

/// The end of a conversation that was not ours to choose.
#[derive(Clone, Debug)]
pub(in crate::client) enum Breakdown {
    /// The connection is gone.
    Lost(Loss),
    /// The peer did not answer in time.
    TimedOut,
    /// The peer broke the protocol.
    Nonsense(Nonsense),
    /// The peer said that it will close the connection, in this phase: 421, or a refused RSET.
    Said(Reply, Phase),
}

/// How a peer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::client) enum Nonsense {
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error("a reply without a command")]
    Unsolicited,
    #[error("a reply that the command cannot have")]
    Unexpected,
}

impl Breakdown {
    pub(in crate::client) const UNEXPECTED: Self = Self::Nonsense(Nonsense::Unexpected);
    pub(in crate::client) const UNSOLICITED: Self = Self::Nonsense(Nonsense::Unsolicited);

    /// The reply and its cause for what was going on in this phase. In Postfix's words.
    pub(in crate::client) fn during(&self, phase: Phase, peer: &str) -> (Reply, Cause) {
        let doing = phase.doing();
        let reply = match self {
            Self::Said(reply, phase) => return (reply.clone(), Cause::Replied(*phase)),
            Self::Lost(Loss::Closed) => lost(format!("lost connection with {peer} while {doing}")),
            Self::Lost(Loss::Failed(why)) => {
                lost(format!("lost connection with {peer} while {doing}: {}", one_line(why)))
            }
            Self::TimedOut => lost(format!("conversation with {peer} timed out while {doing}")),
            Self::Nonsense(what) => Reply::with_text(
                451,
                Enhanced(4, 5, 0),
                format!("protocol error: {what} from {peer} while {doing}"),
            ),
        };
        (reply, Cause::Broken(phase))
    }
}

impl From<ReplyError> for Breakdown {
    fn from(error: ReplyError) -> Self {
        Self::Nonsense(error.into())
    }
}

/// RFC 5321 section 3.8: the peer closes the connection after this reply to any command.
pub(in crate::client) const SHUTTING_DOWN: u16 = 421;

/// RFC 3463: 4.4.2 is "bad connection".
fn lost(text: String) -> Reply {
    Reply::with_text(421, Enhanced(4, 4, 2), text)
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
