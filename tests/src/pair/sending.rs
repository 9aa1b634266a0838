//! The sending end: what a courier does with a client, without its socket.

use std::{sync::Arc, time::Instant};

use mailweir_mail::{QueueId, TlsSummary};
use mailweir_smtp::client::{Attempt, Client, Closed, Encoder, Loss, Outgoing, Step};

use super::{plan::Plan, wire::Pipe};

/// What a mail came to at the sending end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// One outcome for each recipient.
    Finished(Vec<Attempt>),
    /// It came back, or was never begun.
    Untried,
}

/// A client, the mails it is given, and what it said of them.
pub(super) struct Sender {
    client: Client,
    mails: Vec<(Outgoing, Vec<u8>)>,
    begun: usize,
    /// A content under way: which one, and how much of it is sent.
    content: Option<(Encoder, usize, usize)>,
    rest: Rest,
    pub(super) endings: Vec<Option<Ending>>,
    pub(super) commands: Vec<u8>,
    pub(super) closed: Option<Closed>,
}

/// What it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Answer,
    Handshake,
    Closed,
}

impl Sender {
    pub(super) fn new(plan: &Plan, now: Instant) -> Self {
        let mails = plan.mails.iter().enumerate();
        let mails: Vec<_> =
            mails.map(|(at, mail)| (mail.outgoing(id(at)), mail.content.clone())).collect();
        Self {
            client: Client::new(Arc::new(plan.client_settings()), "gate.example[192.0.2.25]", now),
            endings: vec![None; mails.len()],
            mails,
            begun: 0,
            content: None,
            rest: Rest::Answer,
            commands: Vec::new(),
            closed: None,
        }
    }

    /// Does what the client says until it waits for the other side.
    pub(super) fn act(&mut self, now: Instant, out: &mut Pipe) {
        while self.rest != Rest::Closed {
            self.offer_mail();
            match self.client.next(now) {
                Step::Write(bytes) => {
                    self.commands.extend_from_slice(bytes);
                    out.put(bytes);
                }
                Step::Content(id) => {
                    if !self.send_content(id, now, out) {
                        return;
                    }
                }
                Step::Finished(done) => {
                    let at = place(done.mail.id());
                    self.end(at, Ending::Finished(done.attempts));
                }
                Step::Returned(mail) => self.end(place(mail.id()), Ending::Untried),
                Step::Ready => self.client.quit(),
                Step::Read => return self.rest = Rest::Answer,
                Step::StartTls => return self.rest = Rest::Handshake,
                Step::Close(closed) => {
                    self.closed = Some(closed.clone());
                    self.rest = Rest::Closed;
                }
            }
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.client.receive(bytes);
        }
    }

    pub(super) fn lose(&mut self) {
        self.client.input_closed(Loss::Closed);
    }

    pub(super) fn start_tls(&mut self, summary: TlsSummary) {
        self.client.tls_started(summary);
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.client.expire(now);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.has_closed() { None } else { self.client.deadline() }
    }

    pub(super) fn wants_tls(&self) -> bool {
        self.rest == Rest::Handshake
    }

    pub(super) fn has_closed(&self) -> bool {
        self.rest == Rest::Closed
    }

    fn offer_mail(&mut self) {
        while self.begun < self.mails.len() && self.client.has_room() {
            let mail = self.mails[self.begun].0.clone();
            assert_eq!(self.client.begin(mail), Ok(()), "there is room");
            self.begun += 1;
        }
    }

    /// Sends the next piece, if the wire took the last one; `false` if it did not.
    fn send_content(&mut self, id: QueueId, now: Instant, out: &mut Pipe) -> bool {
        if !out.is_empty() {
            return false;
        }
        let at = place(id);
        let (mut encoder, sent) = match self.content.take() {
            Some((encoder, of, sent)) if of == at => (encoder, sent),
            _ => (Encoder::new(), 0),
        };
        let content = &self.mails[at].1;
        let end = content.len().min(sent + PIECE);
        let mut wire = Vec::new();
        encoder.encode_into(&content[sent..end], &mut wire);
        if end == content.len() {
            wire.extend_from_slice(encoder.finish());
            self.client.content_sent();
        } else {
            self.content = Some((encoder, at, end));
            self.client.content_progress(now);
        }
        out.put(&wire);
        true
    }

    fn end(&mut self, at: usize, ending: Ending) {
        let before = self.endings[at].replace(ending);
        assert_eq!(before, None, "mail {at} comes back once");
    }
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said = String::from_utf8_lossy(&self.commands);
        f.debug_struct("Sender").field("rest", &self.rest).field("said", &said).finish()
    }
}

fn id(at: usize) -> QueueId {
    let serial = u32::try_from(at).expect("few mails");
    QueueId::new(mailweir_mail::Timestamp::from_secs(1_795_210_205), serial)
}

/// The place of a mail in the plan.
fn place(wanted: QueueId) -> usize {
    (0..MOST_MAILS).find(|&at| id(at) == wanted).expect("an id that was given")
}

/// How much of a content is sent at once.
const PIECE: usize = 64;

const MOST_MAILS: usize = 100;
