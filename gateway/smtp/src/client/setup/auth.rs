//! The log-in: AUTH PLAIN, or LOGIN where the peer offers nothing better (RFC 4954).
//!
//! Without credentials this state is passed over. With credentials there is a log-in or no mail:
//! an unknown stranger's mail would be refused for good, and credentials do not go out in clear.

use base64::{Engine, engine::general_purpose::STANDARD};
use mailweir_mail::{Enhanced, Reply, ReplyClass};

use super::{Channel, Context, Next, Setup, nonsense, refused, unfit};
use crate::client::{
    capabilities::{AuthOffer, Capabilities},
    commands::put,
    phase::Phase,
    settings::Credentials,
    transaction::Breakdown,
};

/// Waiting for the answer to a step of the exchange.
pub(in crate::client) struct Auth {
    offered: Capabilities,
    step: Step,
}

/// What was sent last.
enum Step {
    /// `AUTH PLAIN` with its initial response.
    Plain,
    /// `AUTH LOGIN`: the peer asks for the user name.
    Login,
    /// The user name: the peer asks for the password.
    User,
    /// All there is.
    Last,
}

impl Auth {
    pub(super) fn begin(
        offered: Capabilities,
        channel: Channel,
        context: &mut Context<'_>,
    ) -> Next {
        let Some(credentials) = &context.settings.credentials else { return Next::Ready(offered) };
        if channel == Channel::Clear && !credentials.allow_clear {
            return unfit(no_login("will not be sent without TLS to", context.peer));
        }
        let step = match offered.auth {
            AuthOffer { plain: true, .. } => {
                put(context.out, &["AUTH PLAIN ", &plain(credentials), "\r\n"]);
                Step::Plain
            }
            AuthOffer { login: true, .. } => {
                put(context.out, &["AUTH LOGIN\r\n"]);
                Step::Login
            }
            AuthOffer { .. } => return unfit(no_login("cannot be used with", context.peer)),
        };
        Next::Wait(Setup::Auth(Self { offered, step }))
    }

    pub(super) fn reply(self, reply: Reply, context: &mut Context<'_>) -> Next {
        match (reply.class(), self.step) {
            (ReplyClass::Success, Step::Plain | Step::Last) => Next::Ready(self.offered),
            (ReplyClass::Intermediate, Step::Plain) => {
                answer(self.offered, plain, Step::Last, context)
            }
            (ReplyClass::Intermediate, Step::Login) => {
                answer(self.offered, |who| STANDARD.encode(&who.user), Step::User, context)
            }
            (ReplyClass::Intermediate, Step::User) => {
                answer(self.offered, |who| STANDARD.encode(&who.password), Step::Last, context)
            }
            (ReplyClass::Success, Step::Login | Step::User)
            | (ReplyClass::Intermediate, Step::Last) => {
                nonsense(&Breakdown::UNEXPECTED, Phase::Auth, context)
            }
            (ReplyClass::Transient | ReplyClass::Permanent, _) => refused(reply, Phase::Auth),
        }
    }
}

fn answer(
    offered: Capabilities,
    response: impl Fn(&Credentials) -> String,
    step: Step,
    context: &mut Context<'_>,
) -> Next {
    let response = context.settings.credentials.as_ref().map(response).unwrap_or_default();
    put(context.out, &[&response, "\r\n"]);
    Next::Wait(Setup::Auth(Auth { offered, step }))
}

/// RFC 4616, without an authorisation identity.
fn plain(credentials: &Credentials) -> String {
    STANDARD.encode(format!("\0{}\0{}", credentials.user, credentials.password))
}

fn no_login(why: &str, peer: &str) -> Reply {
    let text = format!("the credentials for this destination {why} host {peer}");
    Reply::with_text(454, Enhanced(4, 7, 0), text)
}
