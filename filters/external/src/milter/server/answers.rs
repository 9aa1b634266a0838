//! What we answer a mail server, in its words.

use mailweir_mail::{Reply, ReplyClass};

use super::{
    super::{Actions, Answer, CHUNK, Response, Stage, Steps, value::to_wire},
    Agreed, Server,
};
use crate::verdict::{Decision, Edit, Verdict};

/// What cannot be said to this mail server. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsendable {
    /// Nothing was asked.
    #[error("no answer is due")]
    NotDue,
    /// The filter did not wish for this action.
    #[error("{0} was not negotiated")]
    NotNegotiated(&'static str),
    /// There is no mail to discard.
    #[error("a connection cannot be discarded")]
    DiscardedConnection,
    /// A refusal that refuses nothing.
    #[error("a refusal must be a 4xx or a 5xx")]
    NoRefusal,
    /// The protocol has no word for it.
    #[error("all fields of a name cannot be removed at once")]
    AllOfName,
}

impl Server {
    /// Answers what was heard last.
    ///
    /// # Errors
    /// It cannot be said.
    pub fn answer(&mut self, answer: &Answer, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let stage = self.due.ok_or(Unsendable::NotDue)?;
        let response = match answer {
            Answer::Continue => Response::Continue,
            Answer::Accept => Response::Accept,
            Answer::Refuse(reply) => refusal(reply)?,
            Answer::Close(reply) if matches!(reply.code, 421 | 521) => refusal(reply)?,
            Answer::Close(_) => Response::Shutdown,
            Answer::Discard if stage < Stage::Mail => return Err(Unsendable::DiscardedConnection),
            Answer::Discard => Response::Discard,
        };
        response.encode(out);
        self.answered(stage);
        Ok(())
    }

    /// We are at work: the mail server's patience starts anew. Only while an answer is due, and where the mail server takes it:
    /// every one at the end of a mail; at other stages Postfix (`milter8_event`) and our own client, which say who they are at
    /// CONNECT (`v`), and not Sendmail, for which it is an error there (`milter_send_command`).
    pub fn progress(&self, out: &mut Vec<u8>) {
        let is_taken = match self.due {
            Some(Stage::EndOfBody) => true,
            Some(_) => self.macro_value("v").is_some_and(is_patient),
            None => false,
        };
        if is_taken {
            Response::Progress.encode(out);
        }
    }

    /// Answers that nothing more of this kind is of interest in this mail. If the mail server cannot skip it, it goes on.
    ///
    /// # Errors
    /// Nothing was asked.
    pub fn skip(&mut self, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let stage = self.due.ok_or(Unsendable::NotDue)?;
        let skips = stage == Stage::Body && self.has(Steps::SKIP);
        if skips { Response::Skip } else { Response::Continue }.encode(out);
        self.answered(stage);
        Ok(())
    }

    /// Answers the end of a mail.
    ///
    /// # Errors
    /// A mail is not at its end, or it cannot be said. Then something else must be.
    pub fn finish(&mut self, verdict: &Verdict, out: &mut Vec<u8>) -> Result<(), Unsendable> {
        let (Some(Stage::EndOfBody), Some(agreed)) = (self.due, self.agreed) else {
            return Err(Unsendable::NotDue);
        };
        let mut written = Vec::new();
        if matches!(verdict.decision, Decision::Pass | Decision::Hold) {
            for edit in &verdict.edits {
                write(edit, agreed, &mut written)?;
            }
        }
        let last = match &verdict.decision {
            Decision::Pass => Response::Continue,
            Decision::Hold => {
                offered(agreed, Actions::QUARANTINE, "QUARANTINE")?;
                Response::Quarantine(verdict.reason.as_bytes().into()).encode(&mut written);
                Response::Continue
            }
            Decision::Refuse(reply) => refusal(reply)?,
            Decision::Discard => Response::Discard,
        };
        last.encode(&mut written);
        out.append(&mut written);
        self.answered(Stage::EndOfBody);
        Ok(())
    }

    fn answered(&mut self, stage: Stage) {
        self.due = None;
        if stage == Stage::EndOfBody {
            self.forget(Stage::Helo);
        }
    }
}

fn refusal(reply: &Reply) -> Result<Response, Unsendable> {
    match reply.class() {
        ReplyClass::Transient | ReplyClass::Permanent => Ok(Response::ReplyCode(reply.clone())),
        ReplyClass::Success | ReplyClass::Intermediate => Err(Unsendable::NoRefusal),
    }
}

fn write(edit: &Edit, agreed: Agreed, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    let exact = agreed.steps.contain(Steps::HDR_LEADSPC);
    let (action, response) = match edit {
        Edit::Append { name, value } => {
            let (name, value) = (name.as_bytes().into(), to_wire(value, exact));
            (Actions::ADDHDRS, Response::AddHeader { name, value })
        }
        Edit::Insert { above, name, value } => {
            let index = number(above.saturating_add(1));
            let (name, value) = (name.as_bytes().into(), to_wire(value, exact));
            (Actions::ADDHDRS, Response::InsHeader { index, name, value })
        }
        Edit::Change { name, nth, value } => {
            let value = to_wire(value, exact);
            // An empty one would delete the field.
            let value = if value.is_empty() { b" "[..].into() } else { value };
            (Actions::CHGHDRS, change(name, *nth, value))
        }
        Edit::Remove { name, nth: Some(nth) } => (Actions::CHGHDRS, change(name, *nth, [].into())),
        Edit::Remove { nth: None, .. } => return Err(Unsendable::AllOfName),
        Edit::Body(bytes) => return body(bytes, agreed, out),
        Edit::Sender(path) => {
            (Actions::CHGFROM, Response::ChgFrom(vec![in_brackets(path.as_str())]))
        }
        Edit::AddRecipient(address) => {
            (Actions::ADDRCPT, Response::AddRcpt(in_brackets(address.as_str())))
        }
        Edit::RemoveRecipient(address) => {
            (Actions::DELRCPT, Response::DelRcpt(in_brackets(address.as_str())))
        }
    };
    offered(agreed, action, response.name())?;
    response.encode(out);
    Ok(())
}

fn change(name: &str, nth: usize, value: Box<[u8]>) -> Response {
    Response::ChgHeader { index: number(nth), name: name.as_bytes().into(), value }
}

fn body(bytes: &[u8], agreed: Agreed, out: &mut Vec<u8>) -> Result<(), Unsendable> {
    offered(agreed, Actions::CHGBODY, "REPLBODY")?;
    if bytes.is_empty() {
        Response::ReplBody([].into()).encode(out);
    }
    bytes.chunks(CHUNK).for_each(|part| Response::ReplBody(part.into()).encode(out));
    Ok(())
}

const fn offered(agreed: Agreed, action: Actions, name: &'static str) -> Result<(), Unsendable> {
    if agreed.actions.contain(action) { Ok(()) } else { Err(Unsendable::NotNegotiated(name)) }
}

fn in_brackets(address: &str) -> Box<[u8]> {
    format!("<{address}>").into_bytes().into()
}

/// Whether a mail server of this name and version lets us say at any stage that we are at work.
fn is_patient(version: &str) -> bool {
    ["Postfix ", "Mailweir "].iter().any(|name| version.starts_with(name))
}

/// Mail servers take what is negative in 32 bits for no index.
fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).min(u32::MAX / 2)
}
