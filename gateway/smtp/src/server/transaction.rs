//! MAIL, RCPT and DATA: the envelope of a mail, until its content comes.

use mailweir_mail::{Envelope, Recipient, ReversePath};

use super::{
    Answer, Cause, Mode,
    chunking::ChunkSize,
    command::Command,
    commands::escaped,
    content::Content,
    dialog::Dialog,
    parameters::{MailParameters, RcptParameters},
    path::{self, PathError, Target},
    state::{Asked, State},
};
use crate::replies::{Fault, Positive};

/// After MAIL: a sender, and the recipients so far.
#[derive(Debug)]
pub(super) struct Transaction {
    envelope: Envelope,
    declared_size: Option<u64>,
    /// Recipients that came after the limit was reached.
    overshoot: usize,
}

/// A transaction with at least one recipient: what content needs.
#[derive(Debug)]
pub(super) struct Addressed(Transaction);

/// The command that opens the intake.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opening {
    Data,
    Chunk(ChunkSize),
}

/// MAIL.
pub(super) fn mail(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    let read = match state {
        State::Chunked(_) => Err(Fault::MailAfterBdat),
        State::Transaction(_) => Err(Fault::NestedMail),
        _ => read_mail(command, dialog),
    };
    match read {
        Ok(transaction) => State::Asked(Asked::Sender(transaction)),
        Err(fault) => refuse(&fault, command, dialog, state),
    }
}

fn read_mail(command: Command<'_>, dialog: &Dialog) -> Result<Transaction, Fault> {
    let settings = &dialog.settings;
    match settings.mode {
        _ if dialog.identity.hello.is_some() => {}
        Mode::Lmtp => return Err(Fault::NeedLhlo),
        _ if settings.helo_required => return Err(Fault::NeedHello),
        Mode::Mx | Mode::Submission | Mode::Filter => {}
    }
    if dialog.needs_login_first() {
        return Err(Fault::AuthRequired);
    }
    let path =
        path::parse(command.arguments, "FROM:", &settings.hostname).map_err(
            |error| match error {
                PathError::Syntax => Fault::Syntax("MAIL FROM:<address>"),
                PathError::Address => Fault::BadSender,
                PathError::NotQualified(name) => Fault::SenderNotQualified(name),
            },
        )?;
    let found = MailParameters::parse(path.parameters)?;
    let limit = settings.limits.message_size;
    if limit > 0 && found.size.is_some_and(|size| size > limit) {
        return Err(Fault::MessageTooLarge);
    }
    let sender = match path.target {
        Target::Null => ReversePath::Null,
        Target::Mailbox(address) if address.needs_smtputf8() && !found.smtputf8 => {
            return Err(Fault::NeedSmtputf8);
        }
        Target::Mailbox(address) => ReversePath::Mailbox(address),
    };
    let MailParameters { size, body, smtputf8, ret, envid } = found;
    let envelope = Envelope { body, smtputf8, ret, envid, ..Envelope::from_sender(sender) };
    Ok(Transaction { envelope, declared_size: size, overshoot: 0 })
}

/// RCPT.
pub(super) fn rcpt(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    let transaction = match state {
        State::Transaction(transaction) => transaction,
        State::Chunked(_) => return dialog.refuse(&Fault::RcptAfterBdat, state),
        _ => return dialog.refuse(&Fault::NeedMail, state),
    };
    if transaction.envelope.recipients.len() >= dialog.settings.limits.recipients {
        return transaction.overshoots(dialog);
    }
    match transaction.read_recipient(command, dialog) {
        Ok(recipient) => State::Asked(Asked::Recipient(transaction, recipient)),
        Err(fault) => refuse(&fault, command, dialog, State::Transaction(transaction)),
    }
}

/// DATA.
pub(super) fn data(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    let transaction = match state {
        State::Transaction(transaction) => transaction,
        State::Chunked(_) => {
            // The mail mixes two ways to send content: all of it is void (RFC 3030 section 3).
            let state = state.transaction_over(dialog);
            return dialog.refuse(&Fault::DataAfterBdat, state);
        }
        _ => return dialog.refuse(&Fault::NeedRcpt, state),
    };
    if let Err(fault) = command.expect_no_arguments() {
        return dialog.refuse(&fault, State::Transaction(transaction));
    }
    match transaction.addressed() {
        Ok(addressed) => State::Asked(Asked::Intake(addressed, Opening::Data)),
        Err(transaction) => dialog.refuse(&Fault::NoRecipients, State::Transaction(transaction)),
    }
}

/// The driver has opened an intake, or cannot.
pub(super) fn data_answered(addressed: Addressed, answer: &Answer, dialog: &mut Dialog) -> State {
    if let Answer::Refuse(refusal) = answer {
        return dialog.refuse_by_policy(refusal, State::Transaction(addressed.0));
    }
    dialog.say(Positive::StartContent);
    State::Content(Content::new(addressed, dialog))
}

impl Transaction {
    pub(super) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub(super) fn declared_size(&self) -> Option<u64> {
        self.declared_size
    }

    /// A transaction without recipients is given back: it goes on.
    #[expect(clippy::result_large_err, reason = "given back to where it came from, not passed up")]
    pub(super) fn addressed(self) -> Result<Addressed, Self> {
        if self.envelope.recipients.is_empty() { Err(self) } else { Ok(Addressed(self)) }
    }

    /// The driver has judged the sender.
    pub(super) fn sender_answered(self, answer: &Answer, dialog: &mut Dialog) -> State {
        if let Answer::Refuse(refusal) = answer {
            let asked = State::Asked(Asked::Sender(self));
            let refused = dialog.refused(refusal.reply(dialog.hostname()), Cause::Policy, &asked);
            let state = asked.transaction_over(dialog);
            return dialog.put_refused(refused, state);
        }
        dialog.succeed(Positive::SenderOk);
        State::Transaction(self)
    }

    /// The driver has judged the recipient.
    pub(super) fn recipient_answered(
        mut self,
        recipient: Recipient,
        answer: &Answer,
        dialog: &mut Dialog,
    ) -> State {
        if let Answer::Refuse(refusal) = answer {
            let forgiven = refusal.is_no_error() && !self.goes_too_far(dialog);
            let state = State::Transaction(self);
            let reply = refusal.reply(dialog.hostname());
            let mut refused = dialog.refused(reply, Cause::Policy, &state);
            refused.recipient = Some(recipient.address);
            return match forgiven {
                true => dialog.put_forgiven(refused, state),
                false => dialog.put_refused(refused, state),
            };
        }
        self.envelope.recipients.push(recipient);
        dialog.succeed(Positive::RecipientOk);
        State::Transaction(self)
    }

    fn read_recipient(&self, command: Command<'_>, dialog: &Dialog) -> Result<Recipient, Fault> {
        let path =
            path::parse(command.arguments, "TO:", dialog.hostname()).map_err(
                |error| match error {
                    PathError::Syntax => Fault::Syntax("RCPT TO:<address>"),
                    PathError::Address => Fault::BadRecipient,
                    PathError::NotQualified(name) => Fault::RecipientNotQualified(name),
                },
            )?;
        let Target::Mailbox(address) = path.target else {
            return Err(Fault::BadRecipient);
        };
        if address.needs_smtputf8() && !self.envelope.smtputf8 {
            return Err(Fault::NeedSmtputf8);
        }
        let RcptParameters { notify, orcpt } = RcptParameters::parse(path.parameters)?;
        Ok(Recipient { address, notify, orcpt, original: None })
    }

    /// Counts a recipient that came after a limit was reached, and says whether it is one of far
    /// too many.
    fn goes_too_far(&mut self, dialog: &Dialog) -> bool {
        self.overshoot = self.overshoot.saturating_add(1);
        self.overshoot > dialog.settings.limits.recipient_overshoot
    }

    /// One recipient too many. Only a peer that goes on and on makes errors by this
    /// (Postfix `smtpd_recipient_overshoot_limit`).
    fn overshoots(mut self, dialog: &mut Dialog) -> State {
        let too_far = self.goes_too_far(dialog);
        let state = State::Transaction(self);
        let reply = Fault::TooManyRecipients.reply(dialog.hostname());
        let refused = dialog.refused(reply, Cause::Protocol, &state);
        if too_far {
            dialog.put_refused(refused, state)
        } else {
            dialog.put_forgiven(refused, state)
        }
    }
}

impl Addressed {
    pub(super) fn envelope(&self) -> &Envelope {
        &self.0.envelope
    }

    pub(super) fn into_envelope(self) -> Envelope {
        self.0.envelope
    }

    pub(super) fn declared_size(&self) -> Option<u64> {
        self.0.declared_size
    }
}

fn refuse(fault: &Fault, command: Command<'_>, dialog: &mut Dialog, back: State) -> State {
    let cause = match fault {
        Fault::BadSender | Fault::BadRecipient => {
            Cause::IllegalAddress { line: escaped(command.arguments.as_bytes()) }
        }
        _ => Cause::Protocol,
    };
    dialog.refuse_because(fault, cause, back)
}
