//! What is shown of a user, and what can be done with its roles.

use crate::{
    AppPassword, Role, Roles, UserName,
    store::{error::StoreError, users_file::Entry},
};

/// A user, as `mailweir user list` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The name.
    pub name: UserName,
    /// How the password is kept: `ARGON2ID`. With any other text nobody can log in by a password
    /// of this entry, only by a certificate.
    pub scheme: Box<str>,
    /// The roles. Who has none is a sender, unless what is written cannot be read.
    pub roles: Roles,
    /// Whether what is written of the roles cannot be read: the user can log in by nothing.
    pub has_unreadable_roles: bool,
    /// Whether the user is disabled, and so can log in by nothing.
    pub disabled: bool,
    /// The app passwords that can be read.
    pub app_passwords: Vec<AppPassword>,
}

/// What to do with the roles of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// The user has these, and no others; none: it is a sender, as who was never given a role.
    Set(Roles),
    /// The user has what it had, and these, without those. Who had none was a sender.
    Adjust {
        /// What comes.
        add: Roles,
        /// What goes, even if it also comes.
        remove: Roles,
    },
}

impl User {
    pub(super) fn of(entry: &Entry) -> Self {
        Self {
            name: entry.name.clone(),
            scheme: entry.secret.scheme().into(),
            roles: entry.fields.roles().unwrap_or_default(),
            has_unreadable_roles: entry.fields.roles().is_err(),
            disabled: entry.fields.is_disabled(),
            app_passwords: entry.fields.app_passwords().map(|known| known.app.clone()).collect(),
        }
    }
}

impl RoleChange {
    /// The roles that the user of this entry has then.
    pub(super) fn applied_to(self, entry: &Entry) -> Result<Roles, StoreError> {
        match self {
            Self::Set(roles) => Ok(roles),
            Self::Adjust { add, remove } => {
                let known = entry.fields.roles();
                let known = known.map_err(|_| StoreError::UnreadableRoles(entry.name.clone()))?;
                // Who has no roles is a sender, and shall not cease to be one by becoming more.
                let before = if known.is_empty() { Role::Sender.into() } else { known };
                let left = before.with(add).without(remove);
                match left.is_empty() {
                    true => Err(StoreError::NoRoleLeft(entry.name.clone())),
                    false => Ok(left),
                }
            }
        }
    }
}
