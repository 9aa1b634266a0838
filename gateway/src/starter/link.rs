//! The gateway's way to the starters: one for each user, which it starts when it needs it, and anew when that has died.

use std::{
    collections::HashMap,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::net::UnixStream as BlockingStream,
    },
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::{
    cmsg_space,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};
use tokio::{
    io::{AsyncWriteExt as _, Interest},
    net::{UnixStream, unix::pipe},
    process::{Child, Command},
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

/// A mail as it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning<'m> {
    pub(crate) bytes: &'m [u8],
    /// There is nothing behind.
    pub(crate) is_whole: bool,
}

/// A starter that runs. It ends, and kills its programs, when this is dropped.
#[derive(Debug)]
struct Link {
    control: UnixStream,
    /// Reaped by the runtime.
    _process: Child,
}

impl Starter {
    /// One that runs this `mailweir`, as soon as it is needed.
    pub(crate) fn new(mailweir: Mailweir) -> Self {
        Self { mailweir, links: Mutex::default() }
    }

    /// Starts a program as `user`, with a mail that begins so. Gives what of the beginning it took. Of what it took
    /// whole, the program sees the end.
    ///
    /// # Errors
    /// It cannot be started, or nobody is there to do it.
    pub(crate) async fn start(
        &self,
        user: Option<User>,
        mut order: Order,
        mail: Beginning<'_>,
    ) -> io::Result<(Program, usize)> {
        let (way, feed) = io::pipe()?;
        let (printed, output) = io::pipe()?;
        let (ours, line) = BlockingStream::pair()?;
        // An empty pipe takes a small mail at once: its program never waits for it.
        let feed = pipe::Sender::from_owned_fd(feed.into())?;
        let taken = feed.try_write(mail.bytes).unwrap_or(0);
        order.has_mail = mail.is_whole && taken == mail.bytes.len();
        let frame = wire::frame(&order)?;
        ours.set_nonblocking(true)?;
        let mut line_here = UnixStream::from_std(ours)?;
        // It lies there when the starter looks, as far as there is room.
        let said = line_here.try_write(&frame).unwrap_or(0);
        self.hand_over(
            user,
            Streams {
                line: line.as_fd(),
                mail: way.as_fd(),
                rest: feed.as_fd(),
                output: output.as_fd(),
            },
        )
        .await?;
        // While these are open here, what is printed has no end, and a starter that has died goes unnoticed.
        drop((line, way, output));
        let feed = Some(feed).filter(|_| !order.has_mail);
        line_here.write_all(frame.get(said..).unwrap_or_default()).await.map_err(|_| gone())?;
        match wire::hear(&mut line_here).await.map_err(|_| gone())? {
            Answer::Started(id) => {
                let output = pipe::Receiver::from_owned_fd(printed.into())?;
                Ok((Program::new(id, line_here, feed, output)?, taken))
            }
            Answer::NotStarted(why) => Err(io::Error::other(why)),
            Answer::Ended(_) => Err(gone()),
        }
    }

    async fn hand_over(
        &self,
        user: Option<User>,
        streams: Streams<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        let streams = streams.into_array();
        let link = self.link(user)?;
        match link.send(&streams).await {
            Err(error) if GONE.contains(&error.kind()) => {
                self.forget(user, &link);
                self.link(user)?.send(&streams).await
            }
            sent => sent,
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
        Ok(Self { control: UnixStream::from_std(ours)?, _process: process })
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

fn gone() -> io::Error {
    io::Error::other(Lost)
}

/// A starter that has died, and been noticed only now.
const GONE: [io::ErrorKind; 2] = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
