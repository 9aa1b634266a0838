//! The gateway's way to the starters: one for each user, which it starts when it needs it, and anew when that has died.

use std::{
    collections::HashMap,
    io::{self, IoSlice, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::net::UnixStream as BlockingStream,
    },
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::{
    cmsg_space,
    io::ioctl_fionbio,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid},
};
use tokio::{
    io::{AsyncWriteExt as _, Interest},
    net::{UnixStream, unix::pipe},
    process::{Child, Command},
    time::timeout,
};

use super::{
    STREAMS, Streams, WORD,
    program::{Lost, Program},
    wire::{self, Answer, Order},
};
use crate::{config::User, extraction::Program as Mailweir};

/// Has programs started by processes that are small.
#[derive(Debug)]
pub(crate) struct Starter {
    mailweir: Mailweir,
    /// By the user whose programs they start; `None` is that of the gateway.
    links: Mutex<HashMap<Option<User>, Arc<Link>>>,
}

/// A starter that runs. It ends, and kills its programs, when this is dropped.
#[derive(Debug)]
struct Link {
    control: UnixStream,
    /// Reaped by the runtime when this is dropped: until then its number is nobody else's.
    process: Child,
}

impl Starter {
    /// One that runs this `mailweir`, as soon as it is needed.
    pub(crate) fn new(mailweir: Mailweir) -> Self {
        Self { mailweir, links: Mutex::default() }
    }

    /// Starts a program as `user`. `whole`: all of its mail, if that is known and small; otherwise the mail is written to
    /// the program then, and also where the pipe has no room for it.
    ///
    /// # Errors
    /// It cannot be started, or nobody is there to do it.
    pub(crate) async fn start(
        &self,
        user: Option<User>,
        mut order: Order,
        whole: Option<&[u8]>,
    ) -> io::Result<Program> {
        let filled = whole.map(filled).transpose()?.flatten();
        order.has_mail = filled.is_some();
        let (mail, feed) = filled.map_or_else(io::pipe, Ok)?;
        let (printed, output) = io::pipe()?;
        let printed = pipe::Receiver::from_owned_fd(printed.into())?;
        let (mut ours, line) = BlockingStream::pair()?;
        ours.set_nonblocking(true)?;
        let frame = wire::frame(&order)?;
        // It lies there when the starter looks, as far as there is room.
        let said = now(ours.write(&frame))?;
        let mut ours = UnixStream::from_std(ours)?;
        let streams = Streams {
            line: line.as_fd(),
            mail: mail.as_fd(),
            rest: feed.as_fd(),
            output: output.as_fd(),
        };
        let link = self.hand_over(user, streams).await?;
        // While these are open here, what is printed has no end, and a starter that has died goes unnoticed.
        drop((line, mail, output));
        let feed = Some(feed).filter(|_| !order.has_mail);
        let feed = feed.map(|feed| pipe::Sender::from_owned_fd(feed.into())).transpose()?;
        let heard = timeout(ANSWERS_WITHIN, async {
            ours.write_all(frame.get(said..).unwrap_or_default()).await?;
            wire::hear(&mut ours).await
        });
        match heard.await {
            Ok(Ok(Answer::Started(id))) => Program::new(id, ours, feed, printed),
            Ok(Ok(Answer::NotStarted(why))) => Err(io::Error::other(why)),
            Ok(Ok(Answer::Ended(_)) | Err(_)) => Err(io::Error::other(Lost)),
            Err(_) => {
                self.give_up(user, &link);
                Err(io::Error::other("the process that starts programs does not answer"))
            }
        }
    }

    async fn hand_over(
        &self,
        user: Option<User>,
        streams: Streams<BorrowedFd<'_>>,
    ) -> io::Result<Arc<Link>> {
        let streams = streams.into_array();
        let mut link = self.link(user)?;
        if link.is_stopped() {
            self.give_up(user, &link);
            link = self.link(user)?;
        }
        match link.send(&streams).await {
            Ok(()) => Ok(link),
            Err(error) if GONE.contains(&error.kind()) => {
                self.forget(user, &link);
                let link = self.link(user)?;
                link.send(&streams).await.map(|()| link)
            }
            Err(error) => Err(error),
        }
    }

    fn link(&self, user: Option<User>) -> io::Result<Arc<Link>> {
        let mut links = self.links();
        if let Some(link) = links.get(&user) {
            return Ok(Arc::clone(link));
        }
        let begun = Link::begin(&self.mailweir, user).map_err(|error| {
            io::Error::other(format!("the process that starts programs does not start: {error}"))
        })?;
        let link = Arc::new(begun);
        links.insert(user, Arc::clone(&link));
        Ok(link)
    }

    fn give_up(&self, user: Option<User>, stuck: &Arc<Link>) {
        self.forget(user, stuck);
        stuck.kill();
    }

    fn forget(&self, user: Option<User>, dead: &Arc<Link>) {
        let mut links = self.links();
        if links.get(&user).is_some_and(|link| Arc::ptr_eq(link, dead)) {
            links.remove(&user);
        }
    }

    /// What the lock guards is changed by single calls, so a panic elsewhere leaves it sound.
    fn links(&self) -> MutexGuard<'_, HashMap<Option<User>, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    fn begin(mailweir: &Mailweir, user: Option<User>) -> io::Result<Self> {
        let (ours, control) = BlockingStream::pair()?;
        ours.set_nonblocking(true)?;
        let mut command = Command::new(mailweir.path());
        command
            .arg0("mailweir")
            .arg(WORD)
            .env_clear()
            .current_dir("/")
            // What is sent to all at a terminal is not for it: it ends when the gateway does.
            .process_group(0)
            .stdin(OwnedFd::from(control))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(User { uid, gid }) = user {
            command.uid(uid).gid(gid);
        }
        let process = command.spawn()?;
        Ok(Self { control: UnixStream::from_std(ours)?, process })
    }

    /// Ends it, whatever it does: its programs end with it when their lines are dropped.
    fn kill(&self) {
        if let Some(id) = self.id() {
            let _ = kill_process(id, Signal::KILL);
        }
    }

    /// Whether somebody has stopped it: a program of the same user may. It would answer nobody until it goes on.
    fn is_stopped(&self) -> bool {
        let look = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let state = self.id().map(|id| waitid(WaitId::Pid(id), look));
        matches!(state, Some(Ok(Some(_))))
    }

    fn id(&self) -> Option<Pid> {
        self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
    }

    /// # Errors
    /// The starter has gone; too many descriptors are on their way.
    async fn send(&self, streams: &[BorrowedFd<'_>; STREAMS]) -> io::Result<()> {
        let send = || {
            let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(STREAMS))];
            let mut along = SendAncillaryBuffer::new(&mut space);
            along.push(SendAncillaryMessage::ScmRights(streams));
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            Ok(sendmsg(&self.control, &[IoSlice::new(b"p")], &mut along, flags)?)
        };
        self.control.async_io(Interest::WRITABLE, send).await.map(drop)
    }
}

/// A pipe in which a whole mail lies already: its program never waits for it. `None`: it has no room.
fn filled(mail: &[u8]) -> io::Result<Option<(io::PipeReader, io::PipeWriter)>> {
    let (reader, mut writer) = io::pipe()?;
    ioctl_fionbio(&writer, true)?;
    let taken = now(writer.write(mail))?;
    Ok((taken == mail.len()).then_some((reader, writer)))
}

/// How many bytes were taken at once.
fn now(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error)
            if [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted].contains(&error.kind()) =>
        {
            Ok(0)
        }
        written => written,
    }
}

/// A starter that has died, and been noticed only now.
const GONE: [io::ErrorKind; 2] = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];

/// Longer than any start takes. One that has stopped would have all mail of its user wait.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn a_small_mail_lies_in_its_pipe_whole_and_a_large_one_not_at_all() {
        let mail = vec![b'x'; 4_000];
        for small in [&mail[..0], &mail] {
            let (mut reader, writer) = filled(small).unwrap().unwrap();
            drop(writer);
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            assert_eq!(read, small);
        }
        assert!(filled(&vec![b'x'; 2 << 20]).unwrap().is_none());
    }
}
