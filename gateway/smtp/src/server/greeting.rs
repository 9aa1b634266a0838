//! The first words: our greeting, and HELO, EHLO or LHLO.

use mailweir_mail::Protocol;

use super::{
    Answer, Cause, Mode, TlsMode,
    command::{Command, Verb},
    commands::escaped,
    dialog::{Dialog, Hello},
    parameters,
    state::{Asked, State},
};
use crate::replies::{Extension, Fault, Positive};

/// The driver knows whether the client may talk to us. Who may not hears why and no more.
pub(super) fn connect_answered(answer: &Answer, dialog: &mut Dialog) -> State {
    match answer {
        Answer::Refuse(refusal) => {
            dialog.refuse_by_policy(refusal, State::Closing);
            State::Closing
        }
        _ => State::Greeting,
    }
}

/// Greets, unless the client talked first and must not: no mail client does (`attacks.md` A11).
pub(super) fn greet(dialog: &mut Dialog, early: &[u8]) -> State {
    if !early.is_empty() && !dialog.settings.may_talk_ahead {
        let cause = Cause::ImproperPipelining { input: escaped(early) };
        return dialog.refuse_because(&Fault::OutOfStep, cause, State::Closing);
    }
    let protocol = match dialog.settings.mode {
        Mode::Lmtp => Protocol::Lmtp,
        Mode::Mx | Mode::Submission | Mode::Filter => Protocol::Esmtp,
    };
    dialog.outbox.put(Positive::Greeting(&dialog.settings.hostname, protocol));
    State::Ready
}

/// HELO, EHLO, LHLO. A greeting ends what was before (RFC 5321 section 4.1.4).
pub(super) fn hello(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    let protocol = match (command.verb, dialog.settings.mode) {
        (Verb::Lhlo, Mode::Lmtp) => Protocol::Lmtp,
        (Verb::Lhlo, _) => return dialog.refuse(&Fault::UnknownCommand, state),
        (_, Mode::Lmtp) => return dialog.refuse(&Fault::UseLhlo, state),
        (Verb::Helo, _) => Protocol::Smtp,
        _ => Protocol::Esmtp,
    };
    let Some(name) = parameters::parse_hello(command.arguments) else {
        return dialog.refuse(&Fault::HelloSyntax(command.verb.name()), state);
    };
    dialog.identity.hello = Some(Hello { name: name.into(), protocol });
    state.transaction_over(dialog);
    State::Asked(Asked::Hello)
}

/// The driver has judged the greeting.
pub(super) fn hello_answered(answer: &Answer, dialog: &mut Dialog) -> State {
    if let Answer::Refuse(refusal) = answer {
        let state = dialog.refuse_by_policy(refusal, State::Ready);
        dialog.identity.hello = None;
        return state;
    }
    match dialog.protocol() {
        Protocol::Smtp => {
            dialog.outbox.put(Positive::Hello(&dialog.settings.hostname));
        }
        Protocol::Esmtp | Protocol::Lmtp => say_extensions(dialog),
    }
    dialog.score.tally.done(dialog.verb);
    State::Ready
}

/// The reply to EHLO, in Postfix's order. Programs of our own know it unheard (`client::AtOnce`).
fn say_extensions(dialog: &mut Dialog) {
    let settings = &dialog.settings;
    let rights = dialog.peer.rights;
    let offers_tls = matches!(settings.tls, TlsMode::Optional | TlsMode::Required)
        && dialog.identity.tls.is_none();
    let mechanisms: Vec<&str> = settings.offered(&dialog.identity).collect();
    let offers_auth = !mechanisms.is_empty();
    let offers = [
        Some(Extension::Pipelining),
        Some(Extension::Size(settings.limits.message_size)),
        offers_tls.then_some(Extension::StartTls),
        offers_auth.then_some(Extension::Auth(&mechanisms)),
        (offers_auth && settings.broken_sasl_auth_clients)
            .then_some(Extension::AuthEquals(&mechanisms)),
        rights.xclient.then_some(Extension::Xclient),
        rights.xforward.then_some(Extension::Xforward),
        Some(Extension::EnhancedStatusCodes),
        Some(Extension::EightBitMime),
        Some(Extension::Dsn),
        Some(Extension::Smtputf8),
        Some(Extension::Chunking),
        Some(Extension::RecipientLimit(settings.limits.recipients)),
    ];
    dialog.outbox.put(Positive::Extended(&settings.hostname, &offers));
}
