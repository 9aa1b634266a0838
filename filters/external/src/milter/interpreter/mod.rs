//! What a mail server says to a filter, in the words of an SMTP client, and what an SMTP server replies, as answers to the
//! mail server: so that a session of SMTP can judge mail that somebody else serves.
//!
//! No text of the mail server becomes a command: what has control characters is refused here, and content goes in counted
//! chunks (BDAT), which nothing in it can end.

mod macros;
mod replied;
#[cfg(test)]
mod tests;
mod words;

use std::net::SocketAddr;

use mailweir_mail::Reply;

pub use self::macros::{login, queue_id, tls};
use super::{
    Answer, Heard, Peer, PeerAddress,
    replies::{CLOSED, LONG_HEADER, NO_FIELD},
};
use crate::edit;

/// The conversation with one mail server.
#[derive(Debug, Default)]
pub struct Interpreter {
    mail: Mail,
    /// The header of the mail as it was given.
    header: Vec<u8>,
    /// What the next reply is to.
    said: Said,
}

/// How far the mail is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Mail {
    /// There is none.
    #[default]
    None,
    /// Its sender was accepted. Its header is still here.
    Begun,
    /// Its header was said.
    Body,
    /// Its content is not wanted, whatever comes: this is the answer to its end.
    Refused(Reply),
}

/// What was said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Said {
    #[default]
    Other,
    Sender,
    /// DATA, or a part of the content.
    Content,
}

/// What is to be done about what a mail server has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A session begins with this client. What it is greeted with goes to [`Interpreter::reply`].
    Meet(Guest),
    /// These are to be said, one after the other; all that is replied goes to [`Interpreter::reply`].
    Say(Vec<Vec<u8>>),
    /// The same, and the mail is complete: if it is not refused, it is for the caller to say what becomes of it.
    End(Vec<Vec<u8>>),
    /// This is the answer.
    Answer(Answer),
    /// The client has gone. Another one may follow.
    Leave,
}

/// A client of the mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Where it is; `None`: at no address.
    pub address: Option<SocketAddr>,
    /// The name that the mail server has verified, if it has.
    pub name: Option<Box<str>>,
}

impl Interpreter {
    /// What is to be done. `own_name`: what the mail server calls itself (the macro `j`): addresses without a domain are in
    /// that one.
    pub fn hear(&mut self, heard: Heard, own_name: Option<&str>) -> Turn {
        self.said = Said::Other;
        match heard {
            Heard::Connect(peer) => {
                *self = Self::default();
                Turn::Meet(Guest::of(&peer))
            }
            Heard::Helo(name) => {
                self.forget();
                Turn::Say(vec![words::hello(&name)])
            }
            Heard::Mail(texts) => self.sender(&texts, own_name),
            Heard::Rcpt(texts) => match words::recipient(&texts, own_name) {
                Ok(command) => Turn::Say(vec![command]),
                Err(refusal) => Turn::Answer(Answer::Refuse(refusal)),
            },
            Heard::Data => {
                self.said = Said::Content;
                self.unless_refused(|_| Turn::Say(vec![words::chunk(0)]))
            }
            Heard::Header { name, value } => self.field(&name, &value),
            Heard::EndOfHeader => self.unless_refused(|it| Turn::say(it.end_of_header())),
            Heard::Body(bytes) => self.unless_refused(|it| {
                let mut pieces = it.end_of_header();
                if !bytes.is_empty() {
                    pieces.extend([words::chunk(bytes.len()), bytes.into_vec()]);
                }
                Turn::say(pieces)
            }),
            Heard::EndOfBody => self.end(),
            Heard::Abort => match self.forget() {
                Mail::None => Turn::Answer(Answer::Continue),
                Mail::Begun | Mail::Body | Mail::Refused(_) => {
                    Turn::Say(vec![words::RSET.to_vec()])
                }
            },
            Heard::Quit { .. } => {
                *self = Self::default();
                Turn::Leave
            }
            Heard::Unknown(_) => Turn::Answer(Answer::Continue),
        }
    }

    /// The answer, by all that the SMTP server replied to what was said last: the first refusal among it, if there is one.
    /// Nothing at all is said by a server that has closed the session.
    pub fn reply(&mut self, replied: &[u8]) -> Answer {
        let said = std::mem::take(&mut self.said);
        let refusal = match replied {
            [] => Some(CLOSED),
            replied => replied::refusal(replied),
        };
        match (said, &refusal) {
            (Said::Sender, None) => self.mail = Mail::Begun,
            (Said::Content, Some(reply)) => self.mail = Mail::Refused(reply.clone()),
            (Said::Sender | Said::Content | Said::Other, _) => {}
        }
        refusal.map_or(Answer::Continue, Answer::refusal)
    }

    /// Whether a mail has begun and is not over.
    #[must_use]
    pub fn has_mail(&self) -> bool {
        self.mail != Mail::None
    }

    /// The header of the mail, or of the last one, as it was given: each field one field, with CRLF at the ends of its lines.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    fn sender(&mut self, texts: &[Box<[u8]>], own_name: Option<&str>) -> Turn {
        let former = self.forget();
        self.header.clear();
        let command = match words::sender(texts, own_name) {
            Ok(command) => command,
            Err(refusal) => return Turn::Answer(Answer::Refuse(refusal)),
        };
        self.said = Said::Sender;
        let over = (former != Mail::None).then(|| words::RSET.to_vec());
        Turn::Say(over.into_iter().chain([command]).collect())
    }

    fn field(&mut self, name: &[u8], value: &[u8]) -> Turn {
        let Self { header, .. } = self;
        let name = std::str::from_utf8(name).unwrap_or_default();
        let refusal = match edit::field(name.trim_ascii_end(), value) {
            Ok(field) if header.len() + field.len() > MOST_HEADER => Some(LONG_HEADER),
            Ok(field) => {
                header.extend_from_slice(&field);
                None
            }
            Err(_) => Some(NO_FIELD),
        };
        self.unless_refused(|it| match refusal {
            None => Turn::Answer(Answer::Continue),
            Some(reply) => {
                it.mail = Mail::Refused(reply.clone());
                Turn::Answer(Answer::Refuse(reply))
            }
        })
    }

    /// The header, if it was not said yet.
    fn end_of_header(&mut self) -> Vec<Vec<u8>> {
        self.said = Said::Content;
        if self.mail == Mail::Body {
            return Vec::new();
        }
        self.mail = Mail::Body;
        let header = [&self.header, &b"\r\n"[..]].concat();
        vec![words::chunk(header.len()), header]
    }

    fn end(&mut self) -> Turn {
        let turn = self.unless_refused(|it| {
            let mut pieces = it.end_of_header();
            pieces.push(words::LAST_CHUNK.to_vec());
            Turn::End(pieces)
        });
        self.said = Said::Other;
        self.forget();
        turn
    }

    fn unless_refused(&mut self, turn: impl FnOnce(&mut Self) -> Turn) -> Turn {
        match &self.mail {
            Mail::Refused(reply) => Turn::Answer(Answer::refusal(reply.clone())),
            Mail::None | Mail::Begun | Mail::Body => turn(self),
        }
    }

    /// The mail that was begun is over.
    fn forget(&mut self) -> Mail {
        std::mem::take(&mut self.mail)
    }
}

impl Turn {
    fn say(pieces: Vec<Vec<u8>>) -> Self {
        if pieces.is_empty() { Self::Answer(Answer::Continue) } else { Self::Say(pieces) }
    }
}

impl Guest {
    fn of(peer: &Peer) -> Self {
        let address = match peer.address {
            PeerAddress::Ip(address) => Some(address),
            PeerAddress::Unknown | PeerAddress::Unix(_) => None,
        };
        let name = std::str::from_utf8(&peer.name).ok();
        let is_name = |name: &&str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            *name != "unknown" && (1..=255).contains(&name.len()) && name.bytes().all(allowed)
        };
        Self { address, name: name.filter(is_name).map(Into::into) }
    }
}

/// Bytes of a header at most: as many as can be changed.
const MOST_HEADER: usize = (1 << 20) - 2;
