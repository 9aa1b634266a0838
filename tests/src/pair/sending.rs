//! The sending end: what a courier does with a client, without its socket.

use std::{sync::Arc, time::Instant};

use mailweir_mail::TlsSummary;
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
    /// How many were begun; the last of them may be in hand.
    begun: usize,
    /// A content under way, and how much of it is sent.
    content: Option<(Encoder, usize)>,
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
        let mails = plan.mails.iter();
        let mails: Vec<_> = mails.map(|mail| (mail.outgoing(), mail.content.clone())).collect();
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
            match self.client.next(now) {
                Step::Write(bytes) => {
                    self.commands.extend_from_slice(bytes);
                    out.put(bytes);
                }
                Step::Content => {
                    if !self.send_content(now, out) {
                        return;
                    }
                }
                Step::Finished(attempts) => self.end(Ending::Finished(attempts)),
                Step::Returned => self.end(Ending::Untried),
                Step::Ready if self.begun < self.mails.len() => self.begin_mail(now),
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

    fn begin_mail(&mut self, now: Instant) {
        let mail = self.mails[self.begun].0.clone();
        if self.client.begin(mail).is_ok() {
            self.begun += 1;
        } else {
            // Half a good-bye has arrived.
            assert!(matches!(self.client.next(now), Step::Close(_)), "it was ready");
        }
    }

    /// The place of the mail in hand.
    fn in_hand(&self) -> usize {
        self.begun.checked_sub(1).expect("a mail in hand")
    }

    /// Sends the next piece, if the wire took the last one; `false` if it did not.
    fn send_content(&mut self, now: Instant, out: &mut Pipe) -> bool {
        if !out.is_empty() {
            return false;
        }
        let (mut encoder, sent) = self.content.take().unwrap_or_default();
        let content = &self.mails[self.in_hand()].1;
        let end = content.len().min(sent + PIECE);
        let mut wire = Vec::new();
        encoder.encode_into(&content[sent..end], &mut wire);
        if end == content.len() {
            wire.extend_from_slice(encoder.finish());
            self.client.content_sent();
        } else {
            self.content = Some((encoder, end));
            self.client.content_progress(now);
        }
        out.put(&wire);
        true
    }

    fn end(&mut self, ending: Ending) {
        let at = self.in_hand();
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

/// How much of a content is sent at once.
const PIECE: usize = 64;
