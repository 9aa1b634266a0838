//! Passes on what operators ask of the archive.

use tokio::sync::mpsc;

use super::{
    BACKLOG,
    operation::Answer,
    perform::{Answers, Gone, tell},
};
use crate::archiving::{
    Sight,
    room::{Room, Visitor},
    words::{Ask, Told},
};

/// Asks the archive, in the name of somebody on this machine.
pub(super) async fn ask(
    room: Option<&Room>,
    by: &str,
    ask: Ask,
    answers: Answers,
) -> Result<(), Gone> {
    let Some(room) = room else { return tell(&answers, nothing()).await };
    let (told, waiting) = mpsc::channel(BACKLOG);
    let visitor = Visitor { by: by.into(), from: None, sight: Sight::WithBcc };
    let asked = async move { room.ask(&visitor, ask, &told).await };
    with_answers(asked, waiting, &answers).await
}

/// Has the archive do something, and passes on what it tells meanwhile.
pub(super) async fn with_answers<E>(
    asked: impl Future<Output = Result<(), E>>,
    mut waiting: mpsc::Receiver<Told>,
    answers: &Answers,
) -> Result<(), Gone> {
    // With the receiver: whoever asked has gone, and so nothing more is told.
    let passed_on = async move {
        while let Some(told) = waiting.recv().await {
            tell(answers, Answer::Archive(told)).await?;
        }
        Ok(())
    };
    // The first can fail only when the second has.
    let (_, passed_on) = tokio::join!(asked, passed_on);
    passed_on
}

/// There is no archive.
pub(super) fn nothing() -> Answer {
    let reason = "nothing is archived: archive.enabled is not set".into();
    Answer::Archive(Told::Failed { reason })
}
