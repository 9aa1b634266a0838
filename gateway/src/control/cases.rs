//! Shows the cases of moderation, and decides about them for administrators. They live in a running
//! server: it tells people what came of it.

use std::sync::Arc;

use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, By, Command, Proof, Refused, State},
    case_file::CaseFile,
};

use super::{
    operation::{Answer, Decision},
    perform::{Answers, Gone, tell},
};
use crate::moderation::{Moderation, TakeError};

/// Tells of cases in the order in which their mail came; of decided ones only if `all` are wanted.
pub(super) async fn list(
    moderation: &Moderation,
    all: bool,
    limit: usize,
    answers: &Answers,
) -> Result<(), Gone> {
    let (mut after, mut left) = (None, limit);
    loop {
        let cases = moderation.cases(after, PAGE);
        let Some((last, _)) = cases.last() else { return Ok(()) };
        after = Some(*last);
        for (id, file) in cases {
            let is_open = !matches!(file.case.progress.state, State::Closed(_));
            if left > 0 && (all || is_open) {
                left -= 1;
                tell(answers, shown(id, &file)).await?;
            }
        }
        if left == 0 {
            return Ok(());
        }
    }
}

pub(super) fn show(moderation: &Moderation, id: QueueId) -> Answer {
    match moderation.case(id) {
        Some(file) => shown(id, &file),
        None => refused(id, &TakeError::NoCase(id)),
    }
}

/// Decides in the name of the administrator `by`, who is shown as such wherever the case is.
pub(super) async fn decide(
    moderation: &Arc<Moderation>,
    id: QueueId,
    decision: &Decision,
    by: &str,
) -> Answer {
    let who = Actor::Administrator(by.into());
    let by = By { who, proof: Proof::CommandLine, from: None };
    let command = match decision.clone() {
        Decision::Approve { comment, trust_days } => {
            Command::Approve { by, comment, only: None, at: None, trust_days }
        }
        Decision::Reject { reason } => Command::Reject { by, reason },
        Decision::Return { reason } => Command::Return { by, reason },
        Decision::Discard { reason } => Command::Discard { by, reason },
        Decision::Comment { text } => Command::Comment { by, text },
    };
    match moderation.take(id, command).await {
        Ok(_) => Answer::Changed { id },
        Err(error) => refused(id, &error),
    }
}

/// Without what proves who somebody is: tokens belong to nobody else, not even their hashes.
fn shown(id: QueueId, file: &CaseFile) -> Answer {
    let file = CaseFile { grants: Vec::new(), ..file.clone() };
    Answer::Case { id, file: Box::new(file) }
}

fn refused(id: QueueId, error: &TakeError) -> Answer {
    let reason = match error {
        TakeError::Refused(Refused::Closed(closing)) => {
            format!("{error}: {:?} by {}", closing.decision, name(&closing.by.who))
        }
        error => error.to_string(),
    };
    Answer::Refused { id, reason: reason.into() }
}

/// Who it was, for a line.
pub(crate) fn name(actor: &Actor) -> String {
    match actor {
        Actor::Moderator(address) | Actor::Sender(address) => address.to_string(),
        Actor::Administrator(name) => format!("the administrator {name}"),
        Actor::Clock => "nobody, its time had come".to_owned(),
    }
}

/// So many are looked at in one go.
const PAGE: usize = 1_000;
