//! Decisions by answering a notice. An answer counts if it came to the address on the notice and its
//! sender is proven to be the notice's reader: by a log-in here, or by a signature of their domain that
//! covers that address. Whatever else comes there changes nothing.

mod answer;
mod limits;
mod proof;
mod text;

use std::{net::IpAddr, sync::Arc};

use mailweir_auth::Senders;
use mailweir_mail::{Address, QueueId, SessionEvent};
use mailweir_moderation::{
    case::{Actor, By, Command, Proof, Refused, State},
    notice::Answered,
    reply,
    token::{AnswerCode, Grant},
};
use mailweir_spam::dkim::SignedMail;

pub(super) use self::limits::Answers;
pub(crate) use self::text::{ReplyReader, ReplyText};
use super::{Moderation, TakeError, outbox::NotSent};
use crate::egress::resolve::Resolver;

/// A mail to the address of an answer.
#[derive(Clone, Copy)]
pub(crate) struct Reply<'a> {
    /// Its name in the log.
    pub(crate) id: QueueId,
    /// What stood in the address.
    pub(crate) code: &'a AnswerCode,
    /// The one address in From.
    pub(crate) from: Option<&'a Address>,
    /// Who handed it in.
    pub(crate) login: Option<LoggedIn<'a>>,
    pub(crate) client: IpAddr,
    pub(crate) has_null_sender: bool,
    pub(crate) signed: &'a SignedMail,
    pub(crate) text: &'a ReplyText,
}

/// Somebody who logged in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoggedIn<'a> {
    pub(crate) name: &'a str,
    /// The only addresses that the credential is for, such as that of a printer.
    pub(crate) senders: Option<&'a Senders>,
    /// Whether it was by the password of the person, and not by one that is for a program.
    pub(crate) own_password: bool,
}

/// Why an answer could not be taken now. It is to be sent again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplyError {
    #[error(transparent)]
    Take(#[from] TakeError),
    #[error("it cannot be answered: {0}")]
    Answer(#[from] NotSent),
}

/// The notice that is answered.
struct Answering<'a> {
    case: QueueId,
    grant: &'a Grant,
    code: &'a AnswerCode,
}

/// What came of an answer.
enum Outcome {
    Done,
    Refused(Refused),
    Unclear,
    NotProven,
}

impl Moderation {
    /// Does what an answer says. What it changed, and what its writer is told, is durable then. Sent
    /// again by a peer that has not heard so, it changes nothing, and its writer hears that.
    ///
    /// # Errors
    /// Nothing was decided, or whoever did is not told yet: the peer shall come again.
    pub(crate) async fn reply(
        self: &Arc<Self>,
        reply: &Reply<'_>,
        resolver: &dyn Resolver,
    ) -> Result<(), ReplyError> {
        let Some((case, file, grant)) = self.find_answered(reply.code) else {
            self.note(reply, "the notice that it answers is too old");
            return Ok(());
        };
        // Machines that answer machines never end.
        if let Some(sign) = reply.machine() {
            self.note(reply, &format!("{case}: ignored, a machine wrote it ({sign})"));
            return Ok(());
        }
        let answering = Answering { case, grant: &grant, code: reply.code };
        let outcome = match self.prove(reply, &answering, &file, resolver).await {
            Ok(how) => self.decide_by_answer(reply, &answering, &how).await?,
            Err(doubt) => {
                let text = format!("{case}: not proven to be of {}: {doubt}", grant.person);
                self.note(reply, &text);
                Outcome::NotProven
            }
        };
        Ok(self.answer(&answering, &outcome).await?)
    }

    async fn decide_by_answer(
        self: &Arc<Self>,
        reply: &Reply<'_>,
        Answering { case, grant, .. }: &Answering<'_>,
        how: &str,
    ) -> Result<Outcome, ReplyError> {
        let who = Actor::Moderator(grant.person.clone());
        let by = By { who, proof: Proof::Reply, from: Some(reply.client) };
        let (word, outcome) = match command(reply.text, by) {
            None => ("unclear", Outcome::Unclear),
            Some((word, command)) => match self.take(*case, command).await {
                Ok(_) => (word, Outcome::Done),
                Err(TakeError::Refused(refused)) => (word, Outcome::Refused(refused)),
                Err(TakeError::Gone | TakeError::Altered) => {
                    (word, Outcome::Refused(self.ended(*case)?))
                }
                Err(error) => return Err(error.into()),
            },
        };
        let came_of_it = match &outcome {
            Outcome::Refused(refused) => format!(": {refused}"),
            Outcome::Done | Outcome::Unclear | Outcome::NotProven => String::new(),
        };
        self.note(reply, &format!("{case}: {word}, by {} ({how}){came_of_it}", grant.person));
        Ok(outcome)
    }

    /// An operator was faster, or the mail is damaged, and the case says so since.
    fn ended(&self, case: QueueId) -> Result<Refused, TakeError> {
        match self.case(case).map(|file| file.case.progress.state.clone()) {
            Some(State::Closed(closing)) => Ok(Refused::Closed(closing)),
            Some(State::Pending | State::Scheduled { .. }) | None => Err(TakeError::Gone),
        }
    }

    fn note(&self, reply: &Reply<'_>, text: &str) {
        let text = format!("{}: reply from {}: {text}", reply.id, reply.client);
        self.observer.session(&SessionEvent::Notice { part: "moderation", text: text.into() });
    }
}

impl Outcome {
    const fn answered(&self) -> Answered<'_> {
        match self {
            Self::Done => Answered::Done,
            Self::Refused(refused) => Answered::Refused(refused),
            Self::Unclear => Answered::Unclear,
            Self::NotProven => Answered::NotProven,
        }
    }
}

/// What the text asks for, and its word for the log; `None`: it may mean anything.
fn command(text: &ReplyText, by: By) -> Option<(&'static str, Command)> {
    match reply::read(text.lines()) {
        reply::Answer::Approve { comment } => {
            let command = Command::Approve { by, comment, only: None, at: None, trust_days: 0 };
            Some(("approve", command))
        }
        reply::Answer::Reject { reason } => Some(("reject", Command::Reject { by, reason })),
        reply::Answer::Return { reason } => Some(("return", Command::Return { by, reason })),
        reply::Answer::Unclear => None,
    }
}
