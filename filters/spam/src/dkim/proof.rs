//! When a signature decides, and not only counts: whatever leaves doubt proves nothing.
//!
//! A body of which a part is signed (`l=`) may have been added to; a key under test counts for nothing; of
//! two keys nobody knows which. See docs/decisions/0022.

use mailweir_mail::{Address, Domain};

use super::outcome::{Fault, Outcome, Weakness};

/// A signature that holds: its domain answers for all fields that it names and for the whole body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The domain that signed (`d=`).
    pub domain: Domain,
    /// Its key (`s=`).
    pub selector: Box<str>,
    /// The names of the signed fields, in lower case.
    fields: Vec<Box<str>>,
}

/// Why a signature proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It does not hold.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// It is too weak to decide anything.
    #[error(transparent)]
    Weak(Weakness),
}

/// What came of one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Who claims to have signed; absent where it cannot be read.
    pub domain: Option<Domain>,
    /// What it proves.
    pub result: Result<Proof, Doubt>,
}

impl Outcome {
    /// What the signature proves, if it is to decide something.
    #[must_use]
    pub fn checked(&self) -> Checked {
        Checked { domain: self.claims.domain.clone(), result: self.proof() }
    }

    fn proof(&self) -> Result<Proof, Doubt> {
        if let Some(weakness) = self.weaknesses.iter().find(|weakness| weakness.leaves_doubt()) {
            return Err(Doubt::Weak(*weakness));
        }
        if let Some(fault) = &self.cause {
            return Err(Doubt::Fault(fault.clone()));
        }
        // Whatever passes has told both.
        let (domain, selector) = (self.claims.domain.clone(), self.claims.selector.clone());
        let (Some(domain), Some(selector)) = (domain, selector) else {
            return Err(Doubt::Fault(Fault::Malformed("d= or s= is missing")));
        };
        Ok(Proof { domain, selector, fields: self.fields.clone() })
    }
}

impl Weakness {
    /// Whether a signature with it decides nothing. Fields that are signed once too few are a matter of
    /// whoever reads them; short keys are common still.
    const fn leaves_doubt(&self) -> bool {
        match self {
            Self::PartOfBody { .. } | Self::TestingKey | Self::SeveralKeys => true,
            Self::ShortKey { .. } | Self::OpenField { .. } | Self::FromTheFuture { .. } => false,
        }
    }
}

impl Proof {
    /// Whether the fields of this name, in lower case, are signed.
    #[must_use]
    pub fn covers(&self, field: &str) -> bool {
        self.fields.iter().any(|signed| **signed == *field)
    }
}

/// Whether a signature of `signer` counts for mail from `author`, if it holds: of the same domain, or of
/// one above it. DMARC's relaxed alignment also takes a sister of the domain; for that one must know which
/// names everybody may have names below.
#[must_use]
pub fn is_aligned(signer: &Domain, author: &Address) -> bool {
    signer.literal().is_none() && author.domain().is_within(signer)
}
