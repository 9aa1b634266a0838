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
    outcome::{Attempt, Cause, Closed, Reports},
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
/// let said = AtOnce::say(&Domain::parse("gate.example")?, &mail, b"x\r\n");
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
    /// What the next reply answers.
    awaited: Phase,
}

impl AtOnce {
    /// Whether a mail can be said at once: to one recipient, and of at most 64 KiB of content.
    #[must_use]
    pub fn suits(mail: &Outgoing) -> bool {
        let is_plain = !mail.is_probe() && mail.came_from().is_none();
        is_plain && mail.indices().len() == 1 && mail.size() <= MAX_AT_ONCE
    }

    /// All that is said for a mail that [suits](Self::suits). `content` is what [`super::Encoder::counted`] makes of it.
    #[must_use]
    pub fn say(hostname: &Domain, mail: &Outgoing, content: &[u8]) -> Vec<u8> {
        let mut said = Vec::with_capacity(content.len() + COMMANDS);
        put(&mut said, &["EHLO ", hostname.as_ascii(), "\r\n"]);
        commands::mail(mail, &Capabilities::OURS, &mut said);
        mail.recipients().for_each(|to| commands::rcpt(to, &Capabilities::OURS, &mut said));
        put(&mut said, &["BDAT ", &content.len().to_string(), " LAST\r\n"]);
        said.extend_from_slice(content);
        put(&mut said, &[commands::QUIT]);
        said
    }

    /// Nothing is heard yet from `peer`, which our own words quote.
    #[must_use]
    pub fn new(peer: impl Into<Box<str>>) -> Self {
        Self { peer: peer.into(), replies: ReplyParser::default(), awaited: Phase::Greeting }
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

    /// The connection is gone, and not all was said: nobody has the mail.
    pub fn cut_short(&self, how: Loss) -> Attempt {
        let (reply, cause) = Breakdown::Lost(how).during(Phase::Content, &self.peer);
        Attempt::Deferred { reply, cause }
    }

    /// All was said, and the connection is gone.
    pub fn lost(&self, how: Loss) -> Attempt {
        self.uncertain(&Breakdown::Lost(how))
    }

    /// All was said, and nothing is heard for too long.
    pub fn timed_out(&self) -> Attempt {
        self.uncertain(&Breakdown::TimedOut)
    }

    fn answered(&mut self, reply: Reply) -> Option<Attempt> {
        let phase = self.awaited;
        match (reply.class(), following(phase)) {
            (ReplyClass::Intermediate, _) => Some(self.uncertain(&Breakdown::UNEXPECTED)),
            (ReplyClass::Success, Some(next)) => {
                self.awaited = next;
                None
            }
            (ReplyClass::Success, None) => {
                Some(Attempt::Delivered { reply, reports: Reports::PassedOn })
            }
            (ReplyClass::Transient | ReplyClass::Permanent, _) => Some(refused(reply, phase)),
        }
    }

    /// The server may have the mail, however far its replies came.
    fn uncertain(&self, why: &Breakdown) -> Attempt {
        let (reply, _) = why.during(Phase::EndOfData, &self.peer);
        Attempt::Uncertain { reply }
    }
}

const fn following(phase: Phase) -> Option<Phase> {
    match phase {
        Phase::Greeting => Some(Phase::Hello),
        Phase::Hello => Some(Phase::Mail),
        Phase::Mail => Some(Phase::Rcpt),
        Phase::Rcpt => Some(Phase::EndOfData),
        _ => None,
    }
}

fn refused(reply: Reply, phase: Phase) -> Attempt {
    match phase {
        Phase::Greeting | Phase::Hello => {
            Closed::Faulty { reply, cause: Cause::Replied(phase) }.attempt()
        }
        Phase::Rcpt => Attempt::refused_rcpt(reply),
        _ => Attempt::refused(reply, Cause::Replied(phase)),
    }
}

/// The largest mail, in bytes of content, that is said at once: it is in memory, and one turn more or less is much for
/// small ones only.
const MAX_AT_ONCE: u64 = 64 << 10;

/// The usual commands fit.
const COMMANDS: usize = 512;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mailweir_mail::{Address, Envelope, Recipient, ReversePath};

    use super::*;
    use crate::client::ContentText;

    const REPLIES: [&str; 5] = [
        "220 gate.example ESMTP\r\n",
        "250-gate.example\r\n250 CHUNKING\r\n",
        "250 2.1.0 Ok\r\n",
        "250 2.1.5 Ok\r\n",
        "250 2.0.0 Ok: queued\r\n",
    ];

    /// What becomes of the recipient if the replies are good but the one in place `nth`, for every split of the bytes.
    #[track_caller]
    fn with(nth: usize, reply: &str) -> Attempt {
        let mut replies = REPLIES;
        replies[nth] = reply;
        let text = replies.concat() + "221 2.0.0 Bye\r\n";
        let outcomes = (0..text.len()).map(|at| {
            let (early, late) = text.as_bytes().split_at(at);
            let mut hearing = AtOnce::new("gate.example");
            hearing.receive(early).or_else(|| hearing.receive(late)).unwrap()
        });
        let outcomes: Vec<Attempt> = outcomes.collect();
        assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "{outcomes:?}");
        outcomes[0].clone()
    }

    fn mail(recipients: usize, size: u64) -> Outgoing {
        let to = Recipient::new(Address::parse("b@local.example").unwrap());
        let envelope = Envelope {
            recipients: vec![to; recipients],
            ..Envelope::from_sender(ReversePath::Null)
        };
        Outgoing::to_all(Arc::new(envelope), size, ContentText::EightBit)
    }

    #[test]
    fn a_mail_that_is_taken_is_delivered() {
        let Attempt::Delivered { reply, reports } = with(4, REPLIES[4]) else { panic!() };
        assert_eq!((reply.code, &*reply.text, reports), (250, "Ok: queued", Reports::PassedOn));
    }

    #[test]
    fn the_first_refusal_is_the_outcome() {
        use Phase::{EndOfData, Greeting, Hello, Mail, Rcpt};
        for (nth, phase) in [Greeting, Hello, Mail, Rcpt, EndOfData].into_iter().enumerate() {
            let Attempt::Deferred { reply, cause } = with(nth, "451 4.3.0 later\r\n") else {
                panic!("{phase:?}")
            };
            assert_eq!((reply.code, cause), (451, Cause::Replied(phase)));
            let never = with(nth, "550 5.7.1 never\r\n");
            assert_eq!(matches!(never, Attempt::Failed { .. }), phase != Greeting, "{never:?}");
            assert_eq!(never.reply().code, 550);
        }
        assert_eq!(with(3, "552 5.2.2 full\r\n").reply().code, 452);
    }

    #[test]
    fn a_server_that_makes_no_sense_may_have_the_mail() {
        for nth in 0..REPLIES.len() {
            for reply in ["354 go on\r\n", "what?\r\n", "250-a\r\n251 b\r\n"] {
                let outcome = with(nth, reply);
                assert!(matches!(outcome, Attempt::Uncertain { .. }), "{outcome:?}");
            }
        }
    }

    #[test]
    fn who_has_not_heard_the_end_may_have_the_mail() {
        let mut hearing = AtOnce::new("gate.example");
        assert_eq!(hearing.receive(REPLIES[..4].concat().as_bytes()), None);
        assert_eq!(hearing.receive(b"250 2.0.0 Ok"), None);
        for outcome in [hearing.lost(Loss::Closed), hearing.timed_out()] {
            assert!(matches!(outcome, Attempt::Uncertain { .. }), "{outcome:?}");
        }
        let outcome = hearing.cut_short(Loss::Closed);
        assert!(matches!(outcome, Attempt::Deferred { .. }), "{outcome:?}");
    }

    #[test]
    fn only_a_small_mail_to_one_is_said_at_once() {
        assert!(AtOnce::suits(&mail(1, MAX_AT_ONCE)));
        assert!(!AtOnce::suits(&mail(1, MAX_AT_ONCE + 1)));
        assert!(!AtOnce::suits(&mail(2, 1)));
        assert!(!AtOnce::suits(&mail(0, 1)));
        let probe = Outgoing::probe(Arc::new(Envelope::from_sender(ReversePath::Null)), 0);
        assert!(!AtOnce::suits(&probe));
    }

    #[test]
    fn a_content_is_counted_and_stands_as_it_is() {
        let said =
            AtOnce::say(&Domain::parse("gate.example").unwrap(), &mail(1, 9), b".\r\nQUIT\r\n");
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains(" SIZE=9 BODY=8BITMIME\r\n"), "{said}");
        assert!(said.ends_with("\r\nBDAT 9 LAST\r\n.\r\nQUIT\r\nQUIT\r\n"), "{said}");
    }
}
