//! XFORWARD: what a trusted relay says about the origin of a mail.
//!
//! For logs only: nothing is ever allowed or refused because of it (Postfix `XFORWARD_README`).

use super::{
    attributes::{Attribute, Value, attributes},
    command::Command,
    dialog::Dialog,
    state::State,
};
use crate::replies::{Fault, Positive};

/// The attributes of XFORWARD; `None` where the relay does not know. Cleared after each mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The client's host name.
    pub name: Option<Box<str>>,
    /// The client's address, as written.
    pub address: Option<Box<str>>,
    /// The client's port.
    pub port: Option<Box<str>>,
    /// What the client called itself.
    pub helo: Option<Box<str>>,
    /// `SMTP` or `ESMTP`.
    pub protocol: Option<Box<str>>,
    /// The queue id at the relay.
    pub ident: Option<Box<str>>,
    /// `LOCAL` or `REMOTE`.
    pub source: Option<Box<str>>,
}

/// XFORWARD. Several of them add up, until the mail is over.
pub(super) fn xforward(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    if !dialog.peer.rights.xforward {
        return dialog.refuse(&Fault::Unauthorized, state);
    }
    if state.envelope().is_some() {
        return dialog.refuse(&Fault::TransactionInProgress, state);
    }
    let known = dialog.forwarded.as_deref().cloned().unwrap_or_default();
    match known.with(command.arguments) {
        Ok(forwarded) => {
            dialog.forwarded = Some(Box::new(forwarded));
            dialog.succeed(Positive::Ok);
            state
        }
        Err(fault) => dialog.refuse(&fault, state),
    }
}

impl Forwarded {
    fn with(mut self, arguments: &str) -> Result<Self, Fault> {
        for attribute in attributes(arguments, "XFORWARD attribute=value...") {
            self.set(&attribute?)?;
        }
        Ok(self)
    }

    fn set(&mut self, attribute: &Attribute<'_>) -> Result<(), Fault> {
        let slot = match attribute.name.to_ascii_uppercase().as_str() {
            "NAME" => &mut self.name,
            "ADDR" => &mut self.address,
            "PORT" => &mut self.port,
            "HELO" => &mut self.helo,
            "PROTO" => &mut self.protocol,
            "IDENT" => &mut self.ident,
            "SOURCE" => &mut self.source,
            _ => return Err(attribute.unknown("XFORWARD")),
        };
        *slot = match &attribute.value {
            Value::Unavailable => None,
            Value::Known(text) => Some(text.as_str().into()),
        };
        Ok(())
    }
}
