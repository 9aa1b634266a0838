//! Has the index of the archive made anew, and tells how far that is.

use super::{
    operation::Answer,
    perform::{Answers, Gone, tell},
};
use crate::archiving::{Finder, Lag};

/// Goes on though nobody listens any more.
pub(super) async fn reindex(finder: Option<&Finder>, answers: &Answers) -> Result<(), Gone> {
    let Some(finder) = finder else {
        let reason =
            "the running server makes no index: archive.index is off, or nothing is archived";
        return tell(answers, Answer::Failed { reason: reason.into() }).await;
    };
    let (before, _awaiting) = (finder.made(), finder.await_index());
    finder.remake();
    let mut told = None;
    while finder.made() == before {
        if finder.is_over() {
            let reason = "the server stops; it goes on making the index after its next start";
            return tell(answers, Answer::Failed { reason: reason.into() }).await;
        }
        let Lag { making, .. } = finder.lag();
        if let Some((done, all)) = making.filter(|_| making != told) {
            tell(answers, Answer::Reindexing { done, all, is_made: false }).await?;
        }
        told = making;
        finder.moved().await;
    }
    let Lag { behind, .. } = finder.lag();
    let done = finder.last().saturating_sub(behind);
    tell(answers, Answer::Reindexing { done, all: finder.last(), is_made: true }).await
}
