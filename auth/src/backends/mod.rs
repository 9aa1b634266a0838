//! Directories that ask somebody else: one module for each kind of server or file.

mod ldap;

pub use ldap::{
    GroupRole, Ldap, LdapScope, LdapSettings, LdapSettingsError, PasswordCheck, ServiceAccount,
    UserSearch,
};
