//! What was found out, in the words of Authentication-Results (RFC 8601 section 2.7).

use super::Stranger;
use crate::{
    arc::{ArcOutcome, ArcResult},
    dkim::{self, DkimResult, Verified, Weakness},
    results::{Method, MethodName, PropertyName, ResultName},
    spf::{self, Identity, SpfResult},
};

pub(super) fn spf(outcome: &spf::Outcome, stranger: &Stranger<'_>) -> Method {
    let result = match outcome.result {
        SpfResult::None => ResultName::None,
        SpfResult::Neutral => ResultName::Neutral,
        SpfResult::Pass => ResultName::Pass,
        SpfResult::Fail => ResultName::Fail,
        SpfResult::SoftFail => ResultName::SoftFail,
        SpfResult::TempError => ResultName::TempError,
        SpfResult::PermError => ResultName::PermError,
    };
    let method = Method::new(MethodName::Spf, result).comment(&outcome.cause.to_string());
    match (outcome.identity, stranger.mail_from) {
        (Identity::MailFrom, Some(sender)) => method.property(PropertyName::SmtpMailFrom, sender),
        (Identity::MailFrom, None) | (Identity::Helo, _) => {
            method.property(PropertyName::SmtpHelo, stranger.helo)
        }
    }
}

/// One for each signature that was looked at; or that there is none.
pub(super) fn dkim(verified: &Verified) -> impl Iterator<Item = Method> {
    let none =
        verified.outcomes.is_empty().then(|| Method::new(MethodName::Dkim, ResultName::None));
    let left = (verified.not_looked_at > 0).then(|| {
        let text = format!("{} more signatures were not looked at", verified.not_looked_at);
        Method::new(MethodName::Dkim, ResultName::Policy).reason(&text)
    });
    none.into_iter().chain(verified.outcomes.iter().map(signature)).chain(left)
}

fn signature(outcome: &dkim::Outcome) -> Method {
    let result = match outcome.result() {
        DkimResult::Pass if is_worthless(outcome) => ResultName::Policy,
        DkimResult::Pass => ResultName::Pass,
        DkimResult::Fail => ResultName::Fail,
        DkimResult::Neutral => ResultName::Neutral,
        DkimResult::Policy => ResultName::Policy,
        DkimResult::TempError => ResultName::TempError,
        DkimResult::PermError => ResultName::PermError,
    };
    let mut method = Method::new(MethodName::Dkim, result);
    if let Some(fault) = &outcome.cause {
        method = method.reason(&fault.to_string());
    }
    let weaknesses: Vec<String> = outcome.weaknesses.iter().map(ToString::to_string).collect();
    if !weaknesses.is_empty() {
        method = method.comment(&weaknesses.join(", "));
    }
    let claims = &outcome.claims;
    let said = [
        (PropertyName::HeaderD, claims.domain.as_ref().map(|domain| domain.as_ascii())),
        (PropertyName::HeaderS, claims.selector.as_deref()),
        (PropertyName::HeaderA, claims.algorithm.as_deref()),
        (PropertyName::HeaderB, Some(&*claims.beginning).filter(|text| !text.is_empty())),
    ];
    said.into_iter().fold(method, |method, (name, value)| match value {
        Some(value) => method.property(name, value),
        None => method,
    })
}

/// Whether a signature that holds proves nothing all the same: its key is under test (RFC 6376 section 3.6.1), or anybody
/// could have added to the body or shown another author (section 8.15).
pub(crate) fn is_worthless(outcome: &dkim::Outcome) -> bool {
    outcome.weaknesses.iter().any(|weakness| match weakness {
        Weakness::TestingKey => true,
        Weakness::PartOfBody { unsigned } => *unsigned > 0,
        Weakness::OpenField { field, .. } => field.eq_ignore_ascii_case("from"),
        Weakness::ShortKey { .. } | Weakness::SeveralKeys | Weakness::FromTheFuture { .. } => false,
    })
}

/// `None`: the mail has no chain.
pub(super) fn arc(outcome: &ArcOutcome) -> Option<Method> {
    let (result, reason) = match &outcome.result {
        ArcResult::None => return None,
        ArcResult::Pass => (ResultName::Pass, None),
        ArcResult::Fail(fault) => (ResultName::Fail, Some(fault.to_string())),
        ArcResult::TempError => (ResultName::TempError, None),
    };
    let sealers: Vec<_> = outcome.sealers().map(|sealer| sealer.as_ascii()).collect();
    let mut method = Method::new(MethodName::Arc, result);
    if let Some(reason) = reason {
        method = method.reason(&reason);
    }
    if result == ResultName::Pass {
        let text = format!("i={} sealed by {}", outcome.instances(), sealers.join(", "));
        method = method.comment(&text);
    }
    Some(match outcome.oldest_pass {
        Some(oldest) => method.property(PropertyName::HeaderOldestPass, &oldest.to_string()),
        None => method,
    })
}
