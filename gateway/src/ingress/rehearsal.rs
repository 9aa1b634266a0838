//! A session without a connection: what a client would hear, from the very parts that serve one.

use std::{net::SocketAddr, sync::Arc};

use mailweir_mail::{Client, Login, TlsSummary};
use mailweir_smtp::server::{Peer, Rights, Session, Step};

use super::{admission::Admission, listener::Listener};
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
}

impl Rehearsal {
    pub(crate) fn new(listener: &Arc<Listener>, visitor: Visitor) -> Self {
        let Visitor { address, name, in_tls } = visitor;
        let client = Client { address, name };
        let permit = listener.shared().permits.admit(address.ip(), 0);
        let peer = Peer { client, local: listener.local(), rights: Rights::NONE };
        let mut session = Session::new(listener.settings(), peer, clock::monotonic());
        if in_tls {
            session.tls_started(supposed_tls());
        }
        Self { session, admission: Admission::new(Arc::clone(listener), permit) }
    }

    /// The client is logged in from now on.
    pub(crate) fn log_in(&mut self, user: &str) {
        self.session.suppose_login(Login { user: user.into(), mechanism: "PLAIN".into() });
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
                    self.session.answer(answer);
                }
            }
        }
        while let Some(refused) = self.session.take_refusal() {
            self.admission.log_refusal(&self.session, refused);
        }
        heard
    }
}

/// What a client of today agrees on.
fn supposed_tls() -> TlsSummary {
    TlsSummary { version: "TLSv1.3".into(), cipher: "TLS_AES_256_GCM_SHA384".into(), bits: 256 }
}
