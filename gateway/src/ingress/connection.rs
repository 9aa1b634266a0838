//! Moves bytes between a socket and a [`Session`], and questions between the session and
//! [`Admission`]. Knows no verb and no reply.

use std::{
    io,
    os::fd::AsFd as _,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use mailweir_auth::Channel;
use mailweir_mail::Cutoff;
use mailweir_smtp::server::{Answer, Needs, Question, Session, Step};
use rustix::{buffer::spare_capacity, net::RecvFlags};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, Sleep, sleep_until, timeout, timeout_at},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::admission::Admission;
use crate::{clock, wire::Wire};

/// One session and all that belongs to it.
pub(super) struct Connection {
    wire: Wire,
    session: Session,
    admission: Admission,
    /// How much the last read gave.
    last_read: usize,
}

/// What a session waits for besides its peer. Kept from read to read: a timer that is set anew for
/// each command costs more than the command.
struct Waits<'a> {
    /// Rings at the deadline, or earlier: then it is set to what the deadline is by then.
    alarm: Pin<&'a mut Sleep>,
    stop: Pin<&'a mut WaitForCancellationFutureOwned>,
    /// Whether the session knows that the server is stopping.
    told_to_stop: bool,
}

/// What the session wants once its input is used up.
enum Want {
    Input,
    Tls,
    Close,
}

/// Why a session ended before both sides were done.
enum Broken {
    /// The socket failed, or the peer closed it.
    Lost,
    /// The peer was silent or slow for too long.
    Timeout,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

impl Connection {
    pub(super) fn new(wire: Wire, session: Session, admission: Admission) -> Self {
        Self { wire, session, admission, last_read: 0 }
    }

    /// Talks to the peer until one of the two leaves.
    pub(super) async fn run(mut self) {
        let outcome = self.converse().await;
        self.log_end(&outcome);
        // Under TLS the peer is told; in clear, closing the socket says it. A peer that takes no
        // bytes is not waited for.
        if let (Wire::Tls(tls), Ok(())) = (&mut self.wire, outcome) {
            let _ = timeout(FAREWELL, tls.shutdown()).await;
        }
    }

    async fn converse(&mut self) -> Result<(), Broken> {
        // The session asks about the peer first; what the peer says meanwhile, it says too early.
        let begun = Instant::now();
        if let Step::Ask(question) = self.session.next(&mut &[][..], clock::monotonic()) {
            let answer = self.admission.answer(question, &mut self.session).await;
            let is_admitted = matches!(answer, Answer::Proceed);
            self.session.answer(answer);
            if is_admitted && let Some(wait) = self.admission.greet_wait(&self.session) {
                // Boxed, so that a session does not always have room for it.
                Box::pin(self.put_off_greeting(begun + wait)).await?;
            }
        }
        let mut buffer = self.early_input();
        let stop = self.admission.listener().shared().stop.clone();
        let alarm = pin!(sleep_until(Instant::from_std(self.session.deadline())));
        let stop = pin!(stop.cancelled_owned());
        let mut waits = Waits { alarm, stop, told_to_stop: false };
        loop {
            match self.digest(&buffer).await? {
                Want::Input => {}
                Want::Tls => self.start_tls().await?,
                Want::Close => return Ok(()),
            }
            // An idle session owns no buffer.
            drop(buffer);
            buffer = self.read(&mut waits).await?;
        }
    }

    /// Lets a stranger wait for its greeting, unless it talks, leaves, or the server stops (Postfix `postscreen_greet_wait`).
    async fn put_off_greeting(&self, until: Instant) -> Result<(), Broken> {
        // Under TLS it has talked already.
        let Wire::Plain(tcp) = &self.wire else { return Ok(()) };
        let stop = &self.admission.listener().shared().stop;
        let mut one = [0];
        tokio::select! {
            biased;
            heard = tcp.peek(&mut one) => match heard? {
                0 => Err(Broken::Lost),
                // It is still there to be read.
                _ => Ok(()),
            },
            () = stop.cancelled() => Ok(()),
            () = sleep_until(until) => {
                self.admission.note_patience(&self.session);
                Ok(())
            }
        }
    }

    /// What the peer said before we greeted it (`attacks.md` A11): of a stranger the beginning, of a program of ours
    /// what may be all.
    fn early_input(&self) -> Vec<u8> {
        let (socket, most) = match &self.wire {
            Wire::Plain(tcp) => (tcp.as_fd(), EARLY),
            Wire::Local(local) => (local.as_fd(), CONTENT),
            Wire::Tls(_) | Wire::Gone => return Vec::new(),
        };
        let mut early = Vec::with_capacity(most);
        // The runtime does not know of these bytes yet; only the system does. Without bytes nothing was said.
        let _ = rustix::net::recv(socket, spare_capacity(&mut early), RecvFlags::DONTWAIT);
        early
    }

    /// Feeds the session until it has used up `input`.
    async fn digest(&mut self, mut input: &[u8]) -> Result<Want, Broken> {
        loop {
            match self.session.next(&mut input, clock::monotonic()) {
                Step::Read => return Ok(Want::Input),
                Step::StartTls => return Ok(Want::Tls),
                Step::Close => {
                    self.log_refusals();
                    return Ok(Want::Close);
                }
                Step::Write(bytes) => {
                    write(&mut self.wire, bytes, &self.admission).await?;
                    self.log_refusals();
                }
                Step::Content(piece) => self.admission.content(piece).await,
                Step::Abandoned(what) => self.admission.abandon(what),
                Step::Ask(question) => {
                    match &question {
                        Question::AuthStart { .. } => self.admission.bind(self.channel()),
                        // A program that said all at once may have been killed since, and then its mail is
                        // tried again: it must not be taken, too.
                        Question::EndOfData if self.wire.has_hung_up() => return Err(Broken::Lost),
                        _ => {}
                    }
                    let answer = self.admission.answer(question, &mut self.session).await;
                    self.session.answer(answer);
                }
            }
        }
    }

    /// Waits for bytes, for the deadline, or for the end of the server; gives no bytes if it was
    /// one of the latter two.
    async fn read(&mut self, waits: &mut Waits<'_>) -> Result<Vec<u8>, Broken> {
        let limit = self.read_limit();
        let deadline = Instant::from_std(self.session.deadline());
        if deadline < waits.alarm.deadline() {
            waits.alarm.as_mut().reset(deadline);
        }
        loop {
            if Instant::now() >= deadline {
                // A peer that never pauses must not outrun its deadline.
                self.session.expire(clock::monotonic());
                return Ok(Vec::new());
            }
            tokio::select! {
                read = self.wire.read_some(limit) => {
                    let bytes = read?;
                    self.last_read = bytes.len();
                    return if bytes.is_empty() { Err(Broken::Lost) } else { Ok(bytes) };
                }
                () = waits.alarm.as_mut() => waits.alarm.as_mut().reset(deadline),
                () = waits.stop.as_mut(), if !waits.told_to_stop => {
                    waits.told_to_stop = true;
                    self.session.shut_down();
                    return Ok(Vec::new());
                }
            }
        }
    }

    fn read_limit(&self) -> usize {
        match self.admission.receives() {
            false => COMMANDS,
            true if self.last_read < CONTENT => CONTENT,
            true => MUCH_CONTENT,
        }
    }

    /// What the TLS connection gives to a log-in, as far as it was offered.
    fn channel(&self) -> Channel {
        let Self { wire, session, admission, .. } = self;
        let exporter = if session.offers(Needs::Tls13) { wire.exporter() } else { None };
        let certified = match session.offers(Needs::Certificate) {
            true => admission.listener().certified(wire),
            false => Vec::new(),
        };
        Channel { exporter, certified }
    }

    async fn start_tls(&mut self) -> Result<(), Broken> {
        let tcp = self.wire.take_plain().ok_or(Broken::Lost)?;
        let client = self.session.client().clone();
        let listener = Arc::clone(self.admission.listener());
        let secured = Box::pin(listener.secure(tcp, &client, &mut self.session)).await;
        self.wire = secured.ok_or(Broken::Lost)?;
        Ok(())
    }

    fn log_refusals(&mut self) {
        while let Some(refused) = self.session.take_refusal() {
            self.admission.log_refusal(&self.session, refused);
        }
    }

    fn log_end(&mut self, outcome: &Result<(), Broken>) {
        self.log_refusals();
        let cutoff = match outcome {
            Ok(()) => None,
            Err(Broken::Lost) => Some(Cutoff::LostConnection),
            Err(Broken::Timeout) => Some(Cutoff::Timeout),
        };
        self.admission.log_end(&self.session, cutoff);
    }
}

async fn write(wire: &mut Wire, bytes: &[u8], admission: &Admission) -> Result<(), Broken> {
    let deadline = Instant::now() + admission.listener().timeout();
    match timeout_at(deadline, async {
        wire.write_all(bytes).await?;
        wire.flush().await
    })
    .await
    {
        Ok(result) => Ok(result?),
        Err(_) => Err(Broken::Timeout),
    }
}

/// How long a peer may take to take our good-bye.
const FAREWELL: Duration = Duration::from_secs(5);

/// Enough to see that a peer talks too early, and to log what.
const EARLY: usize = 64;

/// Commands come in small packets.
const COMMANDS: usize = 4 * 1024;

/// A usual mail fits.
const CONTENT: usize = 16 * 1024;

/// A large one comes as fast as the peer can send.
const MUCH_CONTENT: usize = 64 * 1024;
