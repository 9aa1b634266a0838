//! Mails that an operator brings into the archive: they come behind the request.

use std::path::Path;

use bytes::Bytes;
use tokio::{
    io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
    time::timeout,
};

use super::{
    BACKLOG, archive,
    operation::{Answer, Operation, Sent},
    patient::SIGN_OF_LIFE,
    perform::{Answers, Gone, Target, no_server, tell},
    socket::{read_line, say},
};
use crate::archiving::{
    Content, Sight, SpoolRoom,
    room::{Room, Visitor},
    words::{Brought, Doubles, LONGEST_BROUGHT, MOST_BROUGHT},
};

/// Takes in what comes.
pub(super) async fn import(
    from: &mut (impl AsyncBufRead + Unpin),
    target: Target<'_>,
    by: &str,
    doubles: Doubles,
    answers: &Answers,
) -> Result<(), Gone> {
    let Target::Running(server) = target else {
        return tell(answers, no_server(&Operation::Import { doubles })).await;
    };
    let Some(room) = &server.archive else { return tell(answers, archive::nothing()).await };
    let (mails, mut waiting) = mpsc::channel(WAITING);
    let took = async {
        let taken = take_in(room, by, doubles, &mut waiting, answers).await;
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
    doubles: Doubles,
    mails: &mut mpsc::Receiver<(Brought, C)>,
    answers: &Answers,
) -> Result<(), Gone> {
    let visitor = Visitor { by: by.into(), from: None, sight: Sight::WithBcc };
    let (told, waiting) = mpsc::channel(BACKLOG);
    let asked = async move { room.import(&visitor, doubles, mails, &told).await };
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
    let room = SpoolRoom::new();
    loop {
        let sent = read_line(from, LONGEST_LINE).await.map_err(|error| error.to_string())?;
        let (brought, size) = match sent {
            Sent::Mail { brought, size } => (*brought, size),
            Sent::Content { .. } => return Err("nothing is known of a mail".to_owned()),
            Sent::Wait => continue,
            Sent::End => return Ok(()),
        };
        if size > MOST_BROUGHT {
            return Err(format!("{}: a mail of {size} bytes is too large", brought.from));
        }
        let content = Content::receive(from, size, place, &room).await;
        let content = content.map_err(|error| format!("{}: {error}", brought.from))?;
        if mails.send((brought, content)).await.is_err() {
            return Ok(());
        }
    }
}

/// The line in front of a mail, and its content.
pub(super) fn line((brought, content): (Brought, Bytes)) -> (Sent, Bytes) {
    let size = content.len() as u64;
    (Sent::Mail { brought: Box::new(brought), size }, content)
}

/// Sends mails behind a request, each behind its `line`, and that this was all. However long none is found, it is never silent for long.
pub(super) async fn send<M>(
    to: &mut (impl AsyncWrite + Unpin),
    mails: &mut mpsc::Receiver<M>,
    line: impl Fn(M) -> (Sent, Bytes),
) -> std::io::Result<()> {
    loop {
        match timeout(SIGN_OF_LIFE, mails.recv()).await {
            Ok(Some(mail)) => {
                let (sent, content) = line(mail);
                say(to, &sent).await?;
                to.write_all(&content).await?;
            }
            Ok(None) => return say(to, &Sent::End).await,
            Err(_) => say(to, &Sent::Wait).await?,
        }
    }
}

/// Bytes of a line: what is known of a mail, and the words around it.
const LONGEST_LINE: u64 = LONGEST_BROUGHT + 64;

/// Mails that may wait for a group to be written.
const WAITING: usize = 8;

#[cfg(test)]
mod tests {
    use mailweir_archive::entry::Direction;
    use mailweir_mail::{Envelope, ReversePath};
    use tokio::{io::BufReader, time::sleep};

    use super::*;
    use crate::control::patient::Patient;

    /// A command that was stopped keeps nobody from importing for ever; one that looks for mail for long is not stopped.
    #[tokio::test(start_paused = true)]
    async fn a_command_that_looks_for_mail_is_waited_for_and_one_that_stopped_is_not() {
        let place = tempfile::tempdir().unwrap();
        for (is_stopped, ended) in [(false, Ok(())), (true, Err("nothing came for 5 minutes"))] {
            let (mut to, from) = tokio::io::duplex(1 << 10);
            let mut from = BufReader::new(Patient::new(from));
            let (found, mut mails) = mpsc::channel(1);
            let look = async move {
                for _ in 0..2 {
                    sleep(20 * SIGN_OF_LIFE).await;
                    found.send((brought(), Bytes::from("x"))).await.unwrap();
                }
            };
            let send = async {
                match is_stopped {
                    true => sleep(100 * SIGN_OF_LIFE).await,
                    false => send(&mut to, &mut mails, line).await.unwrap(),
                }
            };
            let (taken, mut waiting) = mpsc::channel(2);
            let receive = receive_all(&mut from, place.path(), &taken);
            let look = async {
                if !is_stopped {
                    look.await
                }
            };
            let (received, (), ()) = tokio::join!(receive, send, look);
            assert_eq!(received, ended.map_err(ToOwned::to_owned));
            assert_eq!(waiting.try_recv().is_ok(), !is_stopped);
        }
    }

    fn brought() -> Brought {
        let envelope = Envelope::from_sender(ReversePath::Null);
        let (from, direction) = ("file".into(), Direction::Inbound);
        Brought { from, envelope, arrival: None, direction, rule: None, keep_days: None }
    }
}
