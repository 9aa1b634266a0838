//! From the errors of other parts to refusals: whose fault it is decides what the peer hears.
//!
//! The texts themselves stand in `gateway/smtp/src/replies.rs`.

use mailweir_auth::{AuthFailure, ExchangeError};
use mailweir_queue::IntakeError;
use mailweir_smtp::replies::Refusal;

/// What a peer hears when its mail cannot be stored: always "later", never a lie.
pub(super) fn intake(error: &IntakeError) -> Refusal {
    match error {
        IntakeError::NoSpace { .. } => Refusal::InsufficientStorage,
        IntakeError::Closed => Refusal::ShuttingDown,
        _ => Refusal::QueueUnavailable,
    }
}

/// What a peer hears when it could not log in. One text for a wrong name and a wrong password
/// (`attacks.md` C1).
pub(super) fn auth(failure: &AuthFailure) -> Refusal {
    match failure {
        AuthFailure::Exchange(ExchangeError::Broken) => Refusal::AuthTemporary,
        AuthFailure::Denied(_) | AuthFailure::Exchange(_) => Refusal::AuthFailed,
        AuthFailure::Throttled { .. } | AuthFailure::Temporary(_) | _ => Refusal::AuthTemporary,
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use mailweir_mail::{Domain, ReplyClass};
    use mailweir_queue::store::StoreError;

    use super::*;

    #[test]
    fn j4_what_cannot_be_stored_is_for_later_and_never_a_lie() {
        let hostname = Domain::parse("gate.example").unwrap();
        for (error, code) in [
            (IntakeError::NoSpace { free: 0 }, 452),
            (IntakeError::Io(io::ErrorKind::StorageFull.into()), 451),
            (IntakeError::Store(StoreError::engine("sync", io::Error::other("EIO"))), 451),
            (IntakeError::NoRecipient, 451),
            (IntakeError::Closed, 421),
        ] {
            let reply = intake(&error).reply(&hostname);
            assert_eq!((reply.code, reply.class()), (code, ReplyClass::Transient), "{error}");
        }
    }
}
