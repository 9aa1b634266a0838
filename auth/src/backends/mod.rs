//! Directories that somebody else keeps: one module for each kind of server or file.

mod authorities;
mod certificate;
mod dovecot;
mod ldap;
mod limits;
pub(crate) mod oauth;
mod password_file;
mod saslauthd;
mod sql;

pub use certificate::CertificateHolders;
pub use dovecot::{Conversation, ConversationStep, Dovecot, DovecotServer, DovecotSettings};
pub use ldap::{
    GroupRole, Ldap, LdapScope, LdapSettings, LdapSettingsError, PasswordCheck, ServiceAccount,
    UserSearch,
};
pub use limits::RequestLimits;
pub use oauth::{
    JwksSource, JwksUrl, JwksUrlError, OAuth, OAuthError, OAuthSettings, SignatureAlgorithm,
    TokenFault, UnknownAlgorithm,
};
pub use password_file::{PasswordFile, PasswordFileError, PasswordFileSettings};
pub use saslauthd::{Saslauthd, SaslauthdSettings, SaslauthdSettingsError};
pub use sql::{Sql, SqlQueryError, SqlSettings, SqlSettingsError};
