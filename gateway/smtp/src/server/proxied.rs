//! XCLIENT: a trusted proxy says who the client really is (Postfix `XCLIENT_README`).
//!
//! The session begins anew as that client: its rights are gone until the driver grants others.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mailweir_mail::{Login, Protocol};

use super::{
    Peer, Rights,
    attributes::{Attribute, attributes},
    command::Command,
    dialog::{Dialog, Hello},
    state::{Asked, State},
};
use crate::replies::Fault;

/// XCLIENT. The reply is a new greeting, or what a new client would hear instead.
pub(super) fn xclient(state: State, command: Command<'_>, dialog: &mut Dialog) -> State {
    if !dialog.peer.rights.xclient {
        return dialog.refuse(&Fault::Unauthorized, state);
    }
    if state.envelope().is_some() {
        return dialog.refuse(&Fault::TransactionInProgress, state);
    }
    match Told::by(command.arguments, dialog) {
        Ok(told) => {
            dialog.peer = told.peer;
            dialog.peer.rights = Rights::NONE;
            dialog.identity.hello = told.hello;
            dialog.identity.login = told.login;
            // A certificate of the proxy itself is not that of its client.
            dialog.identity.certified = false;
            dialog.identity.certificate = None;
            dialog.score.tally.done(command.verb);
            state.transaction_over(dialog);
            State::Asked(Asked::Connect)
        }
        Err(fault) => dialog.refuse(&fault, state),
    }
}

/// What we know with the attributes added. Taken over as a whole or not at all.
struct Told {
    peer: Peer,
    hello: Option<Hello>,
    login: Option<Login>,
}

impl Told {
    fn by(arguments: &str, dialog: &Dialog) -> Result<Self, Fault> {
        let hello = dialog.identity.hello.as_ref();
        let mut told = Self {
            peer: dialog.peer.clone(),
            hello: hello.map(|hello| Hello { name: hello.name.clone(), ..*hello }),
            // A login of the proxy itself is not that of its client.
            login: dialog.identity.login.clone().filter(|login| &*login.mechanism == XCLIENT),
        };
        for attribute in attributes(arguments, "XCLIENT attribute=value...") {
            told.set(&attribute?)?;
        }
        Ok(told)
    }

    fn set(&mut self, attribute: &Attribute<'_>) -> Result<(), Fault> {
        match attribute.name.to_ascii_uppercase().as_str() {
            "NAME" => self.peer.client.name = attribute.text(),
            // What DNS says, unverified: we do not use it.
            "REVERSE_NAME" => {}
            "ADDR" => match attribute.address("ADDR")? {
                Some(ip) => self.peer.client.address.set_ip(ip),
                // The proxy's address would bring the proxy's rights.
                None => self.peer.client.address = UNKNOWN,
            },
            "PORT" => self.peer.client.address.set_port(attribute.port("PORT")?.unwrap_or(0)),
            "DESTADDR" => attribute.address("DESTADDR")?.into_iter().for_each(|ip| {
                self.peer.local.set_ip(ip);
            }),
            "DESTPORT" => self.peer.local.set_port(attribute.port("DESTPORT")?.unwrap_or(0)),
            "HELO" => self.set_hello(attribute.text()),
            "PROTO" => self.set_protocol(attribute)?,
            "LOGIN" => {
                let login = |user| Login { user, mechanism: XCLIENT.into() };
                self.login = attribute.text().map(login);
            }
            _ => return Err(attribute.unknown("XCLIENT")),
        }
        Ok(())
    }

    fn set_hello(&mut self, name: Option<Box<str>>) {
        let protocol = self.hello.as_ref().map_or(Protocol::Smtp, |hello| hello.protocol);
        self.hello = name.map(|name| Hello { name, protocol });
    }

    fn set_protocol(&mut self, attribute: &Attribute<'_>) -> Result<(), Fault> {
        let protocol = match attribute.text().as_deref().map(str::to_ascii_uppercase).as_deref() {
            Some("SMTP") => Protocol::Smtp,
            Some("ESMTP") => Protocol::Esmtp,
            _ => return Err(attribute.bad("PROTO")),
        };
        if let Some(hello) = &mut self.hello {
            hello.protocol = protocol;
        }
        Ok(())
    }
}

/// A client of which the proxy knows no address. See [`super::Session::address_known`].
const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The mechanism of a login that a proxy told us.
const XCLIENT: &str = "XCLIENT";
