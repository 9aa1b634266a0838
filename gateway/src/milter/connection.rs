//! One connection of a mail server: what it says, and what it is told.
//!
//! Whatever goes wrong, the connection is closed without an answer: the mail server then does what it does when a milter
//! has failed (Postfix `milter_default_action`, which puts the mail off).

use std::{pin::pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use mailweir_external::{
    milter::{
        self, Actions, Answer, Fault, Guest, Heard, Interpreter, Server, Stage, Steps, Turn, Wishes,
    },
    verdict::{Decision, Verdict},
};
use mailweir_mail::SessionEvent;
use mailweir_smtp::replies::NotJudged;
use tokio::{
    io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{MilterServer, verdict};
use crate::{
    asked::{Answerer as _, Stream},
    count::agreeing,
    ingress::{Outcome, Rehearsal, Visitor},
};

/// Answers until the mail server has no more to ask, or `close` is cancelled and no mail is under way.
pub(super) async fn serve(
    stream: Stream,
    peer: String,
    current: Arc<ArcSwap<MilterServer>>,
    close: CancellationToken,
) {
    let mut connection = Connection {
        stream,
        peer,
        current,
        server: Server::new(wishes()),
        interpreter: Interpreter::default(),
        visit: None,
        out: Vec::new(),
    };
    // Its end has been told to whom it concerns.
    let Err(Over) = connection.converse(&close).await;
}

struct Connection {
    stream: Stream,
    /// The mail server, as the log shows it.
    peer: String,
    current: Arc<ArcSwap<MilterServer>>,
    server: Server,
    interpreter: Interpreter,
    /// The client of the mail server that is there.
    visit: Option<Visit>,
    /// What is to be sent.
    out: Vec<u8>,
}

/// A client of the mail server.
struct Visit {
    session: Rehearsal,
    /// As it was configured when the client came.
    asked: Arc<MilterServer>,
}

/// The connection is over.
struct Over;

impl Connection {
    async fn converse(
        &mut self,
        close: &CancellationToken,
    ) -> Result<std::convert::Infallible, Over> {
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            bytes.reserve(READ);
            let patience = self.patience();
            let read = tokio::select! {
                () = close.cancelled(), if !self.interpreter.has_mail() => return Err(Over),
                read = timeout(patience, self.stream.read_buf(&mut bytes)) => read,
            };
            match read {
                Ok(Ok(1..)) => self.take_in(&bytes).await?,
                Ok(Ok(0) | Err(_)) | Err(_) => return Err(Over),
            }
        }
    }

    async fn take_in(&mut self, mut bytes: &[u8]) -> Result<(), Over> {
        loop {
            match self.server.receive(&mut bytes, &mut self.out) {
                Ok(Some(heard)) => self.respond(heard).await?,
                Ok(None) => return self.send().await,
                Err(fault) => {
                    self.current.load().warn(&complaint(&self.peer, &fault));
                    return Err(Over);
                }
            }
        }
    }

    async fn respond(&mut self, heard: Heard) -> Result<(), Over> {
        let is_end = heard == Heard::EndOfBody;
        self.introduce(&heard).await?;
        match self.interpreter.hear(heard, self.server.macro_value("j")) {
            Turn::Meet(guest) => {
                let greeted = self.meet(guest).await?;
                let answer = self.interpreter.reply(&greeted);
                self.answer(&answer)?;
            }
            Turn::Say(pieces) => {
                let said = self.say(&pieces).await?;
                let answer = self.interpreter.reply(&said);
                self.answer(&answer)?;
            }
            Turn::End(pieces) => self.judge(&pieces).await?,
            Turn::Answer(Answer::Refuse(reply) | Answer::Close(reply)) if is_end => {
                self.finish(&verdict::refused(reply))?;
            }
            Turn::Answer(answer) => self.answer(&answer)?,
            Turn::Leave => self.visit = None,
        }
        self.send().await
    }

    /// Tells the session what a client shows without words, as far as it is due now.
    async fn introduce(&mut self, heard: &Heard) -> Result<(), Over> {
        if self.visit.is_none() && !matches!(heard, Heard::Connect(_) | Heard::Quit { .. }) {
            // The mail server has not said who it is.
            self.meet(Guest { address: None, name: None }).await?;
        }
        let Some(visit) = &mut self.visit else { return Ok(()) };
        let known = |name: &str| self.server.macro_value(name);
        match heard {
            Heard::Helo(_) => {
                if let Some(tls) = milter::tls(known) {
                    visit.session.encrypt(tls);
                }
            }
            Heard::Mail(_) => {
                if let Some(login) = milter::login(known) {
                    visit.session.log_in_as(login);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A client comes. What it is greeted with.
    async fn meet(&mut self, guest: Guest) -> Result<Vec<u8>, Over> {
        let patience = self.patience();
        let asked = self.current.load_full();
        let address = guest.address.unwrap_or(([0, 0, 0, 0], 0).into());
        let visitor = Visitor { address, name: guest.name, in_tls: false };
        let mut session = Rehearsal::elsewhere(&asked.listener, visitor);
        let line = (&mut self.stream, &mut self.out);
        let greeted = while_at_work(session.say(b""), &self.server, line, patience).await?;
        self.visit = Some(Visit { session, asked });
        Ok(greeted)
    }

    /// What is replied to what a client says.
    async fn say(&mut self, pieces: &[Vec<u8>]) -> Result<Vec<u8>, Over> {
        let patience = self.patience();
        let Some(visit) = &mut self.visit else { return Ok(Vec::new()) };
        let line = (&mut self.stream, &mut self.out);
        while_at_work(say(&mut visit.session, pieces), &self.server, line, patience).await
    }

    /// The mail is complete.
    async fn judge(&mut self, pieces: &[Vec<u8>]) -> Result<(), Over> {
        let said = self.say(pieces).await?;
        let Some(visit) = &mut self.visit else { return Err(Over) };
        let answer = self.interpreter.reply(&said);
        let outcome = visit.session.take_outcome();
        let id = match &outcome {
            Some(Outcome::Judged(opinion)) => format!("; {} here", opinion.id),
            Some(Outcome::Discarded) | None => String::new(),
        };
        let verdict = match (answer, outcome) {
            (Answer::Refuse(reply) | Answer::Close(reply), _) => verdict::refused(reply),
            (_, Some(outcome)) => {
                let if_held = visit.asked.rules.if_held;
                verdict::of(outcome, self.interpreter.header(), if_held)
            }
            (_, None) => verdict::refused(NotJudged::NoOutcome.reply()),
        };
        self.finish_as(&verdict, &id)
    }

    fn finish(&mut self, verdict: &Verdict) -> Result<(), Over> {
        self.finish_as(verdict, "")
    }

    /// Tells the mail server what becomes of the mail, and the log.
    fn finish_as(&mut self, verdict: &Verdict, id: &str) -> Result<(), Over> {
        let queue_id = milter::queue_id(|name| self.server.macro_value(name));
        let Some(Visit { asked, .. }) = &self.visit else { return Err(Over) };
        if let Err(error) = self.server.finish(verdict, &mut self.out) {
            asked.warn(&format!("{} cannot be told what becomes of its mail: {error}", self.peer));
            return Err(Over);
        }
        let told = verdict::word(&verdict.decision);
        let mut text =
            format!("{} of {}: {told}", queue_id.as_deref().unwrap_or("mail"), self.peer);
        if let Decision::Refuse(reply) = &verdict.decision {
            text += &format!(", {reply}");
        }
        if !verdict.edits.is_empty() {
            text += &format!(", {}", agreeing(verdict.edits.len(), "change", "changes"));
        }
        if !verdict.reason.is_empty() {
            text += &format!(": {}", verdict.reason);
        }
        let listener = asked.listener.name().into();
        let text = (text + id).into();
        asked.observer.session(&SessionEvent::Judged { listener, told, text });
        Ok(())
    }

    fn answer(&mut self, answer: &Answer) -> Result<(), Over> {
        if !self.server.owes_answer() {
            // It is heard of at the end of the mail.
            return Ok(());
        }
        self.server.answer(answer, &mut self.out).map_err(|error| {
            self.current.load().warn(&format!("{} cannot be answered: {error}", self.peer));
            Over
        })
    }

    fn patience(&self) -> Duration {
        self.current.load().rules.at.timeout
    }

    async fn send(&mut self) -> Result<(), Over> {
        let patience = self.patience();
        send(&mut self.stream, &mut self.out, patience).await
    }
}

fn complaint(peer: &str, fault: &Fault) -> String {
    match fault {
        Fault::Actions(offered) => format!(
            "{peer} does not offer all that a milter of ours does (it offers {offered:#x}): \
             it has to let us change header, sender and recipients, and hold mail"
        ),
        fault => format!("{peer} says {fault}: is it a mail server?"),
    }
}

/// Does what takes its time. Meanwhile the mail server hears that we are at work.
async fn while_at_work<T>(
    work: impl Future<Output = T>,
    server: &Server,
    (stream, out): (&mut (impl AsyncWrite + Unpin), &mut Vec<u8>),
    patience: Duration,
) -> Result<T, Over> {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return Ok(done),
            () = sleep(PROGRESS) => {
                server.progress(out);
                send(stream, out, patience).await?;
            }
        }
    }
}

/// Whoever does not read its answers is no mail server.
async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    out: &mut Vec<u8>,
    patience: Duration,
) -> Result<(), Over> {
    let bytes = std::mem::take(out);
    if bytes.is_empty() {
        return Ok(());
    }
    match timeout(patience, stream.write_all(&bytes)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Over),
    }
}

/// Says all, one after the other, and hears what is replied.
async fn say(session: &mut Rehearsal, pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut heard = Vec::new();
    for piece in pieces {
        heard.append(&mut Box::pin(session.say(piece)).await);
    }
    heard
}

/// All that rules can do to a mail of another mail server. Header fields and parts of the body are not answered one by one:
/// what speaks against the mail is said at its end.
fn wishes() -> Wishes {
    let actions = [
        Actions::ADDHDRS,
        Actions::CHGHDRS,
        Actions::ADDRCPT,
        Actions::DELRCPT,
        Actions::CHGFROM,
        Actions::QUARANTINE,
    ];
    let steps =
        [Steps::NOUNKNOWN, Steps::NR_HDR, Steps::NR_EOH, Steps::NR_BODY, Steps::HDR_LEADSPC];
    let macros = [
        (Stage::Connect, "j v"),
        (Stage::Helo, "{tls_version} {cipher} {cipher_bits}"),
        (Stage::Mail, "i {auth_type} {auth_authen}"),
        (Stage::Rcpt, "i"),
        (Stage::Data, "i"),
        (Stage::EndOfHeader, "i"),
        (Stage::EndOfBody, "i"),
    ];
    Wishes {
        actions: actions.into_iter().fold(Actions::NONE, Actions::and),
        steps: steps.into_iter().fold(Steps::NONE, Steps::and),
        macros: macros.map(|(stage, names)| (stage, names.into())).into(),
    }
}

/// A mail server gives up a milter that is silent for long (Postfix `milter_command_timeout`, 30 s, and `milter_content_timeout`,
/// 300 s).
const PROGRESS: Duration = Duration::from_secs(10);

/// Bytes of one read.
const READ: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use mailweir_external::milter::{
        Client, Event, Limits, MacroLists, Macros, Next, Offer, Peer, PeerAddress,
    };

    use super::*;

    /// A mail server of this name and version waits for us.
    fn asked_by(version: &str) -> Server {
        let (mut asks, mut answers) = (Vec::new(), Vec::new());
        let (lists, limits) = (MacroLists::default(), Limits::new(1_000));
        let mut client = Client::new(Offer::default(), lists, limits, &mut asks);
        let mut server = Server::new(wishes());
        assert_eq!(server.receive(&mut &asks[..], &mut answers), Ok(None));
        assert_eq!(client.receive(&mut &answers[..]), Ok(Some(Event::Negotiated)));
        asks.clear();
        let peer = Peer { name: b"unknown"[..].into(), address: PeerAddress::Unknown };
        let macros: Macros = [("v", version)].into_iter().collect();
        assert_eq!(client.connect(&peer, &macros, &mut asks), Ok(Next::Wait));
        assert!(matches!(
            server.receive(&mut &asks[..], &mut answers),
            Ok(Some(Heard::Connect(_)))
        ));
        server
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_up_may_take_longer_than_a_postfix_waits_for_a_command() {
        for (version, times) in [("Postfix 3.10.2", 2), ("Mailweir 0.1.0", 2), ("8.18.1", 0)] {
            let server = asked_by(version);
            let (mut ours, mut theirs) = tokio::io::duplex(1_000);
            let (work, mut out) = (sleep(PROGRESS * 5 / 2), Vec::new());
            let done = while_at_work(work, &server, (&mut ours, &mut out), PROGRESS).await;
            assert!(done.is_ok());
            drop(ours);
            let mut heard = Vec::new();
            theirs.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"\0\0\0\x01p".repeat(times), "{version}");
        }
    }
}
