//! Mails that an operator brings into the archive: they come behind the request.

use std::path::Path;

use bytes::Bytes;
use tokio::{
    io::{AsyncBufRead, AsyncWriteExt as _},
    net::unix::OwnedWriteHalf,
    sync::mpsc,
};

use super::{
    BACKLOG, archive,
    operation::{Answer, Operation, Sent},
    perform::{Answers, Gone, Target, no_server, tell},
    socket::{read_line, say},
};
use crate::archiving::{
    Content, Sight,
    room::{Room, Visitor},
    words::{Brought, LONGEST_BROUGHT, MOST_BROUGHT},
};

/// Takes in what comes.
pub(super) async fn import(
    from: &mut (impl AsyncBufRead + Unpin),
    target: Target<'_>,
    by: &str,
    again: bool,
    answers: &Answers,
) -> Result<(), Gone> {
    let Target::Running(server) = target else {
        return tell(answers, no_server(&Operation::Import { again })).await;
    };
    let Some(room) = &server.archive else { return tell(answers, archive::nothing()).await };
    let (mails, mut waiting) = mpsc::channel(WAITING);
    let took = async {
        let taken = take_in(room, by, again, &mut waiting, answers).await;
        // Nothing more is wanted.
        waiting.close();
        taken
    };
    let (received, taken) = tokio::join!(receive(from, &server.data_dir, mails), took);
    taken?;
    match received {
        Ok(()) => Ok(()),
        Err(reason) => tell(answers, Answer::Failed { reason: reason.into() }).await,
    }
}

/// Brings mails into an archive, in the name of somebody on this machine.
pub(super) async fn take_in<C: Into<Content>>(
    room: &Room,
    by: &str,
    again: bool,
    mails: &mut mpsc::Receiver<(Brought, C)>,
    answers: &Answers,
) -> Result<(), Gone> {
    let visitor = Visitor { by: by.into(), from: None, sight: Sight::WithBcc };
    let (told, waiting) = mpsc::channel(BACKLOG);
    let asked = async move { room.import(&visitor, again, mails, &told).await };
    archive::with_answers(asked, waiting, answers).await
}

/// Reads mails until that was all, or nobody wants more.
async fn receive(
    from: &mut (impl AsyncBufRead + Unpin),
    place: &Path,
    mails: mpsc::Sender<(Brought, Content)>,
) -> Result<(), String> {
    tokio::select! {
        received = receive_all(from, place, &mails) => received,
        () = mails.closed() => Ok(()),
    }
}

async fn receive_all(
    from: &mut (impl AsyncBufRead + Unpin),
    place: &Path,
    mails: &mpsc::Sender<(Brought, Content)>,
) -> Result<(), String> {
    loop {
        let sent = read_line(from, LONGEST_LINE).await.map_err(|error| error.to_string())?;
        let (brought, size) = match sent {
            Sent::Mail { brought, size } => (*brought, size),
            Sent::End => return Ok(()),
        };
        if size > MOST_BROUGHT {
            return Err(format!("{}: a mail of {size} bytes is too large", brought.from));
        }
        let content = Content::receive(from, size, place).await;
        let content = content.map_err(|error| format!("{}: {error}", brought.from))?;
        if mails.send((brought, content)).await.is_err() {
            return Ok(());
        }
    }
}

/// Sends mails behind a request, and that this was all.
pub(super) async fn send(
    to: &mut OwnedWriteHalf,
    mails: &mut mpsc::Receiver<(Brought, Bytes)>,
) -> std::io::Result<()> {
    while let Some((brought, content)) = mails.recv().await {
        let size = content.len() as u64;
        say(to, &Sent::Mail { brought: Box::new(brought), size }).await?;
        to.write_all(&content).await?;
    }
    say(to, &Sent::End).await
}

/// Bytes of a line: what is known of a mail, and the words around it.
const LONGEST_LINE: u64 = LONGEST_BROUGHT + 64;

/// Mails that may wait for a group to be written.
const WAITING: usize = 8;
