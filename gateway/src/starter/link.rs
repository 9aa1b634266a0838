//! The gateway's way to the starter, which it starts when it needs it, and anew when that has died.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::net::UnixStream as BlockingStream,
    },
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
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
use crate::extraction::Program as Mailweir;

/// Has programs started by a process that is small.
#[derive(Debug)]
pub(crate) struct Starter {
    mailweir: Mailweir,
    link: Mutex<Option<Arc<Link>>>,
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
    pub(crate) const fn new(mailweir: Mailweir) -> Self {
        Self { mailweir, link: Mutex::new(None) }
    }

    /// Starts a program.
    ///
    /// # Errors
    /// It cannot be started, or nobody is there to do it.
    pub(crate) async fn start(&self, order: &Order) -> io::Result<Program> {
        let order = wire::frame(order)?;
        let (mail, feed) = io::pipe()?;
        let (printed, output) = io::pipe()?;
        let (ours, line) = BlockingStream::pair()?;
        self.hand_over(Streams {
            line: line.as_fd(),
            mail: mail.as_fd(),
            rest: feed.as_fd(),
            output: output.as_fd(),
        })
        .await?;
        // While these are open here, what is printed has no end, and a starter that has died goes unnoticed.
        drop((line, mail, output));
        ours.set_nonblocking(true)?;
        let mut line = UnixStream::from_std(ours)?;
        line.write_all(&order).await.map_err(|_| gone())?;
        match wire::hear(&mut line).await.map_err(|_| gone())? {
            Answer::Started(id) => {
                let mail = pipe::Sender::from_owned_fd(feed.into())?;
                let output = pipe::Receiver::from_owned_fd(printed.into())?;
                Program::new(id, line, mail, output)
            }
            Answer::NotStarted(why) => Err(io::Error::other(why)),
            Answer::Ended(_) => Err(gone()),
        }
    }

    async fn hand_over(&self, streams: Streams<BorrowedFd<'_>>) -> io::Result<()> {
        let streams = streams.into_array();
        let link = self.link()?;
        match link.send(&streams).await {
            Err(error) if GONE.contains(&error.kind()) => {
                self.forget(&link);
                self.link()?.send(&streams).await
            }
            sent => sent,
        }
    }

    fn link(&self) -> io::Result<Arc<Link>> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        match &*link {
            Some(link) => Ok(Arc::clone(link)),
            None => {
                let begun = Link::begin(&self.mailweir).map_err(|error| {
                    io::Error::other(format!(
                        "the process that starts programs does not start: {error}"
                    ))
                })?;
                Ok(Arc::clone(link.insert(Arc::new(begun))))
            }
        }
    }

    fn forget(&self, dead: &Arc<Link>) {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        if link.as_ref().is_some_and(|link| Arc::ptr_eq(link, dead)) {
            *link = None;
        }
    }
}

impl Link {
    fn begin(mailweir: &Mailweir) -> io::Result<Self> {
        let (ours, control) = BlockingStream::pair()?;
        ours.set_nonblocking(true)?;
        let process = Command::new(mailweir.path())
            .arg0("mailweir")
            .arg(WORD)
            .env_clear()
            .current_dir("/")
            // What is sent to all at a terminal is not for it: it ends when the gateway does.
            .process_group(0)
            .stdin(OwnedFd::from(control))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
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
