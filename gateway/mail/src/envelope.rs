//! The envelope of a mail: who sent it, who gets it, and what the sender asked for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Address, ReversePath, Transport};

/// What MAIL and RCPT said (RFC 5321 section 2.3.1). Frozen once the mail is queued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Where reports go.
    pub sender: ReversePath,
    /// Who gets the mail, in the order of the RCPT commands. Never empty in a queued mail.
    pub recipients: Vec<Recipient>,
    /// What the content may hold (RFC 6152, RFC 3030).
    pub body: BodyType,
    /// Whether the sender asked for internationalised handling (RFC 6531).
    pub smtputf8: bool,
    /// How much of the mail a report returns (RFC 3461 section 4.3).
    pub ret: Option<Return>,
    /// The sender's name for this transmission (RFC 3461 section 4.4).
    pub envid: Option<EnvelopeId>,
    /// Where a rule sends the mail for all recipients, instead of where their routes lead (FILTER,
    /// header_checks(5), access(5)).
    pub filter: Option<Transport>,
    /// The filters of other people that are ahead of the mail, by the names in the configuration, in their order.
    // Archives have mail from before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ahead: Vec<Box<str>>,
    /// The filter that has handed it back, if it comes from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Box<str>>,
}

impl Envelope {
    /// An envelope without recipients and without any wish.
    #[must_use]
    pub fn from_sender(sender: ReversePath) -> Self {
        Self {
            sender,
            recipients: Vec::new(),
            body: BodyType::SevenBit,
            smtputf8: false,
            ret: None,
            envid: None,
            filter: None,
            ahead: Vec::new(),
            behind: None,
        }
    }

    /// The same envelope with one more recipient.
    #[must_use]
    pub fn to(mut self, address: Address) -> Self {
        self.recipients.push(Recipient::new(address));
        self
    }
}

/// One recipient and the reports the sender wants about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Where the mail goes.
    pub address: Address,
    /// When the sender wants a report (RFC 3461 section 4.1).
    pub notify: Notify,
    /// The recipient as the sender first wrote it (RFC 3461 section 4.2).
    pub orcpt: Option<OriginalRecipient>,
    /// What RCPT said, where rewriting has made another address of it: for the archive, for
    /// `X-Original-To`, and for people who wonder.
    pub original: Option<Address>,
}

impl Recipient {
    /// A recipient with the default reports: on failure and on delay.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self { address, notify: Notify::DEFAULT, orcpt: None, original: None }
    }
}

/// What the content may hold: the BODY parameter of MAIL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BodyType {
    /// `7BIT`, or no parameter.
    #[default]
    SevenBit,
    /// `8BITMIME` (RFC 6152).
    EightBitMime,
}

/// How much of the mail a report returns: the RET parameter of MAIL (RFC 3461 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Return {
    /// `FULL`: the whole mail, as far as the size limit of reports allows.
    Full,
    /// `HDRS`: the header only.
    Headers,
}

/// When the sender wants a report about a recipient: the NOTIFY parameter of RCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notify {
    /// `NEVER`: no report at all.
    Never,
    /// Any of `SUCCESS`, `FAILURE` and `DELAY`.
    On {
        /// Report that the mail was delivered, or relayed to a system that cannot report.
        success: bool,
        /// Report that the mail could not be delivered.
        failure: bool,
        /// Report that the mail is late.
        delay: bool,
    },
}

impl Notify {
    /// What a sender who says nothing gets (RFC 3461 section 4.1: FAILURE, and DELAY by choice).
    pub const DEFAULT: Self = Self::On { success: false, failure: true, delay: true };

    /// Whether a report of success is wanted.
    #[must_use]
    pub const fn wants_success(self) -> bool {
        matches!(self, Self::On { success: true, .. })
    }

    /// Whether a report of failure is wanted.
    #[must_use]
    pub const fn wants_failure(self) -> bool {
        matches!(self, Self::On { failure: true, .. })
    }

    /// Whether a report of delay is wanted.
    #[must_use]
    pub const fn wants_delay(self) -> bool {
        matches!(self, Self::On { delay: true, .. })
    }
}

/// The sender's name for a transmission, decoded from xtext: printable ASCII, at most 100 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvelopeId(Box<str>);

impl EnvelopeId {
    /// The decoded ENVID; `None` if it is empty or too long, or holds anything but printable ASCII
    /// (`attacks.md` A15).
    #[must_use]
    pub fn new(decoded: &str) -> Option<Self> {
        let sound = !decoded.is_empty() && decoded.is_ascii() && is_safe(decoded, MAX_ENVID);
        sound.then(|| Self(decoded.into()))
    }

    /// The decoded text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The recipient as the sender first wrote it, decoded: `rfc822;user@example.org`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OriginalRecipient(Box<str>);

impl OriginalRecipient {
    /// The decoded ORCPT, with its address type and `;`. `None` if it lacks them, holds a control
    /// character (`attacks.md` A15), or is too long.
    #[must_use]
    pub fn new(decoded: &str) -> Option<Self> {
        let (kind, address) = decoded.split_once(';')?;
        let atom = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        let sound = !kind.is_empty() && kind.bytes().all(atom) && !address.is_empty();
        (sound && is_safe(decoded, MAX_ORCPT)).then(|| Self(decoded.into()))
    }

    /// The decoded text, type and address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address type, such as `rfc822` or `utf-8`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.split_once(';').map_or("", |(kind, _)| kind)
    }

    /// The address alone.
    #[must_use]
    pub fn address(&self) -> &str {
        self.0.split_once(';').map_or("", |(_, address)| address)
    }
}

impl fmt::Display for OriginalRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_safe(text: &str, limit: usize) -> bool {
    text.len() <= limit && !text.chars().any(char::is_control)
}

/// RFC 3461 section 4.4.
const MAX_ENVID: usize = 100;

/// RFC 3461 section 4.2 allows 500 characters of xtext.
const MAX_ORCPT: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_with_control_characters_cannot_be_built() {
        for bad in ["a\0b", "a\r\nb", "a\nb", "\u{7f}"] {
            assert_eq!(EnvelopeId::new(bad), None);
            assert_eq!(OriginalRecipient::new(&format!("rfc822;{bad}")), None);
        }
        assert_eq!(EnvelopeId::new(""), None);
        assert_eq!(EnvelopeId::new("é"), None);
        assert_eq!(OriginalRecipient::new("no-type"), None);
        assert_eq!(OriginalRecipient::new("rfc822;"), None);
        assert_eq!(OriginalRecipient::new("rfc822;a@b.example").unwrap().address(), "a@b.example");
    }
}
