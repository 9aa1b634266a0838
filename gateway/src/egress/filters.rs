//! Mail on its way through a filter of other people: what goes along, and what becomes of it if the filter fails.

use std::sync::Arc;

use bytes::Bytes;
use mailweir_external::slip::{For, Slip};
use mailweir_mail::{Envelope, Forwarded, HoldReason};
use mailweir_queue::{Claim, RecipientIndex};
use mailweir_smtp::client::{Attempt, Cause, Phase};

use super::{
    Egress, dispatch,
    outcome::Outcome,
    replies,
    reporter::is_own,
    route::{LiveRoutes, Through},
};
use crate::{config::IfFailed, observe::FilterOutcome};

/// What stands above the content of a mail that goes to a filter; nothing for one that hands nothing back.
pub(super) fn slip(claim: &Claim, through: &Through, routes: &LiveRoutes) -> Bytes {
    let slip = routes.hands_back_to(through).zip(routes.slips()).and_then(|(back_at, key)| {
        let slip = Slip {
            filter: through.name.clone(),
            back_at: back_at.into(),
            back_for: For::Queue { ahead: routes.ahead_behind(through, &claim.envelope) },
            id: claim.id,
            origin: (*claim.origin).clone(),
        };
        slip.into_field(key)
    });
    slip.unwrap_or_default().into()
}

/// Where a mail came from, for a filter or next hop that is told. Our own came from no client.
pub(super) fn came_from(claim: &Claim) -> Forwarded {
    let told = Forwarded::of(&claim.origin, claim.id);
    match is_own(&claim.origin) {
        true => {
            Forwarded { ident: told.ident, source: Some("LOCAL".into()), ..Forwarded::default() }
        }
        false => told,
    }
}

/// What stands of an outcome when a filter may have failed, and who goes on without it.
pub(super) async fn settle_failure(
    egress: &Arc<Egress>,
    through: &Through,
    claim: &Claim,
    recipients: &[RecipientIndex],
    outcome: &mut Outcome,
) -> Vec<RecipientIndex> {
    let failure = outcome.attempts.iter().find(|attempt| is_failure(attempt));
    let Some(why) = failure.map(|attempt| attempt.reply().text.to_string()) else {
        return Vec::new();
    };
    outcome.attempts.iter_mut().for_each(never_for_good);
    let name = &through.name;
    match through.if_failed {
        IfFailed::Defer => {
            // A server's own words name it.
            let named = |attempt: &mut Attempt| {
                let reply = replies::filter_awaited(name, &attempt.reply().text);
                *attempt = Attempt::Deferred { reply, cause: Cause::Local };
            };
            let ours = |attempt: &&mut Attempt| {
                matches!(attempt, Attempt::Deferred { cause: Cause::Local, .. })
            };
            outcome.attempts.iter_mut().filter(ours).for_each(named);
            Vec::new()
        }
        IfFailed::Reject => {
            let refused = |attempt: &mut Attempt| {
                let reply = replies::filter_failed(name, &attempt.reply().text);
                *attempt = Attempt::Failed { reply, cause: Cause::Local };
            };
            outcome.attempts.iter_mut().filter(|attempt| is_failure(attempt)).for_each(refused);
            Vec::new()
        }
        IfFailed::Hold => {
            let reason = HoldReason::new(&replies::why_filter_failed(name, &why));
            // What somebody has ordered meanwhile stands.
            if let Err(error) = egress.queue.hold_after_attempt(claim.id, reason).await {
                egress.warn(format!(
                    "{}: not held though the filter {name} failed: {error}",
                    claim.id
                ));
            }
            Vec::new()
        }
        IfFailed::Pass => {
            egress.warn(format!(
                "{}: goes on without the filter {name}, which failed: {why}",
                claim.id
            ));
            let mut passing = Vec::new();
            let mut attempts = outcome.attempts.iter().map(is_failure);
            passing.extend(recipients.iter().filter(|_| attempts.next().unwrap_or(false)));
            passing
        }
    }
}

/// Whether a filter has failed, and said nothing of the mail.
const fn is_failure(attempt: &Attempt) -> bool {
    match attempt {
        Attempt::Deferred { cause: Cause::Replied(phase), .. }
        | Attempt::Failed { cause: Cause::Replied(phase), .. } => !is_of_the_mail(*phase),
        Attempt::Deferred { .. } | Attempt::Uncertain { .. } => true,
        // In our own words: the mail does not fit the filter (SMTPUTF8, SIZE).
        Attempt::Failed { .. }
        | Attempt::Delivered { .. }
        | Attempt::Accepted { .. }
        | Attempt::Postponed { .. } => false,
    }
}

/// What a filter has come to with a mail, for the metrics; `None`: nobody was left to be asked about.
pub(super) fn outcome_of(attempts: &[Attempt]) -> Option<FilterOutcome> {
    let outcomes = attempts.iter().map(|attempt| match attempt {
        _ if is_failure(attempt) => FilterOutcome::Failed,
        Attempt::Delivered { .. } | Attempt::Accepted { .. } => FilterOutcome::Passed,
        Attempt::Failed { .. } => FilterOutcome::Refused,
        Attempt::Deferred { .. } | Attempt::Postponed { .. } | Attempt::Uncertain { .. } => {
            FilterOutcome::Deferred
        }
    });
    // What one of several recipients had trouble with says more than what the others had not.
    outcomes.max_by_key(|outcome| match outcome {
        FilterOutcome::Failed => 3,
        FilterOutcome::Deferred => 2,
        FilterOutcome::Refused => 1,
        _ => 0,
    })
}

/// Whether a reply in this phase says something of the mail.
pub(super) const fn is_of_the_mail(phase: Phase) -> bool {
    matches!(phase, Phase::Mail | Phase::Rcpt | Phase::Data | Phase::Content | Phase::EndOfData)
}

/// A filter that has failed has not refused the mail.
fn never_for_good(attempt: &mut Attempt) {
    if let Attempt::Failed { reply, cause } = attempt
        && let Cause::Replied(phase) = *cause
        && !is_of_the_mail(phase)
    {
        *attempt = Attempt::Deferred { reply: reply.clone(), cause: *cause };
    }
}

/// Sends these copies on as if they had passed the filter.
pub(super) fn go_on(
    egress: &Arc<Egress>,
    claim: &Claim,
    recipients: Vec<RecipientIndex>,
    ahead: Vec<Box<str>>,
) {
    let mut claim = claim.clone();
    claim.envelope = Arc::new(Envelope { filter: None, ahead, ..(*claim.envelope).clone() });
    claim.pending = recipients;
    dispatch::deliver(egress, claim);
}

#[cfg(test)]
mod tests {
    use mailweir_mail::Reply;

    use super::*;

    fn failed(cause: Cause) -> Attempt {
        Attempt::Failed { reply: Reply::plain(554, "no"), cause }
    }

    #[test]
    fn a_filter_that_refuses_us_has_failed_and_one_that_refuses_the_mail_has_not() {
        for (cause, is_failure) in [
            (Cause::Replied(Phase::Greeting), true),
            (Cause::Replied(Phase::Hello), true),
            (Cause::Replied(Phase::Mail), false),
            (Cause::Replied(Phase::EndOfData), false),
            (Cause::Local, false),
        ] {
            let mut attempt = failed(cause);
            assert_eq!(super::is_failure(&attempt), is_failure, "{cause:?}");
            never_for_good(&mut attempt);
            assert_eq!(attempt.is_final(), !is_failure, "{cause:?}");
            assert_eq!(super::is_failure(&attempt), is_failure, "{cause:?}");
        }
    }
}
