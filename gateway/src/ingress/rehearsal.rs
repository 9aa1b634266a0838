//! A session without a connection: what a client would hear, from the very parts that serve one. So a
//! mail is tried on the rules (`mailweir explain`), and a mail of another mail server is judged.

use std::{net::SocketAddr, sync::Arc};

use mailweir_mail::{Client, Login, TlsSummary};
use mailweir_smtp::server::{Answer, Peer, Rights, Session, Settings, Step};

use super::{
    admission::{Admission, Ends, Opinion},
    listener::Listener,
};
use crate::clock;

/// Who comes.
pub(crate) struct Visitor {
    pub(crate) address: SocketAddr,
    /// The verified name; absent: DNS is asked.
    pub(crate) name: Option<Box<str>>,
    /// Whether it speaks inside TLS.
    pub(crate) in_tls: bool,
}

/// The session.
pub(crate) struct Rehearsal {
    session: Session,
    admission: Admission,
    outcome: Option<Outcome>,
}

/// What is to become of a mail that nothing refused, of a mail server that asks.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It goes on like this.
    Judged(Box<Opinion>),
    /// It is thrown away, and its client shall not know.
    Discarded,
}

impl Rehearsal {
    /// A session that ends as one of the listener's own.
    pub(crate) fn new(listener: &Arc<Listener>, visitor: Visitor) -> Self {
        Self::begin(listener, listener.settings(), visitor, Ends::InQueue)
    }

    /// A session of a client that another mail server serves. Its mail ends in an [`Outcome`], and nowhere
    /// else.
    pub(crate) fn elsewhere(listener: &Arc<Listener>, visitor: Visitor) -> Self {
        let settings = listener.settings_elsewhere();
        Self::begin(listener, settings, visitor, Ends::InOpinion(None))
    }

    fn begin(
        listener: &Arc<Listener>,
        settings: Arc<Settings>,
        visitor: Visitor,
        ends: Ends,
    ) -> Self {
        let Visitor { address, name, in_tls } = visitor;
        let client = Client { address, name };
        let permit = listener.shared().permits.admit(address.ip(), 0);
        let peer = Peer { client, local: listener.local(), rights: Rights::NONE };
        let mut session = Session::new(settings, peer, clock::monotonic());
        if in_tls {
            session.tls_started(supposed_tls());
        }
        let admission = Admission::new(Arc::clone(listener), permit, ends);
        Self { session, admission, outcome: None }
    }

    /// The client is logged in from now on.
    pub(crate) fn log_in(&mut self, user: &str) {
        self.log_in_as(Login { user: user.into(), mechanism: "PLAIN".into() });
    }

    /// The same, in a certain way.
    pub(crate) fn log_in_as(&mut self, login: Login) {
        self.session.suppose_login(login);
    }

    /// The client speaks inside TLS from now on, as far as it did not before. To be told before its greeting.
    pub(crate) fn encrypt(&mut self, tls: TlsSummary) {
        if self.session.tls() != Some(&tls) {
            self.session.tls_started(tls);
        }
    }

    /// Says something, and hears what is replied.
    pub(crate) async fn say(&mut self, mut words: &[u8]) -> Vec<u8> {
        let mut heard = Vec::new();
        loop {
            match self.session.next(&mut words, clock::monotonic()) {
                Step::Read | Step::Close | Step::StartTls => break,
                Step::Write(bytes) => heard.extend_from_slice(bytes),
                Step::Content(piece) => self.admission.content(piece).await,
                Step::Abandoned(what) => self.admission.abandon(what),
                Step::Ask(question) => {
                    let answer = self.admission.answer(question, &mut self.session).await;
                    self.note_outcome(&answer);
                    self.session.answer(answer);
                }
            }
        }
        while let Some(refused) = self.session.take_refusal() {
            self.admission.log_refusal(&self.session, refused);
        }
        heard
    }

    /// What is to become of the mail that was just completed, unless it was refused. Once.
    pub(crate) fn take_outcome(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    fn note_outcome(&mut self, answer: &Answer) {
        self.outcome = match answer {
            Answer::Judged => self.admission.take_opinion().map(Outcome::Judged),
            Answer::Discarded(_) => Some(Outcome::Discarded),
            _ => None,
        };
    }
}

/// What a client of today agrees on.
fn supposed_tls() -> TlsSummary {
    TlsSummary { version: "TLSv1.3".into(), cipher: "TLS_AES_256_GCM_SHA384".into(), bits: 256 }
}
