//! A mail that comes back from a filter while its client waits: from the session with the filter to that with the client.

use mailweir_external::verdict::{Decision, Edit, Verdict};
use mailweir_mail::{Address, Envelope, QueueId, Recipient, SessionEvent};
use mailweir_smtp::{
    replies::{NotAwaited, Refusal},
    server::{Answer, Session},
};

use super::{
    Admission,
    accepting::{Judged, internal},
};
use crate::ingress::{
    incoming::NotRewritten, inspection::Asked, relay::ServedDomains, waiting::Handed,
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
        let came_for = written.recipients.iter().map(|one| one.address.clone()).collect();
        let (envelope, _) = mail.take_final_form(written, self.listener.served());
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
                "it brings no slip of a client that waits for it here: the filter must leave X-Mailweir-Slip in the header, \
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
        let Handed { incoming, came_for, mut envelope, hold } = handed;
        call_postmaster(&mut envelope, gone, self.listener.served());
        let taken = mail.incoming.become_that(incoming, envelope.smtputf8).await;
        taken.map_err(|error| match error {
            NotRewritten::Store(error) => self.not_taken(&error),
            NotRewritten::Content(error) => self.cannot_tell(id, &error),
            NotRewritten::Edit(error) => self.cannot_tell(id, &error),
        })?;
        mail.hold = mail.hold.take().or(hold);
        let edits = changes(gone, &envelope);
        let is_left = |address: &Address| came_for.iter().any(|one| is_same(one, address));
        for one in gone.recipients.iter().filter(|one| !is_left(&one.address)) {
            let text = format!("{id}: the filter {name} has taken the copy of <{}>", one.address);
            let event = SessionEvent::Notice { part: "smtpd", text: text.into() };
            self.listener.shared().observer.session(&event);
        }
        let mut wanted = edits.clone();
        if envelope.filter.is_some() || !edits.is_empty() {
            let mut final_form = mail.take_final_form(written.clone(), self.listener.served());
            if envelope.filter.is_some() {
                final_form.0.filter.clone_from(&envelope.filter);
            }
            if stands_for_others(&final_form.0, gone, &envelope) {
                wanted.retain(|edit| !matches!(edit, Edit::RemoveRecipient(_)));
            }
            mail.final_form = Some(final_form);
        }
        let reason = "it has handed the mail back".into();
        let verdict = Verdict { decision: Decision::Pass, edits: wanted, reason };
        self.obey(filter, verdict, mail, (written, session)).await?;
        Ok(edits)
    }
}

/// Our postmaster, who is a person where mail comes back, as the filter knows it.
fn call_postmaster(back: &mut Envelope, gone: &Envelope, served: &ServedDomains) {
    for recipient in &mut back.recipients {
        let is_person = |original: &mut Address| {
            served.instead_of(original) == Some(&recipient.address) && has(gone, original)
        };
        if let Some(postmaster) = recipient.original.take_if(is_person) {
            recipient.address = postmaster;
        }
    }
}

/// What a filter has made of an envelope. Letter case alone is no other address: some programs change it on the way.
fn changes(gone: &Envelope, back: &Envelope) -> Vec<Edit> {
    let mut edits = Vec::new();
    if !is_same_sender(gone, back) {
        edits.push(Edit::Sender(back.sender.clone()));
    }
    let lost = gone.recipients.iter().filter(|one| !has(back, &one.address));
    edits.extend(lost.map(|one| Edit::RemoveRecipient(one.address.clone())));
    let new = back.recipients.iter().filter(|one| !has(gone, &one.address));
    edits.extend(new.map(|one| Edit::AddRecipient(one.address.clone())));
    edits
}

/// Whether one recipient of now gets the mail for several who were written (REDIRECT), some of whom the filter has left: then that
/// one must not go with those that it has taken.
fn stands_for_others(now: &Envelope, gone: &Envelope, back: &Envelope) -> bool {
    let is_there = |address: &Address| {
        let is_it = |one: &Recipient| {
            one.address == *address || one.original.as_ref().is_some_and(|it| it == address)
        };
        now.recipients.iter().any(is_it)
    };
    let mut left = gone.recipients.iter().filter(|one| has(back, &one.address));
    left.any(|one| !is_there(&one.address))
}

fn is_same_sender(gone: &Envelope, back: &Envelope) -> bool {
    match (gone.sender.address(), back.sender.address()) {
        (Some(gone), Some(back)) => is_same(gone, back),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn has(envelope: &Envelope, address: &Address) -> bool {
    envelope.recipients.iter().any(|one| is_same(&one.address, address))
}

fn is_same(one: &Address, other: &Address) -> bool {
    let locals = [one, other].map(Address::unquoted_local_part);
    one.domain() == other.domain() && locals[0].eq_ignore_ascii_case(&locals[1])
}

#[cfg(test)]
mod tests {
    use mailweir_mail::ReversePath;

    use super::*;

    fn envelope(sender: &str, recipients: &[&str]) -> Envelope {
        let sender = match sender {
            "" => ReversePath::Null,
            address => ReversePath::Mailbox(address.parse().unwrap()),
        };
        let mut envelope = Envelope::from_sender(sender);
        let recipients = recipients.iter().map(|one| Recipient::new(one.parse().unwrap()));
        envelope.recipients = recipients.collect();
        envelope
    }

    #[test]
    fn who_gets_the_mail_for_all_keeps_it_while_one_of_them_is_left() {
        let gone = envelope("bob@far.example", &["ann@own.example", "eve@own.example"]);
        let mut redirected = envelope("bob@far.example", &["guard@own.example"]);
        redirected.recipients[0].original = Some("ann@own.example".parse().unwrap());
        let back = envelope("bob@far.example", &["eve@own.example"]);
        assert!(stands_for_others(&redirected, &gone, &back));
        assert!(!stands_for_others(&gone, &gone, &back));
        assert!(!stands_for_others(&redirected, &gone, &envelope("bob@far.example", &[])));
    }

    #[test]
    fn what_a_filter_has_made_of_an_envelope_is_found_by_comparing_it() {
        let gone = envelope("bob@far.example", &["ann@own.example", "Eve@own.example"]);
        let same = envelope("BOB@FAR.example", &["eve@OWN.example", "\"ann\"@own.example"]);
        assert_eq!(changes(&gone, &same), []);
        let back = envelope("", &["ann@own.example", "new@own.example"]);
        assert_eq!(
            changes(&gone, &back),
            [
                Edit::Sender(ReversePath::Null),
                Edit::RemoveRecipient("Eve@own.example".parse().unwrap()),
                Edit::AddRecipient("new@own.example".parse().unwrap()),
            ]
        );
    }
}
