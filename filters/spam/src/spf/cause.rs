//! Why a check came out as it did, for the log and for the comment of a header.
//!
//! All texts are printable ASCII without quotes and brackets, and bounded: they are made of what strangers publish.

use std::fmt;

use super::record::{TermError, shown};

/// Why a check came out as it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The identity has no domain that could publish a record: it is no name, of one label, or an address.
    NoDomain,
    /// The domain publishes no record.
    NoRecord,
    /// A mechanism of the record of a domain matched.
    Matched {
        /// Whose record it stands in: the domain that was asked about, or one that it includes.
        domain: Box<str>,
        /// The directive, as it was written.
        directive: Box<str>,
    },
    /// No mechanism of the record matched, and it does not say what then.
    NothingMatched,
    /// A record is wrong.
    Wrong {
        /// Whose.
        domain: Box<str>,
        /// In what way.
        flaw: Flaw,
    },
    /// Nobody knows what the name servers have to say of a name.
    Unclear {
        /// The name.
        name: Box<str>,
    },
}

/// In what way a record is wrong. Each of them is a permanent error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// The domain has more than one record (RFC 7208 section 4.5).
    #[error("two records")]
    TwoRecords,
    /// It is longer than any record needs to be.
    #[error("too long")]
    TooLong,
    /// A term of it is wrong.
    #[error("{error} in {term}")]
    Term {
        /// The term, cut.
        term: Box<str>,
        /// What is wrong with it.
        error: TermError,
    },
    /// A record that is included or redirected to does not exist (RFC 7208 sections 5.2 and 6.1).
    #[error("no record at {0}")]
    NoRecord(Box<str>),
    /// More terms ask name servers than may (RFC 7208 section 4.6.4).
    #[error("too many look-ups")]
    TooManyLookups,
    /// More terms ask for what does not exist than may (RFC 7208 section 4.6.4).
    #[error("too many look-ups of what does not exist")]
    TooManyVoidLookups,
    /// A name has more mail exchangers than may be looked at (RFC 7208 section 4.6.4).
    #[error("too many mail exchangers")]
    TooManyMx,
    /// With what else the mail makes us look up it is more than is looked up for one mail.
    #[error("too many look-ups for one mail")]
    TooMuchAsked,
}

impl Cause {
    pub(super) fn matched(domain: &str, directive: &str) -> Self {
        Self::Matched { domain: shown(domain), directive: directive.into() }
    }

    pub(super) fn wrong(domain: &str, flaw: Flaw) -> Self {
        Self::Wrong { domain: shown(domain), flaw }
    }

    pub(super) fn unclear(name: &str) -> Self {
        Self::Unclear { name: shown(name) }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDomain => f.write_str("no domain to ask about"),
            Self::NoRecord => f.write_str("no record"),
            Self::Matched { domain, directive } => write!(f, "{directive} of {domain} matches"),
            Self::NothingMatched => f.write_str("nothing in the record matches"),
            Self::Wrong { domain, flaw } => write!(f, "the record of {domain}: {flaw}"),
            Self::Unclear { name } => write!(f, "no answer about {name}"),
        }
    }
}
