//! A whole mail in one breath, to a server that is known: our own, on this machine.
//!
//! EHLO, the envelope, the content and QUIT are said before anything is heard, and the replies come in one piece: each
//! side has one turn instead of five. The server must allow that (`server::Settings::may_talk_ahead`).
//!
//! It is for one recipient, since of several some could be refused and the others get the mail. The content goes
//! by BDAT: behind a DATA that was refused it would be read as commands.

use mailweir_mail::{Domain, Reply, ReplyClass};

use super::{
    capabilities::Capabilities,
    commands::{self, put},
    content::Encoder,
    outcome::{Attempt, Cause, Reports},
    outgoing::Outgoing,
    phase::Phase,
    reply::ReplyParser,
    step::Loss,
    transaction::Breakdown,
};

/// Hears the replies to a mail that was said at once.
///
/// ```
/// use std::sync::Arc;
/// use mailweir_mail::{Address, Domain, Envelope, Recipient, ReversePath};
/// use mailweir_smtp::client::{AtOnce, Attempt, ContentText, Outgoing};
///
/// let envelope = Envelope {
///     recipients: vec![Recipient::new(Address::parse("b@local.example")?)],
///     ..Envelope::from_sender(ReversePath::Null)
/// };
/// let mail = Outgoing::to_all(Arc::new(envelope), 3, ContentText::SevenBit);
/// assert!(AtOnce::suits(&mail));
/// let said = AtOnce::say(&Domain::parse("gate.example")?, &mail, b"x");
/// let all = "EHLO gate.example\r\nMAIL FROM:<> SIZE=3\r\nRCPT TO:<b@local.example>\r\nBDAT 3 LAST\r\nx\r\nQUIT\r\n";
/// assert_eq!(String::from_utf8_lossy(&said), all);
/// let mut replies = AtOnce::new("gate.example");
/// assert_eq!(replies.receive(b"220 hi\r\n250-hi\r\n250 PIPELINING\r\n250 ok\r\n250 ok\r\n"), None);
/// assert!(matches!(replies.receive(b"250 queued\r\n"), Some(Attempt::Delivered { .. })));
/// # Ok::<(), mailweir_mail::AddressError>(())
/// ```
#[derive(Debug)]
pub struct AtOnce {
    peer: Box<str>,
    replies: ReplyParser,
    awaited: Awaited,
}

impl AtOnce {
    /// Whether a mail can be said at once: to one recipient, of at most 64 KiB of content, no probe, and nothing to be
    /// forwarded about it.
    #[must_use]
    pub fn suits(mail: &Outgoing) -> bool {
        let is_plain = !mail.is_probe() && mail.came_from().is_none();
        is_plain && mail.indices().len() == 1 && mail.size() <= MAX_AT_ONCE
    }

    /// All that is said for a mail that [suits](Self::suits).
    #[must_use]
    pub fn say(hostname: &Domain, mail: &Outgoing, content: &[u8]) -> Vec<u8> {
        let mut encoder = Encoder::counted();
        let mut encoded = Vec::new();
        encoder.encode_into(content, &mut encoded);
        encoded.extend_from_slice(encoder.finish());
        let mut said = Vec::with_capacity(encoded.len() + COMMANDS);
        put(&mut said, &["EHLO ", hostname.as_ascii(), "\r\n"]);
        commands::mail(mail, &Capabilities::OURS, &mut said);
        mail.recipients().for_each(|to| commands::rcpt(to, &Capabilities::OURS, &mut said));
        put(&mut said, &["BDAT ", &encoded.len().to_string(), " LAST\r\n"]);
        said.extend_from_slice(&encoded);
        put(&mut said, &[commands::QUIT]);
        said
    }

    /// Nothing is heard yet from `peer`, which our own words quote.
    #[must_use]
    pub fn new(peer: impl Into<Box<str>>) -> Self {
        Self { peer: peer.into(), replies: ReplyParser::default(), awaited: Awaited::Greeting }
    }

    /// Bytes from the server. Gives what became of the recipient as soon as that is known; what comes behind it is not
    /// to be heard.
    pub fn receive(&mut self, mut bytes: &[u8]) -> Option<Attempt> {
        loop {
            match self.replies.read(&mut bytes) {
                Ok(None) => return None,
                Ok(Some(reply)) => {
                    if let Some(attempt) = self.answered(reply) {
                        return Some(attempt);
                    }
                }
                Err(error) => return Some(self.uncertain(&error.into())),
            }
        }
    }

    /// The connection is gone. However much was said: the server may have all of the mail.
    pub fn lost(&self, how: Loss) -> Attempt {
        self.uncertain(&Breakdown::Lost(how))
    }

    /// Nothing is heard for too long.
    pub fn timed_out(&self) -> Attempt {
        self.uncertain(&Breakdown::TimedOut)
    }

    fn answered(&mut self, reply: Reply) -> Option<Attempt> {
        match reply.class() {
            ReplyClass::Intermediate => Some(self.uncertain(&Breakdown::UNEXPECTED)),
            ReplyClass::Transient | ReplyClass::Permanent => Some(self.awaited.refused(reply)),
            ReplyClass::Success => {
                self.awaited = match self.awaited {
                    Awaited::Greeting => Awaited::Hello,
                    Awaited::Hello => Awaited::Mail,
                    Awaited::Mail => Awaited::Rcpt,
                    Awaited::Rcpt => Awaited::Content,
                    Awaited::Content => {
                        return Some(Attempt::Delivered { reply, reports: Reports::PassedOn });
                    }
                };
                None
            }
        }
    }

    /// The server may have the mail, however far its replies came.
    fn uncertain(&self, why: &Breakdown) -> Attempt {
        let (reply, _) = why.during(Phase::EndOfData, &self.peer);
        Attempt::Uncertain { reply }
    }
}

/// What the next reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Greeting,
    Hello,
    Mail,
    Rcpt,
    /// BDAT.
    Content,
}

impl Awaited {
    /// What a refusal means to the recipient. A server of our own judges no mail before MAIL: it has no room, or it is
    /// of another version.
    fn refused(self, reply: Reply) -> Attempt {
        match self {
            Self::Greeting => Attempt::Deferred { reply, cause: Cause::Replied(Phase::Greeting) },
            Self::Hello => Attempt::Deferred { reply, cause: Cause::Replied(Phase::Hello) },
            Self::Mail => Attempt::refused(reply, Cause::Replied(Phase::Mail)),
            Self::Rcpt => Attempt::refused_rcpt(reply),
            Self::Content => Attempt::refused(reply, Cause::Replied(Phase::EndOfData)),
        }
    }
}

/// The largest mail, in bytes of content, that is said at once: it is in memory, and one turn more or less is much for
/// small ones only.
const MAX_AT_ONCE: u64 = 64 << 10;

/// The usual commands fit.
const COMMANDS: usize = 512;

#[cfg(test)]
mod tests;
