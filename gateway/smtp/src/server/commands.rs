//! A command line comes in; the state that accepts its verb acts on it.

use mailweir_mail::Protocol;

use super::{
    BareNewline, Cause, TlsMode, auth, chunking,
    command::{Command, Verb},
    dialog::Dialog,
    forwarded, greeting,
    lines::Line,
    proxied,
    state::State,
    transaction,
};
use crate::replies::{Fault, Positive};

/// Acts on a line. `pending` is what the peer has sent after it.
pub(super) fn execute(state: State, line: Line<'_>, pending: &[u8], dialog: &mut Dialog) -> State {
    let command = match read(line, dialog) {
        Ok(command) => command,
        Err(fault) => return not_understood(&fault, line, state, dialog),
    };
    dialog.begin(command.verb);
    if is_out_of_step(command.verb, pending, dialog) {
        let cause = Cause::ImproperPipelining { input: escaped(pending) };
        dialog.refuse_because(&Fault::OutOfStep, cause, state);
        return State::Closing;
    }
    if dialog.needs_tls_first() && !command.verb.may_precede_tls() {
        return dialog.refuse(&Fault::TlsRequired, state);
    }
    dispatch(state, command, dialog)
}

fn dispatch(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    match command.verb {
        Verb::Helo | Verb::Ehlo | Verb::Lhlo => greeting::hello(state, command, dialog),
        Verb::Mail => transaction::mail(state, command, dialog),
        Verb::Rcpt => transaction::rcpt(state, command, dialog),
        Verb::Data => transaction::data(state, command, dialog),
        Verb::Bdat => chunking::bdat(state, command, dialog),
        Verb::Starttls => starttls(state, command, dialog),
        Verb::Auth => auth::auth(state, command, dialog),
        Verb::Xclient => proxied::xclient(state, command, dialog),
        Verb::Xforward => forwarded::xforward(state, command, dialog),
        Verb::Rset => rset(state, command, dialog),
        Verb::Quit => quit(state, dialog),
        Verb::Noop => succeed(Positive::Ok, state, dialog),
        Verb::Help => succeed(Positive::Help, state, dialog),
        Verb::Vrfy if dialog.settings.disable_vrfy => dialog.refuse(&Fault::VrfyDisabled, state),
        Verb::Vrfy if command.arguments.is_empty() => {
            dialog.refuse(&Fault::Syntax("VRFY address"), state)
        }
        Verb::Vrfy => succeed(Positive::Verified, state, dialog),
        Verb::Etrn | Verb::Expn | Verb::Turn => dialog.refuse(&Fault::NotImplemented, state),
        Verb::Unknown => dialog.refuse(&Fault::UnknownCommand, state),
    }
}

fn succeed(positive: Positive<'_>, state: State, dialog: &mut Dialog) -> State {
    dialog.succeed(positive);
    state
}

fn rset(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    if let Err(fault) = command.expect_no_arguments() {
        return dialog.refuse(&fault, state);
    }
    dialog.succeed(Positive::Ok);
    state.transaction_over(dialog)
}

fn quit(state: State, dialog: &mut Dialog) -> State {
    dialog.succeed(Positive::Bye);
    state.transaction_over(dialog);
    State::Closing
}

fn starttls(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    let offered = matches!(dialog.settings.tls, TlsMode::Optional | TlsMode::Required);
    let fault = match command.expect_no_arguments() {
        _ if dialog.identity.tls.is_some() => Fault::TlsActive,
        _ if !offered => Fault::NotImplemented,
        Err(fault) => fault,
        Ok(()) => {
            dialog.succeed(Positive::StartTls);
            state.transaction_over(dialog);
            return State::StartTls;
        }
    };
    dialog.refuse(&fault, state)
}

fn read<'a>(line: Line<'a>, dialog: &Dialog) -> Result<Command<'a>, Fault> {
    match line {
        Line::TooLong => Err(Fault::LineTooLong),
        Line::BareNewline(_) if dialog.bare_newline() == BareNewline::Reject => {
            Err(Fault::BareNewline)
        }
        Line::Whole(text) | Line::BareNewline(text) => Command::parse(text),
    }
}

fn not_understood(fault: &Fault, line: Line<'_>, state: State, dialog: &mut Dialog) -> State {
    let text = match line {
        Line::Whole(text) | Line::BareNewline(text) => escaped(text),
        Line::TooLong => Box::default(),
    };
    let cause = match fault {
        Fault::NotSmtp => Cause::NotSmtp { line: text },
        Fault::BareNewline => Cause::BareNewline,
        _ => Cause::Protocol,
    };
    dialog.begin(Verb::Unknown);
    dialog.refuse_because(fault, cause, state)
}

/// Whether the peer has talked on where it had to wait for the reply (`attacks.md` A11). Without
/// EHLO it must always wait: PIPELINING was not offered.
fn is_out_of_step(verb: Verb, pending: &[u8], dialog: &Dialog) -> bool {
    if verb == Verb::Ehlo && dialog.settings.may_talk_ahead {
        return false;
    }
    let must_wait = verb.ends_a_group() || dialog.protocol() == Protocol::Smtp;
    must_wait && !pending.is_empty() && verb != Verb::Quit
}

/// The start of what a peer sent, fit for a log line.
pub(super) fn escaped(bytes: &[u8]) -> Box<str> {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    shown.escape_ascii().to_string().into()
}

/// How much of a strange line is logged, as in Postfix.
const SHOWN: usize = 100;
