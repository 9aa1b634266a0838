//! Why the store fails, in its own words and in those of a directory.

use std::{fmt, io, path::PathBuf};

use crate::{AppLabel, DirectoryError, UserName};

/// Why the store could not be read or changed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is such a user already.
    #[error("user {0} exists already; `mailweir user passwd` changes the password")]
    UserExists(UserName),
    /// There is no such user.
    #[error("there is no user {0}")]
    NoSuchUser(UserName),
    /// What the file says of the roles of this user cannot be read, so nothing can be added to it.
    #[error(
        "the roles of {0} cannot be read; `mailweir user role {0} --set ROLES` writes them anew"
    )]
    UnreadableRoles(UserName),
    /// A user without roles is a sender; who takes the last role away means something else.
    #[error(
        "{0} would have no role, and so be a sender; say `--set sender` if that is meant, or \
         lock the user out with `mailweir user disable {0}`"
    )]
    NoRoleLeft(UserName),
    /// The user has an app password of this label.
    #[error("{0} has an app password {1} already")]
    AppPasswordExists(UserName, AppLabel),
    /// The user has no app password of this label.
    #[error("{0} has no app password {1}")]
    NoSuchAppPassword(UserName, AppLabel),
    /// A sender or a listener of an app password has a form that the users file cannot hold.
    #[error(
        "the users file cannot hold a sender whose local part is quoted, or a listener with a \
         space, a comma or a semicolon"
    )]
    Unwritable,
    /// The disk or its permissions.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The users file.
        path: PathBuf,
        /// What was tried: `read`, `lock` or `write`.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A password could not be hashed.
    #[error("cannot hash a password: {0}")]
    Hash(Box<str>),
}

/// What whoever logs in hears of it: try again later.
pub(super) fn unavailable(error: &dyn std::error::Error) -> DirectoryError {
    let text = match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    DirectoryError::Unavailable(text.into())
}

pub(super) fn hash_error(error: impl fmt::Display) -> StoreError {
    StoreError::Hash(error.to_string().into())
}
