//! How a notice travels: header, parts, and room for the original.

use std::fmt::{self, Write as _};

use mailweir_mail::{
    Address, Domain, QueueId,
    compose::{TransferEncoding, mailbox, unstructured},
    hex,
};
use sha2::{Digest, Sha256};

use super::{Letter, clean};

/// A notice as it is sent. The caller puts the original between the two halves, byte for byte, if it
/// attaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// Header and body with CRLF, up to where the original stands: all of the mail if nothing is
    /// attached.
    pub before: Vec<u8>,
    /// What stands behind the original; empty if nothing is attached.
    pub behind: Vec<u8>,
}

/// What the caller puts between the halves of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// Nothing.
    Nothing,
    /// The whole mail, as it is stored.
    Mail(Octets),
    /// Its header, with the empty line behind it.
    Header(Octets),
}

/// What the bytes of an original need on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Octets {
    /// ASCII alone.
    SevenBit,
    /// Other bytes in the body.
    EightBit,
    /// UTF-8 in the header (RFC 6532).
    Global,
}

/// A Message-ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// The name of a notice of a case to a person: the same whenever it is sent again after a crash, so
    /// that mailboxes can drop the second, and telling nobody else's address. `number` is that of what is
    /// owed ([`crate::case::Owed`]).
    #[must_use]
    pub fn of(case: QueueId, person: &Address, number: u32, host: &Domain) -> Self {
        let person = format!("{}@{}", person.unquoted_local_part(), person.domain().as_ascii());
        let hash = Sha256::digest(person.as_bytes());
        let short = hex::encode(&hash[..8]);
        Self(format!("<{case}.{short}.{number}@{}>", host.as_ascii()))
    }
}

/// With angle brackets.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Composed {
    /// Whether its own header needs SMTPUTF8 (RFC 6531): an address in it does. An original that is
    /// attached as [`Octets::Global`] needs 8BITMIME alone.
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self.before.is_ascii()
    }
}

/// The mail of a text with CRLF and of HTML with CRLF.
pub(super) fn assemble(letter: &Letter<'_>, subject: &str, text: &str, html: &str) -> Composed {
    let mut mail = header(letter, subject);
    // Neither encoding has `=_`, nor has what strangers write who do not know the number.
    let (outer, inner) = (boundary(letter, "m"), boundary(letter, "a"));
    let mut behind = String::new();
    let octets = match letter.attached {
        Attached::Nothing => None,
        Attached::Mail(octets) | Attached::Header(octets) => Some(octets),
    };
    if let Some(octets) = octets {
        let encoding = octets.encoding();
        let _ = write!(
            mail,
            "Content-Type: multipart/mixed; boundary=\"{outer}\"\r\n\
             Content-Transfer-Encoding: {encoding}\r\n\r\n--{outer}\r\n"
        );
    }
    let _ = write!(mail, "Content-Type: multipart/alternative; boundary=\"{inner}\"\r\n\r\n");
    for (kind, content) in [("plain", text), ("html", html)] {
        let encoding = TransferEncoding::shorter_for(content);
        let _ = write!(
            mail,
            "--{inner}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
             Content-Transfer-Encoding: {}\r\n\r\n{}\r\n",
            encoding.name(),
            encoding.encode(content),
        );
    }
    let _ = write!(mail, "--{inner}--\r\n");
    if let Some(octets) = octets {
        let (kind, name) = letter.attached.kind();
        let encoding = octets.encoding();
        let _ = write!(
            mail,
            "--{outer}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n"
        );
        behind = format!("\r\n--{outer}--\r\n");
    }
    Composed { before: mail.into_bytes(), behind: behind.into_bytes() }
}

fn header(letter: &Letter<'_>, subject: &str) -> String {
    let mut header = format!("Date: {}\r\n", letter.date.rfc5322());
    let name = clean::line(letter.from_name, MOST_NAME);
    header.push_str(&mailbox("From", &name, &on_the_wire(letter.from)));
    if let Some(reply_to) = letter.reply_to {
        header.push_str(&mailbox("Reply-To", &name, &on_the_wire(reply_to)));
    }
    header.push_str(&mailbox("To", "", &on_the_wire(letter.to)));
    header.push_str(&unstructured("Subject", subject));
    let _ = write!(header, "Message-ID: {}\r\n", letter.id);
    if let Some(last) = letter.thread.last() {
        let first = letter.thread.len().saturating_sub(MOST_REFERENCES);
        let references = letter.thread.iter().skip(first).map(MessageId::to_string);
        let references: Vec<String> = references.collect();
        let references = references.join("\r\n ");
        let _ = write!(header, "In-Reply-To: {last}\r\nReferences: {references}\r\n");
    }
    let _ = write!(
        header,
        "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n\
         Content-Language: {}\r\nMIME-Version: 1.0\r\n",
        letter.language.tag()
    );
    header
}

/// Domains in ASCII, so that only a local part can need SMTPUTF8.
fn on_the_wire(address: &Address) -> String {
    if address.local_part().is_ascii() {
        format!("{}@{}", address.local_part(), address.domain().as_ascii())
    } else {
        address.as_str().to_owned()
    }
}

fn boundary(letter: &Letter<'_>, level: &str) -> String {
    format!("=_{level}{:016x}", letter.seed)
}

impl Octets {
    const fn encoding(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit | Self::Global => "8bit",
        }
    }
}

impl Attached {
    /// Media type and file name.
    const fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Mail(Octets::Global) => ("message/global", "mail.eml"),
            Self::Header(Octets::Global) => ("message/global-headers", "header.txt"),
            Self::Header(Octets::SevenBit | Octets::EightBit) => {
                ("text/rfc822-headers", "header.txt")
            }
            Self::Nothing | Self::Mail(Octets::SevenBit | Octets::EightBit) => {
                ("message/rfc822", "mail.eml")
            }
        }
    }
}

/// Characters of the gateway's name.
const MOST_NAME: usize = 60;

/// Names of earlier notices.
const MOST_REFERENCES: usize = 10;
