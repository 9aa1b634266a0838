//! Whether a host may send mail in the name of a domain (SPF, RFC 7208): `check_host()` for one identity.
//!
//! Name servers are asked one question after the other through [`Dns`], and trouble with them never makes a pass, a
//! fail or a none: it is a temporary error. What becomes of a mail by the result is decided elsewhere.

mod cause;
mod evaluate;
mod expand;
mod macros;
mod mechanism;
mod record;
mod reverse;

use std::{fmt, net::IpAddr};

use mailweir_mail::{Domain, Timestamp};

pub use self::{
    cause::{Cause, Flaw},
    expand::MOST_EXPLANATION,
    macros::MacroString,
    record::{Directive, Mechanism, Prefix, Qualifier, Record, TermError},
};
use self::{
    evaluate::{Evaluation, Stop, Subject},
    reverse::Reverse,
};
use crate::dns::Dns;

/// Who sends.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The host that sends. An IPv4 address in IPv6 clothes is the IPv4 address.
    pub client: IpAddr,
    /// What it said in HELO, whatever that is.
    pub helo: &'a str,
    /// The sender's address; `None` is the null sender, and then the name of the HELO is checked as
    /// `postmaster@helo` (RFC 7208 section 2.4). To check the HELO besides, ask twice.
    pub mail_from: Option<&'a str>,
    /// Our own name, for explanations.
    pub ours: &'a str,
}

/// How much a check may ask (RFC 7208 section 4.6.4). Besides, an `mx` looks at 10 hosts, a `ptr` at 10 names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Terms that ask name servers: `include`, `a`, `mx`, `ptr`, `exists` and `redirect`.
    pub lookups: u32,
    /// Those of them that ask for what does not exist.
    pub void_lookups: u32,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The result.
    pub result: SpfResult,
    /// The domain that was checked, in ASCII and lower case. Empty if the identity has none.
    pub domain: Box<str>,
    /// Whose domain it is.
    pub identity: Identity,
    /// Why the domain says that the mail is not its own, if it failed: printable ASCII of at most
    /// [`MOST_EXPLANATION`] bytes. The words are those of the domain, or of whoever sends.
    pub explanation: Option<Box<str>>,
    /// Why the result is what it is.
    pub cause: Cause,
}

/// The results of a check (RFC 7208 section 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpfResult {
    /// There is no domain, or it says nothing.
    None,
    /// The domain says that it does not say.
    Neutral,
    /// The host may send.
    Pass,
    /// The host may not send.
    Fail,
    /// The host probably may not send.
    SoftFail,
    /// Name servers did not answer; another time it may be clear.
    TempError,
    /// What the domain publishes cannot be understood.
    PermError,
}

/// Whose domain is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The sender's.
    MailFrom,
    /// The client's own name, since there is no sender.
    Helo,
}

/// Checks one identity.
pub async fn check(
    question: &Question<'_>,
    limits: Limits,
    dns: &impl Dns,
    now: Timestamp,
) -> Outcome {
    let (identity, local_part, written) = identity(question);
    let Some(domain) = domain_of(written) else {
        let (result, cause) = (SpfResult::None, Cause::NoDomain);
        return Outcome { result, domain: "".into(), identity, explanation: None, cause };
    };
    let subject = Subject {
        client: question.client.to_canonical(),
        local_part,
        sender_domain: &domain,
        helo: question.helo,
        ours: question.ours,
        now,
    };
    let reverse = Reverse::default();
    let mut evaluation = Evaluation { subject, dns, left: limits, reverse };
    let ended = evaluation.run(&domain).await;
    let would_pass = matches!(&ended, Ok(end) if end.result == SpfResult::Pass);
    let ended = match evaluation.reverse.is_unclear() && !would_pass {
        true => Err(Stop::Unclear(Cause::unclear(&subject.client.to_string()))),
        false => ended,
    };
    let (result, cause, explanation) = match ended {
        Ok(end) if end.result == SpfResult::Fail => {
            let explanation = evaluation.explanation(&end).await;
            (end.result, end.cause, explanation)
        }
        Ok(end) => (end.result, end.cause, None),
        Err(Stop::Unclear(cause)) => (SpfResult::TempError, cause, None),
        Err(Stop::Wrong(cause)) => (SpfResult::PermError, cause, None),
    };
    Outcome { result, domain, identity, explanation, cause }
}

impl Default for Limits {
    fn default() -> Self {
        Self { lookups: 10, void_lookups: 2 }
    }
}

impl SpfResult {
    /// As it stands in Authentication-Results (RFC 8601 section 2.7.2) and Received-SPF.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

impl Qualifier {
    /// What it means that the mechanism behind it matches.
    #[must_use]
    pub const fn result(self) -> SpfResult {
        match self {
            Self::Pass => SpfResult::Pass,
            Self::Fail => SpfResult::Fail,
            Self::SoftFail => SpfResult::SoftFail,
            Self::Neutral => SpfResult::Neutral,
        }
    }
}

/// The identity, its local part, and its domain as it was written.
fn identity<'a>(question: &Question<'a>) -> (Identity, &'a str, &'a str) {
    let Some(sender) = question.mail_from else {
        return (Identity::Helo, POSTMASTER, question.helo);
    };
    match sender.rsplit_once('@') {
        Some(("", domain)) => (Identity::MailFrom, POSTMASTER, domain),
        Some((local_part, domain)) => (Identity::MailFrom, local_part, domain),
        None => (Identity::MailFrom, POSTMASTER, ""),
    }
}

/// A domain that can have a record: a name of two labels or more (RFC 7208 section 4.3), no literal and no address.
fn domain_of(written: &str) -> Option<Box<str>> {
    let domain = Domain::parse(written).ok()?;
    let name = domain.as_ascii();
    let is_address = domain.literal().is_some() || name.parse::<IpAddr>().is_ok();
    (domain.is_qualified() && !is_address && crate::dns::is_name(name)).then(|| name.into())
}

/// RFC 7208 section 4.3.
const POSTMASTER: &str = "postmaster";

#[cfg(test)]
mod tests;
