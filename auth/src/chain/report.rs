//! What each back end says of one claim, for the administrator who sets them up.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Attempt, Chain, CramMd5Keys, Credentials, Denial, DirectoryError, Identity, KeyedIdentity,
    Mechanism, ScramHash, ScramKeys,
    chain::{Link, Verdict},
};

/// What the back ends of a [`Chain`] say of one claim.
#[derive(Debug)]
pub struct Report {
    /// Each of them, in order.
    pub backends: Vec<BackendReport>,
    /// What that comes to.
    pub outcome: Result<Identity, DirectoryError>,
}

/// What one back end says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendReport {
    /// Its name.
    pub name: Box<str>,
    /// What it says.
    pub answer: BackendAnswer,
}

/// Whether a back end was asked, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendAnswer {
    /// One before it has accepted the claim.
    NotAsked,
    /// It cannot do this mechanism.
    CannotServe,
    /// It was asked.
    Said {
        /// What it said.
        verdict: Result<Identity, DirectoryError>,
        /// How long that took.
        took: Duration,
    },
}

impl Chain {
    /// Asks as a log-in does, in order until one accepts, and tells what each said. Nothing is
    /// remembered for later log-ins, or taken from earlier ones.
    ///
    /// For SCRAM the password is tried against the keys, which takes processor time here.
    pub async fn report(&self, credentials: &Credentials, attempt: &Attempt) -> Report {
        let mut backends = Vec::new();
        let (mut accepted, mut refusals) = (None, Verdict::default());
        for link in &self.links {
            let answer = match accepted.is_some() || refusals.is_final() {
                true => BackendAnswer::NotAsked,
                false => self.question(link, credentials, attempt).await,
            };
            match &answer {
                BackendAnswer::Said { verdict: Ok(identity), .. } => {
                    accepted = Some(identity.clone());
                }
                BackendAnswer::Said { verdict: Err(error), .. } => refusals.hear(error.clone()),
                BackendAnswer::NotAsked | BackendAnswer::CannotServe => {}
            }
            backends.push(BackendReport { name: link.backend.name.clone(), answer });
        }
        Report { backends, outcome: accepted.ok_or_else(|| refusals.error()) }
    }

    async fn question(
        &self,
        link: &Link,
        credentials: &Credentials,
        attempt: &Attempt,
    ) -> BackendAnswer {
        let (directory, mechanism) = (&link.backend.directory, credentials.mechanism());
        if !directory.serves(mechanism) {
            return BackendAnswer::CannotServe;
        }
        let start = Instant::now();
        let verdict = match mechanism {
            // Only it can say whether a proof fits; whether the password does, it says too.
            _ if directory.conducts(mechanism) => {
                let claim = Credentials::new(
                    Mechanism::Plain,
                    credentials.user().clone(),
                    credentials.proof().clone(),
                );
                self.ask(link, directory.verify(&claim, attempt)).await
            }
            Mechanism::CramMd5 => {
                let keys = self.ask(link, directory.cram_md5(credentials.user())).await;
                keys.and_then(|found| try_cram_md5(found, credentials))
            }
            Mechanism::Scram(hash) | Mechanism::ScramPlus(hash) => {
                let keys = self.ask(link, directory.keys(credentials.user(), hash)).await;
                keys.and_then(|found| try_keys(hash, found, credentials))
            }
            _ => self.ask(link, directory.verify(credentials, attempt)).await,
        };
        BackendAnswer::Said { verdict, took: start.elapsed() }
    }
}

fn try_cram_md5(
    found: KeyedIdentity<CramMd5Keys>,
    credentials: &Credentials,
) -> Result<Identity, DirectoryError> {
    let password = credentials.password().ok_or(Denial::OtherProof)?;
    match *found.keys.to_text() == *CramMd5Keys::of(password).to_text() {
        true => Ok(found.identity),
        false => Err(Denial::WrongPassword.into()),
    }
}

fn try_keys(
    hash: ScramHash,
    found: KeyedIdentity,
    credentials: &Credentials,
) -> Result<Identity, DirectoryError> {
    let password = credentials.password().ok_or(Denial::OtherProof)?;
    let KeyedIdentity { identity, keys } = found;
    match ScramKeys::derive(hash, password, keys.salt(), keys.iterations()) == keys {
        true => Ok(identity),
        false => Err(Denial::WrongPassword.into()),
    }
}
