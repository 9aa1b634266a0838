//! What becomes of a mail by the word of filters of other people, before it is taken.

use std::borrow::Cow;

use mailweir_archive::entry::Direction;
use mailweir_external::verdict::{Decision, Edit, Verdict};
use mailweir_filters::course::Arrival;
use mailweir_mail::{
    Address, Envelope, HoldReason, MailEvent, QueueId, Recipient, RuleAction, RuleApplied,
};
use mailweir_smtp::{
    replies::Refusal,
    server::{Answer, Session},
};
use tokio::time::Instant;

use super::{Admission, Ends, accepting::Judged, summary};
use crate::{
    archiving,
    config::{FilterKind, IfFailed},
    ingress::{
        addressing,
        incoming::NotRewritten,
        inspection::{Asked, Said, Shown, Trouble},
        milters::{self, Milters, Word},
    },
    observe::FilterOutcome,
};

impl Admission {
    /// Which way a mail goes.
    pub(super) fn direction(&self, written: &Envelope, session: &Session) -> Direction {
        let is_ours = self.submitter.is_some() || session.rights().trusted;
        archiving::direction(written, is_ours, self.listener.served())
    }

    /// Asks those that mean the mail, one after the other: each sees what the one before has made of it.
    pub(super) async fn inspect(
        &mut self,
        mail: &mut Judged,
        written: &Envelope,
        session: &Session,
    ) -> Result<(), Answer> {
        // A milter that changes the envelope has it made with the action.
        let named: Option<Box<str>> = mail.named_by_action().map(Into::into);
        self.warn_of_milter(mail.incoming.id(), named.as_deref());
        if self.milters.is_some() || self.listener.inspectors().is_some() {
            self.write_marks(mail).await?;
        }
        // As the filters so far have made it of the one that was written.
        let mut envelope = Cow::Borrowed(written);
        if let Some(mut milters) = self.milters.take() {
            let heard = self.show_milters(&mut milters, mail, (written, session)).await;
            self.milters = Some(milters);
            apply_all(heard?, &mut envelope);
        }
        let Some(inspectors) = self.listener.inspectors() else { return Ok(()) };
        let direction = self.direction(written, session);
        let arrival =
            Arrival { listener: self.listener.name(), direction, sender: &written.sender };
        let origin = self.origin(session, mail.incoming.arrival());
        let ahead = inspectors.ahead(&arrival);
        for inspector in inspectors.all() {
            if !inspectors.asks(inspector, &ahead, &envelope.recipients, named.as_deref()) {
                continue;
            }
            if inspector.takes_whole_mail() && matches!(self.ends, Ends::InOpinion(_)) {
                let why = "it cannot be asked about the body of a mail that another server keeps";
                let observer = &self.listener.shared().observer;
                inspector.note_unasked(FilterOutcome::Failed, observer);
                self.do_without(inspector.filter(), why, mail)?;
                continue;
            }
            let content = mail.incoming.taken_in().await.map_err(|error| self.not_taken(&error))?;
            let id = mail.incoming.id();
            let text = mail.incoming.text(written.smtputf8);
            let is_scored = mail.suspicion.way.is_some();
            let shown = Shown {
                id,
                envelope: &envelope,
                origin: &origin,
                content: &content,
                text,
                is_scored,
            };
            let about = (written, session);
            match inspector.ask(shown, self.listener.shared()).await {
                Ok(Said::Verdict(verdict, found)) => {
                    mail.suspicion.findings.extend(found);
                    let edits = self.obey(inspector.filter(), verdict, mail, about).await?;
                    apply_all(edits, &mut envelope);
                }
                Ok(Said::HandedBack(handed)) => {
                    let edits = self.take_over(inspector.filter(), *handed, mail, &envelope, about);
                    apply_all(Box::pin(edits).await?, &mut envelope);
                }
                Err(Trouble::Failed(why) | Trouble::OfTheMail(why)) => {
                    self.do_without(inspector.filter(), &why, mail)?;
                }
                Err(Trouble::Unreadable(error)) => return Err(self.cannot_tell(id, &error)),
            }
        }
        Ok(())
    }

    /// An action FILTER comes too late for a milter, and for the mail it is as if there was none.
    fn warn_of_milter(&self, id: QueueId, named: Option<&str>) {
        let filters = self.listener.filters().map(|it| &it.filters);
        let Some((filters, name)) = filters.zip(named) else { return };
        if let Some(FilterKind::Milter(_)) = filters.before_queue(name) {
            self.listener.warn(format!(
                "{id}: FILTER {name}: is passed over, for a milter hears a session from its beginning"
            ));
        }
    }

    /// Shows the mail to the milters of the session, one after the other. Gives what they have changed in the envelope.
    async fn show_milters(
        &self,
        milters: &mut Milters,
        mail: &mut Judged,
        about: (&Envelope, &Session),
    ) -> Result<Vec<Edit>, Answer> {
        let (id, mut edits) = (mail.incoming.id(), Vec::new());
        if let Some(name) = milters.discarded_by() {
            return Err(self.discard(id, format!("the filter {name}"), about.1));
        }
        for nth in 0..milters.count() {
            let content = mail.incoming.taken_in().await.map_err(|error| self.not_taken(&error))?;
            let began = Instant::now();
            let shown = milters.show(nth, &content, mail.incoming.own_fields()).await;
            let shown = shown.map_err(|error| self.cannot_tell(id, &error))?;
            let Some(Word { milter, said, outcome }) = shown else { continue };
            let observer = &self.listener.shared().observer;
            milters::note(observer, &milter, outcome, Some(began.elapsed()));
            let filter = Asked { name: &milter.name, if_failed: milter.if_failed };
            match said {
                Ok(verdict) => edits.extend(self.obey(filter, verdict, mail, about).await?),
                Err(why) => self.do_without(filter, &why, mail)?,
            }
        }
        Ok(edits)
    }

    /// Does what a filter says. Gives what that has changed in the envelope.
    ///
    /// # Errors
    /// The mail ends here, or it cannot be changed any more.
    pub(super) async fn obey(
        &self,
        filter: Asked<'_>,
        Verdict { decision, edits, reason }: Verdict,
        mail: &mut Judged,
        (written, session): (&Envelope, &Session),
    ) -> Result<Vec<Edit>, Answer> {
        let (id, name) = (mail.incoming.id(), filter.name);
        match decision {
            Decision::Pass => {}
            Decision::Hold => {
                let because = format!("the filter {name}: {reason}");
                let event = RuleApplied {
                    id: Some(id),
                    listener: self.listener.name().into(),
                    action: RuleAction::Hold,
                    about: "END-OF-MESSAGE".into(),
                    rule: format!("the filter {name}").into(),
                    text: reason.clone(),
                    transaction: summary(session, written),
                };
                let observer = &self.listener.shared().observer;
                observer.mail(&MailEvent::RuleApplied(Box::new(event)));
                mail.hold.get_or_insert_with(|| HoldReason::new(&because));
            }
            Decision::Refuse(reply) => return Err(Answer::Refuse(Refusal::Rule(reply))),
            Decision::Discard => {
                return Err(self.discard(id, format!("the filter {name}: {reason}"), session));
            }
        }
        match mail.incoming.rewrite(&edits).await {
            Ok(()) => {}
            Err(NotRewritten::Store(error)) => return Err(self.not_taken(&error)),
            Err(NotRewritten::Content(error)) => return Err(self.cannot_tell(id, &error)),
            Err(NotRewritten::Edit(error)) => {
                let why = format!("it wants what cannot be done: {error}");
                return self.do_without(filter, &why, mail).map(|()| Vec::new());
            }
        }
        self.warn_of_new_body(&edits, (id, name));
        let edits: Vec<Edit> = edits.into_iter().filter(is_of_envelope).collect();
        if edits.is_empty() {
            return Ok(edits);
        }
        let served = self.listener.served();
        let mut form = mail.take_final_form(written.clone(), served);
        edits.iter().cloned().for_each(|edit| apply(edit, &mut form.envelope));
        addressing::name_postmaster(&mut form.envelope, served);
        let is_for_nobody = form.envelope.recipients.is_empty();
        mail.settle(form);
        match is_for_nobody {
            false => Ok(edits),
            true => {
                Err(self.discard(id, format!("the filter {name}: no recipient is left"), session))
            }
        }
    }

    /// The filter has said nothing of the mail.
    fn do_without(&self, filter: Asked<'_>, why: &str, mail: &mut Judged) -> Result<(), Answer> {
        let (id, name) = (mail.incoming.id(), filter.name);
        let becomes = match filter.if_failed {
            IfFailed::Defer => "is put off",
            IfFailed::Hold => "is held",
            IfFailed::Pass => "goes on without it",
            IfFailed::Reject => "is refused",
        };
        self.listener.warn(format!("{id}: the filter {name} failed: {why}; the mail {becomes}"));
        match filter.if_failed {
            IfFailed::Pass => Ok(()),
            IfFailed::Hold => {
                let because = HoldReason::new(&format!("the filter {name} failed: {why}"));
                mail.hold.get_or_insert(because);
                Ok(())
            }
            IfFailed::Defer => Err(Answer::Refuse(Refusal::FilterUnavailable)),
            IfFailed::Reject => Err(Answer::Refuse(Refusal::FilterFailed)),
        }
    }
}

const fn is_of_envelope(edit: &Edit) -> bool {
    matches!(edit, Edit::Sender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_))
}

/// What filters know a recipient as: what RCPT said, as in Postfix, whoever gets the copy by now.
pub(super) fn known_as(recipient: &Recipient) -> &Address {
    recipient.original.as_ref().unwrap_or(&recipient.address)
}

fn apply_all(edits: Vec<Edit>, envelope: &mut Cow<'_, Envelope>) {
    edits.into_iter().for_each(|edit| apply(edit, envelope.to_mut()));
}

fn apply(edit: Edit, envelope: &mut Envelope) {
    match edit {
        Edit::Sender(sender) => envelope.sender = sender,
        Edit::AddRecipient(address) => {
            let is_it = |known: &Recipient| known.address == address || *known_as(known) == address;
            if !envelope.recipients.iter().any(is_it) {
                envelope.recipients.push(Recipient::new(address));
            }
        }
        Edit::RemoveRecipient(address) => {
            envelope.recipients.retain(|one| *known_as(one) != address);
        }
        Edit::Append { .. }
        | Edit::Insert { .. }
        | Edit::Change { .. }
        | Edit::Remove { .. }
        | Edit::Body(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use mailweir_mail::ReversePath;

    use super::*;

    #[test]
    fn a_copy_is_taken_under_the_name_that_was_written() {
        let mut envelope = Envelope::from_sender(ReversePath::Null);
        let ann: Address = "ann@own.example".parse().unwrap();
        let postmaster: Address = "postmaster@gate.example".parse().unwrap();
        let written_to =
            Recipient { original: Some(postmaster.clone()), ..Recipient::new(ann.clone()) };
        envelope.recipients = vec![Recipient::new(ann.clone()), written_to];
        for (taken, left) in [(&ann, &postmaster), (&postmaster, &ann)] {
            let mut envelope = envelope.clone();
            apply(Edit::RemoveRecipient(taken.clone()), &mut envelope);
            let names: Vec<&Address> = envelope.recipients.iter().map(known_as).collect();
            assert_eq!(names, [left]);
        }
    }
}
