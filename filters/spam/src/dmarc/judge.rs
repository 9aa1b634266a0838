//! From an author and what SPF and DKIM have proven to a result (RFC 9989 section 5.3).

use std::{fmt, sync::Arc};

use mailweir_mail::Domain;

use super::{
    alignment::{Aligned, is_aligned},
    outcome::{Cause, DmarcResult, Outcome, Published, Source},
    record::{AuthorIs, Policy, Record, Usable},
    walk::{Lookup, Unclear, Walker},
};
use crate::{
    author::Author,
    dns::{Answer, Dns},
};

/// A domain that SPF or DKIM has said something about. What failed is not told at all: it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// Who says so.
    pub mechanism: Mechanism,
    /// The domain of MAIL FROM, or that of HELO for the null sender (RFC 7208 section 2.4), or the `d=` of a signature,
    /// as it came. One that is no domain is never aligned.
    pub domain: &'a str,
    /// What they say.
    pub standing: Standing,
}

/// The authentication mechanisms below DMARC (section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// RFC 7208.
    Spf,
    /// RFC 6376.
    Dkim,
}

/// What is known of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is authenticated: SPF or the signature passed.
    Pass,
    /// It may be: a temporary error.
    TempError,
}

/// Whether the domains that the author shows have authorised the mail.
///
/// Of each mechanism the first [`MOST_IDENTIFIERS`] identifiers count, of several Author Domains [`MOST_AUTHORS`]: each of them
/// must pass, and the strictest policy of those that fail applies (section 11.5). For an author that cannot be read
/// there is never a pass.
pub async fn evaluate(author: &Author, identifiers: &[Identifier<'_>], dns: &impl Dns) -> Outcome {
    let identifiers = Proofs::new(identifiers);
    let mut walker = Walker::new(dns);
    let cause = match author {
        Author::One(mailbox) => return one(mailbox.domain(), &identifiers, &mut walker).await,
        Author::Missing => Cause::NoAuthor,
        Author::Several(domains) if domains.len() <= MOST_AUTHORS => {
            return worst(domains, &identifiers, &mut walker).await.unwrap_or_else(|| {
                Outcome::without_record(DmarcResult::PermError, None, Cause::NoAuthor)
            });
        }
        Author::Several(_) => Cause::TooManyAuthors,
        Author::Unreadable { doubt, .. } => Cause::Author(*doubt),
    };
    let domains: Vec<Domain> = author.domains().take(MOST_AUTHORS).cloned().collect();
    match worst(&domains, &identifiers, &mut walker).await {
        Some(outcome) if matches!(outcome.result, DmarcResult::Fail | DmarcResult::TempError) => {
            outcome
        }
        Some(_) | None => Outcome::without_record(DmarcResult::PermError, None, cause),
    }
}

/// The outcome of the domain that is worst off.
async fn worst<D: Dns>(
    domains: &[Domain],
    proofs: &Proofs,
    walker: &mut Walker<'_, D>,
) -> Option<Outcome> {
    let mut worst: Option<Outcome> = None;
    for domain in domains {
        let outcome = one(domain, proofs, walker).await;
        if worst.as_ref().is_none_or(|worst| severity(worst) < severity(&outcome)) {
            worst = Some(outcome);
        }
    }
    worst
}

/// A refusal that is asked for is certain, whatever else is unclear; a milder one could still become a refusal.
const fn severity(outcome: &Outcome) -> u8 {
    match (outcome.result, outcome.policy) {
        (DmarcResult::Pass, _) => 0,
        (DmarcResult::None, _) => 1,
        (DmarcResult::PermError, _) => 2,
        (DmarcResult::Fail, Policy::None) => 3,
        (DmarcResult::Fail, Policy::Quarantine) => 4,
        (DmarcResult::TempError, _) => 5,
        (DmarcResult::Fail, Policy::Reject) => 6,
    }
}

async fn one<D: Dns>(author: &Domain, proofs: &Proofs, walker: &mut Walker<'_, D>) -> Outcome {
    let ended = |result, cause| Outcome::without_record(result, Some(author.clone()), cause);
    if author.literal().is_some() {
        return ended(DmarcResult::None, Cause::AddressLiteral);
    }
    let name = author.as_ascii();
    let published = match discover(name, walker).await {
        Err(Unclear) => return ended(DmarcResult::TempError, Cause::RecordUnclear),
        Ok(None) => return ended(DmarcResult::None, Cause::NoRecord),
        Ok(Some(published)) if published.record.usable == Usable::Not => {
            let outcome = ended(DmarcResult::None, Cause::UnusableRecord);
            return Outcome { published: Some(published), ..outcome };
        }
        Ok(Some(published)) => published,
    };
    let judgement = judge(name, proofs, &published.record, walker).await;
    let policy = policy(name, &published, walker).await;
    let (result, policy, cause) = match (judgement, policy) {
        (Judgement::Aligned(by), policy) => {
            (DmarcResult::Pass, policy.unwrap_or(Policy::None), Cause::Aligned(by))
        }
        (Judgement::NotAligned, Ok(policy)) => (DmarcResult::Fail, policy, Cause::NotAligned),
        (Judgement::NotAligned, Err(Unclear)) => {
            (DmarcResult::TempError, Policy::None, Cause::ExistenceUnclear)
        }
        (Judgement::Unclear(cause), Ok(_) | Err(Unclear)) => {
            (DmarcResult::TempError, Policy::None, cause)
        }
    };
    Outcome { result, policy, author: Some(author.clone()), published: Some(published), cause }
}

/// The record that applies (section 4.10.1).
async fn discover<D: Dns>(
    author: &str,
    walker: &mut Walker<'_, D>,
) -> Result<Option<Published>, Unclear> {
    let published = |domain: &str, source, record: &Arc<Record>| {
        Ok(Some(Published { domain: domain.into(), source, record: Arc::clone(record) }))
    };
    match walker.record_at(author).await {
        Lookup::Unclear => return Err(Unclear),
        Lookup::Record(record) => return published(author, Source::AuthorDomain, &record),
        Lookup::Nothing => {}
    }
    let walk = walker.walk(author).await?;
    let organization = walk.organizational_domain();
    if let Some(record) = walk.record_of(organization) {
        return published(organization, Source::OrganizationalDomain, record);
    }
    walk.suffix().map_or(Ok(None), |(name, record)| published(name, Source::PublicSuffix, record))
}

/// What the identifiers come to.
enum Judgement {
    /// One is aligned.
    Aligned(Mechanism),
    /// None is, for certain.
    NotAligned,
    /// None is for certain, but one may be.
    Unclear(Cause),
}

/// Whether an identifier is aligned; what is unclear counts only if nothing else is certain.
async fn judge<D: Dns>(
    author: &str,
    proofs: &Proofs,
    record: &Record,
    walker: &mut Walker<'_, D>,
) -> Judgement {
    let mut unclear = None;
    for proof in proofs.that_pass_first(author) {
        let mode = match proof.mechanism {
            Mechanism::Spf => record.spf,
            Mechanism::Dkim => record.dkim,
        };
        let doubt = match (is_aligned(author, &proof.domain, mode, walker).await, proof.standing) {
            (Aligned::Yes, Standing::Pass) => return Judgement::Aligned(proof.mechanism),
            (Aligned::Yes, Standing::TempError) => Cause::IdentifierUnclear(proof.mechanism),
            (Aligned::Unclear, Standing::Pass | Standing::TempError) => Cause::AlignmentUnclear,
            (Aligned::No, Standing::Pass | Standing::TempError) => continue,
        };
        unclear.get_or_insert(doubt);
    }
    unclear.map_or(Judgement::NotAligned, Judgement::Unclear)
}

/// The policy for this author. Whether the domain exists is asked only where it makes a difference.
async fn policy<D: Dns>(
    author: &str,
    published: &Published,
    walker: &Walker<'_, D>,
) -> Result<Policy, Unclear> {
    let record = &published.record;
    match published.source {
        Source::AuthorDomain => return Ok(record.policy_for(AuthorIs::Publisher)),
        Source::OrganizationalDomain | Source::PublicSuffix => {}
    }
    let (if_there, if_not) =
        (record.policy_for(AuthorIs::Below), record.policy_for(AuthorIs::NonExistentBelow));
    if if_there == if_not {
        return Ok(if_there);
    }
    match walker.dns().a(author).await {
        Answer::Found(_) | Answer::NoRecords => Ok(if_there),
        Answer::NoSuchName => Ok(if_not),
        Answer::Unclear | Answer::NotAsked => Err(Unclear),
    }
}

/// The identifiers by their names in DNS.
struct Proofs(Vec<Proof>);

#[derive(Debug)]
struct Proof {
    mechanism: Mechanism,
    domain: Box<str>,
    standing: Standing,
}

impl Proofs {
    fn new(identifiers: &[Identifier<'_>]) -> Self {
        let named = identifiers.iter().filter_map(|identifier| {
            let domain = Domain::parse(identifier.domain).ok()?;
            let Identifier { mechanism, standing, .. } = *identifier;
            Some(Proof { mechanism, domain: domain.as_ascii().into(), standing })
        });
        // A signature goes along with a mail wherever it is forwarded to: it is the stronger reason.
        let (mut proofs, spf): (Vec<Proof>, Vec<Proof>) =
            named.partition(|proof| proof.mechanism == Mechanism::Dkim);
        proofs.truncate(MOST_IDENTIFIERS);
        proofs.extend(spf.into_iter().take(MOST_IDENTIFIERS));
        proofs.sort_by_key(|proof| proof.standing == Standing::TempError);
        Self(proofs)
    }

    /// Those that are certain first, and of these the author's own domain, which needs no look-up.
    fn that_pass_first(&self, author: &str) -> impl Iterator<Item = &Proof> {
        let is_own =
            move |proof: &&Proof| *proof.domain == *author && proof.standing == Standing::Pass;
        self.0.iter().filter(is_own).chain(self.0.iter().filter(move |proof| !is_own(proof)))
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spf => "SPF",
            Self::Dkim => "DKIM",
        })
    }
}

/// As many Author Domains are looked at. Section 11.5 asks for a limit; honest mail has one, rarely two.
pub const MOST_AUTHORS: usize = 4;

/// As many identifiers of each mechanism count: no more signatures are verified of a mail (attacks.md F2). Those behind
/// prove nothing.
pub const MOST_IDENTIFIERS: usize = 10;
