//! The receiving end: what a listener does with a session, without its socket, and with decisions
//! that a plan has made before.

use std::{borrow::Cow, sync::Arc, time::Instant};

use mailweir_mail::{Client, Enhanced, Envelope, Login, QueueId, Reply, Timestamp, TlsSummary};
use mailweir_smtp::{
    replies::Refusal,
    server::{Answer, Peer, Question, Rights, Session, Step, Unfinished},
};

use super::{
    plan::{Plan, Say},
    wire::Pipe,
};

/// A mail that the server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which mail of the plan it is.
    pub mail: usize,
    /// The envelope as the server read it.
    pub envelope: Envelope,
    /// The content as the server decoded it.
    pub content: Vec<u8>,
}

/// A session and the decisions it asks for.
#[derive(Debug)]
pub(super) struct Receiver {
    session: Session,
    plan: Plan,
    /// The mail of the plan that MAIL is asked for next, and the one that is under way.
    next: usize,
    mail: usize,
    recipient: usize,
    intake: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    rest: Rest,
    pub(super) taken: Vec<Taken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Input,
    Handshake,
    Closed,
}

impl Receiver {
    pub(super) fn new(plan: &Plan, now: Instant) -> Self {
        let peer = Peer {
            client: Client::unnamed(([192, 0, 2, 1], 4711).into()),
            local: ([192, 0, 2, 25], 25).into(),
            rights: Rights { trusted: true, ..Rights::NONE },
        };
        Self {
            session: Session::new(Arc::new(plan.server_settings()), peer, now),
            plan: plan.clone(),
            next: 0,
            mail: 0,
            recipient: 0,
            intake: None,
            user: None,
            rest: Rest::Input,
            taken: Vec::new(),
        }
    }

    /// Does what the session says until it waits for the other side.
    pub(super) fn act(&mut self, now: Instant, out: &mut Pipe) {
        self.receive(b"", now, out);
    }

    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant, out: &mut Pipe) {
        let mut input = bytes;
        while self.rest != Rest::Closed {
            let question = match self.session.next(&mut input, now) {
                Step::Ask(question) => question,
                Step::Write(bytes) => {
                    out.put(&passed(bytes, self.plan.pipelining));
                    continue;
                }
                Step::Content(piece) => {
                    self.intake.as_mut().expect("content without intake").extend(piece);
                    continue;
                }
                Step::Abandoned(Unfinished::Content) => {
                    self.intake.take().expect("no intake to drop");
                    continue;
                }
                Step::Abandoned(Unfinished::Auth) => continue,
                Step::Read => return self.rest = Rest::Input,
                Step::StartTls => return self.rest = Rest::Handshake,
                Step::Close => return self.rest = Rest::Closed,
            };
            let answer = self.decide(question);
            self.session.answer(answer);
        }
    }

    pub(super) fn lose(&mut self) {
        self.session.input_closed();
    }

    pub(super) fn start_tls(&mut self, summary: TlsSummary) {
        self.session.tls_started(summary);
    }

    pub(super) fn expire(&mut self, now: Instant) {
        if !self.has_closed() && self.session.deadline() <= now {
            self.session.expire(now);
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.has_closed()).then(|| self.session.deadline())
    }

    pub(super) fn wants_tls(&self) -> bool {
        self.rest == Rest::Handshake
    }

    pub(super) fn has_closed(&self) -> bool {
        self.rest == Rest::Closed
    }

    fn decide(&mut self, question: Question) -> Answer {
        match question {
            Question::Connect => proceed(self.plan.connect),
            Question::Hello => proceed(self.plan.hello),
            Question::Sender => self.judge_sender(),
            Question::Recipient(_) => {
                let say = self.plan.mails[self.mail].judgements[self.recipient];
                self.recipient += 1;
                proceed(say)
            }
            Question::Content => self.open_intake(),
            Question::EndOfData => self.commit(),
            Question::AuthStart { mechanism, initial } => self.begin_login(&mechanism, initial),
            Question::AuthResponse(response) => self.go_on_with_login(response),
        }
    }

    /// Mails that do not fit the server are never asked for.
    fn judge_sender(&mut self) -> Answer {
        while !self.plan.fits(self.next) {
            self.next += 1;
        }
        (self.mail, self.recipient) = (self.next, 0);
        self.next += 1;
        proceed(self.plan.mails[self.mail].sender)
    }

    fn open_intake(&mut self) -> Answer {
        let say = self.plan.mails[self.mail].opening;
        if say == Say::Yes {
            assert_eq!(self.intake.replace(Vec::new()), None, "two intakes at once");
        }
        proceed(say)
    }

    fn commit(&mut self) -> Answer {
        let content = self.intake.take().expect("an end without an intake");
        match proceed(self.plan.mails[self.mail].end) {
            Answer::Proceed => {}
            refusal => return refusal,
        }
        let envelope = self.session.take_envelope().expect("a mail without envelope");
        self.taken.push(Taken { mail: self.mail, envelope, content });
        let serial = u32::try_from(self.taken.len()).expect("few mails");
        Answer::Accepted(QueueId::new(Timestamp::from_secs(1_795_210_206), serial))
    }

    fn begin_login(&mut self, mechanism: &str, initial: Option<Vec<u8>>) -> Answer {
        match (mechanism, initial) {
            ("PLAIN", Some(response)) => self.judge_login(response == b"\0relay\0sesame", "PLAIN"),
            ("PLAIN", None) => Answer::Challenge(Vec::new()),
            (_, initial) => {
                self.user = initial;
                let asks = if self.user.is_none() { "Username:" } else { "Password:" };
                Answer::Challenge(asks.into())
            }
        }
    }

    fn go_on_with_login(&mut self, response: Vec<u8>) -> Answer {
        let Some(user) = self.user.take() else {
            self.user = Some(response);
            return Answer::Challenge(b"Password:".to_vec());
        };
        self.judge_login(user == b"relay" && response == b"sesame", "LOGIN")
    }

    fn judge_login(&self, right: bool, mechanism: &str) -> Answer {
        assert!(right, "the credentials came over wrong");
        match self.plan.log_in.as_ref().map_or(Say::Never, |log_in| log_in.say) {
            Say::Yes => {
                Answer::LoggedIn(Login { user: "relay".into(), mechanism: mechanism.into() })
            }
            Say::Never => Answer::Refuse(Refusal::AuthFailed),
            Say::Later => Answer::Refuse(Refusal::AuthTemporary),
            Say::Leave => Answer::Refuse(Refusal::Overloaded),
        }
    }
}

/// What reaches the client: a firewall that hides an extension puts other letters in its place.
fn passed(bytes: &[u8], pipelining: bool) -> Cow<'_, [u8]> {
    if pipelining {
        return bytes.into();
    }
    let text = String::from_utf8_lossy(bytes);
    text.replace("PIPELINING", "XXXXXXXXXX").into_bytes().into()
}

fn proceed(say: Say) -> Answer {
    match say {
        Say::Yes => Answer::Proceed,
        Say::Later => rule(451, Enhanced(4, 7, 1), "later"),
        Say::Never => rule(550, Enhanced(5, 7, 1), "never"),
        Say::Leave => Answer::Refuse(Refusal::Overloaded),
    }
}

fn rule(code: u16, enhanced: Enhanced, text: &'static str) -> Answer {
    Answer::Refuse(Refusal::Rule(Reply::new(code, enhanced, text)))
}
