//! An SMTP reply as a value: code, enhanced status code, text.
//!
//! Which text a reply has is decided in one file, `gateway/smtp/src/replies.rs`.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// A reply to an SMTP command, ours or a peer's (RFC 5321 section 4.2, RFC 2034).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The three-digit code, 200 to 599.
    pub code: u16,
    /// The enhanced status code; greetings and replies to EHLO have none.
    pub enhanced: Option<Enhanced>,
    /// One line, or several divided by `\n`. Never a control character otherwise.
    pub text: Cow<'static, str>,
}

impl Reply {
    /// A reply with an enhanced status code.
    #[must_use]
    pub const fn new(code: u16, enhanced: Enhanced, text: &'static str) -> Self {
        Self { code, enhanced: Some(enhanced), text: Cow::Borrowed(text) }
    }

    /// A reply whose text was put together.
    #[must_use]
    pub const fn with_text(code: u16, enhanced: Enhanced, text: String) -> Self {
        Self { code, enhanced: Some(enhanced), text: Cow::Owned(text) }
    }

    /// A reply without an enhanced status code.
    #[must_use]
    pub const fn plain(code: u16, text: &'static str) -> Self {
        Self { code, enhanced: None, text: Cow::Borrowed(text) }
    }

    /// What the first digit says.
    #[must_use]
    pub const fn class(&self) -> ReplyClass {
        match self.code {
            200..=299 => ReplyClass::Success,
            300..=399 => ReplyClass::Intermediate,
            400..=499 => ReplyClass::Transient,
            _ => ReplyClass::Permanent,
        }
    }

    /// The enhanced status code, or the general one of the reply's class (RFC 3463).
    #[must_use]
    pub fn enhanced_or_general(&self) -> Enhanced {
        self.enhanced.unwrap_or(match self.class() {
            ReplyClass::Success | ReplyClass::Intermediate => Enhanced(2, 0, 0),
            ReplyClass::Transient => Enhanced(4, 0, 0),
            ReplyClass::Permanent => Enhanced(5, 0, 0),
        })
    }
}

impl fmt::Display for Reply {
    /// One line, as logs and reports quote it: `550 5.1.1 No such user`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        self.text.lines().try_for_each(|line| write!(f, " {line}"))
    }
}

/// What the first digit of a reply says (RFC 5321 section 4.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyClass {
    /// 2yz: done.
    Success,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: never.
    Permanent,
}

/// An enhanced status code: class, subject, detail (RFC 3463).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl std::str::FromStr for Enhanced {
    type Err = ();

    /// Reads `class.subject.detail`; class is 2, 4 or 5, the others have up to three digits.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.').map(|part| match part.len() {
            1..=3 if part.bytes().all(|b| b.is_ascii_digit()) => part.parse::<u16>().map_err(drop),
            _ => Err(()),
        });
        let mut next = || parts.next().ok_or(())?;
        let (class, subject, detail) = (next()?, next()?, next()?);
        match (class, parts.next()) {
            (2 | 4 | 5, None) => Ok(Self(class as u8, subject, detail)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_quoted_on_one_line() {
        let reply = Reply::new(550, Enhanced(5, 1, 1), "No such user\nAsk the postmaster");
        assert_eq!(reply.to_string(), "550 5.1.1 No such user Ask the postmaster");
    }

    #[test]
    fn enhanced_codes_read_back_and_nonsense_is_refused() {
        assert_eq!("5.7.1".parse(), Ok(Enhanced(5, 7, 1)));
        for bad in ["", "5", "5.7", "5.7.1.1", "3.0.0", "5.7.", "5.7.x", "5.1234.1", "+5.1.1"] {
            assert_eq!(bad.parse::<Enhanced>(), Err(()), "{bad}");
        }
    }
}
