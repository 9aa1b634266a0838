//! What a proven user may do at the gateway, as a directory's groups or a users file say it.

use std::{fmt, str::FromStr};

/// One kind of work at the gateway. `Display` and `FromStr` use its name, such as `help-desk`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Hands in mail.
    Sender,
    /// Releases and denies held mail.
    Moderator,
    /// Reads the archive and the audit log, and changes nothing.
    Auditor,
    /// Changes the gateway itself.
    Administrator,
    /// Looks up what became of a mail, without its content.
    HelpDesk,
}

impl Role {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 5] =
        [Self::Sender, Self::Moderator, Self::Auditor, Self::Administrator, Self::HelpDesk];

    /// The name in configuration and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Moderator => "moderator",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
            Self::HelpDesk => "help-desk",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    /// Reads a name in any case.
    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        let role = Self::ALL.into_iter().find(|role| role.as_str().eq_ignore_ascii_case(name));
        role.ok_or(UnknownRole)
    }
}

/// Several roles, or none. `Display` and `FromStr` are names divided by commas.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// No role.
    pub const EMPTY: Self = Self(0);

    /// Adds a role.
    pub const fn insert(&mut self, role: Role) {
        self.0 |= bit(role);
    }

    /// All that are in one of the two.
    #[must_use]
    pub const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those that are not among `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Whether this role is among them.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        self.0 & bit(role) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |&role| self.contains(role))
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self(bit(role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | bit(role)))
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{role}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromStr for Roles {
    type Err = UnknownRole;

    /// Reads names divided by commas, with spaces around them or none. An empty text is no role.
    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        match text.trim() {
            "" => Ok(Self::EMPTY),
            names => names.split(',').map(|name| name.trim().parse::<Role>()).collect(),
        }
    }
}

/// A text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown role; there are sender, moderator, auditor, administrator and help-desk")]
pub struct UnknownRole;

const fn bit(role: Role) -> u8 {
    1 << role as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
            assert!(UnknownRole.to_string().contains(role.as_str()));
        }
        assert_eq!("Help-Desk".parse(), Ok(Role::HelpDesk));
        for bad in ["", "helpdesk", "admin", "sender,moderator"] {
            assert_eq!(bad.parse::<Role>(), Err(UnknownRole), "{bad:?}");
        }
    }

    #[test]
    fn roles_hold_what_was_put_in_and_nothing_else() {
        let mut roles = Roles::EMPTY;
        assert!(roles.is_empty() && roles.iter().next().is_none());
        roles.insert(Role::HelpDesk);
        roles.insert(Role::Moderator);
        roles.insert(Role::Moderator);
        assert!(roles.contains(Role::HelpDesk) && !roles.contains(Role::Sender));
        assert_eq!(roles.iter().collect::<Vec<_>>(), [Role::Moderator, Role::HelpDesk]);
        assert_eq!(roles.to_string(), "moderator,help-desk");
        assert_eq!(roles.without(Role::Moderator.into()), Role::HelpDesk.into());
        assert_eq!(roles.without(Role::Auditor.into()), roles);
        assert_eq!(Roles::from(Role::HelpDesk).with(Role::Moderator.into()), roles);
    }

    #[test]
    fn a_list_of_roles_is_read_whole_or_not_at_all() {
        assert_eq!(
            " auditor , sender ".parse(),
            Ok([Role::Sender, Role::Auditor].into_iter().collect::<Roles>())
        );
        assert_eq!(" ".parse(), Ok(Roles::EMPTY));
        let all: Roles = Role::ALL.into_iter().collect();
        assert_eq!(all.to_string().parse(), Ok(all));
        for bad in [",", "sender,", "sender,root", "sender moderator"] {
            assert_eq!(bad.parse::<Roles>(), Err(UnknownRole), "{bad:?}");
        }
    }
}
