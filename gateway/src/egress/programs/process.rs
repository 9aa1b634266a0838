//! A program at work: its own process group, no shell, a bounded time, and nothing left of the group behind that.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    pin::pin,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use mailweir_external::pipe::{Content as Piped, Ended, Form, MOST_OUTPUT};
use mailweir_queue::{BodyError, ContentReader};
use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::unix::pipe,
    process::{Child, ChildStdin, Command},
    time::timeout,
};

use crate::config::{PipeFilter, User};

/// A mail as it is written to a program.
pub(super) struct Letter<'l> {
    /// What stands above it.
    pub(super) top: Vec<u8>,
    pub(super) form: &'l Form,
    pub(super) content: ContentReader,
}

/// A program, before it runs.
pub(super) struct Process<'p> {
    pub(super) settings: &'p PipeFilter,
    pub(super) arguments: Vec<String>,
    pub(super) limit: Duration,
}

/// The processes of a program: they end with this, unless it is let go.
struct Alive(Option<Group>);

/// The process group of a program. A process that has left it by setsid(2) is none of it.
#[derive(Clone, Copy)]
struct Group(Pid);

impl Process<'_> {
    /// Runs it to its end, or to the limit. Gives the beginning of what it printed.
    ///
    /// # Errors
    /// The mail cannot be read to its end: the program was killed before it could take what it got for all of it.
    pub(super) async fn run(&self, letter: Letter<'_>) -> Result<(Ended, Vec<u8>), BodyError> {
        let (mut child, output) = match self.start() {
            Ok(started) => started,
            Err(error) => return Ok((Ended::NotStarted(words(&error)), Vec::new())),
        };
        let group = Group::of(&child);
        let stdin = child.stdin.take();
        let mut said = Vec::new();
        let came = {
            let mut work = pin!(async {
                let (fed, ()) = tokio::join!(feed(stdin, letter, group), listen(output, &mut said));
                (fed, child.wait().await)
            });
            // Declared behind the work, and so dropped before it: the program is killed before it sees an end of a mail that it has
            // not all of.
            let mut alive = Alive(group);
            let came = timeout(self.limit, &mut work).await;
            if came.is_ok() {
                alive.0 = None;
            }
            came
        };
        if came.is_err() {
            // It is reaped later if the system does not let go of it yet.
            let _ = timeout(REAPED_WITHIN, child.wait()).await;
        }
        match came {
            Err(_) => Ok((Ended::TimedOut, said)),
            Ok((Err(error), _)) => Err(error),
            Ok((Ok(()), Ok(status))) => Ok((ended(status), said)),
            Ok((Ok(()), Err(error))) => Ok((Ended::NotStarted(words(&error)), said)),
        }
    }

    fn start(&self) -> io::Result<(Child, pipe::Receiver)> {
        if self.settings.user.is_none() && geteuid().is_root() {
            let why = "the gateway runs as root, and the filter has no `user`";
            return Err(io::Error::other(why));
        }
        let (reader, writer) = io::pipe()?;
        let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
        let mut command = Command::new(&*self.settings.command.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", PATH)
            .envs(self.settings.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.settings.directory)
            .process_group(0)
            .kill_on_drop(true)
            .stdin(Stdio::piped())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        if let Some(User { uid, gid }) = self.settings.user {
            command.uid(uid).gid(gid);
        }
        // The command has our copies of the writing end, and is dropped here: what is printed has an end then.
        command.spawn().map(|child| (child, output))
    }
}

/// Writes a mail to a program, as far as it wants it: one that reads nothing may take it all the same.
///
/// # Errors
/// The mail cannot be read to its end. The program is killed before it sees an end.
async fn feed(
    stdin: Option<ChildStdin>,
    letter: Letter<'_>,
    group: Option<Group>,
) -> Result<(), BodyError> {
    let Some(mut stdin) = stdin else { return Ok(()) };
    let Letter { top: mut out, form, mut content } = letter;
    let mut piped = Piped::new(form);
    loop {
        let piece = content.next().await.inspect_err(|_| drop(Alive(group)))?;
        match &piece {
            Some(piece) => piped.feed(piece, &mut out),
            None => std::mem::replace(&mut piped, Piped::new(form)).finish(&mut out),
        }
        if stdin.write_all(&out).await.is_err() || piece.is_none() {
            return Ok(());
        }
        out.clear();
    }
}

/// Reads what a program prints, to the end, and keeps as much as counts.
async fn listen(mut output: pipe::Receiver, said: &mut Vec<u8>) {
    let mut piece = [0; MOST_OUTPUT];
    while let Ok(read @ 1..) = output.read(&mut piece).await {
        let room = MOST_OUTPUT - said.len();
        said.extend_from_slice(&piece[..read.min(room)]);
    }
}

fn ended(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Killed(signal.unwrap_or_default()),
    }
}

fn words(error: &io::Error) -> Box<str> {
    let text = error.to_string();
    text.split_once(" (os error").map_or(&*text, |(words, _)| words).into()
}

impl Group {
    fn of(child: &Child) -> Option<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        id.and_then(Pid::from_raw).map(Self)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        if let Some(Group(id)) = self.0 {
            // It may have ended.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

/// How long a program that was killed is waited for. One that waits for a disk is not gone until that answers.
const REAPED_WITHIN: Duration = Duration::from_secs(10);

/// As Postfix sets it (`_PATH_STDPATH`).
const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";
