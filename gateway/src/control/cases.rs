//! Shows the cases of moderation, and decides about them for administrators. They live in a running
//! server: it tells people what came of it.

use std::sync::Arc;

use mailweir_mail::{Address, QueueId};
use mailweir_moderation::{
    case::{Actor, By, Proof},
    case_file::CaseFile,
    deed::Deed,
    search::{Query, Search},
};
use tokio::task::spawn_blocking;

use super::{
    operation::{Answer, Trusted},
    perform::{Answers, Gone, tell},
};
use crate::moderation::{Distrusted, Moderation, TakeError, TrustedLogin};

/// Tells of the cases that are looked for, in the order in which their mail came.
pub(super) async fn list(
    moderation: &Arc<Moderation>,
    query: &Query,
    limit: usize,
    answers: &Answers,
) -> Result<(), Gone> {
    let search = Arc::new(Search::new(query));
    let (mut after, mut left) = (None, limit);
    while left > 0 {
        let (moderation, search) = (Arc::clone(moderation), Arc::clone(&search));
        let found =
            spawn_blocking(move || moderation.search(&search, after, left.min(PAGE), &|_| true));
        let Ok(found) = found.await else {
            let reason = TakeError::Stopping.to_string().into();
            return tell(answers, Answer::Failed { reason }).await;
        };
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
    deed: &Deed,
    by: &str,
    answers: &Answers,
) -> Result<(), Gone> {
    tell(answers, decided(moderation, id, deed, by).await).await
}

async fn decided(moderation: &Arc<Moderation>, id: QueueId, deed: &Deed, by: &str) -> Answer {
    let Some(file) = moderation.case(id) else { return refused(id, &TakeError::NoCase(id)) };
    let who = Actor::Administrator(by.into());
    let by = By { who, proof: Proof::CommandLine, from: None };
    let stand_in = |to: &Address| moderation.stand_in(to);
    let command = match deed.clone().into_command(by, &file, &stand_in) {
        Ok(command) => command,
        Err(unfit) => return Answer::Refused { id, reason: unfit.to_string().into() },
    };
    match moderation.take(id, command).await {
        Ok(_) => Answer::Changed { id },
        Err(error) => refused(id, &error),
    }
}

/// Tells whose mail passes which rule for a while.
pub(super) async fn trusted(moderation: &Moderation, answers: &Answers) -> Result<(), Gone> {
    for TrustedLogin { login, rule, until } in moderation.trusted() {
        tell(answers, Answer::Trusted(Trusted { login, rule, until })).await?;
    }
    Ok(())
}

/// Ends it in the name of the administrator `by`.
pub(super) async fn distrust(
    moderation: &Arc<Moderation>,
    login: &str,
    rule: Option<&str>,
    by: &str,
    answers: &Answers,
) -> Result<(), Gone> {
    let Distrusted { mails, left } = moderation.distrust(login, rule, by).await;
    let answer = match left.first() {
        Some((id, error)) => {
            let (ended, all) = (mails.len(), mails.len() + left.len());
            let reason = format!("{ended} of {all} ended; {id}: {}; ask again", error.in_full());
            Answer::Failed { reason: reason.into() }
        }
        None if mails.is_empty() => Answer::Failed { reason: NOT_TRUSTED.into() },
        None => Answer::Distrusted { mails },
    };
    tell(answers, answer).await
}

/// Without what proves who somebody is: tokens belong to nobody else, not even their hashes.
fn shown(id: QueueId, file: &CaseFile) -> Answer {
    let file = CaseFile { grants: Vec::new(), ..file.clone() };
    Answer::Case { id, file: Box::new(file) }
}

fn refused(id: QueueId, error: &TakeError) -> Answer {
    Answer::Refused { id, reason: error.in_full().into() }
}

const NOT_TRUSTED: &str = "no such log-in is trusted; `mailweir moderation trusted` lists them";

/// So many are sent at a time.
const PAGE: usize = 1_000;
