//! The seam between "somebody claims to be Ann" and whatever knows Ann's password.
//!
//! Implemented by the [`UserStore`](crate::UserStore); LDAP, SQL, saslauthd and Dovecot will
//! stand beside it.

use std::{fmt::Debug, future::Future, pin::Pin};

use crate::{Credentials, FoundKeys, ScramHash, UserName};

/// Something that knows users and can check what they claim.
///
/// The contract:
/// - `verify` answers once, reads only, and may be called by many tasks at a time.
/// - `Ok` is a promise that the claim was proven. Every doubt is an error: a back end that does
///   not answer is [`DirectoryError::Unavailable`], never `Denied`, for a client that hears
///   "denied" asks its user for another password.
/// - An unknown user costs the same time as a wrong password (`attacks.md` C1).
/// - The implementation bounds its own work and its own waiting; the caller sets no deadline.
/// - Nothing of the credentials but the user name may reach a log or an error.
/// - A dropped future may finish its work in the background, but holds no permit for ever.
pub trait Directory: Debug + Send + Sync {
    /// Checks `credentials`.
    fn verify<'a>(&'a self, credentials: &'a Credentials) -> Verification<'a>;

    /// Finds the SCRAM keys of `user`, or a decoy of the same look for a user who has none.
    fn keys<'a>(&'a self, user: &'a UserName, hash: ScramHash) -> KeySearch<'a>;
}

/// The answer of a [`Directory`], to be awaited.
pub type Verification<'a> =
    Pin<Box<dyn Future<Output = Result<Identity, DirectoryError>> + Send + 'a>>;

/// The keys that a [`Directory`] finds, to be awaited.
pub type KeySearch<'a> =
    Pin<Box<dyn Future<Output = Result<FoundKeys, DirectoryError>> + Send + 'a>>;

/// A proven user. Only a [`Directory`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    user: UserName,
}

impl Identity {
    /// The identity of `user`, whose claim was proven.
    #[must_use]
    pub const fn proven(user: UserName) -> Self {
        Self { user }
    }

    /// Who it is.
    #[must_use]
    pub const fn user(&self) -> &UserName {
        &self.user
    }
}

/// Why a claim was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// The claim is false. The peer hears one text for every [`Denial`] (`535 5.7.8`).
    #[error("{0}")]
    Denied(#[from] Denial),
    /// The directory cannot tell now (`454 4.7.0`). The text is for the administrator.
    #[error("{0}")]
    Unavailable(Box<str>),
}

/// Why a claim is false: for the administrator's log, never for the peer (`attacks.md` C1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denial {
    /// There is no such user.
    #[error("unknown user")]
    UnknownUser,
    /// The user exists; the password is another.
    #[error("wrong password")]
    WrongPassword,
    /// The user exists, but its entry holds no password that can be checked.
    #[error("the user has no usable password; set one with `mailweir user passwd`")]
    NoPassword,
    /// The user exists, but its entry holds no keys for this SCRAM mechanism.
    #[error("the user has no SCRAM keys; set the password anew with `mailweir user passwd`")]
    NoKeys,
}
