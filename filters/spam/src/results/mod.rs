//! What was found out about a mail, for those who read it behind us: the Authentication-Results field (RFC 8601).
//!
//! Whoever trusts the field trusts all of it, and most of what stands in it was chosen by the sender. So nothing
//! foreign is written that could end a value, begin a comment or look like another result to a simple program
//! (espoofer, server_a1 to server_a7). Fields that claim our own id and are not ours are recognised by [`Claim`];
//! taking them out is the caller's part.

mod authserv;
mod claim;
mod safe;
#[cfg(test)]
mod tests;

use std::fmt;

pub use authserv::{AuthservId, NotAnId};
pub use claim::Claim;

/// The results for one mail, in the order in which they were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    id: AuthservId,
    methods: Vec<Method>,
}

/// The result of one method: of a check, or of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    name: MethodName,
    result: ResultName,
    /// Made safe already, like all texts here.
    comment: Option<Box<str>>,
    reason: Option<Box<str>>,
    properties: Vec<(PropertyName, Box<str>)>,
}

/// The methods that are written (RFC 8601 section 2.7, RFC 8617 section 4.1.1, RFC 9989 section 9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodName {
    /// Who logged in (RFC 8601 section 2.7.4).
    Auth,
    /// The reverse and forward name of the client (section 2.7.3).
    Iprev,
    /// RFC 7208.
    Spf,
    /// RFC 6376; one for each signature.
    Dkim,
    /// RFC 8617.
    Arc,
    /// RFC 9989.
    Dmarc,
}

/// The result names of all methods (RFC 8601 section 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultName {
    /// Nothing to check.
    None,
    /// It is proven.
    Pass,
    /// It is disproven.
    Fail,
    /// Of SPF: it is not likely.
    SoftFail,
    /// Neither this nor that.
    Neutral,
    /// Proven, but not as our rules ask for.
    Policy,
    /// Nobody knows now.
    TempError,
    /// It can never be told.
    PermError,
}

/// What a result is about: type and name of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyName {
    /// The signing domain (`d=`).
    HeaderD,
    /// The identity (`i=`).
    HeaderI,
    /// The selector (`s=`).
    HeaderS,
    /// The algorithm (`a=`).
    HeaderA,
    /// The begin of the signature (`b=`; RFC 6008): which of several signatures it is.
    HeaderB,
    /// The author's domain.
    HeaderFrom,
    /// How far an ARC chain is unbroken (RFC 8617).
    HeaderOldestPass,
    /// The address, or domain, of MAIL FROM.
    SmtpMailFrom,
    /// The name in HELO.
    SmtpHelo,
    /// The client's address, for ARC (RFC 8617).
    SmtpRemoteIp,
    /// Who logged in.
    SmtpAuth,
    /// The client's address.
    PolicyIprev,
    /// The policy that applies (RFC 9989 section 9.1).
    PolicyDmarc,
}

impl Results {
    /// No results yet.
    #[must_use]
    pub const fn new(id: AuthservId) -> Self {
        Self { id, methods: Vec::new() }
    }

    /// Adds a result. Those beyond [`MOST_METHODS`] are left out.
    pub fn add(&mut self, method: Method) {
        if self.methods.len() < MOST_METHODS {
            self.methods.push(method);
        }
    }

    /// The results.
    #[must_use]
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The whole header field with its line ends (CRLF): ASCII, folded at [`LINE`] characters where a word allows, and never
    /// longer than 998 in a line.
    #[must_use]
    pub fn field(&self) -> String {
        let mut folded = Folded::begin(&format!("{FIELD}: {}", self.id));
        if self.methods.is_empty() {
            folded.more(";");
            folded.word("none");
        }
        for method in &self.methods {
            folded.more(";");
            folded.line();
            method.words(&mut folded);
        }
        folded.end()
    }
}

impl Method {
    /// A result without properties.
    #[must_use]
    pub const fn new(name: MethodName, result: ResultName) -> Self {
        Self { name, result, comment: None, reason: None, properties: Vec::new() }
    }

    /// With a comment for people. Foreign text is made safe: see [`Method::property`].
    #[must_use]
    pub fn comment(mut self, text: &str) -> Self {
        self.comment = Some(safe::text(text));
        self
    }

    /// With a reason (`reason=`). Foreign text is made safe: see [`Method::property`].
    #[must_use]
    pub fn reason(mut self, text: &str) -> Self {
        self.reason = Some(safe::text(text));
        self
    }

    /// With a property. Of a value only letters, digits and harmless signs are kept; in place of each other
    /// character stands a `?`, and a value that is too long is cut. At most [`MOST_PROPERTIES`] are kept.
    #[must_use]
    pub fn property(mut self, name: PropertyName, value: &str) -> Self {
        if self.properties.len() < MOST_PROPERTIES {
            self.properties.push((name, safe::value(value)));
        }
        self
    }

    /// The method.
    #[must_use]
    pub const fn name(&self) -> MethodName {
        self.name
    }

    /// The result.
    #[must_use]
    pub const fn result(&self) -> ResultName {
        self.result
    }

    fn words(&self, folded: &mut Folded) {
        folded.word(&format!("{}={}", self.name.as_str(), self.result.as_str()));
        if let Some(comment) = &self.comment {
            folded.word(&format!("({comment})"));
        }
        if let Some(reason) = &self.reason {
            folded.word(&format!("reason=\"{reason}\""));
        }
        for (name, value) in &self.properties {
            folded.word(&format!("{}={value}", name.as_str()));
        }
    }
}

impl MethodName {
    /// The word in the field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Iprev => "iprev",
            Self::Spf => "spf",
            Self::Dkim => "dkim",
            Self::Arc => "arc",
            Self::Dmarc => "dmarc",
        }
    }
}

impl ResultName {
    /// The word in the field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::Policy => "policy",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl PropertyName {
    /// The words in the field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeaderD => "header.d",
            Self::HeaderI => "header.i",
            Self::HeaderS => "header.s",
            Self::HeaderA => "header.a",
            Self::HeaderB => "header.b",
            Self::HeaderFrom => "header.from",
            Self::HeaderOldestPass => "header.oldest-pass",
            Self::SmtpMailFrom => "smtp.mailfrom",
            Self::SmtpHelo => "smtp.helo",
            Self::SmtpRemoteIp => "smtp.remote-ip",
            Self::SmtpAuth => "smtp.auth",
            Self::PolicyIprev => "policy.iprev",
            Self::PolicyDmarc => "policy.dmarc",
        }
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field())
    }
}

/// A header field on its way. Lines break between words only.
struct Folded {
    text: String,
    column: usize,
}

impl Folded {
    fn begin(text: &str) -> Self {
        Self { text: text.to_owned(), column: text.len() }
    }

    /// Behind the last word, without a blank.
    fn more(&mut self, text: &str) {
        self.text.push_str(text);
        self.column = self.column.saturating_add(text.len());
    }

    fn line(&mut self) {
        self.text.push_str("\r\n\t");
        // A tab is shown as up to eight columns.
        self.column = 8;
    }

    fn word(&mut self, word: &str) {
        let begins_line = self.text.ends_with('\t');
        if !begins_line && self.column.saturating_add(word.len()).saturating_add(2) > LINE {
            self.line();
        } else if !begins_line {
            self.more(" ");
        }
        self.more(word);
    }

    fn end(mut self) -> String {
        self.text.push_str("\r\n");
        self.text
    }
}

/// The name of the field.
pub const FIELD: &str = "Authentication-Results";

/// RFC 5322 section 2.1.1: lines should have no more characters.
pub const LINE: usize = 78;

/// As many results are written: ten signatures and all other methods need half of it.
pub const MOST_METHODS: usize = 40;

/// As many properties of a result are written; no method has more.
pub const MOST_PROPERTIES: usize = 8;
