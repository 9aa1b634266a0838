//! Directories of other people: servers that are asked who a user is.

mod dovecot;
mod limits;
mod saslauthd;

pub use dovecot::{Conversation, ConversationStep, Dovecot, DovecotServer, DovecotSettings};
pub use limits::RequestLimits;
pub use saslauthd::{Saslauthd, SaslauthdSettings, SaslauthdSettingsError};
