//! Who sends mails to a child, and gets what is in them, in their order.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
    thread,
    time::Duration,
};

use bytes::Bytes;
use mailweir_extract::Extracted;
use rustix::process::Signal;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use super::{Confinement, Hello, WORD, frame, limits};
use crate::clock;

/// Has mails read by a child, several on their way at once. Blocks: it is for a thread of its own, and the child ends
/// with that at the latest.
///
/// `T` is what the caller wants to have back with what is in a mail.
pub struct Extractor<T> {
    program: Program,
    patience: Duration,
    end: CancellationToken,
    /// Those whose answers are to come, the oldest first.
    waiting: VecDeque<Waiting<T>>,
    /// Of the mails among them.
    bytes: usize,
    child: Option<Running>,
    /// Keys of mails that cost a child its life.
    fatal: HashSet<u64>,
    /// Mails in a row that did.
    failures: u32,
}

struct Waiting<T> {
    key: u64,
    tag: T,
    /// Absent: it is not tried again.
    mail: Option<Bytes>,
}

/// The program that children run.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// This one, also if its file was replaced since it began.
    #[must_use]
    pub fn this() -> Self {
        Self("/proc/self/exe".into())
    }

    /// A `mailweir` elsewhere: what calls is not one itself.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

/// What came of a mail.
#[derive(Debug, PartialEq, Eq)]
pub enum Reading {
    /// What is in it.
    Read(Extracted),
    /// It could not be read, and is not tried again as long as this lives.
    Failed(Failure),
}

/// Why a mail could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It took longer than it may.
    TooSlow,
    /// The child ended, or said what makes no sense.
    Died(Box<str>),
    /// One of these, when it was tried before.
    Before,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooSlow => f.write_str("reading it took too long"),
            Self::Died(how) => write!(f, "its reader {how}"),
            Self::Before => f.write_str("it could not be read before"),
        }
    }
}

/// No mail can be read now. None is lost: it may be asked for again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A child cannot be started, or does not come to its first word.
    #[error("the process that reads mail for the index does not start: {0}")]
    Start(Box<str>),
    /// Said once, before the next child is started.
    #[error("{0} mails in a row could not be read")]
    Failing(u32),
    /// See [`Extractor::until`].
    #[error("no mail is read any more: the server stops")]
    Ended,
}

impl<T> Extractor<T> {
    /// One that lets a mail take `patience` (10 s) of processor time at least. The kernel ends a child that has used
    /// twice as much (20 s), so none spins for ever; thirty times as long by the clock (5 min) ends one that only waits.
    /// It is so long because a child stands back behind all else: on a busy machine it may get three thousandths of a processor.
    #[must_use]
    pub fn new(program: Program, patience: Duration) -> Self {
        let (waiting, fatal) = (VecDeque::new(), HashSet::new());
        let end = CancellationToken::new();
        Self { program, patience, end, waiting, bytes: 0, child: None, fatal, failures: 0 }
    }

    /// Waits for no child any more once `end` is cancelled.
    #[must_use]
    pub fn until(self, end: CancellationToken) -> Self {
        Self { end, ..self }
    }

    /// Gives each mail so much time from now on; processor time from the next child on.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Whether another mail may be sent before an answer is taken.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting.len() < MOST_MAILS && self.bytes < MOST_BYTES
    }

    /// Bytes of a mail that are read; what is behind them need not be sent.
    #[must_use]
    pub fn most(&self) -> usize {
        limits().mail
    }

    /// Sends a mail. `key` is what it is known by.
    pub fn send(&mut self, key: u64, tag: T, mail: &Bytes) {
        if self.waiting.is_empty() && self.child.as_mut().is_some_and(Running::has_ended) {
            // Whoever ended it, no mail did.
            self.child = None;
        }
        let mail = (!self.fatal.contains(&key)).then(|| mail.slice(..mail.len().min(self.most())));
        if let Some(mail) = &mail {
            self.bytes += mail.len();
            if let Some(child) = &self.child {
                child.send(mail.clone());
            }
        }
        self.waiting.push_back(Waiting { key, tag, mail });
    }

    /// What is in the oldest mail whose answer was not taken yet; `None`: there is none. Waits for it.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn take(&mut self) -> Result<Option<(T, Reading)>, StartError> {
        let Some(oldest) = self.waiting.front() else { return Ok(None) };
        let reading = match oldest.mail {
            Some(_) => self.answer_at_last()?,
            None => Reading::Failed(Failure::Before),
        };
        let Some(Waiting { key, tag, mail }) = self.waiting.pop_front() else { return Ok(None) };
        self.bytes -= mail.as_ref().map_or(0, Bytes::len);
        match &reading {
            Reading::Read(_) => self.failures = 0,
            Reading::Failed(Failure::Before) => {}
            Reading::Failed(Failure::TooSlow | Failure::Died(_)) => {
                self.failures += 1;
                self.child = None;
                self.fatal.insert(key);
            }
        }
        Ok(Some((tag, reading)))
    }

    /// Forgets what was sent.
    pub fn clear(&mut self) {
        if !self.waiting.is_empty() {
            // It would answer.
            self.child = None;
        }
        self.waiting.clear();
        self.bytes = 0;
    }

    /// The child that runs now.
    #[must_use]
    pub fn child(&self) -> Option<(u32, Confinement)> {
        self.child.as_ref().map(|running| (running.child.id(), running.confinement))
    }

    /// Who died may have been ended from outside, as at the stop of a service, or may have been old: another one tries
    /// once more.
    fn answer_at_last(&mut self) -> Result<Reading, StartError> {
        match self.answer()? {
            Reading::Failed(Failure::Died(_)) => {
                self.child = None;
                self.answer()
            }
            reading => Ok(reading),
        }
    }

    fn answer(&mut self) -> Result<Reading, StartError> {
        let (patience, end) = (SLACK * self.patience, self.end.clone());
        let child = self.running()?;
        Ok(match wait(&child.answers, patience, &end) {
            Ok(Ok(extracted)) => Reading::Read(extracted),
            Ok(Err(nonsense)) => Reading::Failed(Failure::Died(nonsense)),
            Err(Silence::TooLong) => Reading::Failed(Failure::TooSlow),
            Err(Silence::Gone) => Reading::Failed(child.failure()),
            Err(Silence::End) => {
                self.child = None;
                return Err(StartError::Ended);
            }
        })
    }

    /// The child, started if there is none.
    fn running(&mut self) -> Result<&mut Running, StartError> {
        let child = match self.child.take() {
            Some(child) => child,
            None => self.start()?,
        };
        Ok(self.child.insert(child))
    }

    fn start(&mut self) -> Result<Running, StartError> {
        if self.failures >= MOST_FAILURES {
            return Err(StartError::Failing(std::mem::take(&mut self.failures)));
        }
        let child = Running::start(&self.program, self.patience, &self.end)?;
        for waiting in &self.waiting {
            waiting.mail.iter().for_each(|mail| child.send(mail.clone()));
        }
        Ok(child)
    }
}

impl<T> fmt::Debug for Extractor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extractor").field("child", &self.child()).finish_non_exhaustive()
    }
}

/// A child at work, and the two threads that write to it and read from it: so neither waits for the other.
struct Running {
    child: Child,
    confinement: Confinement,
    mails: Sender<Bytes>,
    answers: Receiver<Answer>,
}

/// What is in a mail, or why that makes no sense.
type Answer = Result<Extracted, Box<str>>;

impl Running {
    fn start(
        Program(program): &Program,
        patience: Duration,
        end: &CancellationToken,
    ) -> Result<Self, StartError> {
        let mut command = Command::new(program);
        // The kernel counts whole seconds.
        let seconds = u32::try_from(patience.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        command
            .arg0("mailweir")
            .arg(WORD)
            .arg(seconds.max(1).to_string())
            .env_clear()
            .current_dir("/");
        // What is sent to all at a terminal is not for it: it ends when its input does.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let refused = |why: Box<str>| StartError::Start(why);
        let said = |error: std::io::Error| refused(error.to_string().into());
        let mut child = command.spawn().map_err(said)?;
        let (Some(stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(refused("it has no streams".into()));
        };
        let (mails, to_write) = channel();
        let (sender, answers) = sync_channel(MOST_ANSWERS);
        let (hello, greeted) = sync_channel(1);
        let reader = thread::Builder::new().name("extract-read".to_owned()).spawn(move || {
            let _ = hello.send(heard(&mut stdout));
            read(stdout, &sender);
        });
        let writer = thread::Builder::new().name("extract-write".to_owned());
        let writer = writer.spawn(move || write(stdin, &to_write));
        let mut running = Self { child, confinement: Confinement::WithoutLandlock, mails, answers };
        reader.and(writer).map_err(said)?;
        let greeting: Result<Result<Option<Hello>, _>, _> = wait(&greeted, START_PATIENCE, end);
        match greeting {
            Ok(Ok(Some(Hello { confinement }))) => running.confinement = confinement,
            Ok(Ok(None)) => return Err(refused(running.ending())),
            Ok(Err(nonsense)) => return Err(refused(nonsense)),
            Err(Silence::TooLong | Silence::Gone) => return Err(refused("it says nothing".into())),
            Err(Silence::End) => return Err(StartError::Ended),
        }
        Ok(running)
    }

    /// The window of the one who sends bounds what waits here. Whether it comes to anything, the answer says.
    fn send(&self, mail: Bytes) {
        let _ = self.mails.send(mail);
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// How the child ended. It has closed its output, so it is about to.
    fn ending(&mut self) -> Box<str> {
        let _ = self.child.kill();
        match self.child.wait() {
            Ok(status) => format!("ended ({status})").into(),
            Err(error) => format!("ended ({error})").into(),
        }
    }

    /// Why it ended before its answer.
    fn failure(&mut self) -> Failure {
        let how = self.ending();
        // Waited for already: this is how it was.
        match self.child.wait() {
            Ok(status) if status.signal() == Some(Signal::XCPU.as_raw()) => Failure::TooSlow,
            Ok(_) | Err(_) => Failure::Died(how),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Why nothing comes.
enum Silence {
    /// The time is over.
    TooLong,
    /// Nobody is there who could say anything.
    Gone,
    /// Nobody wants to know any more.
    End,
}

/// What comes within the time. The end is looked for now and then: a channel and a token cannot both be waited for.
fn wait<S>(from: &Receiver<S>, patience: Duration, end: &CancellationToken) -> Result<S, Silence> {
    let until = clock::monotonic() + patience;
    loop {
        let left = until.saturating_duration_since(clock::monotonic());
        match from.recv_timeout(left.min(LOOK)) {
            Ok(said) => return Ok(said),
            Err(RecvTimeoutError::Disconnected) => return Err(Silence::Gone),
            Err(RecvTimeoutError::Timeout) if end.is_cancelled() => return Err(Silence::End),
            Err(RecvTimeoutError::Timeout) if left <= LOOK => return Err(Silence::TooLong),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn write(mut stdin: ChildStdin, mails: &Receiver<Bytes>) {
    while let Ok(mail) = mails.recv() {
        if frame::write(&mut stdin, &mail).is_err() {
            return;
        }
    }
}

fn read(mut stdout: ChildStdout, answers: &SyncSender<Answer>) {
    while let Some(answer) = heard(&mut stdout).transpose() {
        let is_last = answer.is_err();
        if answers.send(answer).is_err() || is_last {
            return;
        }
    }
}

/// What the child says next; `None`: it has ended.
fn heard<S: DeserializeOwned>(stdout: &mut ChildStdout) -> Result<Option<S>, Box<str>> {
    let nonsense = |error: &dyn fmt::Display| format!("made no sense: {error}");
    let frame = frame::read(stdout, MOST_ANSWER).map_err(|error| nonsense(&error))?;
    let read = frame.map(|frame| rmp_serde::from_slice(&frame)).transpose();
    Ok(read.map_err(|error| nonsense(&error))?)
}

/// Processor time for a mail: much more than the work that its reader may do takes.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// So many times as long by the clock.
const SLACK: u32 = 30;

/// From look to look at whether it is over.
const LOOK: Duration = Duration::from_millis(50);

/// Time for a child to come to its first word.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// Mails on their way.
const MOST_MAILS: usize = 64;

/// Bytes of mails on their way; one mail may have more.
const MOST_BYTES: usize = 8 << 20;

/// Answers that nobody has taken yet.
const MOST_ANSWERS: usize = 8;

/// Bytes of an answer. What is extracted at most, and its names, take less.
const MOST_ANSWER: usize = 16 << 20;

/// Mails in a row that cannot be read before somebody hears of it.
const MOST_FAILURES: u32 = 5;
