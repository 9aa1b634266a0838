//! From the errors of other parts to refusals: whose fault it is decides what the peer hears.
//!
//! The texts themselves stand in `gateway/smtp/src/replies.rs`.

use mailweir_auth::AuthFailure;
use mailweir_queue::IntakeError;
use mailweir_smtp::replies::Refusal;

/// What a peer hears when its mail cannot be stored: always "later", never a lie.
pub(super) fn intake(error: &IntakeError) -> Refusal {
    match error {
        IntakeError::NoSpace { .. } => Refusal::InsufficientStorage,
        _ => Refusal::QueueUnavailable,
    }
}

/// What a peer hears when it could not log in. One text for a wrong name and a wrong password
/// (`attacks.md` C1).
pub(super) fn auth(failure: &AuthFailure) -> Refusal {
    match failure {
        AuthFailure::Denied { .. } => Refusal::AuthFailed,
        AuthFailure::Throttled { .. } | AuthFailure::Temporary(_) | _ => Refusal::AuthTemporary,
    }
}
