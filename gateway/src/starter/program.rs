//! A program that was started, as the gateway has it.

use std::{
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::ExitStatus,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf, pipe},
    },
};

use super::wire::{self, Answer, LAST, WHOLE};

/// A program that was started.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) running: Running,
    /// What it prints.
    pub(crate) output: pipe::Receiver,
    pub(crate) end: End,
}

/// The program itself, with its process group: when this is dropped before it has ended, they are killed. A process
/// that has left the group by setsid(2) is none of it.
#[derive(Debug)]
pub(crate) struct Running {
    words: OwnedWriteHalf,
    group: Pid,
    /// The first of the group, whatever becomes of its number.
    leader: OwnedFd,
    /// Absent: it has the whole mail.
    mail: Option<pipe::Sender>,
}

/// What the starter will say of its end.
#[derive(Debug)]
pub(crate) struct End(OwnedReadHalf);

/// Nobody knows how a program ends: the starter has died.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the process that starts programs has ended")]
pub(crate) struct Lost;

impl Program {
    /// One that takes more of its mail from `mail`; `None`: it has all.
    ///
    /// # Errors
    /// The number is none, or of no process.
    pub(super) fn new(
        id: i32,
        line: UnixStream,
        mail: Option<pipe::Sender>,
        output: pipe::Receiver,
    ) -> io::Result<Self> {
        let group = Pid::from_raw(id).ok_or(io::ErrorKind::InvalidData)?;
        let leader = pidfd_open(group, PidfdFlags::empty())?;
        let (answers, words) = line.into_split();
        let running = Running { words, group, leader, mail };
        Ok(Self { running, output, end: End(answers) })
    }

    /// Kills it, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.running.kill();
        let _ = self.running.words.shutdown().await;
        while let Ok(1..) = self.end.0.read(&mut [0; 64]).await {}
    }
}

impl Running {
    /// Writes more of the mail.
    ///
    /// # Errors
    /// The program takes no more.
    pub(crate) async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        match &mut self.mail {
            Some(mail) => mail.write_all(piece).await,
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Whether the program sees the end of its mail.
    pub(crate) const fn has_mail(&self) -> bool {
        self.mail.is_none()
    }

    /// Lets the program see the end of the mail.
    pub(crate) async fn finish_mail(&mut self) {
        self.mail = None;
        self.say(WHOLE).await;
    }

    /// Has its end waited for. For when it has the mail, and what it printed was read.
    pub(crate) async fn say_last(&mut self) {
        self.say(LAST).await;
    }

    async fn say(&mut self, word: u8) {
        // If the starter has died, who waits for the end hears it.
        let _ = self.words.write_all(&[word]).await;
    }

    /// The starter does it too when the line ends. This is for one that has died, and so it comes before the pipe of the
    /// mail is closed here.
    fn kill(&self) {
        let mut leader = [PollFd::new(&self.leader, PollFlags::IN)];
        // Its number is its own as long as it lives.
        if poll(&mut leader, Some(&Timespec::default())) == Ok(0) {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl End {
    /// Waits for it.
    ///
    /// # Errors
    /// Nobody knows.
    pub(crate) async fn status(&mut self) -> Result<ExitStatus, Lost> {
        match wire::hear(&mut self.0).await {
            Ok(Answer::Ended(status)) => Ok(ExitStatus::from_raw(status)),
            Ok(Answer::Started(_) | Answer::NotStarted(_)) | Err(_) => Err(Lost),
        }
    }
}
