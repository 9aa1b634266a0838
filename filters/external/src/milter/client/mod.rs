//! The mail server's end: what a filter is asked at each stage, and what its answers mean.
//!
//! A call for a stage writes bytes and says whether an answer is to be waited for. What the filter sends goes to
//! [`Client::receive`]; before anything is asked, what has come meanwhile should go there as well: so an answer too many
//! is found and not taken for the next one. Time is the caller's: who waits too long calls [`Client::give_up`], and an
//! answer that comes later counts for nothing.

mod edits;
mod limits;
mod negotiation;
mod settled;
#[cfg(test)]
mod tests;

use mailweir_mail::Reply;

pub use limits::Limits;
pub use negotiation::Offer;

use self::{edits::Edits, negotiation::Agreed, settled::Scope};
use super::{
    Answer, CHUNK, Command, Fault, MacroLists, Macros, Packets, Peer, Response, Stage, Steps,
    replies::{CLOSED, LATER, REJECTED},
    value::to_wire,
};
use crate::verdict::{Decision, Verdict};

/// A connection to a filter, for one client of the mail server and all its mails.
#[derive(Debug)]
pub struct Client {
    packets: Packets,
    limits: Limits,
    lists: MacroLists,
    offer: Offer,
    state: State,
    /// What is asked and not answered yet.
    awaited: Option<Stage>,
    /// Whether that is about a recipient that is refused already, so that nothing follows from the answer.
    only_tells: bool,
    /// How often the filter has said since then that it is at work.
    progress: u32,
}

#[derive(Debug)]
enum State {
    /// The offer is out.
    Offered,
    /// It is asked.
    Open { agreed: Agreed, mail: Option<Mail> },
    /// It has spoken for all of the connection.
    Settled(Answer),
    /// It is not believed any more.
    Failed(Fault),
    /// It was told that the connection ends.
    Ended,
}

/// What is known of a filter's mind on one mail. Nothing of it is there for the next.
#[derive(Debug, Default)]
struct Mail {
    settled: Option<Answer>,
    /// Stages of which it wants no more.
    skipped: Vec<Stage>,
    /// The body that was not sent yet.
    body: Vec<u8>,
    edits: Edits,
}

/// What comes of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// The filter has to answer: [`Client::receive`] until it gives an [`Event::Answer`] or [`Event::End`].
    Wait,
    /// There is nothing to wait for: this is its answer. It was given before, for the connection or the mail, or the
    /// filter is not asked at this stage.
    Known(Answer),
}

/// What a filter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The conversation can begin.
    Negotiated,
    /// It is at work: its time starts anew. Whoever waits needs a limit for all of a mail as well.
    Progress,
    /// Its answer at a stage before the end of the mail.
    Answer(Answer),
    /// Its answer to the whole mail, of which nothing is kept here any more.
    End(Verdict),
}

impl Client {
    /// A connection that was just opened. Writes the offer, which is answered with [`Event::Negotiated`].
    #[must_use]
    pub fn new(offer: Offer, lists: MacroLists, limits: Limits, out: &mut Vec<u8>) -> Self {
        Command::OptNeg(offer.options()).encode(out);
        Self {
            packets: Packets::new(limits.packet),
            limits,
            lists,
            offer,
            state: State::Offered,
            awaited: Some(Stage::Negotiation),
            only_tells: false,
            progress: 0,
        }
    }

    /// A client has connected.
    ///
    /// # Errors
    /// Of this and the calls for other stages: an answer is still awaited, the stage is out of turn, or the filter has
    /// failed before; then the first [`Fault`] again.
    pub fn connect(
        &mut self,
        peer: &Peer,
        macros: &Macros,
        out: &mut Vec<u8>,
    ) -> Result<Next, Fault> {
        self.ask(Stage::Connect, macros, || Command::Connect(peer.clone()), out)
    }

    /// The client has said HELO or EHLO, and this name. A mail that was begun is aborted (RFC 5321 section 4.1.4).
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn helo(&mut self, name: &str, macros: &Macros, out: &mut Vec<u8>) -> Result<Next, Fault> {
        self.is_free(Stage::Helo)?;
        self.abort(out);
        self.ask(Stage::Helo, macros, || Command::Helo(name.as_bytes().into()), out)
    }

    /// A mail begins: its sender in angle brackets, and the parameters of MAIL. One that was begun before is aborted.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn mail(
        &mut self,
        sender_and_parameters: &[&str],
        macros: &Macros,
        out: &mut Vec<u8>,
    ) -> Result<Next, Fault> {
        self.is_free(Stage::Mail)?;
        self.abort(out);
        if let State::Open { mail, .. } = &mut self.state {
            *mail = Some(Mail::default());
        }
        self.ask(Stage::Mail, macros, || Command::Mail(texts(sender_and_parameters)), out)
    }

    /// A recipient in angle brackets, and the parameters of RCPT. A refusal is of this recipient alone.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn rcpt(
        &mut self,
        recipient_and_parameters: &[&str],
        macros: &Macros,
        out: &mut Vec<u8>,
    ) -> Result<Next, Fault> {
        self.ask(Stage::Rcpt, macros, || Command::Rcpt(texts(recipient_and_parameters)), out)
    }

    /// A recipient that is refused already, if the filter wants to hear of those (`SMFIP_RCPT_REJ`). The macro
    /// `{rcpt_mailer}` should be `error`. Whatever the filter answers counts as [`Answer::Continue`], also for the mail,
    /// unless it closes the connection.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn refused_rcpt(
        &mut self,
        recipient_and_parameters: &[&str],
        macros: &Macros,
        out: &mut Vec<u8>,
    ) -> Result<Next, Fault> {
        if let Some(known) = self.known(Stage::Rcpt)? {
            return Ok(Next::Known(told(known)));
        }
        if !self.has(Steps::RCPT_REJ) {
            return Ok(Next::Known(Answer::Continue));
        }
        let next = self.rcpt(recipient_and_parameters, macros, out)?;
        self.only_tells = next == Next::Wait;
        Ok(next)
    }

    /// The client has said DATA, or begun with BDAT.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn data(&mut self, macros: &Macros, out: &mut Vec<u8>) -> Result<Next, Fault> {
        self.ask(Stage::Data, macros, || Command::Data, out)
    }

    /// A header field. `value`: all that follows the colon, without the last end of line. Fields of our own that stand
    /// above those that came are not shown.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn header(&mut self, name: &[u8], value: &[u8], out: &mut Vec<u8>) -> Result<Next, Fault> {
        let exact = self.has(Steps::HDR_LEADSPC);
        let field = || Command::Header { name: name.into(), value: to_wire(value, exact) };
        self.ask(Stage::Header, &Macros::default(), field, out)
    }

    /// The header has ended.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn end_of_header(&mut self, macros: &Macros, out: &mut Vec<u8>) -> Result<Next, Fault> {
        self.ask(Stage::EndOfHeader, macros, || Command::Eoh, out)
    }

    /// Takes from `piece` until a packet is full, and asks then; to be called until `piece` is empty. Lines end with CRLF.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn body(&mut self, piece: &mut &[u8], out: &mut Vec<u8>) -> Result<Next, Fault> {
        if let Some(known) = self.known(Stage::Body)? {
            *piece = &[];
            return Ok(Next::Known(known));
        }
        let State::Open { mail: Some(mail), .. } = &mut self.state else {
            return Err(Fault::OutOfTurn(Stage::Body.name()));
        };
        let (taken, rest) = piece.split_at(piece.len().min(CHUNK - mail.body.len()));
        mail.body.extend_from_slice(taken);
        *piece = rest;
        if mail.body.len() < CHUNK {
            return Ok(Next::Known(Answer::Continue));
        }
        self.rest_of_body(out)
    }

    /// The body has ended: asks with what is left of it. Comes before [`Self::end_of_body`], which is asked for itself,
    /// since some filters know no BODYEOB that brings a part of the body.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn rest_of_body(&mut self, out: &mut Vec<u8>) -> Result<Next, Fault> {
        if let Some(known) = self.known(Stage::Body)? {
            return Ok(Next::Known(known));
        }
        let State::Open { mail: Some(mail), .. } = &mut self.state else {
            return Err(Fault::OutOfTurn(Stage::Body.name()));
        };
        if mail.body.is_empty() {
            return Ok(Next::Known(Answer::Continue));
        }
        let body = std::mem::take(&mut mail.body);
        self.ask(Stage::Body, &Macros::default(), || Command::Body(body.into()), out)
    }

    /// The mail is complete. [`Next::Wait`] leads to [`Event::End`].
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn end_of_body(&mut self, macros: &Macros, out: &mut Vec<u8>) -> Result<Next, Fault> {
        if let State::Open { mail: Some(Mail { body, settled: None, .. }), .. } = &self.state
            && !body.is_empty()
        {
            return Err(Fault::OutOfTurn(Stage::EndOfBody.name()));
        }
        self.ask(Stage::EndOfBody, macros, || Command::BodyEob([].into()), out)
    }

    /// The client has sent a command that is not known, in these words.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn unknown(&mut self, line: &str, out: &mut Vec<u8>) -> Result<Next, Fault> {
        let command = || Command::Unknown(line.as_bytes().into());
        self.ask(Stage::Unknown, &Macros::default(), command, out)
    }

    /// Nothing becomes of the mail that was begun, if one was: RSET, a refusal, the end of the connection. While an answer
    /// is awaited it would come too late, so that the filter is given up.
    pub fn abort(&mut self, out: &mut Vec<u8>) {
        let State::Open { mail, .. } = &mut self.state else { return };
        if mail.take().is_none() {
            return;
        }
        match self.awaited {
            Some(_) => self.give_up(),
            None => Command::Abort.encode(out),
        }
    }

    /// The client has gone. Nothing more can be asked.
    pub fn quit(&mut self, out: &mut Vec<u8>) {
        if matches!(self.state, State::Open { .. } | State::Settled(_)) {
            Command::Quit.encode(out);
        }
        self.awaited = None;
        self.state = State::Ended;
    }

    /// The filter took too long, or its connection ended. It is asked nothing more, and what it says counts for nothing.
    pub fn give_up(&mut self) {
        if !matches!(self.state, State::Failed(_)) {
            self.state = State::Failed(Fault::GivenUp);
        }
    }

    /// Whether a call for this stage would reach the filter now: what it does not want need not be read.
    #[must_use]
    pub fn wants(&self, stage: Stage) -> bool {
        let State::Open { agreed, mail } = &self.state else { return false };
        let of_mail = mail
            .as_ref()
            .is_none_or(|mail| mail.settled.is_none() && !mail.skipped.contains(&stage));
        of_mail && !agreed.steps.contain(stage.left_out_by())
    }

    /// Takes bytes up to the end of what the filter says and removes them from `input`; to be called until `input` is
    /// empty.
    ///
    /// # Errors
    /// It says what it must not say, or something when nothing is awaited. It is not believed any more.
    pub fn receive(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Fault> {
        if let State::Failed(fault) = &self.state {
            *input = &[];
            return Err(fault.clone());
        }
        self.read(input).inspect_err(|fault| self.state = State::Failed(fault.clone()))
    }

    fn read(&mut self, input: &mut &[u8]) -> Result<Option<Event>, Fault> {
        while !input.is_empty() {
            let stage = self.awaited.ok_or(Fault::Unasked)?;
            let Some(packet) = self.packets.read(input)? else { return Ok(None) };
            let response = Response::decode(&packet)?;
            if let Some(event) = self.take(stage, response)? {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn take(&mut self, stage: Stage, response: Response) -> Result<Option<Event>, Fault> {
        if response == Response::Progress {
            self.progress += 1;
            let most = self.limits.progress;
            let allowed = self.progress <= most && stage != Stage::Negotiation;
            return allowed.then_some(Some(Event::Progress)).ok_or(Fault::Progress(most));
        }
        if stage == Stage::Negotiation {
            return self.negotiated(response).map(Some);
        }
        let packet = response.name();
        let misplaced = Fault::Misplaced { packet, stage: stage.name() };
        let answer = match response {
            Response::Continue => Answer::Continue,
            Response::Accept => Answer::Accept,
            Response::Reject => Answer::Refuse(REJECTED),
            Response::TempFail => Answer::Refuse(LATER),
            Response::ReplyCode(reply) => Answer::refusal(reply),
            Response::ConnFail | Response::Shutdown => Answer::Close(CLOSED),
            Response::Discard => Answer::Discard,
            Response::Skip => return self.skip(stage).map(Some),
            Response::OptNeg(_) | Response::SetSymList(..) | Response::Progress => {
                return Err(misplaced);
            }
            edit if stage == Stage::EndOfBody => return self.edit(edit).map(|()| None),
            _ => return Err(misplaced),
        };
        let answer = if self.only_tells { told(answer) } else { answer };
        self.settle(stage, answer).map(Some)
    }

    fn negotiated(&mut self, response: Response) -> Result<Event, Fault> {
        let Response::OptNeg(options) = response else {
            let packet = response.name();
            return Err(Fault::Misplaced { packet, stage: Stage::Negotiation.name() });
        };
        let agreed = self.offer.agree(&options)?;
        self.lists.take(&options.macros)?;
        self.state = State::Open { agreed, mail: None };
        self.answered();
        Ok(Event::Negotiated)
    }

    fn edit(&mut self, response: Response) -> Result<(), Fault> {
        let State::Open { agreed, mail: Some(mail) } = &mut self.state else {
            return Err(Fault::Unasked);
        };
        mail.edits.add(response, agreed, &self.limits)
    }

    fn skip(&mut self, stage: Stage) -> Result<Event, Fault> {
        let State::Open { agreed, mail: Some(mail) } = &mut self.state else {
            return Err(Fault::Misplaced { packet: "SKIP", stage: stage.name() });
        };
        if !agreed.steps.contain(Steps::SKIP) {
            return Err(Fault::NotNegotiated("SKIP"));
        }
        if !stage.repeats() {
            return Err(Fault::Misplaced { packet: "SKIP", stage: stage.name() });
        }
        if !self.only_tells {
            mail.skipped.push(stage);
        }
        self.answered();
        Ok(Event::Answer(Answer::Continue))
    }

    fn settle(&mut self, stage: Stage, answer: Answer) -> Result<Event, Fault> {
        let State::Open { mail, .. } = &mut self.state else { return Err(Fault::Unasked) };
        let mut event = Event::Answer(answer.clone());
        if stage == Stage::EndOfBody {
            let edits = mail.take().map(|mail| mail.edits).unwrap_or_default();
            event = Event::End(verdict(answer.clone(), edits));
        }
        match settled::scope(stage, &answer, mail.is_some())? {
            Scope::Command => {}
            Scope::Mail => {
                if let Some(mail) = mail {
                    mail.settled = Some(answer);
                }
            }
            Scope::Connection => self.state = State::Settled(answer),
        }
        self.answered();
        Ok(event)
    }

    const fn answered(&mut self) {
        self.awaited = None;
        self.only_tells = false;
        self.progress = 0;
    }

    fn ask(
        &mut self,
        stage: Stage,
        macros: &Macros,
        command: impl FnOnce() -> Command,
        out: &mut Vec<u8>,
    ) -> Result<Next, Fault> {
        if let Some(known) = self.known(stage)? {
            return Ok(Next::Known(known));
        }
        let State::Open { agreed, .. } = &self.state else {
            return Err(Fault::OutOfTurn(stage.name()));
        };
        let steps = agreed.steps;
        if !agreed.knows(stage) {
            return Ok(Next::Known(Answer::Continue));
        }
        // As in Postfix also where the stage is left out: the filter may look at them at a later one.
        if let Some(packet) = self.lists.packet(stage, stage.letter(), macros) {
            packet.encode(out);
        }
        if steps.contain(stage.left_out_by()) {
            return Ok(Next::Known(Answer::Continue));
        }
        command().encode(out);
        if steps.contain(stage.unanswered_by()) {
            return Ok(Next::Known(Answer::Continue));
        }
        self.awaited = Some(stage);
        Ok(Next::Wait)
    }

    /// What is known without asking.
    fn known(&self, stage: Stage) -> Result<Option<Answer>, Fault> {
        self.is_free(stage)?;
        let mail = match &self.state {
            State::Settled(answer) => return Ok(Some(answer.clone())),
            State::Open { mail, .. } => mail,
            State::Offered | State::Failed(_) | State::Ended => return Ok(None),
        };
        match mail {
            Some(Mail { settled: Some(answer), .. }) if !stage.is_of_connection() => {
                Ok(Some(answer.clone()))
            }
            Some(mail) if mail.skipped.contains(&stage) => Ok(Some(Answer::Continue)),
            None if !stage.is_of_connection() => Err(Fault::OutOfTurn(stage.name())),
            Some(_) | None => Ok(None),
        }
    }

    fn is_free(&self, stage: Stage) -> Result<(), Fault> {
        match &self.state {
            State::Failed(fault) => Err(fault.clone()),
            State::Offered | State::Ended => Err(Fault::OutOfTurn(stage.name())),
            State::Open { .. } | State::Settled(_) if self.awaited.is_some() => {
                Err(Fault::OutOfTurn(stage.name()))
            }
            State::Open { .. } | State::Settled(_) => Ok(()),
        }
    }

    const fn has(&self, step: Steps) -> bool {
        match &self.state {
            State::Open { agreed, .. } => agreed.steps.contain(step),
            State::Offered | State::Settled(_) | State::Failed(_) | State::Ended => false,
        }
    }
}

/// What an answer means where nothing follows from it.
fn told(answer: Answer) -> Answer {
    match answer {
        Answer::Close(_) => answer,
        Answer::Continue | Answer::Accept | Answer::Refuse(_) | Answer::Discard => Answer::Continue,
    }
}

/// What a mail becomes by the answer to its end. Changes of a mail that does not go on are of no use.
fn verdict(answer: Answer, edits: Edits) -> Verdict {
    let refused = |reply: Reply| {
        let reason = reply.to_string().into();
        Verdict { decision: Decision::Refuse(reply), edits: Vec::new(), reason }
    };
    match answer {
        Answer::Continue | Answer::Accept => edits.verdict(),
        Answer::Refuse(reply) | Answer::Close(reply) => refused(reply),
        Answer::Discard => {
            Verdict { decision: Decision::Discard, edits: Vec::new(), reason: "".into() }
        }
    }
}

fn texts(words: &[&str]) -> Vec<Box<[u8]>> {
    words.iter().map(|word| word.as_bytes().into()).collect()
}
