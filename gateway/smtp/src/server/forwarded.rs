//! XFORWARD: what a trusted relay says about the origin of a mail.
//!
//! Nothing is ever allowed or refused because of it (Postfix `XFORWARD_README`): logs name it, and it is asked whether the
//! mail is of a stranger.

use mailweir_mail::Forwarded;

use super::{
    attributes::{Attribute, attributes},
    command::Command,
    dialog::Dialog,
    state::State,
};
use crate::replies::{Fault, Positive};

/// XFORWARD. Several of them add up, until the mail is over.
pub(super) fn xforward(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    if !dialog.peer.rights.xforward {
        return dialog.refuse(&Fault::Unauthorized, state);
    }
    if state.envelope().is_some() {
        return dialog.refuse(&Fault::TransactionInProgress, state);
    }
    let known = dialog.forwarded.as_deref().cloned().unwrap_or_default();
    match with(known, command.arguments) {
        Ok(forwarded) => {
            dialog.forwarded = Some(Box::new(forwarded));
            dialog.succeed(Positive::Ok);
            state
        }
        Err(fault) => dialog.refuse(&fault, state),
    }
}

fn with(mut known: Forwarded, arguments: &str) -> Result<Forwarded, Fault> {
    for attribute in attributes(arguments, "XFORWARD attribute=value...") {
        set(&mut known, &attribute?)?;
    }
    Ok(known)
}

fn set(known: &mut Forwarded, attribute: &Attribute<'_>) -> Result<(), Fault> {
    match attribute.name.to_ascii_uppercase().as_str() {
        "NAME" => known.name = attribute.text(),
        "ADDR" => known.address = attribute.address("ADDR")?,
        "PORT" => known.port = attribute.port("PORT")?,
        "HELO" => known.helo = attribute.text(),
        "PROTO" => known.protocol = attribute.text(),
        "IDENT" => known.ident = attribute.text(),
        "SOURCE" => known.source = attribute.text(),
        _ => return Err(attribute.unknown("XFORWARD")),
    }
    Ok(())
}
