//! What a filter says to a mail server (`SMFIR_*`).

use mailweir_mail::Reply;

use super::{
    super::Fault,
    Options,
    fields::{Fields, Writer},
    reply,
};

/// What a filter says to a mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// OPTNEG: what it takes of the offer.
    OptNeg(Options),
    /// CONTINUE.
    Continue,
    /// ACCEPT.
    Accept,
    /// REJECT.
    Reject,
    /// TEMPFAIL.
    TempFail,
    /// DISCARD.
    Discard,
    /// REPLYCODE: a refusal in words of its own.
    ReplyCode(Reply),
    /// SKIP: no more of this kind.
    Skip,
    /// PROGRESS: it is at work.
    Progress,
    /// CONN_FAIL: the client's connection is to fail.
    ConnFail,
    /// SHUTDOWN: 421 and close.
    Shutdown,
    /// ADDHEADER: below all others.
    AddHeader {
        /// Without the colon.
        name: Box<[u8]>,
        /// Its lines divided by LF.
        value: Box<[u8]>,
    },
    /// INSHEADER.
    InsHeader {
        /// How many fields stand above, the mail server's own Received among them.
        index: u32,
        /// Without the colon.
        name: Box<[u8]>,
        /// Its lines divided by LF.
        value: Box<[u8]>,
    },
    /// CHGHEADER.
    ChgHeader {
        /// Which of this name, from 1 on; 0 means 1.
        index: u32,
        /// Without the colon.
        name: Box<[u8]>,
        /// Its lines divided by LF; empty: the field is deleted.
        value: Box<[u8]>,
    },
    /// CHGFROM: the sender, and parameters of ESMTP.
    ChgFrom(Vec<Box<[u8]>>),
    /// ADDRCPT.
    AddRcpt(Box<[u8]>),
    /// ADDRCPT_PAR: the recipient, and parameters of ESMTP.
    AddRcptPar(Vec<Box<[u8]>>),
    /// DELRCPT.
    DelRcpt(Box<[u8]>),
    /// REPLBODY: a part of another body.
    ReplBody(Box<[u8]>),
    /// QUARANTINE: on hold, for this reason.
    Quarantine(Box<[u8]>),
    /// SETSYMLIST: which macros it wants. libmilter says it in OPTNEG and never by itself.
    SetSymList(u32, Box<[u8]>),
}

impl Response {
    /// Reads a packet.
    ///
    /// # Errors
    /// It is of no known type, or what is in it is not what must be.
    pub fn decode(packet: &[u8]) -> Result<Self, Fault> {
        let (code, rest) = packet.split_first().ok_or(Fault::Empty)?;
        let mut fields = Fields::new(name_of(*code).ok_or(Fault::UnknownPacket(*code))?, rest);
        let response = match code {
            b'O' => return Options::read(fields).map(Self::OptNeg),
            b'y' => Self::ReplyCode(reply::read(&fields.text()?)?),
            b'h' => Self::AddHeader { name: fields.text()?, value: fields.text()? },
            b'i' => {
                let (index, name) = (index(&mut fields)?, fields.text()?);
                Self::InsHeader { index, name, value: fields.text()? }
            }
            b'm' => {
                let (index, name) = (index(&mut fields)?, fields.text()?);
                Self::ChgHeader { index, name, value: fields.text()? }
            }
            b'e' => Self::ChgFrom(address(&mut fields)?),
            b'+' => Self::AddRcpt(fields.text()?),
            b'2' => Self::AddRcptPar(address(&mut fields)?),
            b'-' => Self::DelRcpt(fields.text()?),
            b'b' => Self::ReplBody(fields.bytes()),
            b'q' => Self::Quarantine(fields.text()?),
            b'l' => Self::SetSymList(fields.long()?, fields.text()?),
            code => bare(*code).ok_or(Fault::UnknownPacket(*code))?,
        };
        fields.end().map(|()| response)
    }

    /// Writes the packet behind what is in `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::OptNeg(options) => options.write(out),
            Self::Continue => Writer::new(b'c', out).end(),
            Self::Accept => Writer::new(b'a', out).end(),
            Self::Reject => Writer::new(b'r', out).end(),
            Self::TempFail => Writer::new(b't', out).end(),
            Self::Discard => Writer::new(b'd', out).end(),
            Self::ReplyCode(reply) => Writer::new(b'y', out).text(&reply::write(reply)).end(),
            Self::Skip => Writer::new(b's', out).end(),
            Self::Progress => Writer::new(b'p', out).end(),
            Self::ConnFail => Writer::new(b'f', out).end(),
            Self::Shutdown => Writer::new(b'4', out).end(),
            Self::AddHeader { name, value } => Writer::new(b'h', out).text(name).text(value).end(),
            Self::InsHeader { index, name, value } => {
                Writer::new(b'i', out).long(*index).text(name).text(value).end();
            }
            Self::ChgHeader { index, name, value } => {
                Writer::new(b'm', out).long(*index).text(name).text(value).end();
            }
            Self::ChgFrom(texts) => Writer::new(b'e', out).texts(texts).end(),
            Self::AddRcpt(address) => Writer::new(b'+', out).text(address).end(),
            Self::AddRcptPar(texts) => Writer::new(b'2', out).texts(texts).end(),
            Self::DelRcpt(address) => Writer::new(b'-', out).text(address).end(),
            Self::ReplBody(bytes) => Writer::new(b'b', out).bytes(bytes).end(),
            Self::Quarantine(reason) => Writer::new(b'q', out).text(reason).end(),
            Self::SetSymList(stage, list) => Writer::new(b'l', out).long(*stage).text(list).end(),
        }
    }

    /// As libmilter calls it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OptNeg(_) => "OPTNEG",
            Self::Continue => "CONTINUE",
            Self::Accept => "ACCEPT",
            Self::Reject => "REJECT",
            Self::TempFail => "TEMPFAIL",
            Self::Discard => "DISCARD",
            Self::ReplyCode(_) => "REPLYCODE",
            Self::Skip => "SKIP",
            Self::Progress => "PROGRESS",
            Self::ConnFail => "CONN_FAIL",
            Self::Shutdown => "SHUTDOWN",
            Self::AddHeader { .. } => "ADDHEADER",
            Self::InsHeader { .. } => "INSHEADER",
            Self::ChgHeader { .. } => "CHGHEADER",
            Self::ChgFrom(_) => "CHGFROM",
            Self::AddRcpt(_) => "ADDRCPT",
            Self::AddRcptPar(_) => "ADDRCPT_PAR",
            Self::DelRcpt(_) => "DELRCPT",
            Self::ReplBody(_) => "REPLBODY",
            Self::Quarantine(_) => "QUARANTINE",
            Self::SetSymList(..) => "SETSYMLIST",
        }
    }
}

/// Postfix takes what is negative in 32 bits for no index.
fn index(fields: &mut Fields<'_>) -> Result<u32, Fault> {
    let index = fields.long()?;
    if i32::try_from(index).is_ok() {
        Ok(index)
    } else {
        Err(Fault::Value(fields.packet(), "its index"))
    }
}

fn address(fields: &mut Fields<'_>) -> Result<Vec<Box<[u8]>>, Fault> {
    let texts = fields.texts()?;
    if texts.is_empty() { Err(Fault::Short(fields.packet())) } else { Ok(texts) }
}

/// Those that are a type and nothing else.
const fn bare(code: u8) -> Option<Response> {
    Some(match code {
        b'c' => Response::Continue,
        b'a' => Response::Accept,
        b'r' => Response::Reject,
        b't' => Response::TempFail,
        b'd' => Response::Discard,
        b's' => Response::Skip,
        b'p' => Response::Progress,
        b'f' => Response::ConnFail,
        b'4' => Response::Shutdown,
        _ => return None,
    })
}

fn name_of(code: u8) -> Option<&'static str> {
    if let Some(response) = bare(code) {
        return Some(response.name());
    }
    Some(match code {
        b'O' => "OPTNEG",
        b'y' => "REPLYCODE",
        b'h' => "ADDHEADER",
        b'i' => "INSHEADER",
        b'm' => "CHGHEADER",
        b'e' => "CHGFROM",
        b'+' => "ADDRCPT",
        b'2' => "ADDRCPT_PAR",
        b'-' => "DELRCPT",
        b'b' => "REPLBODY",
        b'q' => "QUARANTINE",
        b'l' => "SETSYMLIST",
        _ => return None,
    })
}
