//! Checks of claims against records, where a claim of nobody's costs what one of somebody's costs.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    Checks, Decoys, Denial, DirectoryError, Password, Record, ScramHash, ScramKeys, UserName,
};

/// Checks claims against the records that a directory finds, and against nobody's when it finds
/// none (`attacks.md` C1).
///
/// Promised: an unknown user, and one who is locked, cost the check of the record that was
/// [learned](Self::learn) last; before the first, the check of one argon2id hash of the default
/// cost. Where all users have secrets of one scheme and cost, nobody can tell by the time who
/// exists. Not promised: where they differ, a user whose check is dearer or cheaper than that of the
/// learned record can be told from nobody. Nor is the time of the directory's own search equal.
pub struct Verifier {
    checks: Arc<Checks>,
    decoys: Decoys,
    nobody: Mutex<Record>,
}

impl Verifier {
    /// One that makes its checks in `checks`, and keys of passwords in clear with the salts of
    /// `decoys`.
    #[must_use]
    pub fn new(checks: Arc<Checks>, decoys: Decoys) -> Self {
        let nobody = Record::parse([NOBODY], None).unwrap_or_default().nobody();
        Self { checks, decoys, nobody: Mutex::new(nobody) }
    }

    /// From now on an unknown user costs what the user of `record` costs. An empty record teaches
    /// nothing.
    ///
    /// A directory that holds all records calls it with [`Record::most_common`]; one that asks
    /// elsewhere, with each record that it is given. The hashes of that record stay in memory.
    pub fn learn(&self, record: &Record) {
        if !record.is_empty() {
            *self.nobody.lock().unwrap_or_else(PoisonError::into_inner) = record.nobody();
        }
    }

    /// Checks a password against what was `found`.
    ///
    /// # Errors
    /// As [`Record::verify`]; [`Denial::UnknownUser`] if nothing was found.
    pub async fn verify(
        &self,
        found: Option<&Record>,
        password: &Password,
    ) -> Result<(), DirectoryError> {
        match found {
            Some(record) if !record.is_empty() => record.verify(password, &self.checks).await,
            locked_or_unknown => {
                let checked = self.nobody().verify(password, &self.checks).await;
                checked.map_err(|error| instead(error, locked_or_unknown))
            }
        }
    }

    /// The SCRAM keys in what was `found` for `user`.
    ///
    /// # Errors
    /// As [`Record::keys`]; [`Denial::UnknownUser`] if nothing was found.
    pub async fn keys(
        &self,
        found: Option<&Record>,
        user: &UserName,
        hash: ScramHash,
    ) -> Result<ScramKeys, DirectoryError> {
        match found {
            Some(record) if !record.is_empty() => {
                record.keys(hash, user, &self.decoys, &self.checks).await
            }
            locked_or_unknown => {
                let searched = self.nobody().keys(hash, user, &self.decoys, &self.checks).await;
                searched.map_err(|error| instead(error, locked_or_unknown))
            }
        }
    }

    fn nobody(&self) -> Record {
        self.nobody.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("checks", &self.checks).finish_non_exhaustive()
    }
}

/// The log says who is locked.
fn instead(error: DirectoryError, found: Option<&Record>) -> DirectoryError {
    match (error, found) {
        (DirectoryError::Denied(_), Some(_)) => Denial::NoPassword.into(),
        (error, _) => error,
    }
}

/// A hash of nothing at the default cost. That it is known harms nobody: nothing fits it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$\
                      bm9ib2R5LWhhcy10aGlzLWhhc2gtYXQtYWxsLWV2ZXI";
