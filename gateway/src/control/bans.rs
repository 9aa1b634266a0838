//! Shows and lifts what the throttle of log-ins does. It lives in the memory of a running server.

use std::time::Duration;

use mailweir_auth::{Counted, Subject, UserName, Whom};
use mailweir_mail::SessionEvent;

use super::{
    operation::{Answer, Ban, BanKind, Culprit},
    perform::{Answers, Gone, tell},
};
use crate::{clock, ingress::Shared};

/// Tells of who failed to log in; of those who need not wait only if `all` are wanted.
pub(super) async fn list(gate: &Shared, all: bool, answers: &Answers) -> Result<(), Gone> {
    let counted = gate.authenticator.counted(clock::monotonic());
    for counted in counted.iter().filter(|counted| all || counted.pause.is_some()) {
        tell(answers, Answer::Ban(ban(counted))).await?;
    }
    Ok(())
}

/// Forgets the failures of `culprit` on behalf of `by`.
pub(super) fn lift(gate: &Shared, culprit: &Culprit, by: &str) -> Answer {
    let whom = match culprit {
        Culprit::All => Whom::All,
        Culprit::Network(network) => Whom::Network(*network),
        Culprit::Account(account) => match account.parse::<UserName>() {
            Ok(account) => Whom::Account(account),
            Err(error) => return Answer::Failed { reason: error.to_string().into() },
        },
    };
    let bans = gate.authenticator.lift(clock::monotonic(), &whom);
    if bans > 0 {
        let text = match &whom {
            Whom::All => format!("all failed log-ins are forgotten ({by})"),
            Whom::Network(network) => format!("failed log-ins from {network} are forgotten ({by})"),
            Whom::Account(account) => format!("failed log-ins as {account} are forgotten ({by})"),
        };
        let event = SessionEvent::Notice { part: "auth", text: text.into() };
        gate.observer.session(&event);
    }
    Answer::Lifted { bans }
}

fn ban(counted: &Counted) -> Ban {
    let (kind, address, account) = match &counted.who {
        Subject::Address(network) => (BanKind::Address, Some(*network), None),
        Subject::Account(account) => (BanKind::Account, None, Some(account)),
        Subject::Familiar(network, account) => (BanKind::Familiar, Some(*network), Some(account)),
    };
    Ban {
        kind,
        address,
        account: account.map(|account| account.as_str().into()),
        failures: counted.failures,
        wait_seconds: counted.pause.map_or(0, in_seconds),
    }
}

/// Rounded up: whoever waits so long is let in.
fn in_seconds(pause: Duration) -> u64 {
    pause.as_secs() + u64::from(pause.subsec_nanos() > 0)
}
