//! Bodies of the fuzz targets for the sending side: a peer's bytes, and content on the wire.
//!
//! Plain functions, so that a smoke test runs them too. They panic if a promise is broken.

use std::{sync::Arc, time::Instant};

use mailweir_mail::{Address, Domain, Envelope, ReversePath};
use mailweir_smtp::client::{
    Attempt, Client, ContentText, Dialect, Encoder, Loss, Outgoing, Settings, Step, TlsPolicy,
};

/// A peer sends these bytes: the first one chooses the settings, and whether mails are probes; each
/// 0xFF is a pause in which the client acts. Every mail must come back before the next is given, with
/// one outcome per recipient or untouched.
pub fn client_reply_bytes(data: &[u8]) {
    let (&choice, bytes) = data.split_first().unwrap_or((&0, &[]));
    let (Some(settings), Some(mail)) = (settings(choice), mail(choice)) else { return };
    let mut run = Run {
        client: Client::new(Arc::new(settings), "mx.example[192.0.2.1]", Instant::now()),
        now: Instant::now(),
        mail,
        given: 0,
        in_hand: None,
        closed: false,
    };
    for part in bytes.split(|&byte| byte == 0xFF) {
        run.act();
        run.client.receive(part);
    }
    run.act();
    run.client.input_closed(Loss::Closed);
    run.act();
    assert!(run.closed, "the connection is over");
    assert_eq!(run.in_hand, None, "every mail comes back");
}

struct Run {
    client: Client,
    now: Instant,
    mail: Outgoing,
    given: u32,
    in_hand: Option<Content>,
    closed: bool,
}

/// How far the content of the mail in hand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    NotAskedFor,
    Sent,
}

impl Run {
    /// Does what the client says until it waits for the peer.
    fn act(&mut self) {
        loop {
            match self.client.next(self.now) {
                Step::Write(bytes) => assert!(bytes.ends_with(b"\r\n"), "whole lines"),
                Step::Finished(attempts) => {
                    let content = self.in_hand.take().expect("a mail in hand");
                    assert_eq!(attempts.len(), self.mail.indices().len(), "one per recipient");
                    attempts.iter().for_each(|attempt| check(attempt, content));
                }
                Step::Returned => {
                    assert_eq!(self.in_hand.take(), Some(Content::NotAskedFor), "not tried");
                }
                Step::Content => {
                    let before = self.in_hand.replace(Content::Sent);
                    assert_eq!(before, Some(Content::NotAskedFor), "once");
                    self.client.content_sent();
                }
                Step::StartTls => self.client.tls_failed("no TLS here"),
                Step::Ready if self.given < MOST_MAILS => self.give_mail(),
                Step::Read | Step::Ready => return,
                Step::Close(_) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }

    fn give_mail(&mut self) {
        self.given += 1;
        if self.client.begin(self.mail.clone()).is_ok() {
            assert_eq!(self.in_hand.replace(Content::NotAskedFor), None, "one in hand");
        } else {
            // The peer had begun to say something.
            let next = self.client.next(self.now);
            assert!(matches!(next, Step::Close(_)), "it was ready");
        }
    }
}

fn check(attempt: &Attempt, content: Content) {
    let text = &attempt.reply().text;
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "text that can be shown");
    let delivered = matches!(attempt, Attempt::Delivered { .. } | Attempt::Uncertain { .. });
    assert!(!delivered || content == Content::Sent, "nothing was sent");
    let accepted = matches!(attempt, Attempt::Accepted { .. });
    assert!(!accepted || content == Content::NotAskedFor, "a probe has no content");
}

fn settings(choice: u8) -> Option<Settings> {
    let mut settings = Settings::new(Domain::parse("mail.example").ok()?);
    if choice & 1 != 0 {
        settings.dialect = Dialect::Lmtp;
    }
    if choice & 2 != 0 {
        settings.tls = TlsPolicy::None;
    }
    Some(settings)
}

fn mail(choice: u8) -> Option<Outgoing> {
    let to = |text| Address::parse(text).ok();
    let envelope = Envelope::from_sender(ReversePath::Null).to(to("a@x.example")?);
    let envelope = Arc::new(envelope.to(to("b@x.example")?));
    if choice & 4 != 0 {
        return Some(Outgoing::probe(envelope, 1));
    }
    Some(Outgoing::to_all(envelope, 7, ContentText::SevenBit))
}

/// A content, encoded in chunks whose size the first byte says. What a strict server decodes must
/// be the content with its line ends, stray CRs and long lines put right, and nothing else.
pub fn content_round_trip(data: &[u8]) {
    let (&chunk, content) = data.split_first().unwrap_or((&0, &[]));
    let mut encoder = Encoder::new();
    let mut wire = Vec::new();
    for part in content.chunks(usize::from(chunk).max(1)) {
        encoder.encode_into(part, &mut wire);
    }
    wire.extend_from_slice(encoder.finish());
    assert_eq!(decoded(&wire), normalised(content));
}

fn decoded(wire: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut rest = wire;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        assert_eq!(rest.get(end..end + 2), Some(&b"\r\n"[..]), "a CR or LF stands alone");
        let line = &rest[..end];
        rest = &rest[end + 2..];
        if line == b"." {
            assert!(rest.is_empty(), "bytes behind the end");
            return lines;
        }
        let line = line.strip_prefix(b".").unwrap_or(line);
        assert!(line.len() <= MAX_LINE, "a long line");
        lines.push(line.to_vec());
    }
    panic!("the content does not end");
}

pub(crate) fn normalised(content: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut bytes = content.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => continue,
            b'\n' => {
                lines.push(std::mem::take(&mut line));
                continue;
            }
            _ if line.len() == MAX_LINE => lines.push(std::mem::replace(&mut line, vec![b' '])),
            _ => {}
        }
        line.push(if byte == b'\r' { b' ' } else { byte });
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

const MOST_MAILS: u32 = 5;

/// RFC 5321 section 4.5.3.1.6, without the CRLF.
const MAX_LINE: usize = 998;
