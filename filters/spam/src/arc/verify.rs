//! Whether a chain holds (RFC 8617 section 5.2). What costs nothing comes first; then at most 20 look-ups
//! side by side; then at most 50 seals and 11 message signatures are calculated.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use mailweir_mail::Timestamp;

use super::{
    ArcFault, ArcOutcome, ArcResult,
    chain::{Chain, Link},
};
use crate::{
    dkim::{
        BodyMatch, Fault, FieldsByName, Key, Made, Signature, SignedMail, Weakness, look_up, prove,
    },
    dns::Dns,
};

/// Checks the chain of a mail. Who implements [`Dns`] bounds the time.
pub async fn verify(mail: &SignedMail, dns: &impl Dns, now: Timestamp) -> ArcOutcome {
    let chain = match Chain::gather(mail) {
        Ok(Some(chain)) => chain,
        Ok(None) => return ArcOutcome::without_chain(ArcResult::None),
        Err(fault) => return ArcOutcome::without_chain(ArcResult::Fail(fault)),
    };
    let mut outcome =
        ArcOutcome { sets: chain.sets(), ..ArcOutcome::without_chain(ArcResult::Pass) };
    match check(&chain, mail, dns, now, &mut outcome).await {
        Ok(Certainty::Known) => {}
        Ok(Certainty::Unknown) => outcome.result = ArcResult::TempError,
        Err(fault) => outcome.result = ArcResult::Fail(fault),
    }
    outcome
}

/// Whether all keys that matter were found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certainty {
    Known,
    Unknown,
}

/// The keys of a chain, by their names.
struct Keys(BTreeMap<String, Result<Vec<Key>, Fault>>);

async fn check(
    chain: &Chain<'_>,
    mail: &SignedMail,
    dns: &impl Dns,
    now: Timestamp,
    outcome: &mut ArcOutcome,
) -> Result<Certainty, ArcFault> {
    let Some((newest, older)) = chain.links.split_last() else { return Ok(Certainty::Known) };
    let signature = sound(newest, mail, now)?;
    let older = || older.iter().rev().take(MOST_OLDER);
    let older_names =
        older().filter_map(|link| Some(link.message.signature.as_ref().ok()?.key_name()));
    let names = chain.links.iter().rev().map(|link| link.seal.key_name());
    let keys = Keys::look_up(signature.key_name(), names, older_names, dns).await?;
    let fields = mail.header().by_name();
    let message = keys.prove(&signature.key_name(), &signature.made(&fields));
    let mut certainty = certain(message, ArcFault::Message)?;
    for (link, digest) in chain.links.iter().zip(chain.seal_digests()).rev() {
        let (algorithm, signature) = (link.seal.algorithm, link.seal.signature.as_slice());
        let made = Made { algorithm, digest, signature, is_by_domain_itself: true };
        outcome.seals_checked += 1;
        let instance = link.instance;
        let proven = keys.prove(&link.seal.key_name(), &made);
        if certain(proven, |fault| ArcFault::Seal { instance, fault })? == Certainty::Unknown {
            certainty = Certainty::Unknown;
        }
    }
    if certainty == Certainty::Known {
        let unchanged = |link: &&Link<'_>| is_unchanged(link, mail, &keys, &fields, now);
        let oldest = older().take_while(unchanged).last();
        outcome.oldest_pass = Some(oldest.unwrap_or(newest).instance);
    }
    Ok(certainty)
}

/// The newest message signature, if only its key is in question.
fn sound<'m>(
    link: &Link<'m>,
    mail: &SignedMail,
    now: Timestamp,
) -> Result<&'m Signature, ArcFault> {
    let signature =
        link.message.signature.as_ref().map_err(|fault| ArcFault::Message(fault.clone()))?;
    // A signature of the seal could not be made before the seal (section 4.1.2).
    if signature.fields.iter().any(|name| **name == *"arc-seal") {
        return Err(ArcFault::Message(Fault::Malformed("h= names ARC-Seal")));
    }
    if signature.has_expired(now) {
        return Err(ArcFault::Message(Fault::Expired));
    }
    match mail.body().compare(&signature.body) {
        BodyMatch::Same { unsigned: 0 } => Ok(signature),
        BodyMatch::Same { .. } => Err(ArcFault::PartOfBody),
        BodyMatch::Differs => Err(ArcFault::Message(Fault::BodyChanged)),
        BodyMatch::TooShort => Err(ArcFault::Message(Fault::BodyTooShort)),
    }
}

/// Whether what an older host signed is still as it was.
fn is_unchanged(
    link: &Link<'_>,
    mail: &SignedMail,
    keys: &Keys,
    fields: &FieldsByName<'_>,
    now: Timestamp,
) -> bool {
    let proves = |signature: &Signature| keys.prove(&signature.key_name(), &signature.made(fields));
    sound(link, mail, now).is_ok_and(|signature| proves(signature).is_ok())
}

/// That nobody knows a key is no fault of the chain.
fn certain(
    proven: Result<(), Doubt>,
    fault: impl FnOnce(Fault) -> ArcFault,
) -> Result<Certainty, ArcFault> {
    match proven {
        Ok(()) => Ok(Certainty::Known),
        Err(Doubt::Fault(Fault::Unclear)) => Ok(Certainty::Unknown),
        Err(Doubt::Fault(other)) => Err(fault(other)),
        Err(Doubt::TestingKey) => Err(ArcFault::TestingKey),
    }
}

/// Why a signature of the chain is not proven.
enum Doubt {
    Fault(Fault),
    TestingKey,
}

impl Keys {
    /// Looks up each name once. What only tells how old the last change is must not cost more than the rest.
    async fn look_up(
        message: String,
        seals: impl Iterator<Item = String>,
        older: impl Iterator<Item = String>,
        dns: &impl Dns,
    ) -> Result<Self, ArcFault> {
        let mut names: BTreeSet<String> = seals.chain([message]).collect();
        if names.len() > MOST_KEYS {
            return Err(ArcFault::TooManyKeys { most: MOST_KEYS });
        }
        for name in older {
            if names.len() < MOST_KEYS {
                names.insert(name);
            }
        }
        let asked: Vec<_> = names.iter().map(|name| look_up(name.clone(), dns)).collect();
        let answers = join_all(asked).await;
        Ok(Self(names.into_iter().zip(answers).collect()))
    }

    fn prove(&self, name: &str, made: &Made<'_>) -> Result<(), Doubt> {
        let keys = match self.0.get(name) {
            Some(Ok(keys)) => keys,
            Some(Err(fault)) => return Err(Doubt::Fault(fault.clone())),
            None => return Err(Doubt::Fault(Fault::Unclear)),
        };
        let weaknesses = prove(keys, made).map_err(Doubt::Fault)?;
        let is_testing = weaknesses.contains(&Weakness::TestingKey);
        if is_testing { Err(Doubt::TestingKey) } else { Ok(()) }
    }
}

/// Chains of good mail have one to five hosts, and a host has one key or two.
const MOST_KEYS: usize = 20;

/// Message signatures behind the newest one, by which the last change is dated.
const MOST_OLDER: usize = 10;
