//! What came of one signature: the result by which other programs know it (RFC 8601 section 2.7.1), the
//! cause, and what makes a signature that holds worth less.

use mailweir_mail::Domain;

use super::{
    key::KeyFault,
    signature::{domain, selector},
    tags::Tags,
};

/// What came of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it says of itself. Proven only if it passes.
    pub claims: Claims,
    /// Why it does not pass; absent if it does.
    pub cause: Option<Fault>,
    /// What makes it weaker, be it good or not.
    pub weaknesses: Vec<Weakness>,
    /// The names of the signed fields, in lower case; empty if it is malformed.
    pub(super) fields: Vec<Box<str>>,
}

/// A result of RFC 8601 section 2.7.1. "None" is not among them: that is a mail without signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DkimResult {
    /// The signature holds. See [`Outcome::weaknesses`].
    Pass,
    /// It does not fit the mail.
    Fail,
    /// It cannot be understood.
    Neutral,
    /// We do not take such signatures, whether they fit or not.
    Policy,
    /// Nobody knows now; later it may be known.
    TempError,
    /// It will never be known.
    PermError,
}

/// What a signature says of itself, as far as it can be read and is safe to repeat in a header field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Who signed (`d=`).
    pub domain: Option<Domain>,
    /// By which key (`s=`).
    pub selector: Option<Box<str>>,
    /// For whom (`i=`, or what stands for it if it is absent: `@` and the domain).
    pub agent: Option<Box<str>>,
    /// How (`a=`), be it an algorithm that we know or not.
    pub algorithm: Option<Box<str>>,
    /// The first 8 characters of `b=`, by which signatures of one domain can be told apart (RFC 6008).
    pub beginning: Box<str>,
}

/// Why a signature does not pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A tag is missing or says nothing that can be understood.
    #[error("the signature is malformed: {0}")]
    Malformed(&'static str),
    /// Nobody knows such an algorithm.
    #[error("the algorithm {0:?} is not accepted")]
    Algorithm(Box<str>),
    /// SHA-1 (RFC 8301 section 3.1).
    #[error("SHA-1 is not accepted any more")]
    Sha1,
    /// `h=` does not name From (RFC 6376 section 5.4).
    #[error("it does not sign the From field")]
    FromNotSigned,
    /// The time of `x=` is over.
    #[error("it has expired")]
    Expired,
    /// The hash of the body is another.
    #[error("the body was changed")]
    BodyChanged,
    /// `l=` is longer than the body.
    #[error("the body is shorter than what was signed (l=)")]
    BodyTooShort,
    /// The signature is not one of the header by the key.
    #[error("the header was changed, or somebody else signed")]
    HeaderChanged,
    /// The name has no key.
    #[error("there is no key {0}")]
    NoKey(Box<str>),
    /// The key must not be used for this.
    #[error("the key is not usable: {0}")]
    Key(#[from] KeyFault),
    /// No answer.
    #[error("the name server does not tell the key")]
    Unclear,
    /// The mail has caused as many look-ups as it may before the key.
    #[error("its key was not asked for: the mail has too many look-ups")]
    NotAsked,
}

/// What makes a signature weaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// `l=`: anybody could add so many bytes. None, if all of the body is signed all the same.
    #[error("it leaves a part of the body unsigned (l=), {unsigned} bytes")]
    PartOfBody {
        /// In the form in which the body is hashed.
        unsigned: u64,
    },
    /// `t=y`: the mail is to be treated as if it had no signature (RFC 6376 section 3.6.1).
    #[error("its domain tests the key")]
    TestingKey,
    /// RSA with less than 2048 bits (RFC 8301 section 3.2 asks signers for so many).
    #[error("its key has {bits} bits")]
    ShortKey {
        /// Between 1024 and 2047.
        bits: u32,
    },
    /// Nobody knows which of them is meant (RFC 6376 section 3.6.2.2).
    #[error("there are several keys under one name")]
    SeveralKeys,
    /// There are more fields of a name than are signed: somebody else may have added one, and a reader
    /// may be shown that one (RFC 6376 section 8.15).
    #[error("of {present} {field} fields it signs {signed}")]
    OpenField {
        /// Its name.
        field: &'static str,
        /// So many the mail has.
        present: usize,
        /// So many the signature names.
        signed: usize,
    },
    /// `t=` is later than now.
    #[error("it was made {seconds} seconds from now")]
    FromTheFuture {
        /// How much later; more than five minutes.
        seconds: u64,
    },
}

impl Outcome {
    /// The result in a word.
    #[must_use]
    pub fn result(&self) -> DkimResult {
        self.cause.as_ref().map_or(DkimResult::Pass, Fault::result)
    }

    /// Whether the signature holds. It may be weak.
    #[must_use]
    pub const fn is_pass(&self) -> bool {
        self.cause.is_none()
    }

    /// Whether it names fields of this name (in lower case) among those that it signs.
    #[must_use]
    pub fn covers(&self, field: &str) -> bool {
        self.fields.iter().any(|signed| **signed == *field)
    }
}

impl Fault {
    /// Which result it is. An expired signature, SHA-1 and keys of a length that is not accepted are
    /// "policy": RFC 6376 section 3.5 and RFC 8301 leave the signature as it is, and tell verifiers not to
    /// take it; "fail" would say that somebody changed the mail.
    #[must_use]
    pub const fn result(&self) -> DkimResult {
        match self {
            Self::Malformed(_) | Self::Algorithm(_) => DkimResult::Neutral,
            Self::Sha1 | Self::Expired => DkimResult::Policy,
            Self::Key(KeyFault::TooShort { .. } | KeyFault::TooLong { .. }) => DkimResult::Policy,
            Self::FromNotSigned | Self::NoKey(_) | Self::Key(_) | Self::NotAsked => {
                DkimResult::PermError
            }
            Self::BodyChanged | Self::BodyTooShort | Self::HeaderChanged => DkimResult::Fail,
            Self::Unclear => DkimResult::TempError,
        }
    }
}

impl DkimResult {
    /// As it stands in Authentication-Results.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Neutral => "neutral",
            Self::Policy => "policy",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

impl Claims {
    pub(super) fn read(tags: &Tags<'_>) -> Self {
        let domain = tags.get("d").and_then(domain);
        let by_default = || domain.as_ref().map(|domain| format!("@{}", domain.as_ascii()).into());
        let agent = tags.get("i").map_or_else(by_default, |text| safe(text, MOST_AGENT));
        let signature = tags.get("b").unwrap_or_default().bytes();
        let in_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        Self {
            agent,
            domain,
            selector: tags.get("s").and_then(selector),
            algorithm: tags.get("a").and_then(|text| safe(text, MOST_ALGORITHM)),
            beginning: signature
                .filter(in_base64)
                .take(8)
                .map(char::from)
                .collect::<String>()
                .into(),
        }
    }
}

/// A text that means only itself wherever it stands in a header field.
fn safe(text: &str, most: usize) -> Option<Box<str>> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@+=".contains(&byte);
    let is_safe = !text.is_empty() && text.len() <= most && text.bytes().all(plain);
    is_safe.then(|| text.into())
}

/// The longest local part, the sign and the longest domain (RFC 5321 section 4.5.3.1).
const MOST_AGENT: usize = 64 + 1 + 255;

const MOST_ALGORITHM: usize = 32;
