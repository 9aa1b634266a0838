//! The log-in under way: what the client says goes to the authenticator, and what it says comes back.

use mailweir_auth::{Attempt, AuthFailure, Denial, Identity, Mechanism, Role, Step};
use mailweir_mail::{Login, SessionEvent};
use mailweir_smtp::{
    replies::Refusal,
    server::{Answer, Session},
};

use super::{
    super::{refusals, senders::Submitter},
    Admission,
};
use crate::clock;

impl Admission {
    pub(super) async fn log_in(
        &mut self,
        mechanism: Box<str>,
        initial: Option<&[u8]>,
        session: &Session,
    ) -> Answer {
        let Ok(known) = mechanism.parse::<Mechanism>() else {
            return Answer::Refuse(Refusal::Internal);
        };
        let attempt = self.attempt(session);
        let authenticator = &self.listener.shared().authenticator;
        let channel = std::mem::take(&mut self.channel);
        let step = authenticator.start(known, initial, channel, &attempt).await;
        self.take_step(mechanism, step, session)
    }

    pub(super) async fn go_on(&mut self, response: &[u8], session: &Session) -> Answer {
        let Some((mechanism, exchange)) = self.exchange.take() else {
            return Answer::Refuse(Refusal::Internal);
        };
        let attempt = self.attempt(session);
        let authenticator = &self.listener.shared().authenticator;
        let is_logged = exchange.denial().is_some();
        let step = authenticator.respond(exchange, response, &attempt).await;
        match step {
            Step::Refused(failure) if is_logged => Answer::Refuse(refusals::auth(&failure)),
            Step::Challenge(_) | Step::LoggedIn(..) | Step::Refused(_) => {
                self.take_step(mechanism, step, session)
            }
        }
    }

    fn attempt(&self, session: &Session) -> Attempt {
        Attempt {
            client: session.client().ip(),
            listener: self.listener.name().into(),
            tls: session.tls().is_some(),
            now: clock::monotonic(),
        }
    }

    fn take_step(&mut self, mechanism: Box<str>, step: Step, session: &Session) -> Answer {
        match step {
            Step::Challenge(exchange) => {
                // Now: it may hang up without hearing the reply.
                if let Some(denial) = exchange.denial() {
                    self.log_auth_failure(session, &mechanism, &denial.to_string());
                }
                let challenge = exchange.challenge().to_vec();
                self.exchange = Some((mechanism, exchange));
                Answer::Challenge(challenge)
            }
            // What comes here is for handing in mail; other roles are for other doors.
            Step::LoggedIn(identity, _) if !identity.is(Role::Sender) => {
                let failure = AuthFailure::Denied(Denial::NoSender);
                self.log_auth_failure(session, &mechanism, &failure.to_string());
                Answer::Refuse(refusals::auth(&failure))
            }
            Step::LoggedIn(identity, mechanism) => {
                self.log_credential(session, &identity);
                let user = identity.user().as_str().into();
                let login = Login { user, mechanism: mechanism.as_str().into() };
                self.submitter = Some(Submitter::proven(&identity, login.clone()));
                Answer::LoggedIn(login)
            }
            Step::Refused(failure) => {
                self.log_auth_failure(session, &mechanism, &failure.to_string());
                Answer::Refuse(refusals::auth(&failure))
            }
        }
    }

    /// Which of several credentials it was: that is nowhere in Postfix's lines.
    fn log_credential(&self, session: &Session, identity: &Identity) {
        let Some(label) = identity.credential() else { return };
        let (client, user) = (session.client(), identity.user());
        let text = format!("{client}: sasl_username={user}, app password {label}");
        let notice = SessionEvent::Notice { part: "smtpd", text: text.into() };
        self.listener.shared().observer.session(&notice);
    }

    fn log_auth_failure(&self, session: &Session, mechanism: &str, reason: &str) {
        self.listener.shared().observer.session(&SessionEvent::AuthFailed {
            listener: self.listener.name().into(),
            client: session.client().clone(),
            mechanism: mechanism.into(),
            reason: reason.into(),
        });
    }
}
