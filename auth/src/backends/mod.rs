//! Directories of other people: servers that are asked who a user is.

mod limits;
mod saslauthd;

pub use limits::RequestLimits;
pub use saslauthd::{Saslauthd, SaslauthdSettings, SaslauthdSettingsError};
