//! Whether signatures hold (RFC 6376 section 6). The cheap questions first: most forgeries cost no look-up.

use futures_util::future::join_all;
use mailweir_mail::{Domain, Timestamp};

use super::{
    digest::BodyMatch,
    header::FieldsByName,
    key::{self, Made},
    outcome::{Fault, Outcome, Weakness},
    proof::Checked,
    reader::SignedMail,
    signature::{Seen, Signature},
};
use crate::dns::Dns;

/// What came of the signatures of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// From the top of the header; at most 10.
    pub outcomes: Vec<Outcome>,
    /// So many more signatures the mail has. Nothing is known of them.
    pub not_looked_at: usize,
}

impl SignedMail {
    /// Checks all signatures, the first 10 of them. At most one look-up for each, side by side; who
    /// implements [`Dns`] bounds the time. What a cut header had is not known: see
    /// [`Header::is_cut`](super::Header::is_cut).
    pub async fn verify(&self, dns: &impl Dns, now: Timestamp) -> Verified {
        let outcomes = self.outcomes(&self.signatures.dkim, dns, now).await;
        Verified { outcomes, not_looked_at: self.signatures.not_looked_at }
    }

    /// What the signatures of domains that are `wanted` prove, and those that do not even tell their
    /// domain; in the order in which they stand.
    pub async fn prove(
        &self,
        wanted: impl Fn(&Domain) -> bool,
        dns: &impl Dns,
        now: Timestamp,
    ) -> Vec<Checked> {
        let is_wanted = |seen: &&Seen| seen.claims.domain.as_ref().is_none_or(&wanted);
        let seen: Vec<&Seen> = self.signatures.dkim.iter().filter(is_wanted).collect();
        let outcomes = self.outcomes(seen, dns, now).await;
        outcomes.iter().map(Outcome::checked).collect()
    }

    async fn outcomes<'s>(
        &'s self,
        seen: impl IntoIterator<Item = &'s Seen>,
        dns: &impl Dns,
        now: Timestamp,
    ) -> Vec<Outcome> {
        let fields = self.header().by_name();
        let checks: Vec<_> =
            seen.into_iter().map(|seen| self.outcome(seen, &fields, dns, now)).collect();
        join_all(checks).await
    }

    async fn outcome(
        &self,
        seen: &Seen,
        fields: &FieldsByName<'_>,
        dns: &impl Dns,
        now: Timestamp,
    ) -> Outcome {
        let claims = seen.claims.clone();
        let signature = match &seen.signature {
            Ok(signature) => signature,
            Err(fault) => {
                let cause = Some(fault.clone());
                return Outcome { claims, cause, weaknesses: Vec::new(), fields: Vec::new() };
            }
        };
        let mut weaknesses = signature.weaknesses(fields, now);
        let cause = self.check(signature, fields, dns, now, &mut weaknesses).await.err();
        Outcome { claims, cause, weaknesses, fields: signature.fields.clone() }
    }

    async fn check(
        &self,
        signature: &Signature,
        fields: &FieldsByName<'_>,
        dns: &impl Dns,
        now: Timestamp,
        weaknesses: &mut Vec<Weakness>,
    ) -> Result<(), Fault> {
        let matched = self.body.compare(&signature.body);
        if signature.body.limit.is_some() {
            let unsigned = if let BodyMatch::Same { unsigned } = matched { unsigned } else { 0 };
            weaknesses.push(Weakness::PartOfBody { unsigned });
        }
        if signature.has_expired(now) {
            return Err(Fault::Expired);
        }
        match matched {
            BodyMatch::Same { .. } => {}
            BodyMatch::Differs => return Err(Fault::BodyChanged),
            BodyMatch::TooShort => return Err(Fault::BodyTooShort),
        }
        let keys = key::look_up(signature.key_name(), dns).await?;
        weaknesses.extend(key::prove(&keys, &signature.made(fields))?);
        Ok(())
    }
}

impl Signature {
    /// What its key must prove.
    pub(crate) fn made(&self, fields: &FieldsByName<'_>) -> Made<'_> {
        Made {
            algorithm: self.algorithm,
            digest: self.header_digest(fields),
            signature: &self.bytes,
            is_by_domain_itself: self.agent == self.domain,
        }
    }
}
