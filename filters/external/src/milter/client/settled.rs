//! What an answer is for.

use super::super::{Answer, Fault, Stage};

/// What an answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The one command.
    Command,
    /// The mail, and nothing behind it.
    Mail,
    /// All that this client will say.
    Connection,
}

/// As in libmilter. What is said at or after MAIL is never kept for the next mail.
///
/// # Errors
/// There is nothing to be discarded.
pub(super) const fn scope(stage: Stage, answer: &Answer, in_mail: bool) -> Result<Scope, Fault> {
    Ok(match (answer, stage) {
        (Answer::Continue, _) => Scope::Command,
        (Answer::Close(_), _) => Scope::Connection,
        (Answer::Discard, stage) if stage.is_of_connection() && !in_mail => {
            return Err(Fault::Misplaced { packet: "DISCARD", stage: stage.name() });
        }
        (_, Stage::Negotiation | Stage::Connect | Stage::Helo) => Scope::Connection,
        (Answer::Refuse(_), Stage::Rcpt | Stage::Unknown) => Scope::Command,
        _ => Scope::Mail,
    })
}
