//! What the signatures of a mail say for it and against it.

use crate::{
    authentication::{Authentication, is_worthless},
    author::Author,
    dkim::{DkimResult, Fault, KeyFault, Outcome, Weakness, is_aligned},
    symbols::{Finding, Symbol},
};

/// Adds what the signatures say. A mail that is signed by a key under test counts as unsigned (RFC 6376 section
/// 3.6.1); of one whose header was cut nobody knows whether it is signed.
pub(super) fn add(found: &Authentication, findings: &mut Vec<Finding>) {
    let verified = &found.dkim;
    let is_whole = found.author.is_some();
    if is_whole && verified.not_looked_at == 0 && verified.outcomes.iter().all(is_test) {
        findings.push(Finding::new(Symbol::DkimNone, ""));
    }
    for outcome in verified.outcomes.iter().filter(|outcome| !is_test(outcome)) {
        of_signature(outcome, found.author.as_ref(), findings);
    }
    if verified.not_looked_at > 0 {
        let evidence =
            format!("{} beyond the first {}", verified.not_looked_at, verified.outcomes.len());
        findings.push(Finding::new(Symbol::DkimManySignatures, &evidence));
    }
}

fn of_signature(outcome: &Outcome, author: Option<&Author>, findings: &mut Vec<Finding>) {
    let signer = outcome.claims.domain.as_ref().map_or("?", |domain| domain.as_ascii());
    let mut add = |symbol, text: &str| {
        findings.push(Finding::new(symbol, &format!("{signer}: {text}")));
    };
    let fault = outcome.cause.as_ref();
    let why = fault.map(ToString::to_string).unwrap_or_default();
    match (outcome.result(), fault) {
        (_, Some(Fault::FromNotSigned)) => add(Symbol::DkimFromUnsigned, &why),
        (DkimResult::Pass, _) if is_worthless(outcome) => {}
        (DkimResult::Pass, _) => {
            let selector = outcome.claims.selector.as_deref().unwrap_or_default();
            add(Symbol::DkimValid, selector);
            if is_of_author(outcome, author) {
                add(Symbol::DkimValidAuthor, selector);
            }
        }
        (DkimResult::TempError, _) => add(Symbol::DkimTemperror, &why),
        (
            DkimResult::Fail | DkimResult::Neutral | DkimResult::Policy | DkimResult::PermError,
            _,
        ) => add(Symbol::DkimInvalid, &why),
    }
    if let Some(Fault::Key(KeyFault::TooShort { .. })) = fault {
        add(Symbol::DkimWeakKey, &why);
    }
    findings.extend(outcome.weaknesses.iter().filter_map(|weakness| of_weakness(weakness, signer)));
}

/// Several keys, a time ahead, and other fields that are there twice say nothing of spam.
fn of_weakness(weakness: &Weakness, signer: &str) -> Option<Finding> {
    let (symbol, strength) = match weakness {
        Weakness::PartOfBody { unsigned: 1.. } => (Symbol::DkimBodyLength, 1.0),
        // Nobody has added anything yet.
        Weakness::PartOfBody { unsigned: 0 } => (Symbol::DkimBodyLength, ONLY_POSSIBLE),
        Weakness::OpenField { field, .. } if field.eq_ignore_ascii_case("from") => {
            (Symbol::DkimFromUnsigned, 1.0)
        }
        Weakness::ShortKey { .. } => (Symbol::DkimWeakKey, 1.0),
        Weakness::OpenField { .. }
        | Weakness::TestingKey
        | Weakness::SeveralKeys
        | Weakness::FromTheFuture { .. } => return None,
    };
    Some(Finding::new(symbol, &format!("{signer}: {weakness}")).with_strength(strength))
}

fn is_test(outcome: &Outcome) -> bool {
    outcome.weaknesses.contains(&Weakness::TestingKey)
}

/// Whether the only author that is shown is of the domain that signed, or below it.
fn is_of_author(outcome: &Outcome, author: Option<&Author>) -> bool {
    match (author, &outcome.claims.domain) {
        (Some(Author::One(mailbox)), Some(signer)) => is_aligned(signer, &mailbox.address),
        (Some(Author::Several(_) | Author::Missing | Author::Unreadable { .. }) | None, _)
        | (Some(Author::One(_)), None) => false,
    }
}

/// The strength of what would let others add to a mail, where nobody has.
const ONLY_POSSIBLE: f32 = 0.3;
