//! A program at work: no shell, a bounded time, and nothing left of its process group behind that.

use std::{io, os::unix::process::ExitStatusExt as _, process::ExitStatus, time::Duration};

use mailweir_external::pipe::{Content as Piped, Ended, Form, MOST_OUTPUT};
use mailweir_queue::{BodyError, ContentReader};
use rustix::process::geteuid;
use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe,
    time::{Instant, timeout, timeout_at},
    try_join,
};

use crate::{
    config::PipeFilter,
    starter::{End, Lost, Order, Program, Running, Starter},
    ways_back::{Directions, WAY_BACK},
};

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
    /// How it may hand mail back without TCP.
    pub(super) way_back: Option<Directions>,
    pub(super) limit: Duration,
}

impl Process<'_> {
    /// Runs it to its end, or to the limit. Gives the beginning of what it printed.
    ///
    /// # Errors
    /// The mail cannot be read to its end: the program was killed before it could take what it got for all of it.
    pub(super) async fn run(
        self,
        starter: &Starter,
        letter: Letter<'_>,
    ) -> Result<(Ended, Vec<u8>), BodyError> {
        let until = Instant::now() + self.limit;
        let mut mail = Feed::of(letter);
        let begun = timeout_at(until, async {
            mail.fill(AT_ONCE).await?;
            Ok::<_, BodyError>(self.start(starter, &mail).await)
        });
        let mut program = match begun.await {
            Ok(started) => match started? {
                Ok(program) => program,
                Err(error) => return Ok((Ended::NotStarted(words(&error)), Vec::new())),
            },
            Err(_) => return Ok((Ended::TimedOut, Vec::new())),
        };
        let mut said = Vec::new();
        let ended = match timeout_at(until, work(&mut program, mail, &mut said)).await {
            Ok(Ok(status)) => ended(status),
            Ok(Err(Cut::Lost(lost))) => Ended::Lost(lost.to_string().into()),
            Ok(Err(Cut::Unreadable(error))) => return Err(error),
            Err(_) => {
                // It is reaped later if the system does not let go of it yet.
                let _ = timeout(REAPED_WITHIN, program.kill()).await;
                Ended::TimedOut
            }
        };
        Ok((ended, said))
    }

    async fn start(self, starter: &Starter, mail: &Feed<'_>) -> io::Result<Program> {
        let PipeFilter { command, directory, environment, user, .. } = self.settings;
        if user.is_none() && geteuid().is_root() {
            let why = "the gateway runs as root, and the filter has no `user`";
            return Err(io::Error::other(why));
        }
        let path = ("PATH".to_owned(), PATH.to_owned());
        let way_back = self.way_back.map(|told| (WAY_BACK.to_owned(), told.to_string()));
        let environment = environment.iter().cloned().chain(way_back);
        let environment = [path].into_iter().chain(environment).collect();
        let order = Order::new(
            command.program.clone().into(),
            self.arguments,
            environment,
            directory.clone(),
        );
        starter.start(*user, order, mail.whole()).await
    }
}

/// A mail on its way to a program.
struct Feed<'l> {
    /// What is to be written next.
    out: Vec<u8>,
    /// What gives the content its form; absent behind its end.
    piped: Option<Piped<'l>>,
    content: ContentReader,
}

impl<'l> Feed<'l> {
    fn of(Letter { top, form, content }: Letter<'l>) -> Self {
        Self { out: top, piped: Some(Piped::new(form)), content }
    }

    /// Reads on until there are so many bytes to be written, or the mail has ended.
    ///
    /// # Errors
    /// The mail cannot be read to its end.
    async fn fill(&mut self, wanted: usize) -> Result<(), BodyError> {
        while self.out.len() < wanted
            && let Some(mut piped) = self.piped.take()
        {
            match self.content.next().await? {
                Some(piece) => {
                    piped.feed(&piece, &mut self.out);
                    self.piped = Some(piped);
                }
                None => piped.finish(&mut self.out),
            }
        }
        Ok(())
    }

    /// All of the mail, if nothing is behind what was read.
    fn whole(&self) -> Option<&[u8]> {
        self.piped.is_none().then_some(&*self.out)
    }
}

/// What ends the work of a program before its own end.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Unreadable(#[from] BodyError),
    #[error(transparent)]
    Lost(#[from] Lost),
}

/// Hands a mail over, and waits for the end.
async fn work(
    Program { running, output, end }: &mut Program,
    mail: Feed<'_>,
    said: &mut Vec<u8>,
) -> Result<ExitStatus, Cut> {
    let hand_over = async {
        try_join!(feed(running, mail), listen(output, said))?;
        running.say_last().await;
        Ok(())
    };
    let ((), status) = try_join!(hand_over, wait(end))?;
    Ok(status)
}

async fn wait(end: &mut End) -> Result<ExitStatus, Cut> {
    Ok(end.status().await?)
}

/// Writes a mail to a program, as far as it wants it: one that reads nothing may take it all the same.
///
/// # Errors
/// The mail cannot be read to its end. The program sees none, and is to be dropped.
async fn feed(program: &mut Running, mut mail: Feed<'_>) -> Result<(), Cut> {
    while !program.has_mail() {
        let is_taken = program.write(&mail.out).await.is_ok();
        if !is_taken || mail.piped.is_none() {
            program.finish_mail().await;
        } else {
            mail.out.clear();
            mail.fill(1).await?;
        }
    }
    Ok(())
}

/// Reads what a program prints, to the end, and keeps as much as counts.
async fn listen(output: &mut pipe::Receiver, said: &mut Vec<u8>) -> Result<(), Cut> {
    let mut piece = [0; MOST_OUTPUT];
    while let Ok(read @ 1..) = output.read(&mut piece).await {
        let room = MOST_OUTPUT - said.len();
        said.extend_from_slice(&piece[..read.min(room)]);
    }
    Ok(())
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

/// How long a program that was killed is waited for. One that waits for a disk is not gone until that answers.
const REAPED_WITHIN: Duration = Duration::from_secs(10);

/// Bytes of a mail that are read before its program starts: what the system's pipes have room for.
const AT_ONCE: usize = 64 << 10;

/// As Postfix sets it (`_PATH_STDPATH`).
const PATH: &str = "/usr/bin:/bin:/usr/sbin:/sbin";
