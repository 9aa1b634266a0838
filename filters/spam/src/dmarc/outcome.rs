//! What DMARC came to for one mail, in the words of RFC 9989 section 9.2 and RFC 8601.

use std::{fmt, sync::Arc};

use mailweir_mail::{Domain, header_from::FromDoubt};

use super::{
    judge::Mechanism,
    record::{AuthorIs, Policy, Record},
};
use crate::results::{Method, MethodName, PropertyName, ResultName};

/// The result and what it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The result.
    pub result: DmarcResult,
    /// What the domain owner asks for, for mail of this author that fails: after `sp`, `np` and `t`. [`Policy::None`] if
    /// there is no record, or it cannot be told: section 5.3.6 lets no policy be applied in doubt.
    pub policy: Policy,
    /// The Author Domain that the result is about: of several the one that is worst off. None, if there is none.
    pub author: Option<Domain>,
    /// The record that applies.
    pub published: Option<Published>,
    /// Why.
    pub cause: Cause,
}

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The DMARC Policy Domain.
    pub domain: Box<str>,
    /// What that domain is to the author's.
    pub source: Source,
    /// The record.
    pub record: Arc<Record>,
}

impl Published {
    /// Whether it asks for nothing, whatever else is found out about the author's domain and the mail.
    #[must_use]
    pub fn asks_for_nothing(&self) -> bool {
        let may_be: &[AuthorIs] = match self.source {
            Source::AuthorDomain => &[AuthorIs::Publisher],
            Source::OrganizationalDomain | Source::PublicSuffix => {
                &[AuthorIs::Below, AuthorIs::NonExistentBelow]
            }
        };
        may_be.iter().all(|author| self.record.policy_for(*author) == Policy::None)
    }
}

/// Where a record was found, in the order of preference (section 4.10.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// At the Author Domain.
    AuthorDomain,
    /// At the organizational domain above it.
    OrganizationalDomain,
    /// At the public suffix above that.
    PublicSuffix,
}

/// The result names of the method `dmarc` (section 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmarcResult {
    /// DMARC does not apply: no record, or none that can be used.
    None,
    /// The author's domain has authorised the mail.
    Pass,
    /// It has not.
    Fail,
    /// Nobody knows now; later perhaps.
    TempError,
    /// It can never be told: the mail has no author, or several, or one that cannot be read.
    PermError,
}

/// Why a result is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An identifier of this mechanism is aligned.
    Aligned(Mechanism),
    /// None is.
    NotAligned,
    /// The domain publishes no record, nor does one above it.
    NoRecord,
    /// It publishes one with a wrong policy, and asks for no reports (section 4.10.1).
    UnusableRecord,
    /// It is an address literal, which can publish nothing.
    AddressLiteral,
    /// A name server does not tell which record applies.
    RecordUnclear,
    /// It does not tell whether an identifier is aligned.
    AlignmentUnclear,
    /// SPF or DKIM does not know about an identifier that would be aligned.
    IdentifierUnclear(Mechanism),
    /// A name server does not tell whether the domain exists, and the policy depends on it.
    ExistenceUnclear,
    /// There is no From field, or it names nobody.
    NoAuthor,
    /// It cannot be read beyond doubt.
    Author(FromDoubt),
    /// It names more than [`super::MOST_AUTHORS`] domains, and those that were looked at did not fail.
    TooManyAuthors,
}

impl Outcome {
    /// The result as it is written into an Authentication-Results field (sections 9.1 and 9.2).
    #[must_use]
    pub fn method(&self) -> Method {
        let method = Method::new(MethodName::Dmarc, self.result.name());
        let method = match self.result {
            DmarcResult::Pass => method.comment(&self.cause.to_string()),
            DmarcResult::None
            | DmarcResult::Fail
            | DmarcResult::TempError
            | DmarcResult::PermError => method.reason(&self.cause.to_string()),
        };
        let method = match &self.author {
            None => method,
            Some(author) => method.property(PropertyName::HeaderFrom, author.as_ascii()),
        };
        match self.result {
            DmarcResult::Pass | DmarcResult::Fail => {
                method.property(PropertyName::PolicyDmarc, self.policy.as_str())
            }
            DmarcResult::None | DmarcResult::TempError | DmarcResult::PermError => method,
        }
    }

    pub(super) const fn without_record(
        result: DmarcResult,
        author: Option<Domain>,
        cause: Cause,
    ) -> Self {
        Self { result, policy: Policy::None, author, published: None, cause }
    }
}

impl DmarcResult {
    /// The result in a word.
    #[must_use]
    pub const fn name(self) -> ResultName {
        match self {
            Self::None => ResultName::None,
            Self::Pass => ResultName::Pass,
            Self::Fail => ResultName::Fail,
            Self::TempError => ResultName::TempError,
            Self::PermError => ResultName::PermError,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aligned(mechanism) => write!(f, "aligned by {mechanism}"),
            Self::NotAligned => f.write_str("neither SPF nor DKIM is aligned"),
            Self::NoRecord => f.write_str("no record"),
            Self::UnusableRecord => f.write_str("the record has no valid policy"),
            Self::AddressLiteral => f.write_str("the author is at an address literal"),
            Self::RecordUnclear => f.write_str("the record cannot be looked up"),
            Self::AlignmentUnclear => f.write_str("an organizational domain cannot be looked up"),
            Self::IdentifierUnclear(mechanism) => write!(f, "{mechanism} cannot be checked"),
            Self::ExistenceUnclear => {
                f.write_str("it cannot be looked up whether the domain exists")
            }
            Self::NoAuthor => f.write_str("there is no From field that names anybody"),
            Self::Author(doubt) => write!(f, "From: {doubt}"),
            Self::TooManyAuthors => f.write_str("From names too many domains"),
        }
    }
}
