//! What the hosts that a mail came through say of it: ARC (RFC 8617).
//!
//! A host that changes mail on the way, such as a mailing list, seals what it found when the mail came in.
//! Whether the chain of seals holds is proven here; whether its sealers are believed is not decided here.
//! Where the fields stand in the header says nothing: many servers put them in any order, and the seals are
//! made over the instances in theirs.

mod chain;
mod seal;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

use mailweir_mail::Domain;

pub use self::verify::verify;
use crate::dkim::Fault;

/// What came of the chain of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArcOutcome {
    /// Whether it holds.
    pub result: ArcResult,
    /// The sets of the chain, the newest first. Empty if they are no chain. Proven only if it passes.
    pub sets: Vec<ArcSet>,
    /// The oldest instance since which nobody has changed what is signed, as far as it was looked at
    /// (section 5.2, step 4). RFC 8617 writes 0 where it is the first.
    pub oldest_pass: Option<u64>,
    /// How many seals were checked: all of a chain that passes, or up to the first that is broken.
    pub seals_checked: usize,
}

/// One host's part of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArcSet {
    /// `i=`: 1 for the first host, 50 at most.
    pub instance: u64,
    /// Who sealed it (`d=` of the ARC-Seal).
    pub sealer: Domain,
    /// What the host found: the ARC-Authentication-Results behind the instance, with its folds. Bytes that
    /// are no UTF-8 are replaced.
    pub results: Box<str>,
}

/// The state of a chain (section 4.4), or that it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArcResult {
    /// The mail has no sets; or its header was cut, and it is not known what it has.
    None,
    /// All seals hold, and the newest message signature does.
    Pass,
    /// Nothing that the chain says counts.
    Fail(ArcFault),
    /// A key is not known now; all else holds.
    TempError,
}

/// Why a chain fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArcFault {
    /// Section 4.2.1 allows 50.
    #[error("there are more than 50 sets")]
    TooManySets,
    /// A field has no instance between 1 and 50, at the place where it must be.
    #[error("a field tells no instance")]
    NoInstance,
    /// An instance lacks one of its three fields, or is missing altogether.
    #[error("instance {instance} is not complete")]
    Incomplete {
        /// The one that is not.
        instance: u64,
    },
    /// An instance has one of its three fields twice.
    #[error("instance {instance} is there twice")]
    Twice {
        /// The one that is.
        instance: u64,
    },
    /// A seal cannot be read.
    #[error("the seal of instance {instance} is malformed: {what}")]
    Malformed {
        /// The one of the seal.
        instance: u64,
        /// Which rule it breaks.
        what: &'static str,
    },
    /// `cv=` is not "none" at the first instance and "pass" at all others.
    #[error("instance {instance} found the chain broken, or says what it cannot have found (cv=)")]
    ChainValue {
        /// The one that says so.
        instance: u64,
    },
    /// More hosts with keys of their own than mail comes through.
    #[error("there are more than {most} keys to look up")]
    TooManyKeys {
        /// So many are looked up.
        most: usize,
    },
    /// The newest ARC-Message-Signature does not hold.
    #[error("the newest message signature: {0}")]
    Message(Fault),
    /// It leaves a part of the body unsigned (`l=`), which was added.
    #[error("the newest message signature leaves a part of the body unsigned")]
    PartOfBody,
    /// An ARC-Seal does not hold.
    #[error("the seal of instance {instance}: {fault}")]
    Seal {
        /// The one of the seal.
        instance: u64,
        /// Why it does not.
        fault: Fault,
    },
    /// A key under test proves nothing (RFC 6376 section 3.6.1).
    #[error("a domain of the chain tests its key")]
    TestingKey,
}

impl ArcOutcome {
    /// How many sets the chain has.
    #[must_use]
    pub const fn instances(&self) -> usize {
        self.sets.len()
    }

    /// Who sealed, the newest first.
    pub fn sealers(&self) -> impl Iterator<Item = &Domain> {
        self.sets.iter().map(|set| &set.sealer)
    }

    fn without_chain(result: ArcResult) -> Self {
        Self { result, sets: Vec::new(), oldest_pass: None, seals_checked: 0 }
    }
}

impl ArcResult {
    /// As it stands in Authentication-Results (section 10.1; "temperror" as for other methods).
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::TempError => "temperror",
        }
    }
}
