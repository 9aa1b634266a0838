//! Answers to notices: they are taken here, and go no further.

use mailweir_mail::{Address, Envelope, Timestamp};
use mailweir_moderation::{reply::address::Meant, token::AnswerCode};
use mailweir_smtp::{
    replies::{RecipientTable, Refusal},
    server::{Answer, Session},
};

use super::{
    Admission, Ends,
    accepting::{Judged, internal},
};
use crate::{
    ingress::{
        evidence::{Evidence, EvidenceReader},
        moderation::ListenerModeration,
        relay::{Destination, Standing},
        senders::Submitter,
    },
    moderation::Reply,
};

impl Admission {
    /// Whether the recipient is the address of an answer, whoever's domain it is in; `None`: it is not.
    pub(super) fn takes_answer(
        &self,
        recipient: &Address,
        standing: Standing,
    ) -> Option<Result<(), Refusal>> {
        let moderation = self.listener.moderation()?;
        let unknown = || Err(Refusal::UnknownRecipient(recipient.clone(), RecipientTable::Notices));
        match moderation.meant(recipient) {
            Meant::Answer(code) if moderation.takes_answers(&code) => Some(Ok(())),
            Meant::Answer(_) | Meant::Garbled => Some(unknown()),
            Meant::Gateway if self.leads_nowhere(recipient, standing) => {
                Some(Err(Refusal::NoticesOnly(recipient.clone())))
            }
            Meant::Gateway | Meant::Other => None,
        }
    }

    /// Whether mail to our own notices' address would be refused, or come back to ourselves. Where it is
    /// a mailbox of some system, it goes there.
    fn leads_nowhere(&self, recipient: &Address, standing: Standing) -> bool {
        let is_foreign = self.listener.served().destination(recipient) == Destination::Foreign;
        let is_ours = *recipient.domain() == self.listener.shared().hostname;
        is_foreign && (is_ours || standing == Standing::Stranger)
    }

    /// What is to be read of a mail besides its content.
    pub(super) fn evidence(
        &self,
        envelope: &Envelope,
        watched: bool,
        arrival: Timestamp,
        session: &Session,
    ) -> Option<EvidenceReader> {
        let moderation = self.listener.moderation();
        let mut recipients = envelope.recipients.iter();
        let answers = match (&self.ends, moderation) {
            (Ends::InQueue, Some(moderation)) => {
                recipients.any(|one| answered(moderation, &one.address).is_some())
            }
            // Whoever asks has them brought to us.
            (Ends::InOpinion(_), _) | (_, None) => false,
        };
        let is_signature_asked_for = || moderation.is_some_and(|it| it.asks_for_signatures());
        let looked_at = self.listener.spam().zip(self.looked_at_as(session));
        let is_strange = looked_at.as_ref().is_some_and(|(_, whose)| whose.is_strange());
        let signatures = watched && is_signature_asked_for() || is_strange;
        let examiner = looked_at.map(|(checks, _)| checks.examiner(arrival));
        EvidenceReader::new(signatures, answers, examiner)
    }

    /// Takes what a mail answers, and those addresses out of its envelope. Whatever is left of it goes on;
    /// `Some`: nothing is.
    ///
    /// # Errors
    /// An answer could not be taken: the peer shall come again. What was taken then counts, and hears at
    /// the next time that it does.
    pub(super) async fn take_answers(
        &self,
        mail: &mut Judged,
        session: &mut Session,
    ) -> Result<Option<Answer>, Answer> {
        let Some(evidence) = mail.incoming.finish_evidence() else { return Ok(None) };
        let Evidence { signed, reply, examined } = evidence;
        mail.clues.examined = examined;
        mail.clues.signed = signed;
        let (Some(moderation), Some(text)) = (self.listener.moderation(), &reply) else {
            return Ok(None);
        };
        // A rule that throws the mail away throws all of it away.
        if self.discards() {
            return Ok(None);
        }
        let Some(envelope) = session.transaction() else { return Ok(None) };
        let from = mail.incoming.scan().from().and_then(|from| from.addresses().ok());
        let from = from.as_deref().and_then(|from| <&[Address; 1]>::try_from(from).ok());
        let sent_by = mail.clues.sent_by.take().unwrap_or_else(|| self.sent_by(envelope, session));
        for code in codes(moderation, envelope) {
            let reply = Reply {
                id: mail.incoming.id(),
                code: &code,
                from: from.map(|[from]| from),
                login: sent_by.submitter.as_ref().map(Submitter::log_in),
                client: session.client().ip(),
                has_null_sender: envelope.sender.address().is_none(),
                signed: mail.clues.signed.as_ref().ok_or_else(internal)?,
                text,
            };
            let resolver = &*self.listener.shared().resolver;
            let taken = Box::pin(moderation.service.reply(&reply, resolver)).await;
            taken.map_err(|error| self.not_answered(mail, &error))?;
        }
        mail.clues.sent_by = Some(sent_by);
        let left = session.drop_recipients(|one| answered(moderation, one).is_some());
        Ok((left == 0).then(|| Answer::ReplyTaken(mail.incoming.id())))
    }

    /// The peer hears that it may try again; the administrator hears why.
    fn not_answered(&self, mail: &Judged, error: &dyn std::fmt::Display) -> Answer {
        self.listener.warn(format!("{}: reply not taken: {error}", mail.incoming.id()));
        Answer::Refuse(Refusal::QueueUnavailable)
    }
}

/// What a mail answers, each once. Each costs look-ups, so there is an end.
fn codes(moderation: &ListenerModeration, envelope: &Envelope) -> Vec<AnswerCode> {
    let mut codes = Vec::new();
    let recipients = envelope.recipients.iter();
    for code in recipients.filter_map(|one| answered(moderation, &one.address)) {
        if codes.len() < MOST_ANSWERS && !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

fn answered(moderation: &ListenerModeration, recipient: &Address) -> Option<AnswerCode> {
    match moderation.meant(recipient) {
        Meant::Answer(code) => Some(code),
        Meant::Garbled | Meant::Gateway | Meant::Other => None,
    }
}

/// So many notices one mail may answer.
const MOST_ANSWERS: usize = 10;
