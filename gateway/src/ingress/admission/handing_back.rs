//! A mail that comes back from a filter while its client waits: from the session with the filter to that with the client.

use mailweir_external::{
    edit::EnvelopeChanges,
    verdict::{Decision, Edit, Verdict},
};
use mailweir_mail::{Address, Envelope, QueueId, SessionEvent};
use mailweir_smtp::{
    replies::{NotAwaited, Refusal},
    server::{Answer, Session},
};

use super::{
    Admission,
    accepting::{Judged, internal},
    inspecting::known_as,
};
use crate::ingress::{
    addressing::FinalForm, incoming::NotRewritten, inspection::Asked, relay::ServedDomains,
    waiting::Handed,
};

impl Admission {
    /// Hands a mail over to the session that waits for it, under the name that it has there. It is not stored here: the client
    /// has no answer yet.
    pub(super) fn hand_over(
        &self,
        mut mail: Judged,
        waits_as: QueueId,
        filter: &str,
        session: &mut Session,
    ) -> Result<Answer, Answer> {
        let written = session.take_envelope().ok_or_else(internal)?;
        let came_for = written.clone();
        // Our postmaster is somebody where the mail came in first.
        let FinalForm { envelope, .. } = mail.take_final_form(written, &ServedDomains::default());
        let (came_as, hold) = (mail.incoming.id(), mail.hold);
        let handed = Box::new(Handed { incoming: mail.incoming, came_for, envelope, hold });
        let handed = self.listener.shared().waiting.hand_over(waits_as, filter, handed);
        match handed {
            Ok(()) => Ok(Answer::HandedBack(waits_as)),
            Err(why) => Err(self.not_awaited(came_as, why)),
        }
    }

    /// The filter hears it, and the administrator what to set right.
    pub(super) fn not_awaited(&self, id: QueueId, why: NotAwaited) -> Answer {
        let text = match why {
            NotAwaited::Unknown => {
                "it brings no slip by which it comes back here: the filter must leave X-Mailweir-Slip in the header, \
                 and hand back where its returns_to says"
            }
            NotAwaited::Twice => {
                "it was handed back before: the filter must hand each mail back once, for all its recipients"
            }
            NotAwaited::Over => "its client has had an answer, or has left",
        };
        self.listener.warn(format!("{id}: refused to the filter that hands it back: {text}"));
        Answer::Refuse(Refusal::NotAwaited(why))
    }

    /// The mail is what the filter has handed back. `gone`: the envelope with which it went there. Gives what the filter has changed in
    /// that.
    pub(super) async fn take_over(
        &self,
        filter: Asked<'_>,
        handed: Handed,
        mail: &mut Judged,
        gone: &Envelope,
        (written, session): (&Envelope, &Session),
    ) -> Result<Vec<Edit>, Answer> {
        let (id, name) = (mail.incoming.id(), filter.name);
        let Handed { incoming, came_for, envelope, hold } = handed;
        let taken = mail.incoming.become_that(incoming, envelope.smtputf8).await;
        taken.map_err(|error| match error {
            NotRewritten::Store(error) => self.not_taken(&error),
            NotRewritten::Content(error) => self.cannot_tell(id, &error),
            NotRewritten::Edit(error) => self.cannot_tell(id, &error),
        })?;
        mail.hold = mail.hold.take().or(hold);
        let changes = EnvelopeChanges::between(gone, &envelope);
        // Whom REDIRECT replaced on the way back the filter has left.
        for address in EnvelopeChanges::between(gone, &came_for).gone {
            let text = format!("{id}: the filter {name} has taken the copy of <{address}>");
            let event = SessionEvent::Notice { part: "smtpd", text: text.into() };
            self.listener.shared().observer.session(&event);
        }
        let mut wanted = changes.clone();
        if envelope.filter.is_some() || !changes.is_empty() {
            let mut form = mail.take_final_form(written.clone(), self.listener.served());
            if envelope.filter.is_some() {
                form.envelope.filter.clone_from(&envelope.filter);
            }
            if stands_for_others(&form.envelope, gone, &changes.gone) {
                wanted.gone.clear();
            }
            mail.settle(form);
        }
        let reason = "it has handed the mail back".into();
        let edits = wanted.gone_first().collect();
        let verdict = Verdict { decision: Decision::Pass, edits, reason };
        self.obey(filter, verdict, mail, (written, session)).await?;
        Ok(changes.gone_first().collect())
    }
}

/// Whether one recipient of now gets the mail for several who were written (REDIRECT), some of whom the filter has left: then that
/// one must not go with those that it has taken. `gone`: the envelope with which the mail went there.
fn stands_for_others(now: &Envelope, gone: &Envelope, taken: &[Address]) -> bool {
    let is_there = |address: &Address| now.recipients.iter().any(|one| known_as(one) == address);
    let mut left = gone.recipients.iter().filter(|one| !taken.contains(&one.address));
    left.any(|one| !is_there(&one.address))
}

#[cfg(test)]
mod tests {
    use mailweir_mail::ReversePath;

    use super::*;

    fn envelope(recipients: &[&str]) -> Envelope {
        let add = |envelope: Envelope, to: &&str| envelope.to(to.parse().unwrap());
        recipients.iter().fold(Envelope::from_sender(ReversePath::Null), add)
    }

    #[test]
    fn who_gets_the_mail_for_all_keeps_it_while_one_of_them_is_left() {
        let gone = envelope(&["ann@own.example", "eve@own.example"]);
        let mut redirected = envelope(&["guard@own.example"]);
        redirected.recipients[0].original = Some("ann@own.example".parse().unwrap());
        let taken = ["ann@own.example", "eve@own.example"].map(|one| one.parse().unwrap());
        assert!(stands_for_others(&redirected, &gone, &taken[..1]));
        assert!(!stands_for_others(&gone, &gone, &taken[..1]));
        assert!(!stands_for_others(&redirected, &gone, &taken));
    }
}
