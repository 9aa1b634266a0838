//! AUTH: the frame of a log-in (RFC 4954). What is inside, the driver gives to a SASL server.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Answer, Cause, Question, Unfinished,
    command::Command,
    dialog::Dialog,
    lines::Line,
    state::{Asked, State},
    step::Hidden,
};
use crate::replies::{Fault, Positive, Refusal};

/// A log-in in progress.
#[derive(Debug)]
pub(super) struct Exchange {
    mechanism: Box<str>,
}

/// What the peer has said. `Debug` does not show it.
pub(super) enum Prompt {
    /// AUTH, perhaps with an initial response.
    Start(Option<Vec<u8>>),
    /// A response to our challenge.
    Response(Vec<u8>),
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(initial) => {
                f.debug_tuple("Start").field(&initial.as_deref().map(Hidden)).finish()
            }
            Self::Response(response) => f.debug_tuple("Response").field(&Hidden(response)).finish(),
        }
    }
}

impl Prompt {
    pub(super) fn question(&self, exchange: &Exchange) -> Question {
        match self {
            Self::Start(initial) => Question::AuthStart {
                mechanism: exchange.mechanism.clone(),
                initial: initial.clone(),
            },
            Self::Response(response) => Question::AuthResponse(response.clone()),
        }
    }
}

/// AUTH.
pub(super) fn auth(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    match begin(&state, command, dialog) {
        Ok(asked) => State::Asked(asked),
        Err(fault) => dialog.refuse(&fault, state),
    }
}

fn begin(state: &State, command: Command<'_>, dialog: &Dialog) -> Result<Asked, Fault> {
    if dialog.identity.hello.is_none() {
        return Err(Fault::NeedHello);
    }
    if state.envelope().is_some() {
        return Err(Fault::TransactionInProgress);
    }
    if dialog.settings.mechanisms.is_empty() {
        return Err(Fault::AuthDisabled);
    }
    if !dialog.may_log_in() {
        return Err(Fault::AuthNeedsTls);
    }
    if dialog.identity.login.is_some() {
        return Err(Fault::AlreadyAuthenticated);
    }
    let mut words = command.arguments.split_ascii_whitespace();
    let (Some(name), initial, None) = (words.next(), words.next(), words.next()) else {
        return Err(Fault::Syntax("AUTH mechanism"));
    };
    let mut offered = dialog.settings.offered(&dialog.identity);
    let found = offered.find(|offered| offered.eq_ignore_ascii_case(name));
    let mechanism = found.ok_or(Fault::UnknownMechanism)?.into();
    let initial = initial.map(decode_initial).transpose()?;
    Ok(Asked::Auth(Exchange { mechanism }, Prompt::Start(initial)))
}

/// The SASL server has judged what the peer said.
pub(super) fn answered(exchange: Exchange, answer: Answer, dialog: &mut Dialog) -> State {
    match answer {
        Answer::Challenge(challenge) => {
            dialog.say(Positive::Challenge(&challenge));
            State::Auth(exchange)
        }
        Answer::LoggedIn(login) => {
            dialog.identity.login = Some(login);
            dialog.succeed(Positive::LoggedIn);
            State::Ready
        }
        Answer::Refuse(refusal) => dialog.refuse_by_policy(&refusal, State::Ready),
        Answer::Proceed
        | Answer::Accepted(_)
        | Answer::Held(_)
        | Answer::ReplyTaken(_)
        | Answer::Judged
        | Answer::HandedBack(_)
        | Answer::Split { .. }
        | Answer::Discarded(_) => dialog.refuse_by_policy(&Refusal::Internal, State::Ready),
    }
}

impl Exchange {
    /// A line of the exchange. `*` and everything unreadable end it (RFC 4954 section 4).
    pub(super) fn response(self, line: Line<'_>, dialog: &mut Dialog) -> State {
        let read = match line {
            Line::TooLong => Err(Fault::AuthTooLong),
            Line::Whole(b"*") | Line::BareNewline(b"*") => Err(Fault::AuthAborted),
            Line::Whole(text) | Line::BareNewline(text) => decode(text),
        };
        match read {
            Ok(response) => State::Asked(Asked::Auth(self, Prompt::Response(response))),
            Err(fault) => {
                dialog.abandoned = Some(Unfinished::Auth);
                dialog.refuse_because(&fault, Cause::Protocol, State::Ready)
            }
        }
    }
}

/// `=` stands for an initial response that is empty.
fn decode_initial(text: &str) -> Result<Vec<u8>, Fault> {
    if text == "=" { Ok(Vec::new()) } else { decode(text.as_bytes()) }
}

fn decode(text: &[u8]) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(text).map_err(|_| Fault::BadBase64)
}
