//! Shows the cases of moderation, and decides about them for administrators. They live in a running
//! server: it tells people what came of it.

use std::sync::Arc;

use mailweir_mail::QueueId;
use mailweir_moderation::{
    case::{Actor, By, Command, Moderator, Proof},
    case_file::CaseFile,
    search::{Query, Search},
};

use super::{
    operation::{Answer, Decision},
    perform::{Answers, Gone, tell},
};
use crate::moderation::{Moderation, TakeError};

/// Tells of the cases that are looked for, in the order in which their mail came.
pub(super) async fn list(
    moderation: &Moderation,
    query: &Query,
    limit: usize,
    answers: &Answers,
) -> Result<(), Gone> {
    let search = Search::new(query);
    let (mut after, mut left) = (None, limit);
    while left > 0 {
        let found = moderation.search(&search, after, left.min(PAGE), &|_| true);
        left -= found.cases.len();
        for (id, file) in found.cases {
            tell(answers, shown(id, &file)).await?;
        }
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    Ok(())
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
    let Some(file) = moderation.case(id) else { return refused(id, &TakeError::NoCase(id)) };
    let who = Actor::Administrator(by.into());
    let by = By { who, proof: Proof::CommandLine, from: None };
    let command = match command(&file, decision.clone(), by) {
        Ok(command) => command,
        Err(reason) => return Answer::Refused { id, reason },
    };
    match moderation.take(id, command).await {
        Ok(_) => Answer::Changed { id },
        Err(error) => refused(id, &error),
    }
}

fn command(file: &CaseFile, decision: Decision, by: By) -> Result<Command, Box<str>> {
    Ok(match decision {
        Decision::Approve { comment, only, at, trust_days } => {
            let only = only.as_deref().map(|only| file.numbers_of(only)).transpose();
            let only = only.map_err(|other| format!("the mail is not to <{other}>"))?;
            Command::Approve { by, comment, only, at, trust_days }
        }
        Decision::Reject { reason } => Command::Reject { by, reason },
        Decision::Return { reason } => Command::Return { by, reason },
        Decision::Discard { reason } => Command::Discard { by, reason },
        Decision::Comment { text } => Command::Comment { by, text },
        Decision::Forward { to } => Command::Forward { by, to: Moderator::new(to) },
        Decision::Cancel => Command::Cancel { by },
    })
}

/// Without what proves who somebody is: tokens belong to nobody else, not even their hashes.
fn shown(id: QueueId, file: &CaseFile) -> Answer {
    let file = CaseFile { grants: Vec::new(), ..file.clone() };
    Answer::Case { id, file: Box::new(file) }
}

fn refused(id: QueueId, error: &TakeError) -> Answer {
    Answer::Refused { id, reason: error.in_full().into() }
}

/// So many are sent at a time.
const PAGE: usize = 1_000;
