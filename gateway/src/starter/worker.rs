//! The starter itself. It has one thread, so that the system has little to copy, and waits for all its programs in that.

use std::{
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{net::UnixStream as BlockingStream, process::ExitStatusExt as _},
    },
    process::ExitStatus,
};

use anyhow::Context as _;
use mailweir_queue::stand_as_usual;
use rustix::{
    cmsg_space,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
    process::{DumpableBehavior, Pid, Signal, kill_process_group, set_dumpable_behavior},
};
use tokio::{
    io::{AsyncReadExt as _, Interest},
    net::UnixStream,
    process::{Child, Command},
    runtime, select,
    signal::unix::{SignalKind, signal},
};
use tokio_util::task::TaskTracker;

use super::{
    STREAMS, Streams,
    wire::{self, Answer, LAST, Order, WHOLE},
};

/// What the program is called with to be a starter.
pub(crate) const WORD: &str = "program-starter";

/// Starts programs for the gateway, until that ends, and then ends them.
///
/// # Errors
/// Standard input is no socket; the system gives no means to wait for anything.
pub(crate) fn run() -> anyhow::Result<()> {
    // Programs are as others on the machine, and not as the thread that had this started.
    stand_as_usual();
    // A program that goes wrong is of the same user, and must not look into this.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // What whoever started the server left open is not for this process, or for programs.
    let _ = uapi::close_range(FIRST_OTHER, u32::MAX, 0);
    let control = io::stdin().as_fd().try_clone_to_owned()?;
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(serve(control.into())).context("standard input is of no gateway")
}

async fn serve(control: BlockingStream) -> io::Result<()> {
    // Who stops the server stops this with it, in time: it must be there for programs that end meanwhile. A signal
    // that is ignored would be so in programs, too; one that is heard is not.
    let _heard =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
    let control = asynchronous(control)?;
    let programs = TaskTracker::new();
    let heard = loop {
        match control.async_io(Interest::READABLE, || receive(&control)).await {
            Ok(Some(streams)) => {
                // Too many files are open: some were left out, and the end of the line tells the gateway.
                let Ok(streams) = streams.try_into() else { continue };
                programs.spawn(attend(Streams::from_array(streams)));
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    programs.close();
    programs.wait().await;
    heard
}

/// The streams of the next program; `None`: there is no gateway any more.
fn receive(control: &UnixStream) -> io::Result<Option<Vec<OwnedFd>>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(STREAMS))];
    let mut along = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let mut byte = [0];
    let message = recvmsg(control, &mut [IoSliceMut::new(&mut byte)], &mut along, flags)?;
    let streams = along.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(streams) => Some(streams),
        _ => None,
    });
    let streams = streams.flatten().collect();
    Ok((message.bytes > 0).then_some(streams))
}

/// A program at work.
struct Running {
    child: Child,
    group: Pid,
    /// Held until the mail is whole.
    rest: Option<OwnedFd>,
}

/// Starts what is ordered on a line, and waits for its end or for that of the line. What fails here ends the line, and
/// so the gateway knows.
async fn attend(streams: Streams<OwnedFd>) {
    let Ok(mut line) = asynchronous(streams.line.into()) else { return };
    let Ok(order) = wire::hear::<Order>(&mut line).await else { return };
    let started = Running::start(&order, streams.mail, streams.output, streams.rest);
    let mut running = match started {
        Ok(running) => running,
        Err(error) => {
            let answer = Answer::NotStarted(error.to_string());
            let _ = wire::say(&mut line, &answer).await;
            return;
        }
    };
    match running.run(&mut line).await {
        Ok(status) => {
            let _ = wire::say(&mut line, &Answer::Ended(status.into_raw())).await;
        }
        Err(_) => running.end().await,
    }
}

impl Running {
    fn start(order: &Order, mail: OwnedFd, output: OwnedFd, rest: OwnedFd) -> io::Result<Self> {
        let mut command = Command::new(&order.program);
        command
            .args(&order.arguments)
            .env_clear()
            .envs(order.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&order.directory)
            .process_group(0)
            .stdin(mail)
            .stdout(output.try_clone()?)
            .stderr(output);
        // The command has our copies of the program's ends, and is dropped here.
        let child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let group = id.ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { child, group, rest: Some(rest).filter(|_| !order.has_mail) })
    }

    /// # Errors
    /// The line has ended before: the program is to end.
    async fn run(&mut self, line: &mut UnixStream) -> io::Result<ExitStatus> {
        let id = self.group.as_raw_nonzero().get();
        wire::say(line, &Answer::Started(id)).await?;
        if self.rest.is_some() {
            expect(line, WHOLE).await?;
            self.rest = None;
        }
        expect(line, LAST).await?;
        select! {
            status = self.child.wait() => status,
            broken = line.read_u8() => Err(broken.err().unwrap_or(io::ErrorKind::InvalidData.into())),
        }
    }

    /// Kills it with its group, which nobody has waited for yet, and waits.
    async fn end(mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        let _ = self.child.wait().await;
    }
}

async fn expect(line: &mut UnixStream, word: u8) -> io::Result<()> {
    if line.read_u8().await? == word { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn asynchronous(stream: BlockingStream) -> io::Result<UnixStream> {
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// The first descriptor behind standard input, output and errors.
const FIRST_OTHER: u32 = 3;
