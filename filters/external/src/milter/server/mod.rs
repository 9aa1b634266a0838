//! The filter's end: mail servers of other people ask, and we answer.
//!
//! [`Server::receive`] gives one [`Heard`] after another. Where [`Server::owes_answer`] says so, an answer must follow before
//! the next: [`Server::answer`], or at the end of a mail [`Server::finish`]. Nothing of a mail is kept here but its macros.

mod answers;
mod known;
#[cfg(test)]
mod tests;

pub use answers::Unsendable;

use self::known::Known;
use super::{
    Actions, Command, Fault, Options, Packets, Peer, Response, Stage, Steps, value::from_wire,
};

/// A connection of a mail server.
#[derive(Debug)]
pub struct Server {
    packets: Packets,
    wishes: Wishes,
    agreed: Option<Agreed>,
    /// How far the mail is, or else the connection.
    place: Stage,
    /// What has to be answered.
    due: Option<Stage>,
    /// What the last packet said besides.
    second: Option<Heard>,
    known: Known,
    failed: Option<Fault>,
}

/// What a filter needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// What it will do. A mail server that does not offer all of it is none for this filter.
    pub actions: Actions,
    /// How the conversation should go, as far as the mail server offers it: stages left out or not answered. What comes all
    /// the same is answered with CONTINUE, and a stage to be left out is not heard of.
    pub steps: Steps,
    /// Which macros it wants at which stage, if the mail server asks; otherwise those that it sends by itself.
    pub macros: Vec<(Stage, Box<str>)>,
}

impl Default for Wishes {
    /// Everything is heard and answered, and nothing changed.
    fn default() -> Self {
        let steps = Steps::SKIP.and(Steps::HDR_LEADSPC);
        Self { actions: Actions::NONE, steps, macros: Vec::new() }
    }
}

#[derive(Clone, Copy, Debug)]
struct Agreed {
    actions: Actions,
    steps: Steps,
}

/// What a mail server says. Texts are as its client sent them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A client has connected.
    Connect(Peer),
    /// It calls itself so.
    Helo(Box<[u8]>),
    /// A mail begins: its sender in angle brackets, and parameters. What was begun before is over.
    Mail(Vec<Box<[u8]>>),
    /// A recipient in angle brackets, and parameters.
    Rcpt(Vec<Box<[u8]>>),
    /// DATA.
    Data,
    /// A header field.
    Header {
        /// Without the colon.
        name: Box<[u8]>,
        /// What follows the colon, its lines divided by LF.
        value: Box<[u8]>,
    },
    /// The header has ended.
    EndOfHeader,
    /// A part of the body.
    Body(Box<[u8]>),
    /// The mail is complete.
    EndOfBody,
    /// Nothing becomes of the mail that was begun.
    Abort,
    /// The client has gone.
    Quit {
        /// Whether another one comes by this connection.
        another: bool,
    },
    /// A command that the mail server does not know.
    Unknown(Box<[u8]>),
}

impl Server {
    /// Bytes of a packet at most.
    pub const LARGEST: usize = 1024 * 1024;

    /// A connection that has just come.
    #[must_use]
    pub fn new(wishes: Wishes) -> Self {
        Self {
            packets: Packets::new(Self::LARGEST),
            wishes,
            agreed: None,
            place: Stage::Negotiation,
            due: None,
            second: None,
            known: Known::default(),
            failed: None,
        }
    }

    /// Takes bytes up to the end of what the mail server says and removes them from `input`; to be called until it gives
    /// `None`. What is answered by itself is written to `out`.
    ///
    /// # Errors
    /// It says what makes no sense, or more than is allowed. The connection has to be closed.
    pub fn receive(
        &mut self,
        input: &mut &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Heard>, Fault> {
        if let Some(fault) = &self.failed {
            *input = &[];
            return Err(fault.clone());
        }
        self.read(input, out).inspect_err(|fault| self.failed = Some(fault.clone()))
    }

    /// Whether an answer must follow before anything else is heard.
    #[must_use]
    pub const fn owes_answer(&self) -> bool {
        self.due.is_some()
    }

    /// The value of a macro, with braces or without, as it is known at this stage.
    #[must_use]
    pub fn macro_value(&self, name: &str) -> Option<&str> {
        self.known.get(name)
    }

    fn read(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<Option<Heard>, Fault> {
        if let Some(second) = self.second.take() {
            self.due = Some(Stage::EndOfBody);
            return Ok(Some(second));
        }
        while let Some(packet) = self.packets.read(input)? {
            if let Some(heard) = self.hear(Command::decode(&packet)?, out)? {
                return Ok(Some(heard));
            }
        }
        Ok(None)
    }

    fn hear(&mut self, command: Command, out: &mut Vec<u8>) -> Result<Option<Heard>, Fault> {
        let (stage, heard) = match command {
            Command::OptNeg(offer) => return self.negotiate(&offer, out).map(|()| None),
            Command::Macro { of, values } => {
                self.negotiated("MACRO")?;
                return self.known.take(of, &values).map(|()| None);
            }
            Command::Abort => {
                self.negotiated("ABORT")?;
                self.forget(self.place.min(Stage::Helo));
                return Ok(Some(Heard::Abort));
            }
            Command::Quit => return Ok(Some(self.quit(false))),
            Command::QuitNc => return Ok(Some(self.quit(true))),
            Command::Connect(peer) => (Stage::Connect, Heard::Connect(peer)),
            Command::Helo(name) => (Stage::Helo, Heard::Helo(name)),
            Command::Mail(texts) => (Stage::Mail, Heard::Mail(texts)),
            Command::Rcpt(texts) => (Stage::Rcpt, Heard::Rcpt(texts)),
            Command::Data => (Stage::Data, Heard::Data),
            Command::Header { name, value } => {
                let exact = self.has(Steps::HDR_LEADSPC);
                (Stage::Header, Heard::Header { name, value: from_wire(&value, exact) })
            }
            Command::Eoh => (Stage::EndOfHeader, Heard::EndOfHeader),
            Command::Body(bytes) => (Stage::Body, Heard::Body(bytes)),
            Command::BodyEob(rest) if rest.is_empty() => (Stage::EndOfBody, Heard::EndOfBody),
            Command::BodyEob(rest) => {
                self.turn(Stage::EndOfBody)?;
                if self.wishes.steps.contain(Steps::NOBODY) {
                    self.due = Some(Stage::EndOfBody);
                    return Ok(Some(Heard::EndOfBody));
                }
                self.second = Some(Heard::EndOfBody);
                return Ok(Some(Heard::Body(rest)));
            }
            Command::Unknown(line) => (Stage::Unknown, Heard::Unknown(line)),
        };
        self.turn(stage)?;
        Ok(self.is_wanted(stage, out).then_some(heard))
    }

    fn negotiate(&mut self, offer: &Options, out: &mut Vec<u8>) -> Result<(), Fault> {
        if self.agreed.is_some() {
            return Err(Fault::OutOfTurn("OPTNEG"));
        }
        if offer.version < 2 {
            return Err(Fault::Version(offer.version));
        }
        if !offer.actions.contain(self.wishes.actions) {
            return Err(Fault::Actions(offer.actions.0));
        }
        let Wishes { actions, steps, ref macros } = self.wishes;
        let lists = macros.iter().filter(|_| offer.actions.contain(Actions::SETSYMLIST));
        let lists = lists.filter_map(|(stage, names)| {
            Some((super::macros::number_of(*stage)?, names.as_bytes().into()))
        });
        let options = Options {
            version: offer.version.min(6),
            actions,
            steps: steps.of(offer.steps),
            macros: lists.collect(),
        };
        self.agreed = Some(Agreed { actions, steps: options.steps });
        Response::OptNeg(options).encode(out);
        Ok(())
    }

    fn quit(&mut self, another: bool) -> Heard {
        self.forget(Stage::Negotiation);
        self.known = Known::default();
        Heard::Quit { another }
    }

    /// Whether a stage may come now. What may be left out need not come before it.
    fn turn(&mut self, stage: Stage) -> Result<(), Fault> {
        let name = stage.name();
        self.negotiated(name)?;
        if self.due.is_some() {
            return Err(Fault::OutOfTurn(name));
        }
        match stage {
            Stage::Unknown => return Ok(()),
            Stage::Helo | Stage::Mail => self.forget(stage),
            _ if stage > Stage::Mail && self.place < Stage::Mail && !self.has(Steps::NOMAIL) => {
                return Err(Fault::OutOfTurn(name));
            }
            _ if stage > self.place || (stage == self.place && stage.repeats()) => {}
            _ => return Err(Fault::OutOfTurn(name)),
        }
        self.place = stage;
        Ok(())
    }

    /// Whether a stage is to be heard of. What does not wait for us is answered here.
    fn is_wanted(&mut self, stage: Stage, out: &mut Vec<u8>) -> bool {
        let left_out = self.wishes.steps.contain(stage.left_out_by());
        let answered = !self.has(stage.unanswered_by());
        if answered && (left_out || self.wishes.steps.contain(stage.unanswered_by())) {
            Response::Continue.encode(out);
        } else if answered {
            self.due = Some(stage);
        }
        !left_out
    }

    /// Nothing of a mail remains.
    fn forget(&mut self, place: Stage) {
        self.place = place;
        self.due = None;
        if place < Stage::Mail {
            self.known.forget_mail();
        }
    }

    const fn has(&self, step: Steps) -> bool {
        match self.agreed {
            Some(agreed) => agreed.steps.contain(step),
            None => false,
        }
    }

    const fn negotiated(&self, name: &'static str) -> Result<(), Fault> {
        if self.agreed.is_some() { Ok(()) } else { Err(Fault::OutOfTurn(name)) }
    }
}
